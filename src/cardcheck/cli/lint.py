"""cardcheck lint: judge by the files alone."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cardcheck.cli.options import asked_by, judging, outside_of, progress, report, reporting, settings_of, targets_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cardcheck.batch import FileFix
    from cardcheck.net.answers import Outside
    from cardcheck.pipeline import Audit
    from cardcheck.settings import Settings
    from cardcheck.subject import Subject

STDIN = "-"
PASSES = 10


@click.command(name="lint")
@click.argument("subjects", nargs=-1, metavar="[PATH]...")
@judging
@reporting
@click.option("--exclude", multiple=True, metavar="GLOB", help="Leave these files and folders out; may be repeated.")
@click.option("--fix", "fix", is_flag=True, help="Mend what can be mended without changing what a file says, then judge again.")
@click.option("--diff", "diff", is_flag=True, help="Print what --fix would change, and change nothing.")
@click.option("--baseline", type=click.Path(path_type=Path), metavar="FILE", help="Count only findings that this file does not know.")
@click.option("--update-baseline", is_flag=True, help="Write all findings of this run to the baseline.")
@click.option("--stdin-filename", default="README.md", show_default=True, metavar="NAME", help="What the text on standard input is called.")
@click.option("--online", is_flag=True, help="Ask the Hub, the papers and the linked pages too; a model is known by its Hub id or --id.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes for many files.  [default: one a core]")
@click.pass_context
def command(
    ctx: click.Context,
    /,
    subjects: tuple[str, ...],
    *,
    hub_id: str | None,
    offline: bool,
    online: bool,
    refresh: bool,
    allow_host: tuple[str, ...],
    form: str | None,
    as_json: bool,
    outputs: tuple[str, ...],
    exclude: tuple[str, ...],
    fix: bool,
    diff: bool,
    baseline: Path | None,
    update_baseline: bool,
    stdin_filename: str,
    jobs: int | None,
    **judge: Any,
) -> None:
    """Judge models, model files and the applications that use them by their files. Nothing is measured.

    PATH is a model's folder, a README.md, a configuration file, an application's code or configuration, a folder of these, a
    pattern, ORG/NAME on the Hub, or - for standard input; the current folder where none is named.
    """
    from cardcheck.inputs import gather
    from cardcheck.pipeline import Run

    if hub_id and len(subjects) > 1:
        raise click.UsageError("--id goes with one subject")
    if fix and diff:
        raise click.UsageError("--fix changes files, --diff does not: choose one")
    targets = targets_of(outputs)
    settings = settings_of(**judge)
    if update_baseline and not (baseline or settings.baseline):
        raise click.UsageError("--update-baseline needs --baseline FILE, or a baseline in the settings")
    outside = outside_of(online=online, offline=offline, refresh=refresh, allow_host=allow_host)
    with _stdin(subjects, stdin_filename) as names:
        found = gather(names, hub_id=hub_id, exclude=(*settings.exclude, *exclude), offline=offline)
        if STDIN in subjects:
            found = _as_given(found, names[subjects.index(STDIN)])
        audits = _lint(found, settings, jobs, outside)
        if fix or diff:
            audits = _mend(ctx, audits, found, settings, write=fix)
    run = Run("lint", _against(audits, baseline or settings.baseline, update=update_baseline), asked_by(outside))
    report(run, form, targets, as_json=as_json)
    ctx.exit(int(run.failed(settings.fail_on)))


def _lint(subjects: Sequence[Subject], settings: Settings, jobs: int | None = None, outside: Outside | None = None) -> list[Audit]:
    from cardcheck.batch import lint_all
    from cardcheck.pipeline import rules_of

    rules = rules_of(settings)
    with progress("linting", "subjects") as update:
        return lint_all(subjects, rules, settings, jobs=jobs, outside=outside, progress=lambda done: update(done, len(subjects)))


def _mend(ctx: click.Context, audits: list[Audit], subjects: Sequence[Subject], settings: Settings, *, write: bool) -> list[Audit]:
    """Write the fixes and judge again, or print them and end; status 1 says that there is something to fix."""
    from cardcheck.batch import fixes

    for _ in range(PASSES):  # what is mended lets more be read, and a rule shows no more than so many findings
        changed = [fixed for fixed in fixes(audits) if fixed.after != fixed.before]
        if not write:
            for fixed in changed:
                click.echo(_difference(fixed), nl=False)
            ctx.exit(int(bool(changed)))
        if not changed:
            break
        for fixed in changed:
            _write(Path(fixed.path), fixed.after)
            click.echo(f"fixed {len(fixed.mended)} in {fixed.path}", err=True)
        audits = _lint(subjects, settings)
    return audits


def _write(path: Path, text: str) -> None:
    """Write a file anew: what is a link stays one, and who may read or run the file stays too."""
    from cardcheck.report import write

    target = path.resolve()
    mode = target.stat().st_mode
    write(target, text)
    target.chmod(mode)


def _difference(fixed: FileFix) -> str:
    from difflib import unified_diff

    from cardcheck.report.escape import no_command, visible

    before, after = (text.splitlines() for text in (fixed.before, fixed.after))
    lines = unified_diff(before, after, fixed.path, fixed.path, lineterm="")
    return "".join(no_command(visible(line)) + "\n" for line in lines)


def _against(audits: list[Audit], path: Path | None, *, update: bool) -> list[Audit]:
    """Silence what the baseline knows; write a new one where that is asked for."""
    if path is None:
        return audits
    from cardcheck.batch import as_known, without_known
    from cardcheck.engine.baseline import dump, read
    from cardcheck.report import write

    if update:
        known = as_known(audits)
        write(path, dump(known))
        click.echo(f"{path} knows {len(known)} findings", err=True)
        return without_known(audits, [entry.fingerprint for entry in known])
    known_before = read(path)
    audits = without_known(audits, known_before)
    seen = {audit.fingerprint(silenced.finding) for audit in audits for judged in audit.judgements for silenced in judged.silenced}
    if gone := known_before.keys() - seen:
        click.echo(f"{len(gone)} findings of the baseline were not found again; --update-baseline forgets them", err=True)
    return audits


@contextmanager
def _stdin(names: tuple[str, ...], filename: str) -> Iterator[list[str]]:
    """Put the text on standard input, where `-` asks for it, into a file of its name for as long as it is judged."""
    if STDIN not in names:
        yield list(names) or ["."]
        return
    if Path(filename).name != filename or filename in ("", ".."):
        raise click.UsageError("--stdin-filename is a file's name without folders")
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / filename
        path.write_bytes(sys.stdin.buffer.read())
        yield [str(path) if name == STDIN else name for name in names]


def _as_given(subjects: list[Subject], path: str) -> list[Subject]:
    """Mark the subject that came from standard input, so that reports do not name the file it lay in meanwhile."""
    from dataclasses import replace

    folder = Path(path).parent
    return [replace(s, given=STDIN) if folder in (s.path, s.path.parent) else s for s in subjects]
