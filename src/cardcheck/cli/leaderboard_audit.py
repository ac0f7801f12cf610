"""cardcheck leaderboard audit: what of a board can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cardcheck.cli.options import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cardcheck.engine.rule import Rule
    from cardcheck.leaderboard.audited import AuditedModel, BoardAudit
    from cardcheck.report.board.records import Finding

COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}
EVIDENCE = 5  # lines of a finding that are printed; JSON has all
NAMED = 3  # models that are named for a rule


@click.command(name="audit")
@click.argument("benchmark", required=False)
@click.option("--model", "models", multiple=True, metavar="ID", help="Print everything about this model; may be repeated.")
@click.option("--select", multiple=True, metavar="RULES", help="Only these rules: ids, beginnings of ids, names; commas.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Not these rules; as for --select.")
@click.option(
    "--fail-on", type=click.Choice([*COLOURS, "never"]), default="never", show_default=True,
    help="Exit with 1 for findings this grave, of the models that --model names or of all.",
)  # fmt: skip
@click.option("--store", "file", type=FOLDER, metavar="FILE", help="The store.  [default: in the cache folder]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
def audit(
    benchmark: str | None, file: Path | None, *, models: tuple[str, ...], select: tuple[str, ...], ignore: tuple[str, ...], fail_on: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Hold every score of a BENCHMARK against what all other scores lead one to expect, and find copies and broken runs.

    Without a BENCHMARK, all results in the store. A finding is a reason to look, and says with what confidence.
    """
    from cardcheck.cli import echo

    found = _audited(benchmark, file, _rules(select, ignore))
    chosen = _chosen(found, models)
    if as_json:
        from cardcheck.report.json import dumps

        echo(dumps(_document(found, chosen)))
    else:
        lines = _board(found) if not models else (line for model in chosen for line in _model(model))
        echo("".join(f"{line}\n" for line in lines))
    grave = list(COLOURS)[: list(COLOURS).index(fail_on) + 1] if fail_on in COLOURS else []
    if any(one.severity in grave for model in chosen for one in model.findings):
        raise click.exceptions.Exit(1)


def _audited(benchmark: str | None, file: Path | None, rules: Sequence[Rule]) -> BoardAudit:
    from cardcheck.leaderboard import boards, store
    from cardcheck.leaderboard.audit import audit as run

    if benchmark is not None:
        boards.board(benchmark)  # also an empty name is none

    return run(store.open_store(file.expanduser() if file else None), benchmark, rules=rules)


def _rules(select: tuple[str, ...], ignore: tuple[str, ...]) -> Sequence[Rule]:
    from cardcheck.engine.library import ready_rules
    from cardcheck.engine.select import choose
    from cardcheck.leaderboard.judged import board_rules

    named = [tuple(name.strip() for given in option for name in given.split(",") if name.strip()) for option in (select, ignore)]
    rules = board_rules(choose(ready_rules(), select=named[0], ignore=named[1]))
    if not rules:
        from cardcheck.errors import CardcheckError

        raise CardcheckError("no rule about a leaderboard is chosen", hint="they are CC7; `cardcheck rules list` names them")
    return rules


def _chosen(found: BoardAudit, names: Sequence[str]) -> list[AuditedModel]:
    if not names:
        return list(found.models)
    by_name = {model.model.lower(): model for model in found.models}
    missing = [name for name in names if name.lower() not in by_name]
    if missing:
        from difflib import get_close_matches

        from cardcheck.errors import CardcheckError

        near = get_close_matches(missing[0].lower()[:100], by_name, 1)
        raise CardcheckError(
            f"no model of the board is called {missing[0][:100]!r}",
            hint=f"did you mean {by_name[near[0]].model}?" if near else "JSON has all names",
        )
    return [by_name[name.lower()] for name in names]


def _document(found: BoardAudit, models: Sequence[AuditedModel]) -> dict[str, Any]:
    from dataclasses import asdict
    from math import isfinite

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        return None if isinstance(value, float) and not isfinite(value) else value

    head = {"source": found.head.source, "state": found.head.state, "synced": found.head.synced, "scores": found.head.rows}
    shown = [plain(asdict(one)) for one in models]
    return {"store": head, "board": found.board, "tasks": found.tasks, "notes": list(found.notes), "models": shown}


def _board(found: BoardAudit) -> Iterator[str]:
    """Yield the rules that failed, each with the models that it failed for most."""
    from cardcheck.report.escape import visible
    from cardcheck.report.words import count

    size = f"{count(len(found.models), 'model')}, {count(found.tasks, 'task')}"
    yield click.style(f"{visible(found.board) or 'all results'}: {size}", bold=True)
    yield ""
    held: dict[str, list[tuple[Finding, str]]] = {}
    for model in found.models:
        for one in model.findings:
            held.setdefault(one.rule, []).append((one, model.model))
    for rule, findings in sorted(held.items()):
        one = findings[0][0]
        models = list(dict.fromkeys(model for _, model in findings))
        more = f" and {len(models) - NAMED} more" if len(models) > NAMED else ""
        severity = click.style(f"{one.severity:7}", fg=COLOURS[one.severity])
        yield f"{severity} {rule} {one.name} ({one.confidence} confidence): {len(findings)}, at {count(len(models), 'model')}"
        yield f"        {visible(', '.join(models[:NAMED]))}{more}"
    unknown: dict[str, int] = {}
    for model in found.models:
        for rule in model.unknown:
            unknown[rule] = unknown.get(rule, 0) + 1
    if not held:
        yield "nothing found"
    yield ""
    if unknown:
        yield "not judged: " + ", ".join(f"{rule} for {count(many, 'model')}" for rule, many in sorted(unknown.items()))
    yield from (visible(note) for note in found.notes)
    yield "`--model ID` prints a model's findings with their evidence; `cardcheck rules explain ID` a rule."


def _model(model: AuditedModel) -> Iterator[str]:
    """Yield all that is known of one model."""
    from cardcheck.report.escape import visible
    from cardcheck.report.words import count

    yield click.style(visible(model.model), bold=True)
    if model.place:
        yield f"  place {model.place.place}, group {model.place.group} of ties, {count(model.place.tasks, 'task')}"
    credible = model.credible
    if credible.score is not None and credible.low is not None and credible.high is not None:
        place = f"place {model.credible_place}" if model.credible_place else "too wide for a place"
        yield f"  credible score {100 * credible.score:.1f} ({100 * credible.low:.1f} to {100 * credible.high:.1f}), {place}"
    for one in model.findings:
        severity = click.style(one.severity, fg=COLOURS[one.severity], bold=True)
        yield f"  {severity} {one.rule} {one.name} ({one.confidence} confidence): {visible(one.message)}"
        yield from (f"      {visible(line)}" for line in one.evidence[:EVIDENCE])
    if not model.findings:
        yield "  nothing found"
    for rule, why in sorted(model.unknown.items()):
        yield f"  not judged: {rule}, {visible(why)}"
    yield ""
