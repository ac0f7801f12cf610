"""The credible order: the score on unseen retrieval that all of a model's public results lead one to expect, with an interval.

A robust factor model (`credible_model`) is learned from the whole table. What it expects on *private* tasks, whose data nobody can have
trained on, is the credible score; models that have run them count with what they got there. How wide an interval must be is measured:
owners are left out with all relatives, and their private scores held against what the others' results said of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cardcheck.leaderboard.credible_model import expit, fit, logit
from cardcheck.leaderboard.credible_table import Column, Scores, owner, relatives
from cardcheck.leaderboard.credible_words import reasons

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cardcheck.leaderboard.credible_model import Factors

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

WEIGHT = 0.2  # what a cell counts of an independent observation: chosen on public tasks alone, see docs/credible.md
COVER = 0.9
UNCALIBRATED = 1.645  # a normal interval of 90 %, where too few models say how wide it must be
MIN_TARGETS, MIN_KNOWN = 3, 20
MIN_CELLS = 3  # a model with fewer is placed by the average of all, so nothing is said of it
FIRM = 0.2  # an interval wider than this places a model too loosely to be ordered among others
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Credible:
    """What is to be expected of a model on unseen retrieval: a score from 0 to 1, its 90 % interval, and what it rests on.

    `cells` are the results that it rests on, `retrieval` how many of them are of retrieval, `private` how many of private tasks;
    `strongest` are those that say most. `score` and the interval are None where there are too few. `why` says how it departs from the
    mean of the model's results.
    """

    model: str
    score: float | None
    low: float | None
    high: float | None
    cells: int
    retrieval: int
    private: int
    strongest: tuple[str, ...]
    why: tuple[str, ...]

    @property
    def firm(self) -> bool:
        """Tell whether the model is placed closely enough to be ordered among others."""
        return self.low is not None and self.high is not None and self.high - self.low <= FIRM


@dataclass(frozen=True, slots=True)
class Order:
    """All models: the `firm` ones first, the best leading; then those placed loosely; those of which nothing can be said come last.

    `target` are the tasks that stand for unseen retrieval.

    `calibrated` is how many models' private scores the intervals were measured on: none means that they are the model's own.
    """

    rows: tuple[Credible, ...]
    target: tuple[str, ...]
    private: bool
    calibrated: int


def used(columns: Sequence[Column], extra: frozenset[str] = frozenset()) -> Mask:
    """Tell which columns the model is learned from: retrieval, and the named tasks, whatever their type."""
    return np.array([column.retrieval or column.task in extra for column in columns], dtype=bool)


def targets(scores: Scores) -> tuple[Mask, bool]:
    """Tell which columns stand for unseen retrieval, and whether they are private; else all retrieval does, for want of better."""
    retrieval = np.array([column.retrieval for column in scores.columns], dtype=bool)
    private = retrieval & np.array([column.private for column in scores.columns], dtype=bool)
    known = np.isfinite(scores.matrix[:, private]).all(axis=1).sum()
    return (private, True) if private.sum() >= MIN_TARGETS and known >= MIN_KNOWN else (retrieval, False)


def predict(logits: Array, target: Mask, factors: Factors) -> tuple[Array, Array, Array]:
    """Return each model's expected score on the target, its logit and the standard error of that."""
    place, doubt = factors.place(logits)
    odds = factors.expected(place)[:, target]
    along = factors.loading[target].mean(axis=0)
    error = np.sqrt(np.einsum("i,mij,j->m", along, doubt, along) + factors.spread[target].sum() / target.sum() ** 2)
    score = expit(odds).mean(axis=1)
    return score, logit(score), error


def left_out(scores: Scores, target: Mask, shown: Mask, folds: Sequence[set[str]]) -> tuple[Array, Array]:
    """Return each model's expected score and its logit's standard error, learned without its owner's and relatives' results.

    Of those that are left out the `shown` columns alone are seen.
    """
    logits = logit(scores.matrix)
    expected, error = np.full(len(scores.models), np.nan), np.full(len(scores.models), np.nan)
    owners = np.array([owner(model) for model in scores.models])
    for fold in folds:
        away = relatives(scores.models, fold)
        seen = np.where(away[:, None] & ~shown, np.nan, logits)
        factors = fit(seen, np.full(logits.shape[1], WEIGHT))
        mine = np.isin(owners, sorted(fold))
        expected[mine], _, error[mine] = predict(seen[mine], target, factors)
    return expected, error


def width(truth: Array, expected: Array, error: Array) -> tuple[float, int]:
    """Return what to multiply a standard error by so that 90 % of known scores fall inside (split conformal), and how many there are."""
    off = np.abs(logit(truth) - logit(expected)) / error
    off = np.sort(off[np.isfinite(off)])
    if len(off) < MIN_KNOWN:
        return UNCALIBRATED, 0
    return float(off[min(len(off), int(np.ceil((len(off) + 1) * COVER))) - 1]), len(off)


def order(scores: Scores, extra: frozenset[str] = frozenset()) -> Order:
    """Return the credible order of all models of a table. `extra` names tasks beside retrieval whose results are to count."""
    keep = used(scores.columns, extra)
    scores = Scores(scores.models, tuple(c for c, held in zip(scores.columns, keep, strict=True) if held), scores.matrix[:, keep])
    target, private = targets(scores)
    logits = logit(scores.matrix)
    if not scores.models or not target.any() or not np.isfinite(logits).any():
        return Order(tuple(Credible(model, None, None, None, 0, 0, 0, (), ()) for model in scores.models), (), private=False, calibrated=0)
    factors = fit(logits, np.full(logits.shape[1], WEIGHT))
    score, odds, error = predict(logits, target, factors)
    by, calibrated = _calibrated(scores, target) if private else (UNCALIBRATED, 0)
    low, high = expit(odds - by * error), expit(odds + by * error)
    rows = [_row(scores, logits, factors, i, (score[i], low[i], high[i])) for i in range(len(scores.models))]
    rows.sort(key=lambda row: (row.score is None, not row.firm, -(row.score or 0), row.model))
    names = tuple(str(column) for column, held in zip(scores.columns, target, strict=True) if held)
    return Order(tuple(rows), names, private, calibrated)


def _calibrated(scores: Scores, target: Mask) -> tuple[float, int]:
    owners = sorted({owner(model) for model in scores.models})
    expected, error = left_out(scores, target, ~target, [set(owners[at::FOLDS]) for at in range(FOLDS)])
    return width(scores.matrix[:, target].mean(axis=1), expected, error)


def _row(scores: Scores, logits: Array, factors: Factors, at: int, found: tuple[float, float, float]) -> Credible:
    there = np.isfinite(logits[at])
    columns = scores.columns
    says = np.where(there, (factors.loading**2).sum(axis=1) / factors.spread, -1.0)
    best = [str(columns[j]) for j in np.argsort(-says, kind="stable")[: min(5, int(there.sum()))]]
    enough = int(there.sum()) >= MIN_CELLS
    score, low, high = (float(value) for value in found)
    return Credible(
        model=scores.models[at],
        score=score if enough else None,
        low=low if enough else None,
        high=high if enough else None,
        cells=int(there.sum()),
        retrieval=sum(1 for j in np.flatnonzero(there) if columns[j].retrieval),
        private=sum(1 for j in np.flatnonzero(there) if columns[j].private),
        strongest=tuple(best),
        why=reasons(scores.models[at], columns, logits[at], factors) if enough else ("too few results to say anything",),
    )
