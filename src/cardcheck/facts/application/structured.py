"""YAML, JSON, TOML and what is nearly one of them: from text to keys and values with their places."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cardcheck.facts.application.tree import Leaf, Tree
from cardcheck.facts.located import LocatedError, load_json, load_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardcheck.facts.application.found import Found, Place
    from cardcheck.facts.located import Located, Path

DOCUMENT = re.compile(r"^---(?:[ \t].*)?$", re.MULTILINE)
LINE = re.compile(
    r"^(?P<indent>[ \t]{0,200})(?P<dashes>(?:-[ \t]{1,20}){0,4})(?:export[ \t]{1,9})?[\"']?(?P<key>[\w./-]{1,80})[\"']?[ \t]{0,9}(?:=|:(?=[ \t]|$))[ \t]{0,20}(?P<value>.{0,1000})$"
)
ITEM = re.compile(r"^(?P<indent>[ \t]{0,200})-[ \t]{1,20}(?P<value>\S.{0,1000})$")
TOML_TABLE = re.compile(r"^\s{0,20}\[{1,2}\s{0,9}([^\]\n]{1,200})\]{1,2}")
TOML_PART = re.compile(r"[\w-]{1,100}|\"[^\"]{0,100}\"|'[^']{0,100}'")
MAX_DOCUMENTS = 500
MAX_LEAVES = 200_000
MAX_LINES = 100_000
MAX_DOTS = 300  # in a line of TOML: tomllib takes quadratic time for a key of many parts
NEAR = 2000  # characters of a line in which a value is looked for behind its key


def finder(lines: list[str]) -> Callable[[str, Place], Place]:
    """Return a function that finds a text at or soon after a place; where it is not found, the place itself counts."""

    def find(needle: str, place: Place) -> Place:
        line, column = place
        for number in range(line, min(line + 40, len(lines) + 1)):
            start = column - 1 if number == line else 0
            at = lines[number - 1].find(needle, start, start + NEAR) if needle else -1
            if at >= 0:
                return number, at + 1
        return place

    return find


def read_yaml(text: str, found: Found, *, about: str = "") -> None:
    """Read YAML documents; one that is none, as a template, is read line by line."""
    find = finder(text.split("\n"))
    for part, first in _documents(text):
        try:
            leaves = list(leaves_of(load_yaml(part, first_line=first), find))
        except LocatedError:
            leaves = list(by_line(part, first))
        Tree(leaves, about=about, find=find).read(found)


def _documents(text: str) -> Iterator[tuple[str, int]]:
    """Yield the documents of a YAML file and the line that each begins at."""
    start, first = 0, 1
    for count, match in enumerate(DOCUMENT.finditer(text)):
        if count >= MAX_DOCUMENTS:
            return
        if text[start : match.start()].strip():
            yield text[start : match.start()], first
        first += text.count("\n", start, match.end())
        start = match.end()
    if text[start:].strip():
        yield text[start:], first


def read_json(text: str, found: Found, *, about: str = "") -> None:
    """Read JSON; with comments or trailing commas it is read line by line."""
    find = finder(text.split("\n"))
    try:
        leaves = list(leaves_of(load_json(text), find))
    except LocatedError:
        leaves = list(by_line(text, 1))
    Tree(leaves, about=about, data=True, find=find).read(found)


def read_toml(text: str, found: Found, *, about: str = "") -> None:
    """Read TOML; broken, it is read line by line."""
    import tomllib

    lines = text.split("\n")
    if any(line.count(".") > MAX_DOTS for line in lines):
        read_lines(text, found, about=about)
        return
    find = finder(lines)
    try:
        value = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        read_lines(text, found, about=about)
        return
    from cardcheck.facts.located import Located

    places = _toml_places(lines)
    Tree(leaves_of(Located(value, places), find), about=about, find=find).read(found)


def _toml_places(lines: list[str]) -> dict[Path, tuple[int, int]]:
    """Return the places of keys, which tomllib does not tell, from the tables' headings and the beginnings of lines."""
    places: dict[Path, tuple[int, int]] = {}
    table: Path = ()
    counts: dict[Path, int] = {}
    for number, line in enumerate(lines[:MAX_LINES], 1):
        if heading := TOML_TABLE.match(line):
            table = tuple(part.strip("\"'") for part in TOML_PART.findall(heading[1]))
            if line.lstrip().startswith("[["):
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
        elif "=" in line and (parts := TOML_PART.findall(line.partition("=")[0])) and not line.lstrip().startswith("#"):
            column = len(line) - len(line.lstrip()) + 1
            places.setdefault((*table, *(part.strip("\"'") for part in parts)), (number, column))
    return places


def read_lines(text: str, found: Found, *, about: str = "") -> None:
    """Read `key: value` and `key = value` line by line: settings in INI form, templates, and what is broken."""
    Tree(by_line(text, 1), about=about, find=finder(text.split("\n"))).read(found)


def leaves_of(located: Located, find: Callable[[str, Place], Place]) -> Iterator[Leaf]:
    """Yield the values of a document, in order, with their places behind their keys."""
    stack: list[tuple[Path, Any]] = [((), located.value)]
    for _ in range(MAX_LEAVES):
        if not stack:
            return
        path, value = stack.pop()
        if isinstance(value, dict):
            stack += reversed([((*path, key), child) for key, child in value.items()])
        elif isinstance(value, list):
            stack += reversed([((*path, index), child) for index, child in enumerate(value)])
        elif path:
            yield Leaf(path, value if isinstance(value, (str, int, float, bool)) else None, _value_place(located, path, value, find))


def _value_place(located: Located, path: Path, value: Any, find: Callable[[str, Place], Place]) -> Place:
    line, column = located.place(path)
    if isinstance(path[-1], str) and path in located.places:
        column += len(path[-1])
    needle = str(value).strip().split("\n", 1)[0][:60] if isinstance(value, (str, int)) and not isinstance(value, bool) else ""
    place = find(needle, (line, column))
    return (
        place
        if place != (line, column)
        else (line, column - len(path[-1]) if isinstance(path[-1], str) and path in located.places else column)
    )


def by_line(text: str, first: int) -> Iterator[Leaf]:
    """Yield what looks like keys and values, nested by indentation or under [headings]; nothing is required to be well-formed."""
    reader = _ByLine()
    for number, raw in enumerate(text.split("\n")[:MAX_LINES], first):
        line = raw.rstrip("\r")
        if len(line) > 1500 or not line.strip() or line.lstrip().startswith(("#", ";", "//")):
            continue
        if leaf := reader.line(line, number):
            yield leaf


class _ByLine:
    """Follows the nesting of lines: the keys above, the place in a list, and which mapping of several with the same keys this is."""

    def __init__(self) -> None:
        self.section: Path = ()
        self.above: list[tuple[int, str | int]] = []
        self.counts: dict[Path, int] = {}
        self.copies: dict[Path, int] = {}
        self.seen: set[Path] = set()

    def line(self, line: str, number: int) -> Leaf | None:
        """Read one line; return what it gives a value to."""
        if heading := TOML_TABLE.match(line):
            self.section, self.above = tuple(part.strip("\"'") for part in TOML_PART.findall(heading[1])), []
            return None
        match = LINE.match(line)
        item = None if match else ITEM.match(line)
        if match is None and item is None:
            return None
        indent = len((match or item or {"indent": ""})["indent"])
        listed = item is not None or bool(match and match["dashes"])
        while self.above and self.above[-1][0] >= indent + listed:
            self.above.pop()
        path = (*self.section, *(key for _, key in self.above))
        if listed:
            self.counts[path] = self.counts.get(path, -1) + 1
            self.above.append((indent + 1, self.counts[path]))
            path = (*path, self.counts[path])
        if item is not None:
            value, offset = _plain(item["value"])
            return Leaf(path, value, (number, item.start("value") + offset + 1))
        return self._pair(match, path, indent + len(match["dashes"]), number) if match else None

    def _pair(self, match: re.Match[str], path: Path, indent: int, number: int) -> Leaf | None:
        value, offset = _plain(match["value"])
        if not value:
            self.above.append((indent, match["key"]))
            return None
        if (*path, match["key"]) in self.seen:  # the same key again: another mapping of the same kind
            self.copies[path] = self.copies.get(path, 0) + 1
        self.seen.add((*path, match["key"]))
        place = (number, match.start("value") + offset + 1)
        return Leaf((*path, self.copies[path], match["key"]) if path in self.copies else (*path, match["key"]), value, place)


def _plain(written: str) -> tuple[str, int]:
    """Return a value without quotes, commas, brackets and comments, and how far in it begins."""
    stripped = written.lstrip()
    offset = len(written) - len(stripped)
    if stripped[:1] in ("{", "[") and not stripped.startswith("{{"):
        return "", offset
    if stripped[:1] in ("'", '"') and (end := stripped.find(stripped[0], 1)) > 0:
        return stripped[1:end], offset + 1
    value = re.split(r"\s#|\s//", stripped, maxsplit=1)[0].rstrip(" \t,")
    return ("", offset) if _is_template(value) or value in ("|", ">", "|-", ">-") else (value, offset)


def _is_template(value: str) -> bool:
    """Tell whether a value is worked out by a template."""
    return any(0 <= value.find(begin) < value.rfind(end) for begin, end in (("{{", "}}"), ("{%", "%}")))
