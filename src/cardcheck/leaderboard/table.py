"""The scores of a board as a table: a row a model, a column a task, NaN where a score is missing or does not cover all of the task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardcheck.leaderboard import boards
from cardcheck.leaderboard.runs import Runs, that_count

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from cardcheck.leaderboard.boards import Board
    from cardcheck.leaderboard.store import Store


@dataclass(frozen=True, slots=True)
class Table:
    """The means over splits and subsets.

    `columns` are tasks, or pairs of a task and one of its subsets. `matrix` is NaN where a part of the task is missing, `partial` only
    where all of it is. `ran` says that there is a run of the task, whatever it holds.
    """

    models: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    matrix: NDArray[np.float64]
    partial: NDArray[np.float64]
    ran: NDArray[np.bool_]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The task of each column."""
        return tuple(task for task, _ in self.columns)


def scores(store: Store, tasks: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...], NDArray[np.float64]]:
    """Return models, tasks and each model's score of each task as mteb joins it, NaN where it is missing or incomplete.

    Tasks that no model has a run of are left out.
    """
    table = of_board(store, boards.of_tasks("", tasks))
    return table.models, table.tasks, table.matrix


def of_board(store: Store, board: Board) -> Table:
    """Return the table of a benchmark, with a column for each subset where the benchmark counts those."""
    return of_runs(that_count(store, board.scopes), board)


def of_runs(runs: Runs, board: Board) -> Table:
    """Return the table of rows: the mean of those that the board takes, NaN where one is missing that some model has."""
    import numpy as np

    inside = _inside(runs, board) & ~np.isnan(runs.score)
    models, model = np.unique(runs.model.of, return_inverse=True)
    wide = len(runs.subset.names) + 1
    part = runs.subset.of if board.by_subset else np.zeros_like(runs.subset.of)
    key = runs.task.of.astype(np.int64) * wide + part
    columns, column = _columns(runs, board, key, inside)
    size = len(models) * len(columns)
    cell = model * len(columns) + column
    at = cell[inside]
    count = np.bincount(at, minlength=size)
    total = np.bincount(at, weights=runs.score[inside], minlength=size)
    partial = np.divide(total, count, out=np.full(size, np.nan), where=count > 0)
    covered = _covered(runs, inside, cell, column, size=size, width=len(columns))
    ran = _ran(runs, model, columns // wide, len(models))
    named = tuple((runs.task.names[code // wide], runs.subset.names[code % wide] if board.by_subset else "") for code in columns)
    shape = (len(models), len(columns))
    matrix = np.where(covered, partial, np.nan).reshape(shape)
    return Table(tuple(runs.model.names[code] for code in models), named, matrix, partial.reshape(shape), ran)


def _inside(runs: Runs, board: Board) -> NDArray[np.bool_]:
    """Tell of each row whether the board takes its split and subset."""
    import numpy as np

    splits = {name: number for number, name in enumerate(runs.split.names)}
    subsets = {name: number for number, name in enumerate(runs.subset.names)}
    tasks = {name: number for number, name in enumerate(runs.task.names)}
    wide, deep = len(subsets) + 1, len(splits) + 1
    taken = [
        (tasks[task] * deep + splits[split]) * wide + subsets[subset]
        for task, scope in board.scopes.items()
        if task in tasks
        for split in scope.splits
        if split in splits
        for subset in scope.subsets
        if subset in subsets
    ]
    key = (runs.task.of.astype(np.int64) * deep + runs.split.of) * wide + runs.subset.of
    return np.isin(key, np.array(taken, dtype=np.int64)) & (runs.split.of >= 0) & (runs.subset.of >= 0)


def _columns(runs: Runs, board: Board, key: NDArray[np.int64], inside: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the columns by their keys, in the order of the tasks' names, and the column of each row.

    A task that some model ran has a column even where no score of it is taken: mteb's means are then missing for all.
    """
    import numpy as np

    found = np.unique(key[inside] if board.by_subset else key)
    wide = len(runs.subset.names) + 1
    found = np.array(sorted(found, key=lambda code: (runs.task.names[code // wide], code % wide)), dtype=np.int64)
    order = np.argsort(found)
    place = np.minimum(np.searchsorted(found, key, sorter=order), max(len(found) - 1, 0))
    return found, order[place] if len(found) else np.zeros_like(key)


def _covered(
    runs: Runs, inside: NDArray[np.bool_], cell: NDArray[np.int64], column: NDArray[np.int64], *, size: int, width: int
) -> NDArray[np.bool_]:
    """Tell of each cell whether it has all pairs of splits and subsets that any model has in its column."""
    import numpy as np

    def distinct(group: NDArray[np.int64], code: NDArray[np.int64], least: int) -> NDArray[np.int64]:
        deep = int(code.max(initial=0)) + 1
        return np.bincount(np.unique(group * deep + code) // deep, minlength=least)

    split, subset = runs.split.of[inside].astype(np.int64), runs.subset.of[inside].astype(np.int64)
    needed = distinct(column[inside], split, width) * distinct(column[inside], subset, width)
    pair = split * (len(runs.subset.names) + 1) + subset
    has = distinct(cell[inside], pair, size)
    return (has.reshape(-1, width) >= needed).ravel() if width else np.zeros(0, dtype=bool)


def _ran(runs: Runs, model: NDArray[np.int64], tasks: NDArray[np.int64], height: int) -> NDArray[np.bool_]:
    import numpy as np

    deep = len(runs.task.names) + 1
    pairs = np.unique(model * deep + runs.task.of)
    return np.isin(np.arange(height)[:, None] * deep + tasks[None, :], pairs)
