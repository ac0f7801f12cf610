"""What a spot check found, as reports take it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cardcheck.spotcheck.statistics import Interval, Residual, Verdict

if TYPE_CHECKING:
    from cardcheck.spotcheck.panel import Level
    from cardcheck.spotcheck.verdict import Kind, Outcome


@dataclass(frozen=True, slots=True)
class Point:
    """A reference model in the plane of panel level and held-out score."""

    id: str
    note: str
    level: float
    heldout: float
    source: str


NOTHING = Interval(0.0, 0.0)


@dataclass(frozen=True, slots=True)
class PublicTask:
    """A public task that was measured: mean nDCG@10 × 100 of each part, the published score, and why tests on it were not run."""

    name: str
    sha256: str
    documents: int
    measured: dict[str, float]
    published: float | None
    source: str
    left_out: dict[Kind, str] = field(default_factory=dict)


@dataclass(slots=True)
class SpotCheck:
    """What the spot check found; scores and gaps in nDCG@10 points (0 to 100), times in seconds.

    `status` is `done`, `skipped` (not asked for, or a part of the installation is missing) or `failed` (the model could not be
    run); `reason` says why. `published` holds the scores on panel tasks and `source` says whose they are; `panel`, `residual` and
    `references` are there where the data of some of these tasks are not named as training data. `tests` holds the outcome of every test
    that was run; `public` the public task, where its data were to be had, and `no_public` why not; `seen` says so where the model is as
    new as the held-out set; `beside` names the retrieval tasks off the panel that the card claims scores on, and `unread` says that the
    card holds more results than are read.
    """

    status: Literal["done", "skipped", "failed"]
    reason: str = ""
    verdict: Verdict = "inconclusive"
    settle: str = ""
    set_name: str = ""
    set_hash: str = ""
    documents: int = 0
    queries: int = 0
    measured: float = 0.0
    measured_interval: Interval = NOTHING
    published: dict[str, float] = field(default_factory=dict)
    source: str = ""
    panel: Level | None = None
    residual: Residual | None = None
    references: list[Point] = field(default_factory=list)
    same_weights_as: str | None = None
    encoding: dict[str, Any] = field(default_factory=dict)
    isolation: dict[str, bool] = field(default_factory=dict)
    search_s: float = 0.0
    per_query: dict[str, float] = field(default_factory=dict)
    tests: list[Outcome] = field(default_factory=list)
    public: PublicTask | None = None
    no_public: str = ""
    no_residual: str = ""
    seen: str = ""
    public_queries: int = 0
    beside: list[str] = field(default_factory=list)
    unread: bool = False

    @property
    def not_judged(self) -> list[str]:
        """Tasks with a published score that is not on trial, since their data are named as training data."""
        return [name for name in self.published if not (self.panel and name in self.panel.scores)]

    @property
    def texts_per_second(self) -> float:
        """Texts encoded in a second, queries and documents together."""
        seconds = float(self.encoding.get("encode_s", 0.0))
        texts = self.queries + self.documents
        if self.public:
            texts += self.public_queries + self.public.documents
        return texts / seconds if seconds else 0.0
