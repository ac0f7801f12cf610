"""The report as Markdown for a job's summary or an issue: the counts, what changed, the first models, the gravest findings.

Whatever comes from a model stands in code spans, where GitHub and GitLab make no links, mentions or HTML of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.report.board.html import points
from cardcheck.report.board.records import KINDS, SEVERITIES
from cardcheck.report.markdown import code
from cardcheck.report.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.report.board.records import Changes, Report

CONFIDENCES = ("high", "medium", "low")
FIRST = 25  # models
GRAVE = 25  # findings
EACH = 10  # changes of a kind in a report; a page of changes alone has more
MOST = 100
LONGEST = 240  # characters of a message


def render(report: Report) -> bytes:
    """Return the summary."""
    lines = [
        f"# {code(report.board)}, {report.date}", "",
        _counts(report.numbers),
        "",
        *(_changes(report.changes, EACH) if report.changes else ()),
        *_models(report), *_findings(report),
        "Findings describe evidence: a reason to look, no judgement of anyone.", "",
        *(f"- {code(note, LONGEST)}" for note in report.notes),
    ]  # fmt: skip
    return ("\n".join(lines).rstrip("\n") + "\n").encode("utf-8")


def _counts(numbers: dict[str, int]) -> str:
    found = ", ".join(count(numbers[name], name[:-1]) for name in ("errors", "warnings", "notes"))
    return (
        f"{count(numbers['models'], 'model')} in the results, {numbers['ranked']} ranked by the benchmark, {numbers['firm']} with a firm "
        f"credible score. Models with findings: {numbers['with findings']} ({found}). "
        f"{numbers['not checked']} times a rule could not be checked, which is no pass."
    )


def changes(found: Changes) -> bytes:
    """Return a difference as Markdown."""
    lines = [f"# {code(found.board)}", "", *_changes(found, MOST)]
    return ("\n".join(lines).rstrip("\n") + "\n").encode("utf-8")


def _changes(found: Changes, most: int) -> Iterator[str]:
    yield f"## What changed from {code(found.old)} to {code(found.new)}"
    yield ""
    if not found.changes:
        yield from ("Nothing changed.", "")
    for kind, number in found.counts.items():
        yield f"### {KINDS[kind]} ({number})"
        yield ""
        for change in found.of(kind)[:most]:
            grave = f"{change.severity}: " if change.severity in SEVERITIES else ""
            yield f"- {grave}{code(change.model)}: {code(change.text, LONGEST)}"
        if number > most:
            yield f"- … and {number - most} more"
        yield ""
    for note in found.notes:
        yield f"- {code(note, LONGEST)}"
    if found.notes:
        yield ""


def _models(report: Report) -> Iterator[str]:
    yield f"## The first {FIRST} in credible order" if len(report.models) > FIRST else "## Models in credible order"
    yield ""
    yield "| credible | model | score (90 % interval) | official | tie group | mean | findings |"
    yield "| ---: | --- | --- | ---: | ---: | ---: | --- |"
    for model in report.models[:FIRST]:
        score = "–" if model.score is None else f"{points(model.score)} ({points(model.low)} to {points(model.high)})"
        found = ", ".join(f"{many} {severity}{'s' if many > 1 else ''}" for severity in SEVERITIES if (many := model.count(severity)))
        cells = (_number(model.credible_place), cell(model.model), score, _number(model.place), _number(model.group), points(model.mean, 2))
        yield f"| {' | '.join(cells)} | {found} |"
    yield ""


def _findings(report: Report) -> Iterator[str]:
    found = [(model, one) for model in report.models for one in model.findings]
    found.sort(key=lambda pair: (_rank(SEVERITIES, pair[1].severity), _rank(CONFIDENCES, pair[1].confidence)))
    if not found:
        return
    yield f"## The gravest {GRAVE} of {len(found)} findings" if len(found) > GRAVE else "## Findings"
    yield ""
    yield "| severity | model | rule | finding |"
    yield "| --- | --- | --- | --- |"
    for model, one in found[:GRAVE]:
        yield f"| {cell(one.severity)} | {cell(model.model)} | {cell(f'{one.rule} {one.name}')} | {cell(one.message)} |"
    yield ""


def _rank(order: tuple[str, ...], word: str) -> int:
    return order.index(word) if word in order else len(order)


def cell(text: str) -> str:
    """Return text as a code span for a table, where a pipe would end the cell and a backslash before it would let it."""
    return code(text, LONGEST).replace("\\|", "\\ |").replace("|", "\\|")


def _number(value: int | None) -> str:
    return "–" if value is None else str(value)
