"""The container that collectors fill and rules read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cardcheck.facts.located import Location
from cardcheck.facts.schema import FIELDS, MAX_ROWS, SOURCES

if TYPE_CHECKING:
    from collections.abc import Sequence

LISTS = tuple(name for name, spec in FIELDS.items() if spec.empty() == [])
SINGLE = {name: spec.empty() for name, spec in FIELDS.items() if name not in LISTS}
State = Literal["known", "absent", "unavailable"]


@dataclass(frozen=True, slots=True)
class Source:
    """Whether a fact group could be read: `known`, `absent` (looked, nothing there) or `unavailable` (could not look)."""

    state: State
    reason: str = ""


@dataclass(slots=True)
class Facts:
    """All facts about one subject.

    `values` holds every declared field by its dotted name, always present. `places` says where a single-valued fact stands; rows
    carry their own place. `texts` holds the text of the files that findings may point into.
    """

    values: dict[str, Any] = field(default_factory=lambda: {**SINGLE, **{name: [] for name in LISTS}})
    places: dict[str, Location] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=lambda: dict.fromkeys(SOURCES, Source("absent")))
    texts: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.values[name] if name in self.values else FIELDS[name].empty()

    def set(self, name: str, value: Any, place: Location | None = None) -> None:
        """Set a declared field; a list over the cap is cut and its name noted in `facts.capped`."""
        if name not in FIELDS:
            raise KeyError(name)
        if isinstance(value, list) and len(value) > MAX_ROWS:
            value = value[:MAX_ROWS]
            self.values["facts.capped"].append(name)
        self.values[name] = value
        if place is not None:
            self.places[name] = place

    def add(self, name: str, place: Location, /, **keys: Any) -> None:
        """Append a row to a declared field of rows; the keys must be the declared ones."""
        spec = FIELDS[name]
        if set(keys) != set(spec.keys):
            raise KeyError(f"{name}: {sorted(set(keys) ^ set(spec.keys))}")
        rows = self.values[name]
        if len(rows) < MAX_ROWS:
            rows.append({**keys, "file": place.file, "line": place.line or 1, "column": place.column or 1})
        elif name not in self.values["facts.capped"]:
            self.values["facts.capped"].append(name)

    def hide(self, secrets: Sequence[str]) -> None:
        """Leave of each of these no more than the first four characters, in the texts and in every value; lengths and places stay."""
        masks = {secret: secret[:4] + "*" * (len(secret) - 4) for secret in sorted(secrets, key=len, reverse=True)}
        self.texts = {file: _masked(text, masks) for file, text in self.texts.items()}
        self.values = {name: _masked(value, masks) for name, value in self.values.items()}

    def slim(self) -> Facts:
        """Return these facts without texts, lists and places, but for the verdicts on benchmarks: what a report shows beside findings.

        What is empty is not kept either: thousands of subjects have hundreds of facts each.
        """
        left_out = ("card.text", "files.paths")
        small = {
            name: value
            for name, value in self.values.items()
            if value and (FIELDS[name].kind != "rows" or name == "overlap.benchmarks") and name not in left_out
        }
        return Facts(small, {}, self.sources, {})

    def place(self, names: Sequence[str]) -> Location:
        """Return where the first of these facts that has a place stands, else the place of a group of theirs, else the subject."""
        known = [name for name in (*names, *(name.partition(".")[0] for name in names)) if name in self.places]
        return self.places[known[0]] if known else Location(".")


def _masked(value: Any, masks: dict[str, str]) -> Any:
    if isinstance(value, str):
        for secret, mask in masks.items():
            value = value.replace(secret, mask)
        return value
    if isinstance(value, list):
        return [_masked(item, masks) for item in value]
    if isinstance(value, dict):
        return {key: _masked(item, masks) for key, item in value.items()}
    return value
