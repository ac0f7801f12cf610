"""What all checks look at: the runs that count, what is expected of them, and which tasks makers say to train on."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cardcheck.catalogue import aliases, tasks, training
from cardcheck.leaderboard.checks.expected import Expected, expect
from cardcheck.leaderboard.credible_table import Column, bare, in_parts, is_english, owner
from cardcheck.leaderboard.runs import EXTERNAL, that_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardcheck.leaderboard.boards import Board
    from cardcheck.leaderboard.credible_table import Scores
    from cardcheck.leaderboard.runs import Runs
    from cardcheck.leaderboard.store import Store

Records = dict[str, dict[str, Any]]  # of each model its facts, as plain values by the names of the group `board`
MEDIA = ("text", "video", "audio", "image")
LEAST_NAME = 6  # letters of a name that begins a task's
BASELINES = ("mteb/baseline", "baseline/")  # random vectors, word counts: nobody's claim


@dataclass(frozen=True, slots=True)
class Seen:
    """A store as the checks see it. `board` is the one that is audited, None where it is all of the store.

    `inside` are its tasks, which findings about one task are kept to.
    """

    store: Store
    runs: Runs
    tables: dict[str, Expected]
    inside: frozenset[str]
    board: Board | None

    def covers(self, column: Column) -> bool:
        """Tell whether the board has the task, in that column's languages."""
        if self.board is None:
            return column.task in self.inside
        scope, known = self.board.scopes.get(column.task), tasks.task(column.task)
        return scope is not None and known is not None and any(is_english(known, subset) != column.other for subset in scope.subsets)


def see(store: Store, board: Board | None = None) -> Seen:
    """Read a store and fit what is expected, each medium for itself."""
    runs = that_count(store)
    inside = frozenset(board.scopes if board else tasks.names())
    return Seen(store, runs, {of: _expected(runs, of) for of in MEDIA}, inside, board)


def _expected(runs: Runs, of: str) -> Expected:
    return expect(*in_parts(runs, lambda task: medium(task) == of))


def medium(task: tasks.Task) -> str:
    """Return what kind of data a task is of: `text` where it is nothing else, else the first of video, sound and image that it has."""
    return next((name for name in MEDIA[1:] if name in task.modalities), "text")


def stated(runs: Runs, scores: Scores) -> NDArray[np.bool_]:
    """Tell which cells of a table hold what the model's maker stated, and no run of mteb's: of a model and task one run counts."""
    row = {model: at for at, model in enumerate(scores.models)}
    columns: dict[str, list[int]] = {}
    for at, column in enumerate(scores.columns):
        columns.setdefault(column.task, []).append(at)
    found = np.zeros((len(scores.models), len(scores.columns)), dtype=bool)
    external = np.array([name == EXTERNAL for name in runs.revision.names] + [False], dtype=bool)[runs.revision.of]
    wide = len(runs.task.names)
    for code in np.unique(runs.model.of[external].astype(np.int64) * wide + runs.task.of[external]).tolist():
        model, task = runs.model.names[code // wide], runs.task.names[code % wide]
        if model in row:
            found[row[model], columns.get(task, [])] = True
    return found


def is_baseline(model: str) -> bool:
    """Tell whether a model only shows what no model gives."""
    return model.startswith(BASELINES)


@functools.cache
def makers() -> dict[str, int]:
    """Return how many makers' models are said to be trained on each task's data, or a variant's."""
    found: dict[str, set[str]] = {}
    for name in training.models():
        known = training.annotation(name)
        for task in {variant for item in (known.data if known else None) or () for variant in tasks.variants(item)}:
            found.setdefault(task, set()).add(owner(name))
    return {task: len(held) for task, held in found.items()}


def declares(model: str, task: str) -> str:
    """Tell whether a model is said to be trained on a task's data: `yes`, `named`, `no`, or `unsaid` where nothing is said of its training.

    `named` is under another name than the task's, which mteb does not count: `SIB200` for SIB200ClusteringS2S.
    """
    counted = training.counted(bare(model))
    if counted is None:
        return "unsaid"
    return "yes" if task in counted else "named" if task in _named(bare(model)) or _begins(bare(model), task) else "no"


@functools.lru_cache(maxsize=4096)
def _listed(model: str) -> tuple[str, ...]:
    """Return all names in the lists of a model's and its ancestors' training data that are no task's."""
    found = (training.annotation(name) for name in (model, *training.ancestors(model)))
    return tuple(item for known in found if known for item in known.data or () if not tasks.is_task(item))


@functools.lru_cache(maxsize=4096)
def _named(model: str) -> frozenset[str]:
    matches = (aliases.data_set(item) for item in _listed(model))
    meant = {task for match in matches if match and match.kind in ("same", "source") for task in match.tasks}
    return frozenset(variant for task in meant for variant in tasks.variants(task))


def _begins(model: str, task: str) -> bool:
    """Tell whether a listed name is how the task's name begins: `MLSUMClustering` for MLSUMClusteringP2P."""
    return any(len(name := aliases.plain(item)) >= LEAST_NAME and aliases.plain(task).startswith(name) for item in _listed(model))


def points(share: Any) -> float:
    """Return a score from 0 to 1 in points, with one digit."""
    return round(100 * float(share), 1)
