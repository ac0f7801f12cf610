"""What the report on a leaderboard holds, and what a difference of two such reports holds: plain values, as they stand in JSON.

Scores go from 0 to 1. None stands for what is missing or not known.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

SCHEMA_VERSION = 1  # raised when a field goes away or changes its meaning; new fields do not raise it
SEVERITIES = ("error", "warning", "note")
UNSAFE = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that failed for a model, with the lines that it rests on; `key` stays the same while the finding does."""

    rule: str
    name: str
    severity: str
    confidence: str
    message: str
    evidence: tuple[str, ...]
    task: str | None
    key: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A published score, and what all other results lead one to expect there, with its 90 % interval; `standard` errors apart."""

    task: str
    published: float
    expected: float
    low: float
    high: float
    standard: float


@dataclass(frozen=True, slots=True)
class Model:
    """A model of the board. `place`, `group` (of ties) and `mean` are mteb's; `tasks` are how many of the board's it has.

    `credible_place` is None where the score is not firm. `results`, of which some are of retrieval and some private, are what the
    credible score rests on. `scores` are those of the board's tasks. `memory` is in MB (2²⁰ bytes), `max_tokens` a number or "unlimited".
    """

    model: str
    revision: str
    place: int | None
    group: int | None
    mean: float | None
    tasks: int
    credible_place: int | None
    score: float | None
    low: float | None
    high: float | None
    results: int
    retrieval: int
    private: int
    strongest: tuple[str, ...]
    why: tuple[str, ...]
    findings: tuple[Finding, ...]
    unknown: dict[str, str]
    cells: tuple[Cell, ...]
    scores: dict[str, float]
    memory: float | None = None
    parameters: int | None = None
    dimension: int | None = None
    max_tokens: str | None = None
    license: str | None = None

    def count(self, severity: str) -> int:
        """Return how many findings of a severity there are."""
        return sum(finding.severity == severity for finding in self.findings)


@dataclass(frozen=True, slots=True)
class Change:
    """A change of one model: `kind` is one of KINDS, `text` says it, `old` and `new` are the values where there are two."""

    kind: str
    model: str
    text: str
    old: float | None = None
    new: float | None = None
    rule: str | None = None
    severity: str | None = None
    task: str | None = None


# In the order in which they are shown, each with its title.
KINDS = {
    "new finding": "New findings",
    "resolved finding": "Findings that are gone",
    "new model": "New models",
    "gone model": "Models that are gone",
    "official move": "Moves in the official order beyond ties",
    "credible move": "Moves in the credible order beyond the intervals",
    "ranked": "Ranked now, or no longer",
    "changed score": "Changed scores",
    "results": "Results that came or went",
}


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed between two reports of one board; `old` and `new` are their dates."""

    board: str
    old: str
    new: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    schema_version: int = SCHEMA_VERSION

    def of(self, kind: str) -> tuple[Change, ...]:
        """Return the changes of one kind."""
        return tuple(change for change in self.changes if change.kind == kind)

    @property
    def counts(self) -> dict[str, int]:
        """How many changes of each kind there are, without those of which there are none."""
        found = Counter(change.kind for change in self.changes)
        return {kind: found[kind] for kind in KINDS if found[kind]}


@dataclass(frozen=True, slots=True)
class Report:
    """A board on a day, the models in credible order.

    `source` and `synced` say which results it was made from, `results` how many there are; `tasks` are those of the board.
    """

    board: str
    date: str
    source: str
    synced: str
    results: int
    tasks: tuple[str, ...]
    notes: tuple[str, ...]
    models: tuple[Model, ...]
    changes: Changes | None = None
    cardcheck_version: str = ""
    schema_version: int = SCHEMA_VERSION

    @property
    def slug(self) -> str:
        """The board's name as a part of a file's: `MTEB(eng, v2)` is mteb-eng-v2."""
        return UNSAFE.sub("-", self.board.lower()).strip("-")[:80] or "board"

    def count(self, severity: str) -> int:
        """Return how many findings of a severity there are."""
        return sum(model.count(severity) for model in self.models)

    @property
    def numbers(self) -> dict[str, int]:
        """What is counted: models in all, ranked by mteb, placed in the credible order, with findings; findings; what is unknown."""
        return {
            "models": len(self.models),
            "ranked": sum(model.place is not None for model in self.models),
            "firm": sum(model.credible_place is not None for model in self.models),
            "with findings": sum(bool(model.findings) for model in self.models),
            **{f"{severity}s": self.count(severity) for severity in SEVERITIES},
            "not checked": sum(len(model.unknown) for model in self.models),
        }
