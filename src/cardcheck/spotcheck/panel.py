"""The panel: public retrieval scores brought to one scale, whichever of the tasks a model has.

Models publish different tasks. Each task's score is linked to one scale, the mean nDCG@10 of seven retrieval tasks of
MTEB(eng, v2), by a line fitted over the models of the public leaderboard that have all seven. The other three (FEVER, FiQA,
HotpotQA) are among those that more than a tenth of the models train on, which lifts these scores and nothing else, so they are left
out. Score and level are taken as logits, because easy tasks saturate: logit(score) = intercept + slope · logit(level), with residual
spread `sd`. A model's level is then the generalised least squares estimate from the tasks it has, with weights slope²/sd² (linear
calibration; Osborne 1991, International Statistical Review 59(3), section 2). `benchmarks/panel.py` makes the packaged numbers.
"""

from __future__ import annotations

import functools
import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardcheck.facts.model import Facts

DATA = Path(__file__).parent.parent / "data"
SCALE = "mean nDCG@10 × 100 of seven MTEB(eng, v2) retrieval tasks"
METRICS = ("main_score", "ndcg_at_10")


def logit(score: float) -> float:
    """Return the log odds of a score from 0 to 100, held half a point off both ends."""
    share = min(99.5, max(0.5, score)) / 100
    return math.log(share / (1 - share))


def expit(odds: float) -> float:
    """Return the score (0 to 100) with these log odds."""
    return 100 / (1 + math.exp(-odds))


@dataclass(frozen=True, slots=True)
class Task:
    """How one task's score follows from the level, both as logits, over `models` leaderboard models."""

    intercept: float
    slope: float
    sd: float
    models: int
    split: str
    subset: str


@dataclass(frozen=True, slots=True)
class Level:
    """A model's place on the panel's scale (0 to 100), from `scores` (task → 0 to 100) of `source`.

    `standard_error` is that of the level's logit.
    """

    value: float
    standard_error: float
    scores: dict[str, float]
    source: str


@functools.cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads((DATA / "panel.json").read_text(encoding="utf-8"))
    return data


@functools.cache
def tasks() -> dict[str, Task]:
    """Return the panel's tasks by their MTEB names."""
    return {name: Task(**fields) for name, fields in _data()["tasks"].items()}


def level(scores: Mapping[str, float], source: str) -> Level | None:
    """Return the level that `scores` (task → 0 to 100) imply, or None where none of them is a panel task."""
    known = {name: score for name, score in scores.items() if name in tasks()}
    if not known:
        return None
    total = weighted = 0.0
    for name, score in known.items():
        task = tasks()[name]
        weight = (task.slope / task.sd) ** 2
        total += weight
        weighted += weight * (logit(score) - task.intercept) / task.slope
    return Level(expit(weighted / total), math.sqrt(1 / total), known, source)


def published(hub_id: str) -> dict[str, float]:
    """Return a model's scores (task → 0 to 100) in the public results repository, as packaged; empty where it has none."""
    wanted = hub_id.lower()
    scores: dict[str, dict[str, float]] = _data()["published"]
    return next((tasks for name, tasks in scores.items() if name.lower() == wanted), {})


def published_source() -> str:
    """Return what the packaged public scores were taken from, and when."""
    return str(_data()["source"])


def claimed(facts: Facts) -> dict[str, float]:
    """Return the panel scores (task → 0 to 100) that the card claims in model-index.

    Scores written between 0 and 1 are brought to 0 to 100 when all of the card's are.
    """
    found: dict[str, float] = {}
    for row in facts["results.entries"]:
        name = (row["dataset"] or "").removeprefix("MTEB ").partition(" (")[0]
        task = tasks().get(name)
        if task is None or row["metric"] not in METRICS or row["value"] is None or row["split"] not in (None, task.split):
            continue
        if row["config"] in (None, "default", task.subset):
            found.setdefault(name, row["value"])
    if found and max(found.values()) <= 1.0:
        found = {name: value * 100 for name, value in found.items()}
    return {name: value for name, value in found.items() if 0 <= value <= 100}
