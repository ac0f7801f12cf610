"""A benchmark's models in mteb's order, each with its interval and its group of ties: what the command prints and JSON holds."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from cardcheck.catalogue import tasks as catalogue
from cardcheck.leaderboard.rank import BY_SUBSET, BY_TYPE, MEAN, official
from cardcheck.leaderboard.ties import DRAWS, LEVEL, ties

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cardcheck.leaderboard.boards import Board
    from cardcheck.leaderboard.rank import Official
    from cardcheck.leaderboard.store import Store


@dataclass(frozen=True, slots=True)
class Row:
    """A model. Means are NaN where a task is missing, as mteb has it; the interval is of the mean over the tasks that there are.

    `behind` is the difference to the first of the group over the `shared` tasks, with its interval.
    """

    place: int
    model: str
    group: int
    borda: int
    mean: float
    by_type: float
    low: float
    high: float
    tasks: int
    shared: int
    behind: float
    behind_low: float
    behind_high: float
    types: dict[str, float]


@dataclass(frozen=True, slots=True)
class Beside:
    """A model's credible score beside its place in a benchmark. `credible` is its place by that score among the same models.

    Both are None where it has too few results, the place alone where its interval is wide.
    """

    model: str
    credible: int | None
    score: float | None
    low: float | None
    high: float | None
    cells: int
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ranking:
    """A benchmark's models in order. `beside` are credible scores in the same order, empty where nobody asked for them."""

    board: str
    source: str
    sorted_by: str
    tasks: int
    task_names: tuple[str, ...]
    missing_tasks: tuple[str, ...]
    rows: tuple[Row, ...]
    hidden: tuple[str, ...]
    beside: tuple[Beside, ...] = ()
    about: str = ""

    @property
    def groups(self) -> int:
        """How many groups there are."""
        return self.rows[-1].group if self.rows else 0

    @property
    def notes(self) -> list[str]:
        """What one has to know in order to read the table."""
        notes = []
        if self.rows:
            first = sum(row.group == 1 for row in self.rows)
            notes.append(
                f"{self.groups} groups, {first} models in the first: a group's first is not shown to be better than the others of it"
            )
            notes.append(f"(the {LEVEL:.0%} interval of the difference over shared tasks holds 0 or less, in {DRAWS:,} draws of tasks).")
        lacking = sum(row.tasks < self.tasks for row in self.rows)
        if lacking:
            notes.append(f"{lacking} models lack tasks: MTEB gives them no mean (–), and no points for what they lack.")
        if self.missing_tasks:
            notes.append(f"No model in the store ran {len(self.missing_tasks)} of its tasks: {', '.join(self.missing_tasks[:5])}.")
        if self.hidden:
            notes.append(f"{len(self.hidden)} models that MTEB does not know count in Borda's ranks and are not shown.")
        return [*notes, self.about] if self.about else notes

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {key: value for key, value in asdict(self).items() if key not in ("source", "about")} | {"groups": self.groups}


def ranked(store: Store, board: Board, *, seed: int = 0) -> Ranking:
    """Rank the models of a benchmark, with intervals and groups."""
    found = official(store, board)
    matrix = found.table.matrix[found.at]
    sure = ties(matrix, weights(found), seed=seed)
    has = (matrix == matrix).sum(axis=1)  # noqa: PLR0124  # NaN is not equal to itself
    mean = found.means.get(BY_SUBSET, found.means[MEAN])
    rows = tuple(
        Row(
            place=int(found.place[at]), model=model, group=int(sure.group[at]), borda=int(found.borda[at]), mean=float(mean[at]),
            by_type=float(found.means[BY_TYPE][at]), low=float(sure.low[at]), high=float(sure.high[at]), tasks=int(has[at]),
            shared=int(sure.shared[at]), behind=float(sure.behind[at, 0]), behind_low=float(sure.behind[at, 1]),
            behind_high=float(sure.behind[at, 2]), types={name: float(values[at]) for name, values in found.types.items()},
        )
        for at, model in enumerate(found.models)
    )  # fmt: skip
    missing = tuple(task for task in board.tasks if task not in set(found.table.tasks))
    return Ranking(board.name, "MTEB's", found.sorted_by, len(found.table.columns), found.table.tasks, missing, rows, found.hidden)


def with_credible(ranking: Ranking, store: Store) -> Ranking:
    """Return a ranking with each model's credible score, which is learned from the whole store and is about unseen retrieval of texts."""
    from cardcheck.leaderboard.credible import order
    from cardcheck.leaderboard.shortlist import credible_scores

    found = order(*credible_scores(store))
    known = {row.model: row for row in found.rows}
    firm = [row.model for row in found.rows if row.firm]
    shown = {row.model for row in ranking.rows}
    place = {model: number for number, model in enumerate((model for model in firm if model in shown), 1)}
    beside = tuple(
        Beside(row.model, place.get(row.model), one.score, one.low, one.high, one.cells, one.why)
        if (one := known.get(row.model))
        else Beside(row.model, None, None, None, None, 0, ("no results that the credible order is learned from",))
        for row in ranking.rows
    )
    target = f"{len(found.target)} private retrieval tasks" if found.private else "all retrieval tasks, as too few models ran private ones"
    about = f"credible: expected score on {target} of texts, whatever this benchmark is about; with its 90 % interval (docs/credible.md)."
    return replace(ranking, beside=beside, about=about)


def weights(found: Official) -> NDArray[np.float64]:
    """Return what each task counts in the mean that the order follows: all the same, or each type the same."""
    import numpy as np

    if found.sorted_by != BY_TYPE:
        return np.ones(len(found.table.columns))
    types = [about.type if (about := catalogue.task(task)) else "unknown" for task in found.table.tasks]
    many = Counter(types)
    return np.array([1 / many[kind] for kind in types])
