"""A small leaderboard whose truth is known, as a store: models of one place each, and what a test changes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cardcheck.catalogue import tasks
from cardcheck.leaderboard.checks.seen import makers
from cardcheck.leaderboard.store import open_store
from cardcheck.leaderboard.tables import sync_table

if TYPE_CHECKING:
    from pathlib import Path

    from cardcheck.leaderboard.store import Store

ENGLISH = {
    min(tasks.variants(name)): name  # of each family one task
    for name in tasks.names()
    if (task := tasks.task(name))
    and (task.modalities, task.languages, task.public) == (("text",), ("eng",), True)
    and len(task.splits) == 1
}
WIDELY = [name for name in ENGLISH.values() if makers().get(name, 0) >= 5][:20]
NOBODY = [name for name in ENGLISH.values() if not makers().get(name)][:40]
TASKS = WIDELY + NOBODY
MODELS = [f"owner{number}/model-{number}" for number in range(60)]


def scores(seed: int = 0) -> dict[str, dict[str, float]]:
    """Return of each model its score of each task, from what it is good at, how hard the task is, and noise, on the scale of log odds."""
    draw = np.random.default_rng(seed)
    place = draw.normal(0.5, 0.6, len(MODELS))[:, None] * draw.uniform(0.7, 1.3, len(TASKS))
    place += draw.normal(0, 0.3, (len(MODELS), 2)) @ draw.normal(0, 1, (2, len(TASKS)))  # as models have their fields
    odds = place + draw.normal(0, 0.6, len(TASKS)) + draw.normal(0, 0.12, place.shape)
    shares = np.round(1 / (1 + np.exp(-odds)), 6)
    return {model: dict(zip(TASKS, row, strict=True)) for model, row in zip(MODELS, shares.tolist(), strict=True)}


def store(folder: Path, given: dict[str, dict[str, float]], *more: dict[str, Any], revision: str = "1") -> Store:
    """Return a store of these scores, of each task's first split, and of further rows."""
    rows: list[dict[str, Any]] = [row(model, task, score, revision) for model, held in given.items() for task, score in held.items()]
    table, file = folder / "scores.parquet", folder / "store.parquet"
    pq.write_table(pa.Table.from_pylist([*rows, *more]), table)
    sync_table(table, file, again=True)
    return open_store(file)


def row(model: str, task: str, score: float, revision: str = "1") -> dict[str, Any]:
    """Return a row of a table of scores."""
    known = tasks.task(task)
    split = known.splits[0] if known else "test"
    return {"model": model, "revision": revision, "task": task, "split": split, "subset": "default", "main_score": score}
