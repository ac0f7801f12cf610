"""The official order of a benchmark, as mteb computes it: means that a missing task takes away, and Borda's rank over all that ran.

After mteb's `_create_summary_table`: a model's Borda points are, summed over tasks, how many models it leaves behind; models that mteb
does not know count there and are not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardcheck.catalogue import tasks as catalogue
from cardcheck.leaderboard import boards
from cardcheck.leaderboard.runs import that_count
from cardcheck.leaderboard.table import Table, of_runs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cardcheck.leaderboard.boards import Board
    from cardcheck.leaderboard.store import Store

BORDA, MEAN, BY_TYPE, BY_SUBSET, PUBLIC, PRIVATE = (
    "Rank (Borda)", "Mean (Task)", "Mean (TaskType)", "Mean (Subset)", "Mean (Public)", "Mean (Private)",
)  # fmt: skip  # mteb's own names of its columns


@dataclass(frozen=True, slots=True)
class Official:
    """A benchmark's models in mteb's order, `at` with their rows in the table; a mean is NaN where a task is missing.

    `place` is mteb's rank; several have one where Borda's points are equal. `hidden` are models that mteb does not know.
    """

    board: Board
    table: Table
    at: NDArray[np.int64]
    place: NDArray[np.int64]
    borda: NDArray[np.int64]
    means: dict[str, NDArray[np.float64]]
    types: dict[str, NDArray[np.float64]]
    hidden: tuple[str, ...]

    @property
    def models(self) -> tuple[str, ...]:
        """The models in order."""
        return tuple(self.table.models[row] for row in self.at)

    @property
    def sorted_by(self) -> str:
        """The column that the order follows."""
        return self.board.sort[0] if self.board.sort else BY_SUBSET if self.board.by_subset else BORDA


def official(store: Store, board: Board) -> Official:
    """Rank the models of a benchmark."""
    import numpy as np

    runs = that_count(store, board.scopes)
    table = of_runs(runs, boards.Board(board.name, board.scopes))
    parts = of_runs(runs, board) if board.by_subset else table
    shown = ~np.isnan(table.matrix).all(axis=1) if table.columns else np.zeros(len(table.models), dtype=bool)
    points = _points(parts.matrix if board.by_subset else table.partial, int(shown.sum()))
    borda = 1 + (points[None, :] > points[:, None]).sum(axis=1)
    types = _types(table)
    means = _means(table, types, parts if board.by_subset else None)
    known = np.array([boards.is_registered(model) for model in table.models], dtype=bool)
    at = np.flatnonzero(shown & known)
    at, place = _ordered(board, at, borda, means)
    return Official(
        board, table, at, place, borda[at], {name: column[at] for name, column in means.items()},
        {name: column[at] for name, column in types.items()},
        tuple(table.models[row] for row in np.flatnonzero(shown & ~known)),
    )  # fmt: skip


def _points(matrix: NDArray[np.float64], many: int) -> NDArray[np.float64]:
    """Return Borda's points: over the columns that a model has, `many` less its place there; equals share the mean of their places."""
    import numpy as np

    points = np.zeros(len(matrix))
    for column in matrix.T:
        has = ~np.isnan(column)
        _, value, count = np.unique(-column[has], return_inverse=True, return_counts=True)
        place = np.cumsum(count) - (count - 1) / 2
        points[has] += many - place[value]
    return points


def _types(table: Table) -> dict[str, NDArray[np.float64]]:
    """Return the mean of each type of task."""
    import numpy as np

    held: dict[str, list[int]] = {}
    for place, task in enumerate(table.tasks):
        about = catalogue.task(task)
        held.setdefault(about.type if about else "unknown", []).append(place)
    return {name: np.asarray(table.matrix[:, places].mean(axis=1)) for name, places in sorted(held.items())}


def _means(table: Table, types: dict[str, NDArray[np.float64]], parts: Table | None) -> dict[str, NDArray[np.float64]]:
    import numpy as np

    nothing = np.full(len(table.models), np.nan)
    private = np.array([(about := catalogue.task(task)) is not None and not about.public for task in table.tasks], dtype=bool)
    means = {
        MEAN: table.matrix.mean(axis=1) if table.columns else nothing,
        BY_TYPE: np.mean(list(types.values()), axis=0) if types else nothing,
    }
    if private.any():
        means[PUBLIC] = table.matrix[:, ~private].mean(axis=1) if not private.all() else nothing
        means[PRIVATE] = table.matrix[:, private].mean(axis=1)
    if parts is not None:  # of what a model did not run at all, its mean says nothing
        total, count = np.where(parts.ran, parts.matrix, 0).sum(axis=1), parts.ran.sum(axis=1)
        means[BY_SUBSET] = np.divide(total, count, out=nothing.copy(), where=count > 0)
    return means


def _ordered(
    board: Board, at: NDArray[np.int64], borda: NDArray[np.int64], means: dict[str, NDArray[np.float64]]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows in mteb's order and their places; what is equal by all of it stands by name."""
    import numpy as np

    by = [name for name in board.sort if name in means] or ([BY_SUBSET] if board.by_subset else [])
    keys = [np.where(np.isnan(means[name][at]), np.inf, -means[name][at]) for name in by]
    order = np.lexsort((at, borda[at], *reversed(keys)))
    rows = at[order]
    return rows, np.arange(1, len(rows) + 1) if board.sort else borda[rows]
