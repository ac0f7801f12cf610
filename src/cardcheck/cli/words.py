"""Names in columns of a terminal."""

from __future__ import annotations

WIDEST = 90  # letters of a name in a column; the longest of the results of August 2026 has 89


def short(name: str) -> str:
    """Return a name for a column, harmless and no wider than others can bear: a column is as wide as its widest."""
    from cardcheck.report.escape import visible

    text = visible(name)
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…"
