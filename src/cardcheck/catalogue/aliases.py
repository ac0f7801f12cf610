"""Which MTEB tasks a training set means, by whatever name it goes, and why. What means nothing here is not known: it is never clean."""

from __future__ import annotations

import functools
import itertools
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cardcheck.catalogue import tasks
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path(__file__).parent.parent / "data" / "aliases.json"
Kind = Literal["same", "source", "ambiguous", "none"]

NO_WORD = Pattern(r"[\W_]+")
WORD = Pattern(r"[A-Za-z0-9]{1,60}")
HUMPS = Pattern(r"[A-Z].{0,60}[A-Z]|[A-Za-z].{0,60}\d")
TYPES = Pattern(r"(?:Retrieval|Reranking|Classification|Clustering(?:[PS]2[PS])?|BitextMining|PairClassification|STS|PC)$")
MAX_NAME = 200
MAX_TEXT = 100_000
LEAST_SLIP = 6  # letters; shorter names are one letter off too many others
TESTS = frozenset({"test", "tests", "qrels", "nano"})


@dataclass(frozen=True, slots=True)
class Match:
    """What a name means: `same`, the data of these tasks; `source`, drawn from where theirs was drawn; `ambiguous`, one of them; `none`.

    `why` says how that is known; `tests` that the name is of the part that a benchmark evaluates on.
    """

    kind: Kind
    tasks: tuple[str, ...]
    why: str
    tests: bool = False


@dataclass(frozen=True, slots=True)
class _Table:
    names: dict[str, Match]
    addresses: dict[str, Match]
    within: dict[str, Match]
    links: dict[str, dict[str, str]]
    tests: frozenset[str]
    generic: frozenset[str]
    keepers: frozenset[str]
    around: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Phrases:
    """Names in running text by their words in small letters, and the first words, with how many words the longest name has."""

    held: dict[tuple[str, ...], list[tuple[tuple[str, ...] | None, Match]]]
    starts: dict[str, int]


def plain(name: str) -> str:
    """Return a name reduced to its letters and digits, in lower case."""
    return NO_WORD.sub("", name[:MAX_NAME].lower())


@functools.cache
def _given() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_bytes())
    return found


def _match(row: dict[str, Any]) -> Match:
    return Match(row.get("kind", "same"), tuple(row.get("tasks", ())), row["why"])


@functools.cache
def _table() -> _Table:
    table = _Table({}, {}, {}, {}, *(frozenset(_given()[key]) for key in ("tests", "generic", "keepers", "around")))
    for row in _given()["aliases"]:
        match = _match(row)
        for name in row.get("names", ()):
            table.names.setdefault(plain(name), match)
            if row.get("within"):
                table.within[plain(name)] = match
        table.addresses.update(dict.fromkeys(row.get("addresses", ()), match))
    for row in _given()["links"]:
        for task in row["tasks"]:
            table.links.setdefault(task, {}).update({other: row["why"] for other in row["tasks"] if other != task})
    return table


@functools.cache
def _phrases() -> _Phrases:
    phrases = _Phrases({}, {})
    for row in _given()["aliases"]:
        for phrase in row.get("text", ()):
            _add_phrase(phrases, phrase, _match(row))
    for name in tasks.names():
        if len(name) >= LEAST_SLIP and HUMPS.search(name):
            _add_phrase(phrases, name, Match("same", (name,), "the name of the task"))
    return phrases


def _add_phrase(phrases: _Phrases, phrase: str, match: Match) -> None:
    words = tuple(WORD.findall(phrase))
    exact = None if phrase.islower() else words
    key = tuple(word.lower() for word in words)
    phrases.held.setdefault(key, []).append((exact, match))
    phrases.starts[key[0]] = max(len(key), phrases.starts.get(key[0], 0))


@functools.cache
def spelled() -> dict[str, str | None]:
    """Return the tasks by their names' letters and digits; None where two share them."""
    found: dict[str, str | None] = {}
    for name in tasks.names():
        found[plain(name)] = None if plain(name) in found else name
    return found


@functools.cache
def _short() -> dict[str, tuple[str, ...]]:
    """Return the tasks by their names without their type, where what is left is no common word: `SIB200` for two tasks."""
    found: dict[str, list[str]] = {}
    for name in tasks.names():
        short = TYPES.sub("", name)
        if short != name and len(short) >= LEAST_SLIP - 1 and HUMPS.search(short):
            found.setdefault(plain(short), []).append(name)
    return {short: tuple(held) for short, held in found.items()}


def spelled_alike(name: str) -> str | None:
    """Return the one task whose name differs from this one at most in capitals and punctuation."""
    return spelled().get(plain(name))


@functools.lru_cache(maxsize=8192)
def data_set(name: str) -> Match | None:
    """Return what the name or the Hub id of a data set means; None where it means nothing here."""
    name = re.sub(r"^MTEB\s{1,3}", "", name.strip()[:MAX_NAME])
    if tasks.is_task(name) and plain(name) not in _table().names:
        return Match("same", (name,), "the name of the task", tests=_is_nano(name))
    if held := tasks.by_data().get(name.lower()):
        return Match("same", held, f"the data set of {held[0]}", tests=_is_nano(held[0]))
    owner, _, rest = name.rpartition("/")
    kept = not owner or owner.lower() in _table().keepers
    if found := _named(rest, kept=kept):
        return found
    words = [word for word in NO_WORD.split(rest.lower()) if word]
    start, end = _core(words)
    around = frozenset(words[:start] + words[end:])
    if around and (found := _named("-".join(words[start:end]), kept=kept)):
        return replace(found, tests=found.tests or bool(around & TESTS))
    return _within(words)


def by_address(url: str) -> Match | None:
    """Return what data set lies at an address of the web, by its host or the longest beginning of its path that is known."""
    at = re.sub(r"^https?://(?:www\.)?", "", url[:MAX_NAME].lower()).partition("?")[0].partition("#")[0].rstrip("/.,;")
    parts = at.split("/")[:4]
    return next((found for size in range(len(parts), 0, -1) if (found := _table().addresses.get("/".join(parts[:size])))), None)


def _core(words: list[str]) -> tuple[int, int]:
    """Return where the name stands among words that only say which part, form or language of a set this is."""
    start, end = 0, len(words)
    while start < end - 1 and words[start] in _table().around:
        start += 1
    while end > start + 1 and words[end - 1] in _table().around:
        end -= 1
    return start, end


def _named(name: str, *, kept: bool) -> Match | None:
    """Look a name up in the table and among the tasks, without its owner; `kept` says that this one keeps copies of known sets."""
    key = plain(name)
    if not kept and (key in _table().generic or len(key) < 3):
        return None
    if found := _table().names.get(key):
        return found
    if task := spelled().get(key) or spelled().get(plain(TYPES.sub("", name))):
        return Match("same", (task,), f"{task}, written otherwise", tests=_is_nano(task))
    if held := _short().get(key):
        return Match("same", held, f"named as {held[0]} is, without its type", tests=_is_nano(held[0]))
    return None


def _is_nano(task: str) -> bool:
    """Tell whether a task takes fifty of the test queries of another: there is nothing in its data to train on."""
    return task.startswith(("Nano", "MultilingualNano"))


def _within(words: list[str]) -> Match | None:
    """Find a distinctive name inside a longer id: `msmarco-co-condenser-margin-mse`."""
    for size in (3, 2, 1):
        for at in range(min(len(words), 30) - size + 1):
            if found := _table().within.get("".join(words[at : at + size])):
                return replace(found, tests=bool(frozenset(words) & TESTS))
    return None


@functools.lru_cache(maxsize=1024)
def near(name: str) -> str | None:
    """Return the one known name that this unknown one is a letter away from: `msmacro` is `msmarco`. Numbers must be the same."""
    key = plain(name.rpartition("/")[2])
    if len(key) < LEAST_SLIP or data_set(name):
        return None
    known = {*_table().names, *spelled()}
    found = [other for other in known if other[0] == key[0] and len(other) >= LEAST_SLIP and is_slip(key, other)]
    return found[0] if len(found) == 1 else None


def is_slip(given: str, right: str) -> bool:
    """Tell whether one letter is missing, too many, wrong, or two neighbours are exchanged."""
    if abs(len(given) - len(right)) > 1 or re.sub(r"\D", "", given) != re.sub(r"\D", "", right) or given == right:
        return False
    start = 0
    while start < min(len(given), len(right)) and given[start] == right[start]:
        start += 1
    a, b = given[start:], right[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def in_text(text: str) -> Iterator[tuple[int, str, Match]]:
    """Yield the data sets that running text names: where, in which words, and what that means. The longest name wins."""
    words = [(found.start(), found.end(), found[0]) for found in WORD.finditer(text, 0, MAX_TEXT)]
    at = 0
    while at < len(words):
        size, match = _phrase_at(words, at)
        if match:
            start, end = words[at][0], words[at + size - 1][1]
            yield start, text[start:end], match
        at += size


def _phrase_at(words: list[tuple[int, int, str]], at: int) -> tuple[int, Match | None]:
    phrases = _phrases()
    longest = phrases.starts.get(words[at][2].lower(), 0)
    for size in range(min(longest, len(words) - at), 0, -1):
        held = words[at : at + size]
        for exact, match in phrases.held.get(tuple(word.lower() for *_, word in held), ()):
            together = all(later[0] - earlier[1] <= 2 for earlier, later in itertools.pairwise(held))
            if together and (exact is None or exact == tuple(word for *_, word in held)):
                return size, match
    return 1, None


@functools.lru_cache(maxsize=4096)
def related(task: str) -> dict[str, str]:
    """Return the tasks on a task's data, itself first, each with how it is known: mteb's joins, and those that it lacks."""
    found = {task: "", **dict.fromkeys(sorted(tasks.variants(task) - {task}), f"a variant of {task}")}
    for linked, why in _table().links.get(task, {}).items():
        found.setdefault(linked, why)
        for variant in sorted(tasks.variants(linked)):
            found.setdefault(variant, f"a variant of {linked}: {why}")
    return {name: why for name, why in found.items() if tasks.is_task(name)}


def is_test_only(task: str) -> bool:
    """Tell whether a task's data set has no training part, so that what was trained on is its test data or was made like it."""
    return task in _table().tests
