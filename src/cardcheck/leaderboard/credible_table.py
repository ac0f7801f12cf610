"""The table that the credible order is learned from: text tasks, with English and other languages apart, and each model's family.

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
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from cardcheck.leaderboard.runs import Runs

    Array = NDArray[np.float64]

ENGLISH = re.compile(r"(?:en|eng)(?:[_-]Latn)?(?:-(?:en|eng)(?:[_-]Latn)?)?", re.IGNORECASE)
VARIANT = re.compile(r"_?\([^()]{0,80}\)$")  # `voyage-3.5_(output_dtype=int8)` is voyage-3.5 run another way
RETRIEVAL = frozenset({"Retrieval", "Reranking", "InstructionReranking"})
MIN_MODELS = 15  # a column that fewer models have says little of any of them
MIN_SUBSET = 10
MOST_SUBSETS = 400  # of a task; of thousands of pairs of languages, those that most models have


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


Row = tuple[str, str, str, str, float]  # model, task, split, subset, score from 0 to 1


@dataclass(frozen=True, slots=True)
class Scores:
    """Models, columns and the score (0 to 1) of each in each, NaN where there is none."""

    models: tuple[str, ...]
    columns: tuple[Column, ...]
    matrix: Array


def of_rows(rows: Iterable[Row]) -> Scores:
    """Return the table of text tasks that enough models have; rows of other splits than the task's and of no finite score are left out."""
    found: dict[Column, dict[str, dict[str, list[float]]]] = {}
    models: set[str] = set()
    for model, name, split, subset, score in rows:
        task = tasks.task(name)
        if task is None or task.modalities != ("text",) or split not in task.splits or not 0 <= score <= 1:
            continue
        found.setdefault(_column(task, subset), {}).setdefault(subset, {}).setdefault(model, []).append(score)
        models.add(model)
    order = tuple(sorted(models))
    at = {model: i for i, model in enumerate(order)}
    columns, held = [], []
    for column, subsets in sorted(found.items(), key=lambda item: (item[0].task, item[0].other)):
        cells = np.full((len(order), len(subsets)), np.nan)
        for j, (_, scores) in enumerate(sorted(subsets.items())):
            for model, values in scores.items():
                cells[at[model], j] = sum(values) / len(values)
        joined = one_level(cells)
        if np.isfinite(joined).sum() >= MIN_MODELS:
            columns.append(column)
            held.append(joined)
    return Scores(order, tuple(columns), np.array(held).T.reshape(len(order), len(columns)))


def of_runs(runs: Runs, column_of: Callable[[tasks.Task, str], Column] | None = None, *, least: int = MIN_MODELS) -> Scores:
    """Return the table of a store's runs, whatever the modality, as `of_rows` does for text: a task is in it where `least` models have it.

    `column_of` puts subsets into columns; without it, English and other languages are apart.
    """
    models = np.array(sorted(np.unique(runs.model.of), key=lambda code: runs.model.names[code]), dtype=np.int64)
    at = np.zeros(len(runs.model.names), dtype=np.int64)
    at[models] = np.arange(len(models))
    model = at[runs.model.of]
    pair, column = _columns(runs, column_of or _column)
    good = (pair >= 0) & (runs.score >= 0) & (runs.score <= 1)
    size = int(pair.max(initial=-1)) + 1
    cell = pair[good].astype(np.int64) * len(models) + model[good]
    count = np.bincount(cell, minlength=size * len(models))
    total = np.bincount(cell, weights=runs.score[good], minlength=size * len(models))
    cells = np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0).reshape(size, len(models)).T
    held: dict[Column, list[int]] = {}
    for number, name in enumerate(column):
        held.setdefault(name, []).append(number)
    columns = sorted(held, key=lambda one: (one.task, one.here, one.other))
    joined = [one_level(cells[:, _most(cells, held[name])]) for name in columns]
    kept = [number for number, values in enumerate(joined) if np.isfinite(values).sum() >= least]
    matrix = np.array([joined[number] for number in kept]).reshape(len(kept), len(models)).T
    return Scores(tuple(runs.model.names[code] for code in models), tuple(columns[number] for number in kept), matrix)


def _columns(runs: Runs, column_of: Callable[[tasks.Task, str], Column]) -> tuple[NDArray[np.int64], list[Column]]:
    """Return for each row the number of its task and subset, -1 where the split is not one of the task's, and the column of each."""
    wide, deep = len(runs.subset.names) + 1, len(runs.split.names) + 1
    splits = {name: number for number, name in enumerate(runs.split.names)}
    known = {name: about for name in runs.task.names if (about := tasks.task(name))}
    taken = [
        at * deep + splits[split]
        for at, name in enumerate(runs.task.names)
        if name in known
        for split in known[name].splits
        if split in splits
    ]
    good = np.isin(runs.task.of.astype(np.int64) * deep + runs.split.of, np.array(taken, dtype=np.int64)) & (runs.subset.of >= 0)
    key = np.where(good, runs.task.of.astype(np.int64) * wide + runs.subset.of, -1)
    found, pair = np.unique(key, return_inverse=True)
    first = int(found[0] < 0) if len(found) else 0
    column = [column_of(known[runs.task.names[code // wide]], runs.subset.names[code % wide]) for code in found[first:].tolist()]
    return pair.astype(np.int64) - first, column


def _most(cells: Array, at: list[int]) -> list[int]:
    """Return the subsets that most models have, where there are very many."""
    if len(at) <= MOST_SUBSETS:
        return at
    many = np.isfinite(cells[:, at]).sum(axis=0)
    return [at[i] for i in np.sort(np.argsort(-many, kind="stable")[:MOST_SUBSETS])]


def _column(task: tasks.Task, subset: str) -> Column:
    """Tell whether a subset is English: by its name where the task has several languages, else by the task's."""
    english = "eng" in task.languages
    if len(task.languages) > 1 and subset != "default":
        english = ENGLISH.fullmatch(subset) is not None
    return Column(task.name, other=not english)


def one_level(cells: Array) -> Array:
    """Return one score a model from those on several subsets, some of them missing; NaN where it has none."""
    logits = logit(cells[:, np.isfinite(cells).sum(0) >= MIN_SUBSET])
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
