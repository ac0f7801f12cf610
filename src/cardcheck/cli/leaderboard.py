"""cardcheck leaderboard: bring MTEB's results here, and rank models by them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from cardcheck.cli import leaderboard_audit, leaderboard_report
from cardcheck.cli.options import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from cardcheck.leaderboard.boards import Board
    from cardcheck.leaderboard.store import Head

JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
STORE = click.option("--store", "file", type=FOLDER, metavar="FILE", help="The store.  [default: in the cache folder]")
NAMED = 10  # bad files that are named in text; JSON and --bad name all


@click.group(name="leaderboard")
def command() -> None:
    """Keep MTEB's results, and rank models by them."""


command.add_command(leaderboard_audit.audit)
command.add_command(leaderboard_report.report)
command.add_command(leaderboard_report.diff)


@command.command()
@click.argument("source", required=False)
@click.option("--table", type=FOLDER, metavar="FILE", help="Take a table of scores in Parquet instead.")
@click.option("--jobs", type=click.IntRange(min=0), default=0, metavar="N", help="Processes that read.  [default: one for each core]")
@click.option("--again", is_flag=True, help="Read everything anew, also what did not change.")
@click.option("--bad", "name_all", is_flag=True, help="Name every file that could not be read.")
@STORE
@JSON
def sync(source: str | None, table: Path | None, file: Path | None, *, jobs: int, again: bool, name_all: bool, as_json: bool) -> None:
    """Bring the results of SOURCE into the store; what did not change is not read again.

    A SOURCE is a checkout of MTEB's results repository, an archive of it (.tar.zst, .tar.gz, .tar, .zip), a git address, or
    hub or github for where MTEB keeps it. Without one it is what the store was made from.
    """
    from cardcheck.leaderboard import store

    file = file.expanduser() if file else store.default_path()
    if source and table:
        raise click.UsageError("give a SOURCE or --table, not both")
    if not source and not table:
        source, table = _as_before(store.open_store(file).head)
    if table:
        from cardcheck.leaderboard.tables import sync_table

        done = sync_table(table.expanduser(), file, again=again)
    else:
        from cardcheck.leaderboard.sync import sync as run

        done = run(str(source), file, jobs=jobs, again=again, note=lambda text: click.echo(text, err=True))
    head = done.head
    counts = {"read": done.read, "kept": done.kept, "gone": done.gone, "unchanged": done.unchanged}
    if as_json:
        _print(counts | {"store": str(file), **_about(head), "bad": head.bad})
        return
    from cardcheck.report.escape import visible

    state = "nothing changed" if done.unchanged else f"{done.read:,} files read, {done.kept:,} as they were, {done.gone:,} gone"
    click.echo(f"{visible(head.source)}: {head.files:,} files, {head.rows:,} scores; {state}")
    shown = list(head.bad.items())[: None if name_all else NAMED]
    what = "left out" if table else f"not read: {len(head.bad):,} files"
    if not table or head.bad:
        click.echo(what + (":" if head.bad else ""))
    for path, why in shown:
        click.echo(f"  {visible(path)}: {visible(why)}")
    if len(shown) < len(head.bad):
        click.echo(f"  and {len(head.bad) - len(shown):,} more; --bad names them all")


def _as_before(head: Head) -> tuple[str | None, Path | None]:
    from pathlib import Path

    return (None, Path(head.source)) if head.source.endswith(".parquet") else (head.source, None)


def _about(head: Head) -> dict[str, Any]:
    return {"source": head.source, "state": head.state, "synced": head.synced, "files": head.files, "scores": head.rows}


def _print(value: Any) -> None:
    from cardcheck.report.json import dumps

    click.echo(dumps(value), nl=False)


@command.command()
@click.argument("benchmark", required=False)
@click.option("--language", "languages", multiple=True, metavar="CODE", help="Only parts in this language, as de or deu; may be repeated.")
@click.option("--task-type", "types", multiple=True, metavar="TYPE", help="Only tasks of this type, as Retrieval; may be repeated.")
@click.option("--domain", "domains", multiple=True, metavar="DOMAIN", help="Only tasks of this domain, as Legal; may be repeated.")
@click.option("--modality", "modalities", multiple=True, metavar="MODALITY", help="Only tasks with this modality; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), default=25, show_default=True, help="How many models are printed; JSON has all.")
@click.option("--all", "every", is_flag=True, help="Print all models.")
@click.option("--credible", is_flag=True, help="Also the score to expect on unseen retrieval, and why it differs from MTEB's order.")
@click.option("--list", "list_", is_flag=True, help="Name the benchmarks.")
@STORE
@JSON
def rank(
    benchmark: str | None, file: Path | None, *, limit: int, every: bool, credible: bool, list_: bool, as_json: bool,
    **chosen: tuple[str, ...],
) -> None:  # fmt: skip
    """Rank models by a BENCHMARK of MTEB, in MTEB's own order, with intervals and ties.

    Without one, the tasks are all that the options choose. A group holds a model and those after it that it is not shown to be
    better than: draws of tasks say how sure a difference is.
    """
    from cardcheck.leaderboard import boards

    if list_:
        _print(list(boards.names())) if as_json else click.echo("\n".join(boards.names()))
        return
    from cardcheck.leaderboard import store
    from cardcheck.leaderboard.ranking import ranked, with_credible

    board = _board(benchmark, chosen)
    opened = store.open_store(file.expanduser() if file else None)
    found = ranked(opened, board)
    found = with_credible(found, opened) if credible else found
    if as_json:
        _print({"store": _about(opened.head), **found.document()})
        return
    from cardcheck.cli import echo

    echo((_beside if credible else _table)(found, None if every else limit))


def _board(benchmark: str | None, chosen: dict[str, tuple[str, ...]]) -> Board:
    from cardcheck.catalogue import tasks
    from cardcheck.leaderboard import boards
    from cardcheck.leaderboard.asked import check_languages, check_tasks

    if benchmark is None and not any(chosen.values()):
        raise click.UsageError(
            "name a BENCHMARK, or choose tasks by --language, --task-type, --domain or --modality; --list names benchmarks"
        )
    whole = boards.board(benchmark) if benchmark is not None else boards.of_tasks("the chosen tasks", tasks.names())
    check_languages(chosen["languages"])
    check_tasks(**{name: given for name, given in chosen.items() if name != "languages"})
    board = boards.filtered(whole, **chosen) if any(chosen.values()) else whole
    if not board.scopes:
        from cardcheck.errors import CardcheckError

        asked = ", ".join(word for words in chosen.values() for word in words)
        raise CardcheckError(f"of {whole.name} no task is {asked[:200]}" if benchmark else f"no task is {asked[:200]}")
    return board


def _headline(found: Any) -> str:
    from cardcheck.report.escape import visible
    from cardcheck.report.words import count

    size = f"{count(len(found.rows), 'model')}, {count(found.tasks, 'task')}"
    return f"{visible(found.board)}: {size}; {found.source} order, by {found.sorted_by}"


def _table(found: Any, limit: int | None) -> str:
    from cardcheck.cli.words import short

    rows = found.rows[:limit]
    width = max([len(short(row.model)) for row in rows] + [5])
    lines = [
        _headline(found),
        "",
        f"{'group':>5} {'place':>5}  {'model':{width}} {'mean':>6}  {'95 % interval':>13} {'by type':>7} {'tasks':>8}",
    ]
    before = 0
    for row in rows:
        group = f"{row.group:5}" if row.group != before else "     "
        before = row.group
        interval = "" if math.isnan(row.low) else f"{100 * row.low:.1f} to {100 * row.high:.1f}"
        tasks = f"{row.tasks}/{found.tasks}"
        lines.append(
            f"{group} {row.place:5}  {short(row.model):{width}} {_points(row.mean)}  {interval:>13} {_points(row.by_type):>7} {tasks:>8}"
        )
    lines += [f"      … {len(found.rows) - len(rows)} more; --all prints them"] if len(rows) < len(found.rows) else []
    return "\n".join([*lines, "", *found.notes]) + "\n"


def _beside(found: Any, limit: int | None) -> str:
    from cardcheck.cli.words import short
    from cardcheck.report.escape import visible

    rows = list(zip(found.rows, found.beside, strict=True))[:limit]
    width = max([len(short(row.model)) for row, _ in rows] + [5])
    lines = [
        _headline(found),
        "",
        f"{'place':>5} {'credible':>8}  {'model':{width}} {'mean':>6} {'credible':>8} {'90 % interval':>13} {'results':>7}",
    ]
    for row, one in rows:
        unknown = one.score is None
        interval = "" if unknown else f"{100 * one.low:.1f} to {100 * one.high:.1f}"
        score = "–" if unknown else f"{100 * one.score:.1f}"
        name = f"{row.place:5} {one.credible or '–':>8}  {short(row.model):{width}}"
        lines.append(f"{name} {_points(row.mean)} {score:>8} {interval:>13} {one.cells:7}")
        lines += [f"{'':16}{visible(why)}" for why in one.why]
    lines += [f"      … {len(found.rows) - len(rows)} more; --all prints them"] if len(rows) < len(found.rows) else []
    return "\n".join([*lines, "", *found.notes]) + "\n"


def _points(value: float) -> str:
    return "     –" if math.isnan(value) else f"{100 * value:6.2f}"
