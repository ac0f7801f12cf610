"""What all of a model's other results lead one to expect in each cell of the table, the cell's own family of tasks left out.

The factor model of `credible_model` is fitted once. That a family (translations, subsets, older and newer versions of a task) is left
out costs no new fit: its share of what places a model is a sum over its cells, which is taken off again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cardcheck.catalogue import tasks
from cardcheck.leaderboard.credible_model import TAILS, fit, logit
from cardcheck.leaderboard.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cardcheck.leaderboard.credible_model import Factors
    from cardcheck.leaderboard.credible_table import Column, Scores

    Array = NDArray[np.float64]

WEIGHT = 0.2  # what a cell counts of an independent observation, as in the credible order
LEAST = 10  # results of other families that a model needs for anything to be expected of it
COVER = 0.9
NORMAL = 1.645  # a normal interval of 90 %, where there are too few cells to measure one
FEW = 100
PULL = 15
QUARTILE = 0.75
LANGUAGE, MOST = 3, 4.0


@dataclass(frozen=True, slots=True)
class Expected:
    """A table, and what is expected in each of its cells: log odds and their standard error, NaN where nothing can be.

    `whole` is how much of each cell there is, `odds` (models x columns) are the published scores' own, `families` the number of each
    column's family, `factors` the model, None of an empty table. `standard` is how many standard errors a published score lies above
    what is expected; `scatter` how far a model's results usually lie from it, 1 as for the median model; `steady` is `standard` as a
    share of the model's own scatter where that is wider than usual: one of many odd results is no surprise. `wide` times `error` is
    half an interval that 90 % of the cells lie in, measured on these cells.
    """

    scores: Scores
    whole: Array
    odds: Array
    expected: Array
    error: Array
    families: NDArray[np.int64]
    factors: Factors | None
    standard: Array
    scatter: Array
    steady: Array
    wide: float


def families(columns: Sequence[Column]) -> NDArray[np.int64]:
    """Return a number for each column that the columns of one family share."""
    return np.unique([min(tasks.variants(column.task)) for column in columns], return_inverse=True)[1]


def languages(columns: Sequence[Column]) -> NDArray[np.int64]:
    """Return a number for each column that the columns in one language share; those in several share one too."""
    known = [tasks.task(column.task) for column in columns]
    names = [
        task.languages[0] if task and len(task.languages) == 1 else "eng" if not column.other else ""
        for task, column in zip(known, columns, strict=True)
    ]
    return np.unique(names, return_inverse=True)[1]


@one_thread()
def expect(scores: Scores, whole: Array) -> Expected:
    """Return what is expected in each cell of a table."""
    odds, family = logit(scores.matrix), families(scores.columns)
    factors = fit(odds, np.full(odds.shape[1], WEIGHT)) if scores.columns else None
    expected, error = _without_family(odds, factors, family) if factors else (odds.copy(), odds.copy())
    expected = expected + error * _at_home((odds - expected) / error, languages(scores.columns), family)
    standard = (odds - expected) / error
    scatter = _scatter(standard)
    off = np.abs(standard[np.isfinite(standard)])
    wide = float(np.quantile(off, COVER)) if len(off) >= FEW else NORMAL
    steady = standard / np.maximum(scatter, 1.0)[:, None]
    return Expected(scores, whole, odds, expected, error, family, factors, standard, scatter, steady, wide)


def _at_home(standard: Array, language: NDArray[np.int64], family: NDArray[np.int64]) -> Array:
    """Return by how many standard errors more is to be expected of a model in each column, as it is better in that language than elsewhere.

    That is the mean over the other families in the language, drawn towards nothing as if LANGUAGE more results had shown no difference:
    a model made for Polish is no surprise on Polish, and factors of the whole board do not know it.
    """
    there = np.isfinite(standard)
    held = np.where(there, np.clip(standard, -MOST, MOST), 0.0)
    more = np.zeros_like(held)
    for code in np.unique(language):
        its = np.flatnonzero(language == code)
        same = (family[its][:, None] != family[its][None, :]).astype(float)
        more[:, its] = held[:, its] @ same / (there[:, its] @ same + LANGUAGE)
    return more


def _scatter(standard: Array) -> Array:
    """Return the third quartile of |standard| over the median model's, drawn towards 1 as if the usual had been seen PULL times more.

    Where a third of a model's results are broken its median does not tell.
    """
    there = np.isfinite(standard)
    some, many = there.any(axis=1), there.sum(axis=1)
    spread = np.ones(len(standard))
    spread[some] = np.nanquantile(np.abs(standard[some]), QUARTILE, axis=1)
    usual = float(np.median(spread[some])) if some.any() else 1.0
    return np.asarray(np.sqrt((many * (spread / usual) ** 2 + PULL) / (many + PULL)))


def _without_family(odds: Array, factors: Factors, family: NDArray[np.int64]) -> tuple[Array, Array]:
    there = np.isfinite(odds)
    off = np.where(there, odds - factors.expected(factors.place(odds)[0]), 0.0)
    pull = there * (TAILS + 1) / (TAILS + off**2 / factors.spread) * factors.weight / factors.spread
    pushed = pull * np.where(there, odds - factors.level, 0.0)
    size = factors.loading.shape[1]
    squares = (factors.loading[:, :, None] * factors.loading[:, None, :]).reshape(-1, size * size)
    precision = (pull @ squares).reshape(-1, size, size) + np.eye(size)
    push = pushed @ factors.loading
    expected, error = np.full(odds.shape, np.nan), np.full(odds.shape, np.nan)
    for number in range(int(family.max()) + 1):
        own = np.flatnonzero(family == number)
        loading = factors.loading[own]
        doubt = np.linalg.inv(precision - (pull[:, own] @ squares[own]).reshape(-1, size, size))
        place = np.einsum("mij,mj->mi", doubt, push - pushed[:, own] @ loading)
        enough = (there.sum(axis=1) - there[:, own].sum(axis=1) >= LEAST)[:, None]
        expected[:, own] = np.where(enough, factors.level[own] + place @ loading.T, np.nan)
        error[:, own] = np.sqrt(factors.spread[own] + np.einsum("ci,mij,cj->mc", loading, doubt, loading))
    return expected, error
