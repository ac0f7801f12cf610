"""Regular expressions that are compiled when they are first used, and once for many runs.

There are some hundreds of them; compiling those that one card needs took a sixth of a short run. `re` has no way to keep a compiled
expression, so what it hands to its matching engine is kept in the cache folder: numbers, which the engine checks before it takes
them. Where another Python does this in another way, expressions are compiled as ever.
"""

from __future__ import annotations

import atexit
import functools
import json
import re
import sys
from array import array
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, Any

from cardcheck import __version__, cache

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Pattern:
    """Stands for `re.compile(text, flags)`, with the methods of its result that take the text to look at first."""

    __slots__ = ("_compiled", "flags", "text")

    def __init__(self, text: str, flags: int = 0) -> None:
        self.text, self.flags = text, flags
        self._compiled: re.Pattern[str] | None = None

    @property
    def compiled(self) -> re.Pattern[str]:
        """The compiled expression."""
        if self._compiled is None:
            self._compiled = _compiled(self.text, self.flags)
        return self._compiled

    @property
    def groups(self) -> int:
        """The number of groups."""
        return self.compiled.groups

    def search(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Return the first match anywhere."""
        return self.compiled.search(text, start, end)

    def match(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Return the match at the start."""
        return self.compiled.match(text, start, end)

    def fullmatch(self, text: str, start: int = 0, end: int = sys.maxsize) -> re.Match[str] | None:
        """Return the match of the whole text."""
        return self.compiled.fullmatch(text, start, end)

    def finditer(self, text: str, start: int = 0, end: int = sys.maxsize) -> Iterator[re.Match[str]]:
        """Yield the matches one after the other."""
        return self.compiled.finditer(text, start, end)

    def findall(self, text: str, start: int = 0, end: int = sys.maxsize) -> list[str]:
        """Return the matched texts, or those of the one group."""
        found: list[str] = self.compiled.findall(text, start, end)
        return found

    def sub(self, new: str | Callable[[re.Match[str]], str], text: str, count: int = 0) -> str:
        """Return the text with its matches replaced."""
        return self.compiled.sub(new, text, count)

    def split(self, text: str, most: int = 0) -> list[str]:
        """Return the text's parts between matches."""
        parts: list[str] = self.compiled.split(text, most)
        return parts


NAME = f"{__version__}-{sys.implementation.cache_tag}-{sys.hexversion:x}"
MAX_GROUPS = 1000
MAX_KEPT = 1000  # twice as many as there are; in a checkout those of yesterday's code go when there are more
_FRESH: dict[bytes, bytes] = {}  # what this run had to compile, to be kept when it ends


@functools.cache
def _kept() -> dict[bytes, bytes]:
    """Return what earlier runs kept of expressions: a line each, its key and what is read once the expression is needed."""
    kept = cache.load("patterns", NAME) or b""
    return dict(parts for line in kept.splitlines() if line.isascii() and len(parts := line.split(b"\t")) == 2)  # key and value


def _keep() -> None:
    """Have what was kept and what is fresh kept for later runs."""
    newest = list((_kept() | _FRESH).items())[-MAX_KEPT:]
    cache.save("patterns", NAME, b"".join(b"%s\t%s\n" % line for line in newest).decode("ascii"))


def _compiled(text: str, flags: int) -> re.Pattern[str]:
    """Return the expression from what was kept of it; else compile it, and have it kept."""
    key = f"{int(flags)} {text!a}".encode("ascii")
    try:
        if key in _kept():
            return _restored(text, json.loads(_kept()[key]))
        entry = _taken_apart(text, flags)
        pattern = _restored(text, entry)
    except (ImportError, AttributeError, LookupError, TypeError, ValueError, OverflowError, RuntimeError):
        return re.compile(text, flags)
    if not _FRESH:
        atexit.register(_keep)
    _FRESH[key] = json.dumps(entry).encode("ascii")
    return pattern


def _taken_apart(text: str, flags: int) -> dict[str, Any]:
    """Return what `re.compile` hands to its engine (Lib/re/_compiler.py of CPython 3.11 to 3.14)."""
    from re import _compiler, _parser  # type: ignore[attr-defined]

    parsed = _parser.parse(text, flags)
    code = array("I", _compiler._code(parsed, flags)).tobytes()  # noqa: SLF001
    return {
        "flags": flags | parsed.state.flags,
        "code": b64encode(code).decode("ascii"),
        "groups": parsed.state.groups,
        "names": parsed.state.groupdict,
    }


def _restored(text: str, entry: dict[str, Any]) -> re.Pattern[str]:
    import _sre  # type: ignore[import-not-found]

    if entry["groups"] > MAX_GROUPS:
        raise ValueError(entry["groups"])
    numbers = {number: name for name, number in entry["names"].items()}
    named = tuple(numbers.get(number) for number in range(entry["groups"]))
    code = array("I", b64decode(entry["code"])).tolist()
    pattern: re.Pattern[str] = _sre.compile(text, entry["flags"], code, entry["groups"] - 1, entry["names"], named)
    return pattern
