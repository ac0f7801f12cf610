"""YAML and JSON with the place of every key, safe to read from a stranger.

A model card is untrusted text. PyYAML's own constructors recurse (a deep nesting overflows the C stack), expand aliases without
a budget and lose positions, so this module composes values from libyaml's event stream in one loop, with limits.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_DEPTH = 30
MAX_NODES = 500_000
MAX_ALIASED = 200_000  # values and characters that aliases may repeat; no real card repeats any
MAX_POSITIONED_JSON = 2_000_000

# YAML 1.1 takes these for line breaks, editors and the Hub do not: lines would be counted wrong after them.
NOT_LINE_BREAKS = {0x85: " ", 0x2028: " ", 0x2029: " "}

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Location:
    """A place in a file of the subject; lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


class LocatedError(ValueError):
    """The text cannot be read; `line` and `column` count from 1 in the text that was given."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


@dataclass(slots=True)
class Located:
    """A plain value and where each part of it stands.

    `places` maps a path (keys and indices) to (line, column) of the key in a mapping or of the item in a list.
    `duplicates` lists keys that occur twice in one mapping: (path, line, column); the last one wins, as on the Hub.
    """

    value: Any
    places: dict[Path, tuple[int, int]] = field(default_factory=dict)
    duplicates: list[tuple[Path, int, int]] = field(default_factory=list)

    def place(self, path: Path) -> tuple[int, int]:
        """Return the (line, column) of `path` or of its nearest ancestor that has one."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))


@dataclass(slots=True)
class _Open:
    """A mapping or sequence that is still being read."""

    value: dict[str, Any] | list[Any]
    path: Path
    anchor: str | None
    size: int = 1
    key: str | None = None
    key_seen: bool = False


def load_yaml(text: str, *, first_line: int = 1) -> Located:
    """Read one YAML document; positions count from `first_line`.

    Raises LocatedError for bad syntax, cycles, nesting deeper than 30 documents of over 500,000 values, and aliases that repeat too much.
    """
    try:
        return _Composer(text, first_line).compose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = " ".join(part for part in (error.problem, error.context) if part)
        raise LocatedError(message, (mark.line if mark else 0) + first_line, (mark.column if mark else 0) + 1) from None
    except (yaml.YAMLError, ValueError) as error:
        if isinstance(error, LocatedError):
            raise
        raise LocatedError(str(error).splitlines()[0], first_line, 1) from None


class _Composer:
    def __init__(self, text: str, first_line: int) -> None:
        self.loader: Any = yaml.CSafeLoader(text.translate(NOT_LINE_BREAKS))
        self.first_line = first_line
        self.anchors: dict[str, tuple[Any, int]] = {}
        self.stack: list[_Open] = []
        self.result = Located(None)
        self.total = self.aliased = 0
        self.plain: dict[str, Any] = {}  # what unquoted scalars stand for

    def compose(self) -> Located:
        try:
            while (event := self.loader.get_event()) is not None:
                self._handle(event)
                if isinstance(event, yaml.StreamEndEvent):
                    break
        finally:
            self.loader.dispose()
        return self.result

    def _handle(self, event: Any) -> None:
        kind, mark = type(event), event.start_mark
        line, column = mark.line + self.first_line, mark.column + 1
        if kind is yaml.ScalarEvent:
            is_key = bool(self.stack) and not self.stack[-1].key_seen and type(self.stack[-1].value) is dict
            value = event.value if is_key else self._scalar(event)
            self._add(value, 1 + len(event.value), event.anchor, line, column)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            done = self.stack.pop()
            self._add(done.value, done.size, done.anchor, None, None)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            if len(self.stack) >= MAX_DEPTH:
                raise LocatedError(f"nested deeper than {MAX_DEPTH} levels", line, column)
            container: dict[str, Any] | list[Any] = {} if kind is yaml.MappingStartEvent else []
            path = self._place(line, column)
            self.stack.append(_Open(container, path, event.anchor))
        elif kind is yaml.AliasEvent:
            if event.anchor not in self.anchors:
                raise LocatedError(f"the alias *{event.anchor} refers to itself or to nothing", line, column)
            value, size = self.anchors[event.anchor]
            self.aliased += size
            if self.aliased > MAX_ALIASED:
                raise LocatedError(f"aliases repeat more than {MAX_ALIASED:,} values and characters", line, column)
            self._add(value, size, None, line, column)

    def _scalar(self, event: Any) -> Any:
        tag = event.tag
        if tag is None or tag == "!":
            if not event.implicit[0] and event.implicit[1]:  # it was quoted
                return event.value
            known = self.plain.get(event.value, self)
            if known is self:  # the same few words stand in a results list thousands of times
                known = self.plain[event.value] = scalar_value(
                    self.loader.resolve(yaml.ScalarNode, event.value, event.implicit), event.value
                )
            return known
        return scalar_value(tag, event.value)

    def _path(self) -> Path:
        if not self.stack:
            return ()
        top = self.stack[-1]
        return (*top.path, (top.key or "") if isinstance(top.value, dict) else len(top.value))

    def _place(self, line: int, column: int) -> Path:
        """Where the value that starts here lives; list items get their own position, mapping values their key's."""
        path = self._path()
        self.result.places.setdefault(path, (line, column))
        return path

    def _add(self, value: Any, size: int, anchor: str | None, line: int | None, column: int | None) -> None:
        if anchor:
            self.anchors[anchor] = (value, size)
        self.total += 1
        if not self.stack:
            self.result.value = value
            return
        top = self.stack[-1]
        if isinstance(top.value, dict) and not top.key_seen:
            self._open_key(top, value, line or self.first_line, column or 1)
            return
        if line is not None and column is not None and type(top.value) is list:  # a mapping's value stands where its key does
            self._place(line, column)
        top.size += size
        if self.total >= MAX_NODES:
            raise LocatedError(f"more than {MAX_NODES:,} values", line or self.first_line, column or 1)
        if isinstance(top.value, dict):
            if top.key != "<<":  # merge keys are not expanded: the Hub does not need them, attackers do
                top.value[top.key or ""] = value
            top.key, top.key_seen = None, False
        else:
            top.value.append(value)

    def _open_key(self, top: _Open, key: Any, line: int, column: int) -> None:
        if isinstance(key, (dict, list)):
            raise LocatedError("a key is a list or a mapping", line, column)
        text = key if isinstance(key, str) else json.dumps(key)
        path = (*top.path, text)
        if isinstance(top.value, dict) and text in top.value:
            self.result.duplicates.append((path, line, column))
        self.result.places[path] = (line, column)
        top.key, top.key_seen = text, True


_TRUE = frozenset({"yes", "true", "on"})


def scalar_value(tag: str, text: str) -> Any:
    """Turn a YAML 1.1 scalar into a plain value; timestamps and unknown tags stay text."""
    kind = tag.rpartition(":")[2]
    try:
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() in _TRUE
        if kind == "int":
            return _integer(text)
        if kind == "float":
            return _float(text)
    except (ValueError, OverflowError):
        return text
    return text


def _integer(text: str) -> int | str:
    digits = text.replace("_", "")
    if len(digits) > 30 or ":" in digits:  # sexagesimal numbers are an accident ("12:30"), huge ones an attack
        return text
    sign = -1 if digits.startswith("-") else 1
    digits = digits.lstrip("+-")
    base = 16 if digits[:2] in ("0x", "0X") else 2 if digits[:2] in ("0b", "0B") else 8 if digits[:1] == "0" and len(digits) > 1 else 10
    return sign * int(digits, base)


def _float(text: str) -> float | str:
    if ":" in text:
        return text
    plain = text.replace("_", "").lower()
    if plain.endswith(".inf"):
        return -math.inf if plain.startswith("-") else math.inf
    return math.nan if plain == ".nan" else float(plain)


def load_json(text: str) -> Located:
    """Read JSON; positions come from reading it once more as YAML, of which JSON is all but a subset.

    Raises LocatedError for bad syntax and for nesting deeper than Python can follow.
    """
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise LocatedError(error.msg, error.lineno, error.colno) from None
    except (RecursionError, ValueError) as error:
        raise LocatedError(str(error) or "nested too deeply") from None
    if len(text) > MAX_POSITIONED_JSON:
        return Located(value)
    try:
        located = load_yaml(text)
    except LocatedError:  # tabs, or a nesting over the limit: values without positions are still worth having
        return Located(value)
    return Located(value, located.places, located.duplicates)
