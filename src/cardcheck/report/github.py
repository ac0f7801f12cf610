"""The findings as commands to GitHub's workflow runner, which shows them as annotations beside the lines.

GitHub shows ten errors, ten warnings and ten notices of a step, so the gravest come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.report import words
from cardcheck.report.escape import visible
from cardcheck.report.place import hub_file, in_checkout, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.engine.evaluate import Finding
    from cardcheck.facts.located import Location
    from cardcheck.pipeline import Audit, Run

COMMAND = {"error": "error", "warning": "warning", "note": "notice"}
VERDICT = {"unexplained": "error", "inconclusive": "warning", "consistent": "notice"}
LISTED = 20  # reasons in the one notice about what was not checked


def render(run: Run) -> str:
    """Return one command a line, the gravest finding first; nothing where there is nothing to say."""
    found = (_finding(audit, finding) for audit, finding in words.gravest_first(run))
    lines = [*_verdicts(run), *found, *_remarks(run), *_unchecked(run)]
    return "".join(f"{line}\n" for line in lines)


def _finding(audit: Audit, finding: Finding) -> str:
    rule = finding.rule
    return _annotation(audit, finding.location, COMMAND[rule.severity], f"{rule.id} {rule.name}", [finding.message, f"fix: {rule.fix}"])


def _verdicts(run: Run) -> Iterator[str]:
    for audit in run.audits:
        if check := audit.spotcheck:
            title = f"spot check of {words.label(audit)}: {check.verdict}"
            lines = [words.verdict(check), *map(words.tested, check.tests), *words.left_out(check)]
            yield _command(VERDICT[check.verdict], {"title": title}, lines)


def _remarks(run: Run) -> Iterator[str]:
    for audit in run.audits:
        for remark in audit.remarks:
            yield _annotation(audit, remark.location, "notice", "cardcheck: ignore", [remark.message])


def _unchecked(run: Run) -> Iterator[str]:
    unchecked = words.unchecked(run)
    if unchecked:
        lines = [f"{rule.id} {rule.name}: {reason} ({words.count(len(labels), 'subject')})" for rule, reason, labels in unchecked[:LISTED]]
        more = [f"and {len(unchecked) - LISTED} more"] if len(unchecked) > LISTED else []
        yield _command("notice", {"title": "cardcheck: not checked (unknown is not a pass)"}, lines + more)


def _annotation(audit: Audit, location: Location, name: str, title: str, lines: list[str]) -> str:
    """Return the command that annotates a place; where the file is in no checkout, its address is part of the message."""
    if hub_file(audit, location):
        return _command(name, {"title": title}, [*lines, f"{shown(audit, location)}#L{location.line or 1}"])
    place = {"file": in_checkout(audit, location), "line": str(location.line or 1)}
    column = {"col": str(location.column)} if location.line and location.column else {}
    return _command(name, {**place, **column, "title": title}, lines)


def _command(name: str, properties: dict[str, str], lines: list[str]) -> str:
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{name} {given}::{_data(chr(10).join(map(visible, lines)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
