"""Notebooks: the code of their cells, with every line's place in the file; outputs are not looked at."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import TYPE_CHECKING, Any

from cardcheck.facts.application.command import read_command, tokens_of
from cardcheck.facts.application.found import Choice, Dimension, Found
from cardcheck.facts.application.python import parse, read_python

if TYPE_CHECKING:
    from cardcheck.facts.application.found import Place

MAGIC = re.compile(r"^(\s{0,200})[%!?]|^\s{0,200}[\w.]{1,100}\?{1,2}\s{0,9}$")
CAPTURED = re.compile(r"^(\s{0,200}[\w, ]{1,100}=\s{0,9})[%!]")
MAX_CELLS = 5000
NEAR = 200  # characters between two parts of a cell
MAX_SLACK = 2000
MAX_SEARCHES = 100


def read_notebook(text: str, found: Found) -> None:
    """Read the code cells of a notebook as one Python file, leaving out those that are none."""
    try:
        cells = json.loads(text).get("cells")
    except (ValueError, RecursionError, AttributeError):
        found.problem = ("is no notebook that can be read", (1, 1))
        return
    source = _Source(text)
    lines: list[str] = []
    places: list[Place] = []  # where each line of the code begins in the file
    for cell in cells[:MAX_CELLS] if isinstance(cells, list) else []:
        if not isinstance(cell, dict):
            continue
        written = source.lines(cell.get("source"))
        if cell.get("cell_type") != "code" or not written or written[0][0].startswith("%%"):
            continue
        for line, place in written:
            if line.lstrip().startswith("!"):
                read_command(tokens_of(line.replace("!", " ", 1), lambda offset, place=place: (place[0], place[1] + offset)), found)  # type: ignore[misc]
        code = [_python(line) for line, _ in written]
        try:
            parse("\n".join(code))
        except (SyntaxError, RecursionError, MemoryError, ValueError):
            continue
        lines += code
        places += [place for _, place in written]
    part = Found()
    read_python("\n".join(lines), part)
    found.extend(_moved(part, lines, places))


def _python(line: str) -> str:
    """Return a line of Python: magics and shell commands become nothing."""
    if magic := MAGIC.match(line):
        return f"{magic[1] or ''}pass"
    if captured := CAPTURED.match(line):
        return f"{captured[1]}None"
    return line


class _Source:
    """Finds the lines of cells in the text of the file, in order, so that all of them together cost one pass."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0
        self.slack = self.searches = 0  # how much further the next part may be, and how many were looked for in all of the file
        self.breaks = [match.start() for match in re.finditer("\n", text)]

    def lines(self, source: Any) -> list[tuple[str, Place]]:
        """Return the lines of one cell's source and where each begins."""
        parts = (
            [source] if isinstance(source, str) else [part for part in source if isinstance(part, str)] if isinstance(source, list) else []
        )
        key = self.text.find('"source"', self.at)
        self.at = key + 8 if key >= 0 else self.at
        found: list[tuple[str, Place]] = []
        for part in parts:
            start = self._find(part)
            for line in part.split("\n")[:10_000]:
                found.append((line, self._place(start)))
                start += len(json.dumps(line, ensure_ascii=False))  # with the two quotes, as long as the line with its \n
            if part.endswith("\n"):
                found.pop()
        return found

    def _find(self, part: str) -> int:
        """Return where the text of a part begins, behind its quote; one that is written in another way is taken to begin where it may."""
        near = self.at + self.slack + 6 * len(part) + NEAR
        for end in (near, len(self.text)) if self.searches < MAX_SEARCHES else (near,):
            for ascii_only in (False, True):
                written = json.dumps(part, ensure_ascii=ascii_only)
                start = self.text.find(written, self.at, end)
                if start >= 0:
                    self.at, self.slack = start + len(written), 0
                    return start + 1
            self.searches += end == near
        self.at, self.slack = self.at + len(part), min(self.slack + 5 * len(part) + NEAR, MAX_SLACK)
        return self.at

    def _place(self, offset: int) -> Place:
        line = bisect_right(self.breaks, offset - 1)
        return line + 1, offset - (self.breaks[line - 1] + 1 if line else 0) + 1


def _moved(part: Found, lines: list[str], places: list[Place]) -> Found:
    """Give what was found in the code its place in the notebook."""

    def place(old: Place) -> Place:
        line, column = places[old[0] - 1]
        return line, column + len(json.dumps(lines[old[0] - 1][: old[1] - 1], ensure_ascii=False)) - 2

    moved = Found(by_default=part.by_default, at_run_time=part.at_run_time, reduces=part.reduces)
    items: list[Choice | Dimension] = [*part.choices.values(), *part.dimensions.values()]
    for item in items:
        item.place = place(item.place)
        moved.add(item)
    for choice in moved.choices.values():
        choice.remote_code = place(choice.remote_code) if choice.remote_code else None
    for chunk in part.chunks:
        chunk.place = place(chunk.place)
    for hazard in part.hazards:
        hazard.place = place(hazard.place)
    moved.chunks, moved.hazards = part.chunks, part.hazards
    moved.unnamed_remote_code = [place(old) for old in part.unnamed_remote_code]
    return moved
