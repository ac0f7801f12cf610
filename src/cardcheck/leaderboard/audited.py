"""What the audit of a whole board found: the types that its rules fill and that reports, shortlists and differences read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardcheck.leaderboard.credible import Credible
    from cardcheck.leaderboard.store import Head
    from cardcheck.report.board.records import Cell, Finding


@dataclass(frozen=True, slots=True)
class Place:
    """Where a model stands in a benchmark: mteb's place, the group of ties, and the mean (NaN where a task is missing)."""

    place: int
    group: int
    mean: float
    tasks: int


@dataclass(frozen=True, slots=True)
class AuditedModel:
    """One model of the board. `place` is None where the benchmark does not rank it; `credible_place` where its score is not firm.

    `unknown` are the rules that could not be judged, with the reason. `cells` are those furthest from what is expected, gravest first.
    """

    model: str
    revision: str
    place: Place | None
    credible_place: int | None
    credible: Credible
    findings: tuple[Finding, ...]
    unknown: dict[str, str]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class BoardAudit:
    """All models of a board in credible order, and what they were judged from."""

    head: Head
    board: str
    tasks: int
    models: tuple[AuditedModel, ...]
    notes: tuple[str, ...]
