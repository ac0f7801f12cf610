"""The source line of a finding, cut to what fits, with a caret under the place."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, NamedTuple

from cardcheck.report.escape import visible

if TYPE_CHECKING:
    from cardcheck.engine.evaluate import Finding

BEFORE, AFTER = 30, 60  # characters of a source line on each side of the place


class Excerpt(NamedTuple):
    """A piece of a source line, harmless to show, and the blanks that bring a caret under the place."""

    line: int
    text: str
    blanks: str


def excerpt(finding: Finding) -> Excerpt | None:
    """Return the source line around the place of a finding, or None where there is nothing to show."""
    location, line = finding.location, finding.source_line
    if not line or location.line is None or not line.strip():
        return None
    column = min((location.column or 1) - 1, len(line))
    start = max(0, column - BEFORE) if len(line) > BEFORE + AFTER else 0
    end = start + BEFORE + AFTER
    lead, trail = "…" if start else "", "…" if len(line) > end else ""
    # The piece is made visible as a whole, since a command to a log's service may stand on both sides of the place.
    text, after = visible(line[start:end]), visible(line[column:end])
    before = text[: len(text) - len(after)]
    return Excerpt(location.line, f"{lead}{text}{trail}", " " * sum(map(_cells, lead + before)))


def _cells(character: str) -> int:
    """Return how many cells of a terminal a character takes."""
    return 2 if unicodedata.east_asian_width(character) in "WF" else 0 if unicodedata.combining(character) else 1
