"""How sure an order is: tasks are drawn anew, as if the benchmark had been put together from others of their kind.

The tasks of a benchmark are a choice; a mean over forty of them would be another with forty others. Differences are taken task by task,
so that what is hard for all models does not count, over the tasks that both models have.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardcheck.leaderboard.threads import one_thread

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DRAWS = 2000
LEVEL = 0.95
LEAST = 5  # tasks that two models share; with fewer no difference is called real


@dataclass(frozen=True, slots=True)
class Ties:
    """For each model in order: the mean over the tasks that it has with its interval, and its group.

    A group is a model and those after it that it is not shown to be better than. `shared` are the tasks that the model has in common with
    the first of its group, `behind` the difference to that one with its interval.
    """

    low: NDArray[np.float64]
    high: NDArray[np.float64]
    group: NDArray[np.int64]
    shared: NDArray[np.int64]
    behind: NDArray[np.float64]


@one_thread()
def ties(matrix: NDArray[np.float64], weights: NDArray[np.float64], *, seed: int = 0) -> Ties:
    """Group models, which stand in order, by their scores of tasks. A task counts by its weight."""
    import numpy as np

    count, wide = matrix.shape
    drawn = (
        np.random.default_rng(seed).multinomial(wide, np.full(wide, 1 / max(wide, 1)), DRAWS) * weights if wide else np.zeros((DRAWS, 0))
    )
    low, high = _interval(drawn, matrix)
    group, shared = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    behind = np.full((count, 3), np.nan)
    start = number = 0
    while start < count:
        number += 1
        rest = matrix[start] - matrix[start:]
        below, above = _interval(drawn, rest)
        both = (~np.isnan(rest)).sum(axis=1)
        real = (below > 0) & (both >= LEAST)
        end = start + (int(np.argmax(real)) if real.any() else count - start)
        size = end - start
        group[start:end], shared[start:end] = number, both[:size]
        behind[start:end] = np.stack([_mean(weights, rest[:size]), below[:size], above[:size]], axis=1)
        start = end
    return Ties(low, high, group, shared, behind)


def _mean(weights: NDArray[np.float64], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted mean of what each row has."""
    import numpy as np

    has = ~np.isnan(rows)
    total, weight = np.where(has, rows, 0) @ weights, has @ weights
    found: NDArray[np.float64] = np.divide(total, weight, out=np.full(len(rows), np.nan), where=weight > 0)
    return found


def _interval(drawn: NDArray[np.float64], rows: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return between what values the mean of each row lies in most draws; nothing for a row with few values."""
    import numpy as np

    has = ~np.isnan(rows)
    total, weight = drawn @ np.where(has, rows, 0).T, drawn @ has.T.astype(float)
    means = np.divide(total, weight, out=np.zeros_like(total), where=weight > 0)  # a draw of none of its tasks; rare from LEAST on
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    few = has.sum(axis=1) < LEAST
    return np.where(few, np.nan, low), np.where(few, np.nan, high)
