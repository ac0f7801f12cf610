"""The table that the factor model is learned from: a store's tasks, with English and other languages apart, and each model's family.

Languages are apart because a model may be good in English only, and a mean over subsets that not every model ran is no score: subsets
are brought to one level first, by what models that have several get on each (a two-way additive fit of the logits).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cardcheck.catalogue import tasks, training
from cardcheck.leaderboard.credible_model import expit, logit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from cardcheck.leaderboard.runs import Codes, Runs

    Array = NDArray[np.float64]
    Numbers = NDArray[np.int64]
    ColumnOf = Callable[[tasks.Task, str], "Column"]

ENGLISH = re.compile(r"(?:en|eng)(?:[_-]Latn)?(?:-(?:en|eng)(?:[_-]Latn)?)?", re.IGNORECASE)
VARIANT = re.compile(r"_?\([^()]{0,80}\)$")  # `voyage-3.5_(output_dtype=int8)` is voyage-3.5 run another way
RETRIEVAL = frozenset({"Retrieval", "Reranking", "InstructionReranking"})
MIN_MODELS = 15  # a column that fewer models have says little of any of them
MIN_SUBSET = 10


@dataclass(frozen=True, slots=True)
class Column:
    """A task in English, or in all its `other` languages; or `here`, in the languages that somebody chose."""

    task: str
    other: bool = False
    here: bool = False

    @property
    def retrieval(self) -> bool:
        """Tell whether the task is one of finding or ordering texts."""
        known = tasks.task(self.task)
        return known is not None and known.type in RETRIEVAL

    @property
    def private(self) -> bool:
        """Tell whether nobody outside can see the task's data."""
        known = tasks.task(self.task)
        return known is not None and not known.public

    def __str__(self) -> str:
        """Name it for a reader."""
        return f"{self.task} (other languages)" if self.other else self.task


@dataclass(frozen=True, slots=True)
class Scores:
    """Models, columns and the score (0 to 1) of each in each, NaN where there is none."""

    models: tuple[str, ...]
    columns: tuple[Column, ...]
    matrix: Array


def by_language(task: tasks.Task, subset: str) -> Column:
    """Return the column of a task's subset: English and all other languages are apart."""
    return Column(task.name, other=not is_english(task, subset))


def is_english(task: tasks.Task, subset: str) -> bool:
    """Tell whether a subset is English: by its name where the task has several languages, else by the task's."""
    if len(task.languages) > 1 and subset != "default":
        return ENGLISH.fullmatch(subset) is not None
    return "eng" in task.languages


def of_runs(
    runs: Runs, takes: Callable[[tasks.Task], bool] | None = None, column_of: ColumnOf = by_language, *,
    least: int = MIN_MODELS, most: int | None = None,
) -> Scores:  # fmt: skip
    """Return the table that `in_parts` makes, without the shares: of the tasks that `takes` takes, or of all."""
    return in_parts(runs, takes, column_of, least=least, most=most)[0]


def in_parts(
    runs: Runs, takes: Callable[[tasks.Task], bool] | None = None, column_of: ColumnOf = by_language, *,
    least: int = MIN_MODELS, most: int | None = None,
) -> tuple[Scores, Array]:  # fmt: skip
    """Return the table of runs, and how much of each cell there is: the share (0 to 1) of the subsets that models have.

    Rows of other splits than the task's and of scores outside 0 to 1 are left out; splits of a subset are averaged. Models are those
    that have any row left, columns (`column_of` puts subsets into them) those that `least` models have. Of more than `most` subsets in
    a column those count that most models have.
    """
    rows = _taken(runs, takes)
    score = runs.score[rows]
    models, model = _named(runs.model, rows)
    held: list[tuple[Column, Array, Array]] = []
    for column, subset, at in _columns(runs, rows, column_of):
        cells = _most(_cells(model[at], subset, score[at], len(models)), most)
        joined = one_level(cells)
        if np.isfinite(joined).sum() >= least:
            held.append((column, joined, np.isfinite(cells[:, _common(cells)]).mean(axis=1)))
    held.sort(key=lambda item: (item[0].task, item[0].here, item[0].other))
    matrix, share = (np.array([item[part] for item in held]).reshape(len(held), len(models)).T for part in (1, 2))
    return Scores(models, tuple(column for column, _, _ in held), matrix), share


def _taken(runs: Runs, takes: Callable[[tasks.Task], bool] | None) -> Numbers:
    """Return the rows that count: of a task that is taken, of a split that it is evaluated on, with a score from 0 to 1."""
    splits = {name: code for code, name in enumerate(runs.split.names)}
    counts = np.zeros((len(runs.task.names) + 1, len(splits) + 1), dtype=bool)  # the last are where there is none
    for code, name in enumerate(runs.task.names):
        known = tasks.task(name)
        if known is not None and (takes is None or takes(known)):
            counts[code, [splits[split] for split in known.splits if split in splits]] = True
    with np.errstate(invalid="ignore"):
        good = (runs.subset.of >= 0) & (runs.score >= 0) & (runs.score <= 1)
    return np.flatnonzero(good & counts[runs.task.of, runs.split.of])


def _named(model: Codes, rows: Numbers) -> tuple[tuple[str, ...], Numbers]:
    """Return the models of the rows in the order of their names, and for each row the place of its own."""
    codes, row = np.unique(model.of[rows], return_inverse=True)
    order = np.argsort(np.array([model.names[code] for code in codes], dtype=object), kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return tuple(model.names[code] for code in codes[order]), place[row]


def _columns(runs: Runs, rows: Numbers, column_of: ColumnOf) -> Iterator[tuple[Column, Numbers, Numbers]]:
    """Yield each column with the number of the subset of each of its rows, and their places in `rows`."""
    wide = len(runs.subset.names)
    codes, pair = np.unique(runs.task.of[rows].astype(np.int64) * wide + runs.subset.of[rows], return_inverse=True)
    numbers: dict[Column, int] = {}
    group = np.zeros(len(codes), dtype=np.int64)
    for at, code in enumerate(codes.tolist()):
        task = tasks.task(runs.task.names[code // wide])
        if task is not None:
            group[at] = numbers.setdefault(column_of(task, runs.subset.names[code % wide]), len(numbers))
    order = np.argsort(group[pair], kind="stable")
    ends = np.cumsum(np.bincount(group[pair], minlength=len(numbers)))
    for column, its in zip(numbers, np.split(order, ends[:-1]), strict=False):  # of no rows one part is made, and no column
        yield column, np.unique(pair[its], return_inverse=True)[1], its


def _cells(model: Numbers, subset: Numbers, score: Array, models: int) -> Array:
    """Return the mean over splits of each model's score of each subset, NaN where there is none."""
    wide = int(subset.max(initial=0)) + 1
    cell = model * wide + subset
    count = np.bincount(cell, minlength=models * wide)
    total = np.bincount(cell, weights=score, minlength=models * wide)
    means: Array = np.divide(total, count, out=np.full(models * wide, np.nan), where=count > 0)
    return means.reshape(models, wide)


def _most(cells: Array, most: int | None) -> Array:
    """Return the subsets that most models have, where there are very many."""
    if most is None or cells.shape[1] <= most:
        return cells
    many = np.isfinite(cells).sum(axis=0)
    return cells[:, np.sort(np.argsort(-many, kind="stable")[:most])]


def _common(cells: Array) -> NDArray[np.bool_]:
    """Tell which subsets enough models have."""
    return np.asarray(np.isfinite(cells).sum(axis=0) >= MIN_SUBSET)


def one_level(cells: Array) -> Array:
    """Return one score a model from those on several subsets, some of them missing; NaN where it has none."""
    logits = logit(cells[:, _common(cells)])
    if logits.shape[1] == 0:
        return np.full(len(cells), np.nan)
    there = np.isfinite(logits)
    filled = np.where(there, logits, 0.0)
    model = np.zeros(len(logits))
    subset = np.zeros(logits.shape[1])
    for _ in range(20):
        subset = (filled - there * model[:, None]).sum(0) / np.maximum(there.sum(0), 1)
        model = (filled - there * subset).sum(1) / np.maximum(there.sum(1), 1)
    return np.where(there.any(1), expit(model + subset.mean()), np.nan)


def bare(model: str) -> str:
    """Return a model's id without the way it was run."""
    return VARIANT.sub("", model)


def owner(model: str) -> str:
    """Return who publishes a model: the coarse family, so that nothing of one maker is learned from another of his models."""
    return model.partition("/")[0].lower()


def relatives(models: Sequence[str], family: set[str]) -> NDArray[np.bool_]:
    """Tell which models are of these owners, or the declared parents or children of a model that is."""
    ids = [bare(model) for model in models]
    parents = [set(training.ancestors(model)) for model in ids]
    inside = [owner(model) in family for model in models]
    names = {model for model, held in zip(ids, inside, strict=True) if held}
    above = {parent for found, held in zip(parents, inside, strict=True) if held for parent in found}
    return np.array([held or bool(up & names) or model in above for model, up, held in zip(ids, parents, inside, strict=True)], dtype=bool)
