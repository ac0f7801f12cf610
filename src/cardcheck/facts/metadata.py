"""What is wrong with the card's front matter: keys that the Hub does not know, and values of the wrong spelling or shape."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from cardcheck.facts.licences import collect_licences
from cardcheck.facts.located import Located, Location, Path
from cardcheck.facts.vocabulary import (
    KEYS,
    LANGUAGE_NAMES,
    LICENCES,
    MISSPELT,
    OTHERS,
    TASK_NAMES,
    TASKS,
    TWO_LETTERS,
)
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts

TEXT = "a text"
TEXTS = "a list of texts"
EITHER = "a text or a list of texts"
SHAPES = {
    "license": EITHER, "license_name": TEXT, "license_link": TEXT, "language": EITHER, "library_name": TEXT, "pipeline_tag": TEXT,
    "tags": TEXTS, "datasets": EITHER, "metrics": EITHER, "base_model": EITHER, "new_version": TEXT, "base_model_relation": TEXT,
    "model_name": TEXT,
}  # fmt: skip
SUMMARISED = 80  # characters of a value in a message
MAX_KEY = 40
BOOLEAN = Pattern(r"(?<![\w.-])(?:yes|no|on|off|true|false)(?![\w.-])", re.IGNORECASE)
HUB_ID = Pattern(r"[\w.-]{1,96}(?:/[\w.-]{1,96})?")
CODE = Pattern(r"[a-z]{2,3}")
REGION = Pattern(r"([A-Za-z]{2,3})[-_](?:[A-Za-z]{2,4}|\d{3})(?:[-_][A-Za-z\d]{2,8}){0,2}")


def collect_metadata(facts: Facts, file: str, located: Located) -> None:
    """Fill the group `metadata` from the front matter, a mapping."""
    source = _Source(facts, file, located)
    _keys(source)
    _shapes(source)
    _booleans(source)
    _languages(source)
    _task(source)
    _tags(source)
    collect_licences(facts, file, located)


class _Source:
    """The front matter, its places and the lines that it was written in."""

    def __init__(self, facts: Facts, file: str, located: Located) -> None:
        self.facts, self.file, self.located = facts, file, located
        self.data: dict[str, Any] = located.value
        self._lines: list[str] | None = None

    def place(self, *path: str | int) -> Location:
        return Location(self.file, *self.located.place(path))

    def line(self, number: int | None) -> str:
        if self._lines is None:
            self._lines = self.facts.texts.get(self.file, "").split("\n")
        return self._lines[number - 1] if number and number <= len(self._lines) else ""

    def items(self, key: str) -> Iterator[tuple[Path, Any]]:
        """Yield the values under a key, whether one or a list was written; what is nested deeper is not looked at."""
        value = self.data.get(key)
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield (key, index), item
        elif key in self.data:
            yield (key,), value


def _keys(source: _Source) -> None:
    for key in source.data:
        if key not in KEYS and key not in OTHERS and len(key) <= MAX_KEY and (right := right_key(key)):
            taken = right in source.data
            if taken and _plain(key) != _plain(right):
                continue
            fits = not taken and _fits(right, source.data[key])
            source.facts.add("metadata.misspelt", source.place(key), key=key, right=right, taken=taken, edited=right if fits else key)


def right_key(key: str) -> str | None:
    """Return the Hub's key that this one must mean, or None."""
    plain = _plain(key)
    if plain in OTHERS:
        return None
    return PLAIN.get(plain) or MISSPELT.get(plain) or next((right for known, right in PLAIN.items() if _one_off(plain, known)), None)


def _plain(key: str) -> str:
    return re.sub(r"[\s_-]{1,9}", "_", key.strip(" -_*").lower())


PLAIN = {_plain(key): key for key in sorted(KEYS)}


def _one_off(text: str, known: str) -> bool:
    """Tell whether one letter too many, too few, wrong or swapped with the next makes the difference; short keys are too near to others."""
    if len(known) < 6 or abs(len(text) - len(known)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(text, known, strict=False)) if a != b), min(len(text), len(known)))
    rest, wanted = text[start:], known[start:]
    return (
        rest[1:] == wanted
        or rest == wanted[1:]
        or rest[1:] == wanted[1:]
        or (len(rest) > 1 and len(wanted) > 1 and rest[1] + rest[0] + rest[2:] == wanted)
    )


def _fits(key: str, value: Any) -> bool:
    """Tell whether a value is one that the Hub takes under this key, so that a renamed key is all that it needs."""
    texts = isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
    if key == "pipeline_tag":
        return isinstance(value, str) and value in TASKS
    if key == "license":
        return isinstance(value, str) and value in LICENCES
    if key == "model-index":
        return isinstance(value, list) and all(isinstance(item, dict) for item in value)
    if key in ("datasets", "base_model") and not all(isinstance(item, str) and HUB_ID.fullmatch(item) for item in _listed(value)):
        return False
    wanted = SHAPES.get(key)
    return (wanted in (TEXTS, EITHER) and texts) or (wanted in (TEXT, EITHER) and isinstance(value, str) and bool(value.strip()))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _shapes(source: _Source) -> None:
    for key, value in source.data.items():
        if key not in SHAPES:
            continue
        wanted = SHAPES[key]
        if value is None or (isinstance(value, str) and not value.strip()):
            source.facts.add("metadata.empty", source.place(key), key=key)
        elif isinstance(value, list) and wanted != TEXT:
            for index, item in enumerate(value):
                if not isinstance(item, (str, bool)):
                    source.facts.add("metadata.shapes", source.place(key, index), key=key, found=_shape(item), wanted=wanted)
        elif not isinstance(value, (str, bool)) or (wanted == TEXTS and isinstance(value, str)):
            source.facts.add("metadata.shapes", source.place(key), key=key, found=_shape(value), wanted=wanted)


def _shape(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "an empty item"
    return f"the text {value[:SUMMARISED]!r}" if isinstance(value, str) else f"the number {str(value)[:SUMMARISED]}"


def _booleans(source: _Source) -> None:
    """Note words that YAML takes for true and false where a text is meant; in `language`, `no` is Norwegian."""
    for key in [key for key in source.data if key in SHAPES]:
        for path, value in source.items(key):
            if isinstance(value, bool):
                place = source.place(*path)
                start = (place.column or 1) - 1 + (len(key) if len(path) == 1 else 0)
                found = BOOLEAN.search(source.line(place.line), start)
                written = found[0] if found else str(value).lower()
                quoted = f'"{written}"' if found else written
                source.facts.add("metadata.booleans", place, key=key, written=written, value=str(value).lower(), quoted=quoted)


def _languages(source: _Source) -> None:
    for path, value in source.items("language"):
        if isinstance(value, str) and value.strip() and not _is_language(value):
            right, region = _language(value)
            edited = right if right and not region else value
            source.facts.add(
                "metadata.languages",
                source.place(*path),
                written=value[:SUMMARISED],
                right=right,
                region=region,
                edited=edited[:SUMMARISED],
            )


def _is_language(code: str) -> bool:
    return bool(CODE.fullmatch(code) and (len(code) == 3 or code in TWO_LETTERS)) or code in ("multilingual", "code")


def _language(value: str) -> tuple[str, bool]:
    """Return the code that is meant, or an empty text, and whether a region or script stands beside it."""
    text = value.strip(" ,;.\t").lower()[:SUMMARISED]
    if _is_language(text):
        return text, False
    if text in LANGUAGE_NAMES:
        return LANGUAGE_NAMES[text], False
    found = REGION.fullmatch(text)
    return (found[1], True) if found and _is_language(found[1]) else ("", False)


def _task(source: _Source) -> None:
    value = source.data.get("pipeline_tag")
    if not isinstance(value, str) or not value.strip() or value in TASKS:
        return
    plain = re.sub(r"[\s_-]{1,9}", "-", value[:SUMMARISED].strip().lower())
    right = plain if plain in TASKS else TASK_NAMES.get(plain) or next((task for task in sorted(TASKS) if _one_off(plain, task)), "")
    sure = right and (plain == right or _one_off(plain, right))
    source.facts.add(
        "metadata.tasks",
        source.place("pipeline_tag"),
        written=value[:SUMMARISED],
        right=right,
        edited=right if sure else value[:SUMMARISED],
    )


def _tags(source: _Source) -> None:
    first: dict[str, int] = {}
    for path, tag in source.items("tags"):
        if isinstance(tag, str) and tag:
            place = source.place(*path)
            if tag in first:
                source.facts.add("metadata.repeated_tags", place, tag=tag[:SUMMARISED], first=first[tag])
            first.setdefault(tag, place.line or 1)
