"""The report for a terminal; plain when piped, since click takes the colours out there."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import click

from cardcheck.engine.rule import SEVERITIES
from cardcheck.report import overlap, words
from cardcheck.report.escape import no_command, visible
from cardcheck.report.excerpt import excerpt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.engine.evaluate import Finding, Judgement
    from cardcheck.engine.rule import Rule
    from cardcheck.engine.suppress import Remark
    from cardcheck.pipeline import Audit, Run
    from cardcheck.spotcheck.result import SpotCheck

SHOWN = 3  # findings of one rule in one subject; the rest is counted
WIDTH = 60
NOT_CHECKED = click.style("Not checked", bold=True) + " (unknown is not a pass)"
COLOURS = {
    "error": "red", "warning": "yellow", "note": "cyan", "consistent": "green", "unexplained": "red", "inconclusive": "yellow",
}  # fmt: skip


def render(run: Run) -> str:
    """Return the whole report, ending in a line break.

    Of a run over several subjects only those with findings are shown, and counts over all of them come last. What a rule protects
    from is said once.
    """
    explained: set[str] = set()
    lines = _lines(run.audits[0], run, explained) if len(run.audits) == 1 else _many(run, explained)
    return "".join(f"{no_command(line)}\n" for line in lines)


def _many(run: Run, explained: set[str]) -> Iterator[str]:
    """Yield the report on several subjects."""
    for audit in run.audits:
        if audit.remarks or audit.spotcheck or any(judged.findings for judged in audit.judgements):
            yield _heading(audit)
            yield from _found(audit, run, explained)
            yield from _overlap(audit)
            yield from _spotcheck(audit.spotcheck) if audit.spotcheck else ()
            yield ""
    if unchecked := words.unchecked(run):
        yield NOT_CHECKED
        for rule, reason, labels in unchecked:
            where = f" ({words.count(len(labels), 'subject')}: {visible(words.few(labels))})"
            yield f"  {rule.id} {rule.name}: {visible(reason)}{where}"
        yield ""
    yield words.total(run) + _fixable(run)


def _fixable(run: Run) -> str:
    """Return how many findings can be mended by the command, to be put behind the counts."""
    number = sum(_can_mend(audit, finding, run) for audit in run.audits for judged in audit.judgements for finding in judged.findings)
    return f"; {number} fixable with --fix" if number else ""


def _can_mend(audit: Audit, finding: Finding, run: Run) -> bool:
    """Tell whether `cardcheck lint --fix` would mend a finding: its file lies here, and its rule has an edit for it."""
    if run.command != "lint" or finding.edit is None or audit.subject.kind in ("hub", "cache") or audit.subject.given == "-":
        return False
    from cardcheck.engine.fix import MENDED

    return finding.location.file.endswith(MENDED)


def _lines(audit: Audit, run: Run, explained: set[str]) -> Iterator[str]:
    """Yield the report on one subject."""
    yield _heading(audit)
    if features := words.features(audit.facts):
        yield visible(", ".join(features))
    yield from _found(audit, run, explained)
    if unknown := audit.outcomes("unknown"):
        yield ""
        yield NOT_CHECKED
        for reason, group in groupby(sorted(unknown, key=lambda judged: judged.reason), key=lambda judged: judged.reason):
            yield f"  {', '.join(f'{judged.rule.id} {judged.rule.name}' for judged in group)}: {visible(reason)}"
    yield from _overlap(audit)
    if audit.spotcheck is not None:
        yield ""
        yield from _spotcheck(audit.spotcheck)
    if audit.leaderboard:
        yield ""
        yield click.style("Leaderboard", bold=True) + f": {visible(audit.leaderboard)}"
    yield ""
    yield words.summary(audit) + _fixable(run)


def _heading(audit: Audit) -> str:
    return click.style(visible(words.title(audit)), bold=True) + click.style(f"  {visible(words.origin(audit))}", dim=True)


def _found(audit: Audit, run: Run, explained: set[str]) -> Iterator[str]:
    """Yield the findings in one subject, the gravest first, and what is to be said of comments in it.

    Findings in many subjects stand close, those in one have room.
    """
    apart = gap = len(run.audits) == 1
    failed = [judged for judged in audit.judgements if judged.findings]
    for judged in sorted(failed, key=lambda judged: SEVERITIES.index(judged.rule.severity)):
        if gap:
            yield ""
        yield from _failed(audit, judged, run)
        gap = apart or judged.rule.id not in explained
        if judged.rule.id not in explained:
            explained.add(judged.rule.id)
            yield from _explanation(judged.rule)
    if audit.remarks:
        if gap:
            yield ""
        yield from (_remark(audit, remark) for remark in audit.remarks)


def _remark(audit: Audit, remark: Remark) -> str:
    return f"{visible(words.place(audit, remark.location))}: {click.style('comment', fg=COLOURS['note'])}: {visible(remark.message)}"


def _failed(audit: Audit, judged: Judgement, run: Run) -> Iterator[str]:
    rule = judged.rule
    severity = click.style(rule.severity, fg=COLOURS[rule.severity], bold=True)
    confidence = "" if rule.confidence == "high" else f", {rule.confidence} confidence"
    for finding in judged.findings[:SHOWN]:
        mend = " (fixable with --fix)" if _can_mend(audit, finding, run) else ""
        place = visible(words.place(audit, finding.location))
        yield f"{place}: {severity} {rule.id} {rule.name}{confidence}: {visible(finding.message)}{mend}"
        yield from _source(finding)
    hidden = len(judged.findings) + judged.more - SHOWN
    if hidden > 0:
        yield f"  … and {hidden} more of {rule.id}"


def _explanation(rule: Rule) -> Iterator[str]:
    yield f"  why: {visible(rule.why)}"
    yield f"  fix: {visible(rule.fix)}"
    yield click.style(f"  more: cardcheck rules explain {rule.id}, {rule.page}", dim=True)


def _source(finding: Finding) -> Iterator[str]:
    if piece := excerpt(finding):
        yield f"  {piece.line:>5} | {piece.text}"
        yield f"        | {piece.blanks}" + click.style("^", fg="green", bold=True)


def _overlap(audit: Audit) -> Iterator[str]:
    """Yield which benchmarks lie inside the declared training data; one line where nothing is declared."""
    table = overlap.table(audit.facts)
    if table is None:
        return
    yield ""
    if not table.rows:
        yield click.style(overlap.TITLE, bold=True) + f": {table.why}"
        return
    yield click.style(overlap.TITLE, bold=True)
    heads, *laid = _laid([overlap.HEADS, *(tuple(visible(cell) for cell in row.cells) for row in table.rows)])
    yield click.style(f"  {heads}", dim=True)
    for row, line in zip(table.rows, laid, strict=True):
        yield f"  {line}"
        for more in (row.why, *row.ways):
            if more:
                yield click.style(f"      {visible(more)}", dim=True)
    if table.why:
        yield f"  {visible(table.why)}"


def _spotcheck(check: SpotCheck) -> Iterator[str]:
    yield click.style("Spot check", bold=True) + (
        f" on {visible(check.set_name)} ({check.queries} queries, {check.documents} passages)" if check.queries else ""
    )
    if check.status == "done":
        interval = check.measured_interval
        yield f"  measured   {check.measured:5.1f}   {interval.low:5.1f} to {interval.high:5.1f}   nDCG@10 × 100, 95 % over queries"
        if (judged := check.residual) and check.panel:
            expected = judged.expected_interval
            basis = f"90 %, from {len(check.references)} reference models"
            yield f"  expected   {judged.expected:5.1f}   {expected.low:5.1f} to {expected.high:5.1f}   {basis}"
            yield from _plot(check)
        if check.public:
            yield f"  {check.public.name}: {visible(words.measured(check))}"
        yield f"  {visible(words.panel(check))}"
        if check.same_weights_as:
            yield f"  {visible(words.same_weights(check))}"
        yield click.style(f"  {visible(words.encoding(check))}", dim=True)
        yield from _tests(check)
    yield f"  {click.style(check.verdict, fg=COLOURS[check.verdict], bold=True)}: {visible(words.verdict(check))}"


def _tests(check: SpotCheck) -> Iterator[str]:
    """Yield a line for each test that was run, and what was not run."""
    if check.tests:
        yield ""
        heads, *laid = _laid([words.TEST_HEADS, *map(words.test_cells, check.tests)])
        yield click.style(f"  {heads}", dim=True)
        for test, line in zip(check.tests, laid, strict=True):
            yield "  " + (click.style(line, fg=COLOURS["unexplained"]) if test.rejected else line)
    yield from (f"  {visible(line)}" for line in words.left_out(check))


def _laid(lines: list[tuple[str, ...]]) -> list[str]:
    """Return the lines of a table, their cells in columns."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _plot(check: SpotCheck) -> Iterator[str]:
    """Yield two intervals over one axis from 0 to 100."""
    judged = check.residual
    if judged is None:
        return

    def bar(low: float, value: float, high: float, mark: str) -> str:
        cells = [" "] * (WIDTH + 1)
        place = [round(max(0.0, min(100.0, score)) / 100 * WIDTH) for score in (low, value, high)]
        cells[place[0] : place[2] + 1] = "─" * (place[2] - place[0] + 1)
        cells[place[1]] = mark
        return "".join(cells)

    expected = bar(judged.expected_interval.low, judged.expected, judged.expected_interval.high, "○")
    measured = bar(check.measured_interval.low, check.measured, check.measured_interval.high, "●")
    yield ""
    yield f"  expected  {expected}"
    yield f"  measured  {click.style(measured, fg=COLOURS[check.verdict])}"
    yield f"            0{'50':^{WIDTH - 1}}100"
    yield ""
