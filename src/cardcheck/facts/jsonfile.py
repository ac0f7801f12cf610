"""JSON files of the subject: reading them, and what is wrong with any of them, whatever they configure."""

from __future__ import annotations

import math
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from cardcheck.facts.files import LFS_POINTER, LFS_PROBLEM
from cardcheck.facts.located import Located, LocatedError, Location, Path, load_json
from cardcheck.facts.model import Facts, Source
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardcheck.facts.files import Listing

MAX_INTEGER = 2**62
LOCAL_PATH = Pattern(
    r"^(?:/(?:home|root|mnt|data|tmp|var|users|usr|scratch|work|proj|content|kaggle|gpfs|opt|storage|lustre|nfs|raid|fsx|efs|s3|cluster"
    r"|export|share|local|dev/shm|hpc|gpu|ssd|disk|volumes?|dbfs|app|srv|net|cephfs|afs|media|private)\w*/|[A-Za-z]:[\\/]|\\\\[\w.-]{1,60}\\|~/|\.\.?/"
    r"|(?:file|s3|gs|hdfs|abfss?|dbfs):/)",
    re.IGNORECASE,
)
# What stands under these keys is a Hub id or a path; an id has one slash at most.
NAME_KEYS = frozenset({"_name_or_path", "name_or_path", "base_model_name_or_path", "tokenizer_name_or_path"})
NO_ID = Pattern(r"^/[^/]|^[^/]{1,200}/[^/]{1,200}/|^[^/]{1,200}/$|(?:^|/)checkpoint-\d{1,9}/?$")
MAX_WALK = 20_000  # values of one file that are looked at one by one


class JsonFile:
    """A JSON document from the subject, with typed access that takes nothing on trust."""

    def __init__(self, file: str, located: Located) -> None:
        self.file, self.located = file, located
        self.data: Any = located.value

    def place(self, *path: str | int) -> Location:
        """Return where the value at `path`, or its nearest ancestor, stands."""
        return Location(self.file, *self.located.place(path))

    def text(self, key: str) -> str | None:
        """Return a text, or None for anything else."""
        value = self.data.get(key)
        return value if isinstance(value, str) else None

    def integer(self, key: str) -> int | None:
        """Return a number of a sensible size as an integer, or None for anything else."""
        value = self.data.get(key)
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < MAX_INTEGER
        return int(value) if number else None


def load(facts: Facts, listing: Listing, path: str, source: str, *, expected: type = dict) -> JsonFile | None:
    """Read a JSON file for the group `source`; a broken one is a fact, not an error.

    An empty `source` is for files that no group stands for.
    """
    if path not in listing:
        return None
    facts["config.files"].append(path)
    try:
        text, cut = listing.read(path)
    except OSError as error:
        _unavailable(facts, source, f"{path} cannot be read: {error.strerror}")
        return None
    if cut:
        _unavailable(facts, source, f"{path} is larger than any configuration should be")
        return None
    facts.texts[path] = text
    if text.startswith(LFS_POINTER):
        facts.add("files.pointers", Location(path, 1, 1), path=path)
        _unavailable(facts, source, f"{path} {LFS_PROBLEM}")
        return None
    located = _parsed(facts, path, source, text, expected)
    if located is None:
        return None
    if source:
        if facts.sources[source].state == "absent":
            facts.sources[source] = Source("known")
        facts.places.setdefault(source, Location(path, 1, 1))
    document = JsonFile(path, located)
    _note_faults(facts, document, text)
    return document


def _parsed(facts: Facts, path: str, source: str, text: str, expected: type) -> Located | None:
    try:
        located = load_json(text)
    except LocatedError as error:
        _broken(facts, path, source, _explained(text, error))
        return None
    if isinstance(located.value, expected):
        return located
    _broken(facts, path, source, LocatedError(f"it is not a JSON {'object' if expected is dict else 'list'}"))
    return None


def _unavailable(facts: Facts, source: str, reason: str) -> None:
    if source:
        facts.sources[source] = Source("unavailable", reason)


def _broken(facts: Facts, path: str, source: str, error: LocatedError) -> None:
    facts.add("config.broken", Location(path, error.line, error.column), path=path, problem=error.message)
    _unavailable(facts, source, f"{path} cannot be read: {error.message}")


def _explained(text: str, error: LocatedError) -> LocatedError:
    """Say what people write that JSON does not have, where the parser only says what it expected."""
    if not text.strip():
        return LocatedError("it is empty", error.line, error.column)
    start = 0
    for _ in range(error.line - 1):
        start = text.find("\n", start) + 1
    start += error.column - 1
    rest, before = text[start : start + 20].lstrip(), text[max(0, start - 200) : start].rstrip()
    problem = error.message
    if rest[:1] in ("}", "]") and before.endswith(","):
        problem = f"a comma stands before the closing {rest[0]}"
    elif rest.startswith(("//", "/*", "#")):
        problem = "it holds a comment, which JSON does not have"
    elif rest.startswith("'"):
        problem = "single quotes stand where JSON wants double ones"
    elif found := re.match(r"True|False|None|nan|inf\b", rest):
        problem = f"{found[0]} is Python's spelling, not JSON's"
    elif rest.startswith(("<<<<<<<", ">>>>>>>", "=======")):
        problem = "it holds the marks of a merge conflict"
    return LocatedError(problem, error.line, error.column)


def _note_faults(facts: Facts, document: JsonFile, text: str) -> None:
    """Note repeated keys, numbers that JSON does not have, and paths of a machine."""
    for path, line, column in document.located.duplicates:
        facts.add("config.duplicate_keys", Location(document.file, line, column), path=document.file, key=str(path[-1])[:80])
    if "NaN" in text or "Infinity" in text:
        for path, value in _values(document.data):
            if isinstance(value, float) and not math.isfinite(value):
                written = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
                facts.add(
                    "config.nonstandard", document.place(*path), path=document.file, key=str(path[-1] if path else "?")[:80], value=written
                )
    for path, value in _values(document.data, depth=2):
        if isinstance(value, str) and ("/" in value or "\\" in value or "checkpoint-" in value):
            key = str(path[-1] if path else "?")
            if LOCAL_PATH.match(value) or (key in NAME_KEYS and NO_ID.search(value)):
                facts.add("config.paths", document.place(*path), key=key[:80], value=value[:200])


def note_type(facts: Facts, document: JsonFile, keys: tuple[str, ...], wanted: str, types: tuple[type, ...]) -> None:
    """Note keys whose value is of another type than the libraries read; null stands for absent."""
    for key in keys:
        value = document.data.get(key)
        if isinstance(value, (str, bool, int, float)) and (not isinstance(value, types) or (isinstance(value, bool) and bool not in types)):
            row = {"path": document.file, "key": key, "wanted": wanted, "written": _shown(value)}
            facts.add("config.wrong_types", document.place(key), **row)


def _shown(value: Any) -> str:
    return f'"{value[:60]}"' if isinstance(value, str) else str(value).lower()[:60]


def _values(data: Any, depth: int = 30) -> Iterator[tuple[Path, Any]]:
    """Yield the path and value of everything that is no mapping or list, at most MAX_WALK of them."""
    stack: list[tuple[Path, Any]] = [((), data)]
    for _ in range(MAX_WALK):
        if not stack:
            return
        path, value = stack.pop()
        children: Iterable[tuple[str | int, Any]] = ()
        if isinstance(value, dict):
            children = value.items()
        elif isinstance(value, list):
            children = enumerate(value)
        else:
            yield path, value
            continue
        if len(path) < depth:
            stack.extend(reversed([((*path, key), child) for key, child in islice(children, MAX_WALK)]))
