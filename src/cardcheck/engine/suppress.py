"""Comments in a subject's files that silence rules: `cardcheck: ignore[CC201] reason`.

Behind something on its line, a comment silences that line; on a line of its own, the whole file. A reason must be given: a suppression
without one does not count, since nobody could tell later whether it still holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from cardcheck.engine.evaluate import Finding, Judgement, Silenced
from cardcheck.engine.select import matches
from cardcheck.facts.located import Location
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MARK = "cardcheck:"
COMMENT = Pattern(
    r"(?P<before>[^\n]{0,2000}?)(?:#|<!--|//|--|;)[ \t]{0,9}cardcheck:[ \t]{0,9}ignore\[(?P<rules>[^\]\n]{0,300})\](?P<reason>[^\n]{0,300})"
)
NO_REASON = Pattern(r"^[\s:,.–-]*(?:-->|\*/)?[\s\"\\n,]*$")
MAX_COMMENTS = 1000


@dataclass(slots=True)
class Suppression:
    """One comment. `line` is None where it silences the whole file."""

    place: Location
    line: int | None
    rules: tuple[str, ...]
    reason: str
    used: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to say of a comment itself: that it silences nothing, or cannot."""

    location: Location
    message: str


def find(texts: Mapping[str, str]) -> list[Suppression]:
    """Return the comments in the files' texts."""
    found: list[Suppression] = []
    for file, text in texts.items():
        if MARK not in text:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            if MARK in line and (match := COMMENT.match(line)) and len(found) < MAX_COMMENTS:
                rules = tuple(rule for rule in re.split(r"[\s,]+", match["rules"]) if rule)
                reason = (
                    "" if NO_REASON.match(match["reason"]) else re.sub(r"^[\s:–-]+|\s*(?:-->|\*/|\\n\",?|\\n\"?)?\s*$", "", match["reason"])
                )
                alone = not match["before"].strip(" \t\"'*/")
                found.append(Suppression(Location(file, number, match.end("before") + 1), None if alone else number, rules, reason))
    return found


def apply(judgements: Iterable[Judgement], texts: Mapping[str, str]) -> tuple[list[Judgement], list[Remark]]:
    """Silence what comments name; return the judgements, and what is to be said of comments that do not do what they look like."""
    judgements = list(judgements)
    suppressions = find(texts)
    if not suppressions:
        return judgements, []
    result = [_judgement(judged, suppressions) if judged.findings else judged for judged in judgements]
    return result, [remark for suppression in suppressions for remark in _remarks(suppression, judgements)]


def _judgement(judged: Judgement, suppressions: list[Suppression]) -> Judgement:
    kept: list[Finding] = []
    silenced = list(judged.silenced)
    by_line = False
    for finding in judged.findings:
        if suppression := _silencing(finding, suppressions):
            silenced.append(Silenced(finding, "comment", suppression.reason))
            by_line = by_line or suppression.line is not None
        else:
            kept.append(finding)
    if len(kept) == len(judged.findings):
        return judged
    # nobody can have silenced the lines of findings that were not listed
    outcome, more = (judged.outcome, judged.more) if kept or (by_line and judged.more) else ("pass", 0)
    return replace(judged, outcome=outcome, findings=kept, more=more, silenced=silenced)


def _silencing(finding: Finding, suppressions: list[Suppression]) -> Suppression | None:
    first = None
    for suppression in suppressions:
        here = suppression.place.file == finding.location.file and suppression.line in (None, finding.location.line)
        if here and suppression.reason:
            for name in suppression.rules:
                if matches(finding.rule, name):
                    suppression.used.add(name)
                    first = first or suppression
    return first


def _remarks(suppression: Suppression, judgements: list[Judgement]) -> list[Remark]:
    def remark(message: str) -> Remark:
        return Remark(suppression.place, message)

    if not suppression.rules:
        return [remark("a suppression names the rules it silences: ignore[CC201] and a reason")]
    if not suppression.reason:
        return [remark(f"the suppression of {', '.join(suppression.rules)} gives no reason, so it does not count")]
    remarks = []
    for name in suppression.rules:
        if name in suppression.used:
            continue
        judged = [judgement for judgement in judgements if matches(judgement.rule, name)]
        if any(judgement.outcome != "unknown" for judgement in judged):
            remarks.append(remark(f"the suppression of {name} silences nothing"))
    return remarks
