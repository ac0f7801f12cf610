"""cardcheck leaderboard report and cardcheck leaderboard diff."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cardcheck.cli.options import FOLDER

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardcheck.report.board.records import Changes, Report

STORE = click.option("--store", "file", type=FOLDER, metavar="FILE", help="The store.  [default: in the cache folder]")
OUTPUT = click.option("--output", "outputs", multiple=True, metavar="FORMAT:PATH", help="Write it to a file; may be repeated.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")
PARQUET = b"PAR1"  # how a store begins
GRAVE = ("error", "warning", "note")


@click.command()
@click.argument("benchmark", required=False)
@STORE
@OUTPUT
@click.option("--into", type=FOLDER, metavar="FOLDER", help="Write html, markdown and json into FOLDER/DAY, renew FOLDER's index and feed.")
@click.option("--since", type=FOLDER, metavar="OLD", help="An older store or report: say what changed.  [default with --into: the last]")
@click.option("--date", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="The report's day.  [default: that of the results]")
@JSON
def report(
    benchmark: str | None,
    file: Path | None,
    outputs: tuple[str, ...],
    into: Path | None,
    since: Path | None,
    *,
    as_json: bool,
    date: object,
) -> None:
    """Audit the models of a BENCHMARK of MTEB, or of all results, and write a report.

    Formats are html (one page that opens without a network), markdown, json, csv, parquet and atom. Without --output and
    --into a summary in Markdown is printed.
    """
    from dataclasses import replace

    from cardcheck.leaderboard import boards, reported, store
    from cardcheck.leaderboard.diff import diff
    from cardcheck.report import board as writers

    targets = _targets(outputs, writers.reporter)
    if benchmark is not None:
        boards.board(benchmark)  # also an empty name is none
    opened = store.open_store(file.expanduser() if file else None)
    older = _named(since, benchmark) if since else None  # first, as auditing takes seconds
    found = reported.report(opened, benchmark, date=f"{date:%Y-%m-%d}" if date else None)
    if older:
        found = replace(found, changes=diff(older, found))
    written = []
    if into:
        from cardcheck.leaderboard.shelf import put

        done = put(found, into.expanduser())
        found, written = done.report, list(done.files)
        for why in done.unread:
            click.echo(f"cardcheck: not read: {_visible(why)}", err=True)
    for name, path in targets:
        writers.write(path, writers.reporter(name)(found))
        written.append(path)
    if as_json or not written:
        _print(writers.reporter("json" if as_json else "markdown")(found))
    else:
        click.echo(_line(found, written, compared=bool(into or since)))


@click.command()
@click.argument("old", type=FOLDER)
@click.argument("new", type=FOLDER)
@click.option("--benchmark", metavar="NAME", help="What to audit stores for.  [default: the other report's, or all results]")
@click.option(
    "--fail-on", type=click.Choice([*GRAVE, "never"]), default="never", show_default=True, help="Exit with 1 for new findings this grave."
)
@OUTPUT
@JSON
def diff(old: Path, new: Path, benchmark: str | None, fail_on: str, outputs: tuple[str, ...], *, as_json: bool) -> None:
    """Say what changed from OLD to NEW, which are stores or reports in JSON.

    New and gone models, moves beyond ties and intervals, new and resolved findings, changed scores. Formats are text, html,
    markdown, json and atom.
    """
    from cardcheck.leaderboard.diff import diff as compare
    from cardcheck.report import board as writers

    targets = _targets(outputs, writers.changer)
    found = compare(_named(old, benchmark, new), _named(new, benchmark, old))
    for name, path in targets:
        content = writers.changer(name)(found)
        writers.write(path, click.unstyle(content.decode("utf-8")).encode("utf-8") if name == "text" else content)
    _print(writers.changer("json" if as_json else "text")(found))
    if targets:
        click.echo("written: " + ", ".join(_visible(path) for _, path in targets), err=True)
    if _is_grave(found, fail_on):
        raise click.exceptions.Exit(1)


def _targets(outputs: tuple[str, ...], writer: Callable[[str], object]) -> list[tuple[str, Path]]:
    """Split each FORMAT:PATH, before any work is done. Raises UsageError, and CardcheckError for an unknown format."""
    targets = []
    for output in outputs:
        name, colon, path = output.partition(":")
        if not colon or not path:
            raise click.UsageError(f"--output {output}: write it as FORMAT:PATH, such as html:report.html")
        writer(name)
        targets.append((name, Path(path).expanduser()))
    return targets


def _named(file: Path, benchmark: str | None, other: Path | None = None) -> Report:
    """Return a report from its JSON, or of a store, whose benchmark is the one that is named or that of the other report."""
    from cardcheck.errors import CardcheckError
    from cardcheck.leaderboard import boards, reported, store

    file = file.expanduser()
    if not _is_store(file):
        found = reported.read(file)
        if benchmark is not None and found.board != boards.board(benchmark).name:
            raise CardcheckError(f"{file} is a report on {found.board}, not on {benchmark}", hint="only a store has other benchmarks")
        return found
    if benchmark is None and other is not None and not _is_store(other.expanduser()):
        board = reported.read(other.expanduser()).board
        benchmark = None if board == reported.WHOLE else board
    return reported.report(store.open_store(file), benchmark)


def _is_store(file: Path) -> bool:
    if not file.is_file():
        return False  # a pipe can be read once only; whoever reads it says what is wrong with the rest
    try:
        with file.open("rb") as opened:
            return opened.read(len(PARQUET)) == PARQUET
    except OSError:
        return False  # whoever reads it says why


def _is_grave(found: Changes, fail_on: str) -> bool:
    counted = GRAVE[: GRAVE.index(fail_on) + 1] if fail_on in GRAVE else ()
    return any(change.severity in counted for change in found.of("new finding"))


def _line(found: Report, written: list[Path], *, compared: bool) -> str:
    """Return in one line what was found, what changed where older reports were looked at, and what was written."""
    from cardcheck.report.board.index import changed
    from cardcheck.report.words import count

    numbers = found.numbers
    counts = ", ".join(count(numbers[name], name[:-1]) for name in ("models", "errors", "warnings", "notes"))
    news = f"; {_visible(changed(found))}" if compared else ""
    files = ", ".join(_visible(path) for path in written)
    return f"{_visible(found.board)}, {found.date}: {counts}{news}; written: {files}"


def _visible(text: object) -> str:
    from cardcheck.report.escape import visible

    return visible(text)


def _print(content: bytes) -> None:
    from cardcheck.cli import echo

    echo(content.decode("utf-8"))
