"""A factor model of a table of scores with holes, which single odd cells do not bend.

logit(score of model m in column c) = level_c + loading_c · place_m + noise, noise Student-t with scale spread_c. It is fitted by
expectation and maximisation over the cells that are there (Rubin and Thayer 1982, Psychometrika 47(1); for missing cells Ghahramani and
Jordan 1994; a t of few degrees of freedom as normal noise of random scale, Lange, Little and Taylor 1989, JASA 84(408)). A cell far
from what all the others lead one to expect so weighs little. Cells count for a part (`weight`) of an independent observation,
because tasks of one kind err together: a composite likelihood (Varin, Reid and Firth 2011, Statistica Sinica 21).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cardcheck.leaderboard.threads import one_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

FACTORS = 3
TAILS = 3.0  # degrees of freedom of the noise
STEPS = 15
EDGE = 0.005  # scores are held this far off 0 and 1, where logits have no end
PRIOR_SPREAD, PRIOR_CELLS = 0.1, 2.0  # a column's noise variance before its cells are seen, and how many cells that is worth


def logit(share: Array) -> Array:
    """Return the log odds of scores from 0 to 1, NaN where they are none."""
    with np.errstate(invalid="ignore"):
        held = np.where((share >= 0) & (share <= 1), np.clip(share, EDGE, 1 - EDGE), np.nan)
        return np.asarray(np.log(held / (1 - held)))


def expit(odds: Array) -> Array:
    """Return the scores (0 to 1) with these log odds."""
    return np.asarray(1 / (1 + np.exp(-odds)))


@dataclass(frozen=True, slots=True)
class Factors:
    """A fitted model: of each column its level, its loadings and the variance of its noise."""

    level: Array
    loading: Array
    spread: Array
    weight: Array

    @one_thread()
    def place(self, logits: Array, steps: int = 5) -> tuple[Array, Array]:
        """Return where each model stands (a row of factors) and the covariance of that, from the cells that it has."""
        there = np.isfinite(logits)
        trust = there.astype(float)
        place, doubt = _place(self, logits, trust)
        for _ in range(steps - 1):
            off = np.where(there, logits - self.level - place @ self.loading.T, 0.0)
            trust = there * (TAILS + 1) / (TAILS + off**2 / self.spread)
            place, doubt = _place(self, logits, trust)
        return place, doubt

    def expected(self, place: Array) -> Array:
        """Return the logits that models at these places are expected to have in every column."""
        return np.asarray(self.level + place @ self.loading.T)


def _place(factors: Factors, logits: Array, trust: Array) -> tuple[Array, Array]:
    size = factors.loading.shape[1]
    pull = trust * factors.weight / factors.spread
    precision = (pull @ _squares(factors.loading)).reshape(-1, size, size) + np.eye(size)
    doubt = np.asarray(np.linalg.inv(precision), dtype=np.float64)
    off = pull * np.where(np.isfinite(logits), logits - factors.level, 0.0)
    return np.einsum("mij,mj->mi", doubt, off @ factors.loading), doubt


def _squares(rows: Array) -> Array:
    return np.asarray((rows[:, :, None] * rows[:, None, :]).reshape(len(rows), -1))


def _start(logits: Array, weight: Array) -> Factors:
    """Return a first model: a level a model and a column, then what else they share."""
    there = np.isfinite(logits)
    filled = np.where(there, logits, 0.0)
    model = np.zeros(len(logits))
    column = np.zeros(logits.shape[1])
    for _ in range(10):
        column = (filled - there * model[:, None]).sum(0) / np.maximum(there.sum(0), 1)
        model = (filled - there * column).sum(1) / (there.sum(1) + 1)
    left = np.where(there, logits - model[:, None] - column, 0.0)
    size, vectors = np.linalg.eigh(left @ left.T)
    loading = np.zeros((logits.shape[1], FACTORS))
    loading[:, 0] = model.std()
    for factor in range(1, min(FACTORS, len(size))):  # fewer models than factors: the others stay at nothing
        vector = vectors[:, -factor]
        loading[:, factor] = left.T @ vector / np.sqrt(len(logits))
    spread = np.maximum((left**2).sum(0) / np.maximum(there.sum(0), 1), 0.02)
    return Factors(column, loading, spread, weight)


@one_thread()
def fit(logits: Array, weight: Array) -> Factors:
    """Return the model of a table: NaN where a cell is missing; `weight` is what a cell of each column counts."""
    there = np.isfinite(logits)
    filled = np.where(there, logits, 0.0)
    cells = there.sum(0)
    factors = _start(logits, weight)
    trust = there.astype(float)
    for _ in range(STEPS):
        place, doubt = _place(factors, logits, trust)
        factors = _columns(factors, filled, trust, place, doubt)
        off = there * ((filled - factors.expected(place)) ** 2 + doubt.reshape(len(doubt), -1) @ _squares(factors.loading).T)
        spread = ((trust * off).sum(0) + PRIOR_CELLS * PRIOR_SPREAD) / (cells + PRIOR_CELLS)
        factors = Factors(factors.level, factors.loading, spread, weight)
        trust = there * (TAILS + 1) / (TAILS + off / spread)
    return factors


def _columns(factors: Factors, filled: Array, trust: Array, place: Array, doubt: Array) -> Factors:
    """Return the levels and loadings that fit the places best; loadings lean to what columns have on average on the first factor."""
    size = FACTORS + 1
    with_one = np.concatenate([np.ones((len(place), 1)), place], axis=1)
    seconds = with_one[:, :, None] * with_one[:, None, :]
    seconds[:, 1:, 1:] += doubt
    left = (trust.T @ seconds.reshape(len(place), -1)).reshape(-1, size, size) / factors.spread[:, None, None]
    right = (trust * filled).T @ with_one / factors.spread[:, None]
    lean = np.diag([1e-9, *[1.0] * FACTORS])  # the levels are free; the small number keeps empty columns solvable
    cells = np.maximum(trust.sum(0), 1e-9)
    right[:, 1] += float(np.average(factors.loading[:, 0], weights=cells))
    solved = np.linalg.solve(left + lean, right[:, :, None])[:, :, 0]
    return Factors(solved[:, 0], solved[:, 1:], factors.spread, factors.weight)
