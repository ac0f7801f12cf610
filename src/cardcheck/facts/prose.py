"""The card's text without what readers of the page do not see as text: code blocks and HTML comments."""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING

from cardcheck.facts.located import Location
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardcheck.facts.model import Facts

FENCE = Pattern(r"^ {0,3}(`{3,}|~{3,})")


class Prose:
    """The card's text, twice: `visible` without HTML comments, `words` without code blocks either; places stay the same in both."""

    def __init__(self, facts: Facts) -> None:
        self.raw: str = facts["card.text"]
        self.place = facts.places.get("card.text", Location("README.md", 1, 1))
        self.visible = without_comments(self.raw)
        self.words = without_code(self.visible)
        self.lower = _lower(self.visible)
        self.words_lower = self.lower if self.words is self.visible else _lower(self.words)
        self._starts: list[int] = []

    def at(self, offset: int) -> Location:
        """Return where the character at `offset` stands in the file."""
        if not self._starts:
            self._starts = [0, *(found.end() for found in re.finditer("\n", self.raw))]
        line = bisect.bisect_right(self._starts, offset) - 1
        return Location(self.place.file, line + (self.place.line or 1), offset - self._starts[line] + 1)


def _lower(text: str) -> str:
    """Return lower-case text of the same length: a few capitals have small letters of two characters."""
    if text.isascii():
        return text.lower()
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)


def without_comments(text: str) -> str:
    """Return the text with HTML comments blanked; one that is never closed reaches to the end, as in a browser."""
    if "<!--" not in text:
        return text
    parts, done = [], 0
    while (start := text.find("<!--", done)) >= 0:
        end = text.find("-->", start)
        end = len(text) if end < 0 else end + 3
        parts += [text[done:start], _blank(text[start:end])]
        done = end
    return "".join([*parts, text[done:]])


def without_code(text: str) -> str:
    """Return the text with fenced code blocks blanked."""
    if "```" not in text and "~~~" not in text:
        return text
    lines = text.split("\n")
    fence = ""
    for at, line in enumerate(lines):
        found = FENCE.match(line)
        if fence:
            lines[at] = " " * len(line)
            if found and found[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif found and not (found[1][0] == "`" and "`" in line[found.end() :]):
            lines[at] = " " * len(line)
            fence = found[1]
    return "\n".join(lines)


def _blank(text: str) -> str:
    return "\n".join(" " * len(line) for line in text.split("\n"))


def windows(lower: str, words: Iterable[str], before: int, after: int) -> Iterator[tuple[int, int]]:
    """Yield the stretches of a text, as start and end, that lie around any of these words; they are in order and do not overlap.

    A pattern that is searched in them alone costs next to nothing in the many texts that hold none of the words.
    """
    found = []
    for word in words:
        at = lower.find(word)
        while at >= 0:
            found.append(at)
            at = lower.find(word, at + 1)
    start = end = -1
    for at in sorted(found):
        if at - before > end:
            if end > 0:
                yield start, end
            start = max(0, at - before)
        end = at + after
    if end > 0:
        yield start, min(end, len(lower))
