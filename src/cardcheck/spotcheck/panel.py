"""The panel: public retrieval scores brought to one scale, whichever of the tasks a model has.

Models publish different tasks. Each task's score is linked to one scale, the mean nDCG@10 of seven retrieval tasks of
MTEB(eng, v2), by a line fitted over the models of the public leaderboard that have all seven. The other three (FEVER, FiQA,
HotpotQA) are among those that more than a tenth of the models train on, which lifts these scores and nothing else, so they are left
out. Score and level are taken as logits, because easy tasks saturate: logit(score) = intercept + slope · logit(level), with residual
spread `sd`. A model's level is then the weighted mean of what its tasks say, with weights slope²/sd² (linear calibration; Osborne 1991,
International Statistical Review 59(3), section 2). A score that does not fit the others (a slip of the pen, or put there to pull the level
down) counts for no more than one that lies `MOST` standard errors off (Huber 1964, Annals of Mathematical Statistics 35(1), section 3), and
the more the scores disagree, the less is known of the level: its error grows by Birge's ratio (Birge 1932, Physical Review 40, 207).
Tasks of one kind (three of CQADupstack, SciFact and NFCorpus) err together, and say less than as many others: the error is that of a sum
of correlated quantities (JCGM 100:2008, 5.2.2), from the residuals' measured products. `benchmarks/panel.py` makes the packaged numbers.
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
MOST = 2.5  # standard errors; no reference model has a score further off
STEPS = 100
ODD = 8.0  # standard errors; of the leaderboard's models 98 in 100 have no score further off


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

    `standard_error` is that of the level's logit; `odd` names tasks whose scores do not fit the others.
    """

    value: float
    standard_error: float
    scores: dict[str, float]
    source: str
    odd: tuple[str, ...] = ()


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
    lines = [tasks()[name] for name in known]
    places = [(logit(score) - task.intercept) / task.slope for score, task in zip(known.values(), lines, strict=True)]
    errors = [task.sd / task.slope for task in lines]
    at, weights = _fitted(places, errors)
    off = [(place - at) / error for place, error in zip(places, errors, strict=True)]
    disagreement = math.sqrt(sum(one**2 for one in off) / (len(off) - 1)) if len(off) > 1 else 1.0
    odd = tuple(name for name, one in zip(known, off, strict=True) if abs(one) > ODD)
    together = _together(dict(zip(known, (weight * error for weight, error in zip(weights, errors, strict=True)), strict=True)))
    return Level(expit(at), math.sqrt(together / sum(weights)) * max(1.0, disagreement), known, source, odd)


def _together(parts: dict[str, float]) -> float:
    """Return how much larger the variance of a weighted sum is than if tasks erred alone, and by no more than their spreads.

    `parts` are weight times error by task.
    """
    common: dict[str, dict[str, float]] = _data()["in_common"]
    whole = sum(one * other * common[first].get(second, 0.0) for first, one in parts.items() for second, other in parts.items())
    return whole / sum(one**2 for one in parts.values())


def _fitted(places: list[float], errors: list[float]) -> tuple[float, list[float]]:
    """Return Huber's estimate of where the places lie, and the weights that it is the weighted mean by."""
    weights = [1 / error**2 for error in errors]
    at = sum(weight * place for weight, place in zip(weights, places, strict=True)) / sum(weights)
    for _ in range(STEPS if len(places) > 1 else 0):
        weights = [min(1.0, MOST * error / max(1e-9, abs(place - at))) / error**2 for place, error in zip(places, errors, strict=True)]
        at = sum(weight * place for weight, place in zip(weights, places, strict=True)) / sum(weights)
    return at, weights


def published(hub_id: str) -> dict[str, float]:
    """Return a model's scores (task → 0 to 100) in the public results repository, as packaged; empty where it has none."""
    wanted = hub_id.lower()
    scores: dict[str, dict[str, float]] = _data()["published"]
    return next((tasks for name, tasks in scores.items() if name.lower() == wanted), {})


def published_source() -> str:
    """Return what the packaged public scores were taken from, and when."""
    return str(_data()["source"])


def _named(row: dict[str, Any]) -> str:
    """Return the task of a row of the card's model-index, which mteb writes as `MTEB NAME (SUBSET)`."""
    return (row["dataset"] or "").removeprefix("MTEB ").partition(" (")[0]


def beside(facts: Facts) -> list[str]:
    """Return the retrieval tasks off the panel on which the card's model-index claims a score."""
    claims = [row for row in facts["results.entries"] if row["metric"] in METRICS and row["value"] is not None]
    names = {_named(row) for row in claims if row["metric"] == "ndcg_at_10" or row["task"] == "Retrieval"}
    return sorted(name for name in names if name and name not in tasks())


def claimed(facts: Facts) -> dict[str, float]:
    """Return the panel scores (task → 0 to 100) that the card claims in model-index; of several for a task the highest.

    Scores up to 1 are shares, whatever the others are: a score of less than a point is a broken run, which nobody claims.
    """
    found: dict[str, float] = {}
    for row in facts["results.entries"]:
        name = _named(row)
        task = tasks().get(name)
        if task is None or row["metric"] not in METRICS or row["value"] is None or row["split"] not in (None, task.split):
            continue
        score = row["value"] * 100 if row["value"] <= 1 else row["value"]
        if row["config"] in (None, "default", task.subset) and 0 <= score <= 100:
            found[name] = max(score, found.get(name, 0.0))
    return found
