"""Options that several commands share."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardcheck.net.answers import Outside
    from cardcheck.net.client import Asked
    from cardcheck.pipeline import Run
    from cardcheck.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])


FOLDER = click.Path(path_type=Path)


def seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """Return the seconds of a time such as 90, 90s, 5m or 1h; a callback of an option."""
    if value is None:
        return None
    found = re.fullmatch(r"(\d{1,9}(?:\.\d{1,3})?)\s?([smh]?)", value.strip())
    if not found or not float(found[1]):
        raise click.BadParameter(f"{value!r} is no time; write it as 90, 90s, 5m or 1h", ctx, param)
    return float(found[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[found[2]]


JUDGING = (
    click.option("--id", "hub_id", metavar="ORG/NAME", help="The Hub repository that a folder is a copy of."),
    click.option("--rules", multiple=True, metavar="DIR", type=FOLDER, help="A further folder of rules; may be repeated."),
    click.option(
        "--profile", type=click.Choice(["default", "strict"]), help="strict adds what many would call pedantic.  [default: default]"
    ),
    click.option("--select", multiple=True, metavar="RULES", help="Only these rules: ids, beginnings of ids, names, categories; commas."),
    click.option("--ignore", multiple=True, metavar="RULES", help="Not these rules; as for --select."),
    click.option(
        "--fail-on",
        type=click.Choice(["error", "warning", "note", "never"]),
        help="Exit with 1 for findings of this severity or above.  [default: warning]",
    ),
    click.option("--config", "config", type=FOLDER, metavar="FILE", help="Settings; else cardcheck.yaml or pyproject.toml, here or above."),
    click.option("--no-config", is_flag=True, help="Read no settings file."),
    click.option("--offline", is_flag=True, help="Use the local Hub cache; make no request."),
    click.option("--refresh", is_flag=True, help="Ask the Hub and the web anew, though young answers are kept."),
    click.option("--allow-host", multiple=True, metavar="HOST", help="A host that may lie on this machine or network; may be repeated."),
)
REPORTING = (
    click.option(
        "--format",
        "form",
        metavar="FORMAT",
        help="What to print: text, json, html, markdown, sarif, github, gitlab, junit.  [default: text]",
    ),
    click.option("--json", "as_json", is_flag=True, help="The same as --format json."),
    click.option("--output", "outputs", multiple=True, metavar="FORMAT:PATH", help="Also write a report to a file; may be repeated."),
)


MEASURING = (
    click.option("--device", default="cpu", show_default=True, help="Where to encode and search: cpu, cuda, cuda:1, mps."),
    click.option(
        "--time-limit", type=click.FloatRange(min=1), default=1800, show_default=True, metavar="SECONDS",
        help="Stop the model after this long.",
    ),
    click.option(
        "--memory-limit", type=click.IntRange(min=256), metavar="MB",
        help="Memory the model may use on top of the libraries.  [default: 4/5 of what is free]",
    ),
    click.option("--trust-remote-code", is_flag=True, help="Run Python code that the repository brings. Read it first."),
)  # fmt: skip


def measuring(command: Command) -> Command:
    """Add the options of every command that runs a stranger's model."""
    for option in reversed(MEASURING):
        command = option(command)
    return command


def judging(command: Command) -> Command:
    """Add the options of every command that judges by rules."""
    for option in reversed(JUDGING):
        command = option(command)
    return command


def reporting(command: Command) -> Command:
    """Add the options of every command that reports."""
    for option in reversed(REPORTING):
        command = option(command)
    return command


def settings_of(
    *, config: Path | None, no_config: bool, rules: tuple[Path, ...], select: tuple[str, ...], ignore: tuple[str, ...], **given: str | None
) -> Settings:
    """Return the settings: the file's, under what the command line says. Raises CardcheckError."""
    from cardcheck.settings import Settings, find, read

    path = config if config is not None else None if no_config else find(Path.cwd())
    settings = read(path) if path else Settings()
    named = {"select": _names(select), "ignore": _names(ignore)}
    changes: dict[str, Any] = {key: value for key, value in (named | given).items() if value}
    return replace(settings, **changes, rules=(*settings.rules, *rules))


def outside_of(*, online: bool, offline: bool, refresh: bool, allow_host: tuple[str, ...]) -> Outside | None:
    """Return who is asked beyond the files: nobody, the network, or somebody who says that no request may be made."""
    from cardcheck.facts.outside import Offline

    if not online:
        return None
    if offline or os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        return Offline()
    from cardcheck.net.online import Online

    return Online(refresh=refresh, allow=allow_host)


def asked_by(outside: Outside | None) -> Sequence[Asked]:
    """Return the requests that were made."""
    log = getattr(outside, "log", None)
    return log.asked if log else ()


def _names(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for text in given for name in text.replace(",", " ").split())


def targets_of(outputs: tuple[str, ...]) -> list[tuple[str, Path]]:
    """Split each FORMAT:PATH, before any work is done. Raises UsageError, and CardcheckError for an unknown format."""
    from cardcheck.report import reporter

    targets = []
    for output in outputs:
        name, colon, path = output.partition(":")
        if not colon or not path:
            raise click.UsageError(f"--output {output}: write it as FORMAT:PATH, such as html:build/audit.html")
        reporter(name)
        targets.append((name, Path(path)))
    return targets


def report(run: Run, form: str | None, targets: list[tuple[str, Path]], *, as_json: bool) -> None:
    """Write the reports to their files, and print one; in a GitHub workflow, annotations follow the text."""
    from cardcheck.cli import echo
    from cardcheck.report import reporter, write

    for name, path in targets:
        text = reporter(name)(run)
        write(path, click.unstyle(text) if name == "text" else text)
    form = "json" if as_json else form
    echo(reporter(form or "text")(run))
    if form is None and os.environ.get("GITHUB_ACTIONS") == "true":
        echo(reporter("github")(run))
    if targets:
        click.echo("written: " + ", ".join(str(path) for _, path in targets), err=True)


@contextmanager
def progress(what: str, unit: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr, where that is a terminal, for work that takes longer than half a second."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from tqdm import tqdm

    with tqdm(desc=what, unit=f" {unit}", file=sys.stderr, leave=False, delay=0.5) as bar:

        def update(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield update
