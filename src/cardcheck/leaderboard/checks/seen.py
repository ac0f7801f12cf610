"""What all checks look at: the runs that count, what is expected of them, and which tasks makers say to train on."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardcheck.catalogue import tasks, training
from cardcheck.leaderboard.checks import grid
from cardcheck.leaderboard.checks.expected import Expected, expect
from cardcheck.leaderboard.credible_table import bare, owner
from cardcheck.leaderboard.runs import that_count

if TYPE_CHECKING:
    from cardcheck.leaderboard.boards import Board
    from cardcheck.leaderboard.runs import Runs
    from cardcheck.leaderboard.store import Store

Records = dict[str, dict[str, Any]]  # of each model its facts, as plain values by the names of the group `board`
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


def see(store: Store, board: Board | None = None) -> Seen:
    """Read a store and fit what is expected, each medium for itself."""
    runs = that_count(store)
    inside = frozenset(board.scopes if board else tasks.names())
    return Seen(store, runs, {of: expect(*grid.scores(runs, of)) for of in grid.MEDIA}, inside, board)


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
    """Tell whether a model is said to be trained on a task's data: `yes`, `no`, or `unsaid` where nothing is said of its training."""
    counted = training.counted(bare(model))
    return "unsaid" if counted is None else "yes" if task in counted else "no"


def points(share: Any) -> float:
    """Return a score from 0 to 1 in points, with one digit."""
    return round(100 * float(share), 1)
