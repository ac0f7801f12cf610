"""A table of the whole store for the factor model: what `credible_table.of_rows` makes, in a quarter of the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardcheck.catalogue import tasks
from cardcheck.leaderboard.credible_table import ENGLISH, MIN_MODELS, MIN_SUBSET, Column, Scores, one_level

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from cardcheck.leaderboard.runs import Runs

    Array = NDArray[np.float64]


MEDIA = ("text", "video", "audio", "image")


def medium(task: str) -> str | None:
    """Return what kind of data a task is of: `text` where it is nothing else, else the first of video, sound and image that it has."""
    known = tasks.task(task)
    if known is None:
        return None
    return next((name for name in MEDIA[1:] if name in known.modalities), "text")


def scores(runs: Runs, of: str = "text") -> tuple[Scores, Array]:
    """Return the table of one medium's tasks, and how much of each cell there is: the share (0 to 1) of the subsets that models have.

    Its models are those with a score in any such task, its columns those that enough of them have, its scores from 0 to 1. With `text`
    the table is `of_rows`'s of the same rows.
    """
    taken = _taken(runs, of)
    model, score = runs.model.of[taken], runs.score[taken]
    names, row = np.unique(model, return_inverse=True)
    order = np.argsort([runs.model.names[code] for code in names])
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    models = tuple(runs.model.names[code] for code in names[order])
    held: list[tuple[Column, Array, Array]] = []
    for column, subset, at in _columns(runs, taken):
        cells = _cells(place[row[at]], subset, score[at], len(models))
        joined = one_level(cells)
        if np.isfinite(joined).sum() >= MIN_MODELS:
            there = np.isfinite(cells[:, np.isfinite(cells).sum(axis=0) >= MIN_SUBSET])
            held.append((column, joined, there.mean(axis=1)))
    held.sort(key=lambda item: (item[0].task, item[0].other))
    shape = (len(models), len(held))
    matrix, whole = (np.array([item[part] for item in held]).T.reshape(shape) for part in (1, 2))
    return Scores(models, tuple(column for column, _, _ in held), matrix), whole


def _taken(runs: Runs, of: str) -> NDArray[np.int64]:
    """Return the rows that count: of a task of the medium, of a split that it is evaluated on, with a score from 0 to 1."""
    splits = {name: code for code, name in enumerate(runs.split.names)}
    counts = np.zeros((len(runs.task.names), len(splits) + 1), dtype=bool)
    for code, name in enumerate(runs.task.names):
        known = tasks.task(name)
        if known is not None and medium(name) == of:
            counts[code, [splits[split] for split in known.splits if split in splits]] = True
    with np.errstate(invalid="ignore"):
        return np.flatnonzero(counts[runs.task.of, runs.split.of] & (runs.score >= 0) & (runs.score <= 1))


def _columns(runs: Runs, taken: NDArray[np.int64]) -> Iterator[tuple[Column, NDArray[np.int64], NDArray[np.int64]]]:
    """Yield each column with the number of the subset of each of its rows, and their places in `taken`."""
    wide = len(runs.subset.names) + 1
    pairs, pair = np.unique(runs.task.of[taken].astype(np.int64) * wide + runs.subset.of[taken], return_inverse=True)
    english = np.array([is_english(runs.task.names[code // wide], runs.subset.names[code % wide]) for code in pairs], dtype=bool)
    group = (pairs // wide) * 2 + ~english
    if not len(pairs):
        return
    order = np.argsort(group[pair], kind="stable")
    codes, start = np.unique(group[pair][order], return_index=True)
    for code, at in zip(codes.tolist(), np.split(order, start[1:]), strict=True):
        subset = np.unique(pair[at], return_inverse=True)[1]
        yield Column(runs.task.names[code // 2], other=bool(code % 2)), subset, at


def is_english(task: str, subset: str) -> bool:
    """Tell whether a subset is English: by its name where the task has several languages, else by the task's."""
    known = tasks.task(task)
    languages = known.languages if known else ()
    return ENGLISH.fullmatch(subset) is not None if len(languages) > 1 and subset != "default" else "eng" in languages


def _cells(model: NDArray[np.int64], subset: NDArray[np.int64], score: Array, models: int) -> Array:
    """Return the mean over splits of each model's score of each subset, NaN where there is none."""
    wide = int(subset.max(initial=0)) + 1
    cell = model * wide + subset
    count = np.bincount(cell, minlength=models * wide)
    total = np.bincount(cell, weights=score, minlength=models * wide)
    means: Array = np.divide(total, count, out=np.full(models * wide, np.nan), where=count > 0)
    return means.reshape(models, wide)
