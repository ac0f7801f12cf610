"""The report as Markdown for a job's summary or a comment on a pull request.

Whatever comes from a subject stands in code spans: there, GitHub and GitLab make no links, mentions, references or HTML of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cardcheck.engine.rule import SEVERITIES
from cardcheck.report import overlap, words
from cardcheck.report.escape import visible
from cardcheck.report.place import spot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardcheck.engine.evaluate import Finding
    from cardcheck.engine.rule import Rule
    from cardcheck.pipeline import Audit, Run
    from cardcheck.spotcheck.result import SpotCheck

MAX_LENGTH = 60_000  # UTF-16 code units; GitHub refuses a comment of more than 65,536 and cuts a job's summary at a megabyte
SECTION = 12_000  # of them for each section beside the findings
MAX_CELL = 300  # characters of a message or a path
TICKS = re.compile("`+")


def render(run: Run) -> str:
    """Return the summary: counts, verdict, findings, what was not checked and what to do. What does not fit is counted."""
    single = run.audits[0] if len(run.audits) == 1 else None
    head = [f"## cardcheck {run.command}" + (f" of {code(words.label(single))}" if single else ""), ""]
    head += [f"{words.summary(single) if single else words.total(run)}.", ""]
    if single and single.leaderboard:
        head += [f"Leaderboard: {code(single.leaderboard)}", ""]
    found = words.gravest_first(run)
    rules = {finding.rule.id: finding.rule for _, finding in found}
    rest = [
        *_section("### Not checked (unknown is not a pass)", _unchecked(run)),
        *_section("### Comments that silence nothing", _remarks(run)),
        *_section("### Why, and what to do", map(_explained, rules.values())),
    ]
    verdicts = [*_section("### Spot check", _verdicts(run)), *_section(f"### {overlap.TITLE}", _overlap(run))]
    table = _table(run, found, MAX_LENGTH - _length([*head, *verdicts, *rest]))
    return "\n".join([*head, *verdicts, *table, *rest]).rstrip("\n") + "\n"


def code(text: str, most: int = MAX_CELL) -> str:
    """Return text as a code span that holds nothing but this text, cut to `most` characters."""
    inside = visible(text)
    inside = inside if len(inside) <= most else inside[: most - 1] + "…"
    if not inside.strip():
        return "` `"
    fence = "`" * (max((len(ticks) for ticks in TICKS.findall(inside)), default=0) + 1)
    space = " " if inside[0] in "` " or inside[-1] in "` " else ""
    return f"{fence}{space}{inside}{space}{fence}"


def _cell(text: str) -> str:
    """Return text as a code span for a table, where a pipe would end the cell and a backslash before it would let it."""
    return code(text).replace("\\|", "\\ |").replace("|", "\\|")


def _table(run: Run, found: list[tuple[Audit, Finding]], room: int) -> list[str]:
    if not found:
        return []
    rows = ["| severity | rule | place | finding |", "| --- | --- | --- | --- |"]
    room -= _length(rows) + 100
    for audit, finding in found:
        row = f"| {finding.rule.severity} | {finding.rule.id} {finding.rule.name} | {_cell(spot(audit, finding.location))} |"
        row += f" {_cell(finding.message)} |"
        room -= _length([row])
        if room < 0:
            break
        rows.append(row)
    beyond = sum(run.count(severity) for severity in SEVERITIES) - (len(rows) - 2)
    return [*rows, "", *([f"… and {beyond} more.", ""] if beyond else [])]


def _verdicts(run: Run) -> Iterator[str]:
    for audit in run.audits:
        if check := audit.spotcheck:
            name = f"{code(words.label(audit))}: " if len(run.audits) > 1 else ""
            yield f"- {name}**{check.verdict}**: {code(words.verdict(check), 1000)}"
            if check.status == "done":
                yield from _numbers(check)


def _numbers(check: SpotCheck) -> Iterator[str]:
    interval = check.measured_interval
    yield f"- measured {check.measured:.1f} ({interval.low:.1f} to {interval.high:.1f}, `nDCG@10` × 100, 95 % over queries)"
    if judged := check.residual:
        expected = judged.expected_interval
        yield f"- expected {judged.expected:.1f} ({expected.low:.1f} to {expected.high:.1f}, 90 %)"
    if check.public:
        yield f"- {check.public.name}: {code(words.measured(check))}"
    yield from (f"- {code(line, 1000)}" for line in words.left_out(check))
    if check.tests:
        rows = (words.TEST_HEADS, ("---",) * len(words.TEST_HEADS), *map(words.test_cells, check.tests))
        yield "\n".join(["", *(f"| {' | '.join(row)} |" for row in rows), ""])


def _overlap(run: Run) -> Iterator[str]:
    """Yield a table for each subject that declares something; its lines are one entry, so that none is cut in two."""
    for audit in run.audits:
        table = overlap.table(audit.facts)
        if table is None:
            continue
        name = f"{code(words.label(audit))}: " if len(run.audits) > 1 else ""
        if table.rows:
            heads = (*overlap.HEADS, "why they differ", "first ways")
            lines = [f"| {' | '.join(heads)} |", f"|{' --- |' * len(heads)}"]
            for row in table.rows:
                cells = (*(_cell(cell) for cell in row.cells), _cell(row.why) if row.why else "", "<br>".join(map(_cell, row.ways)))
                lines.append(f"| {' | '.join(cells)} |")
            yield "\n".join([*([name, ""] if name else []), *lines, "", *([f"{table.why}.", ""] if table.why else [])])
        else:
            yield f"{name}{table.why}.\n"


def _unchecked(run: Run) -> Iterator[str]:
    for rule, reason, labels in words.unchecked(run):
        where = "" if len(run.audits) == 1 else f" ({words.count(len(labels), 'subject')}: {code(words.few(labels))})"
        yield f"- {rule.id} {rule.name}: {code(reason)}{where}"


def _remarks(run: Run) -> Iterator[str]:
    for audit in run.audits:
        yield from (f"- {code(spot(audit, remark.location))}: {code(remark.message)}" for remark in audit.remarks)


def _explained(rule: Rule) -> str:
    return f"- **{rule.id} {rule.name}**: {visible(rule.why)} **Fix:** {visible(rule.fix)}"


def _section(title: str, entries: Iterable[str]) -> list[str]:
    """Return a section of a list, as much of it as has room; nothing where there is no entry."""
    lines, left, room = [title, ""], 0, SECTION
    for entry in entries:
        room -= _length([entry])
        if room < 0:
            left += 1
        else:
            lines.append(entry)
    if len(lines) == 2 and not left:
        return []
    return [*lines, *([f"- … and {left} more"] if left else []), ""]


def _length(lines: list[str]) -> int:
    """Return the UTF-16 code units of lines, as GitHub counts them."""
    return sum(len(line.encode("utf-16-le")) // 2 + 1 for line in lines)
