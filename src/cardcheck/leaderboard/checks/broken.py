"""Scores that no model gets: out of their scale, no number, of another metric than the task's; and tasks of which only a part was run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cardcheck.catalogue import tasks
from cardcheck.leaderboard.boards import Board
from cardcheck.leaderboard.checks.seen import Records, points
from cardcheck.leaderboard.runs import coded
from cardcheck.leaderboard.store import METRICS
from cardcheck.leaderboard.table import of_runs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardcheck.leaderboard.checks.seen import Seen
    from cardcheck.leaderboard.runs import Codes, Runs

    Mask = NDArray[np.bool_]

SIGNED = frozenset({"cosine_spearman", "p-MRR", "kendalltau"})  # may be below zero
PER_HUNDRED = frozenset({"p-MRR"})  # are from -100 to 100
DIFFERS = 0.0005
MOST = 40


def find(seen: Seen) -> Records:
    """Return of each model its scores that cannot be, and its tasks that were run in part."""
    found: Records = {}
    for model, row in (*_scales(seen), *_metrics(seen)):
        found.setdefault(model, {}).setdefault("scales", []).append(row)
    for model, row in _parts(seen):
        found.setdefault(model, {}).setdefault("parts", []).append(row)
    return {model: {name: rows[:MOST] for name, rows in held.items()} for model, held in found.items()}


def _metric(task: str) -> str | None:
    known = tasks.task(task)
    return known.score if known is not None and known.type != "Speed" else None


def _scales(seen: Seen) -> list[tuple[str, dict[str, Any]]]:
    """Return the scores that are no number or lie outside what their metric can be, a row for each model and task."""
    runs = seen.runs
    names = [_metric(name) for name in runs.task.names]
    most = np.array([100.0 if name in PER_HUNDRED else 1.0 for name in names])[runs.task.of]
    least = np.array([-1.0 if name in SIGNED else 0.0 for name in names])[runs.task.of] * most
    counts = _of_the_task(runs, seen.inside)
    slack = 1e-6
    with np.errstate(invalid="ignore"):
        wrong = counts & ~((runs.score >= least - slack) & (runs.score <= most + slack))
    rows = []
    for at in _one_each(runs.model, runs.task, wrong):
        score, task = float(runs.score[at]), runs.task.names[runs.task.of[at]]
        problem = "no number" if np.isnan(score) else "above" if score > most[at] else "below"
        line = f"{task}, {runs.split.names[runs.split.of[at]]}, {runs.subset.names[runs.subset.of[at]]}: {score:g}"
        rows.append((runs.model.names[runs.model.of[at]], _scale(task, names[runs.task.of[at]], problem, line)))
    return rows


def _of_the_task(runs: Runs, inside: frozenset[str]) -> Mask:
    """Tell which rows are of these tasks and of a split that is evaluated: other splits may well have no labels, and so no score."""
    splits = {name: code for code, name in enumerate(runs.split.names)}
    counts = np.zeros((len(runs.task.names), len(splits) + 1), dtype=bool)
    for code, name in enumerate(runs.task.names):
        known = tasks.task(name) if name in inside and _metric(name) else None
        counts[code, [splits[split] for split in (known.splits if known else ()) if split in splits]] = True
    return counts[runs.task.of, runs.split.of]


def _scale(task: str, metric: str | None, problem: str, line: str) -> dict[str, Any]:
    return {"task": task, "metric": metric or "", "problem": problem, "evidence": [line]}


def _one_each(model: Codes, task: Codes, held: Mask) -> list[int]:
    """Return a row of each pair of model and task among these."""
    at = np.flatnonzero(held)
    key = model.of[at].astype(np.int64) * (len(task.names) + 1) + task.of[at]
    return [int(one) for one in at[np.unique(key, return_index=True)[1]]]


def _metrics(seen: Seen) -> list[tuple[str, dict[str, Any]]]:
    """Return where the main score is not the metric that the task has as its main one, though the file has that too."""
    table = seen.store.rows(("model", "task", "split", "described", "main_score", *METRICS))
    model, task = coded(table["model"]), coded(table["task"])
    main = table["main_score"].to_numpy()
    described = table["described"].to_numpy(zero_copy_only=False)
    rows = []
    for metric in METRICS:
        its = np.array([name in seen.inside and _metric(name) == metric for name in task.names], dtype=bool)[task.of]
        given = table[metric].to_numpy().astype(np.float64)
        with np.errstate(invalid="ignore"):
            wrong = its & described & (np.abs(given - main) > DIFFERS)
        for at in _one_each(model, task, wrong):
            name = task.names[task.of[at]]
            line = f"{name}: main score {main[at]:.4f}, {metric} {given[at]:.4f} in the same file"
            rows.append((model.names[model.of[at]], _scale(name, metric, "another metric", line)))
    return rows


def _parts(seen: Seen) -> list[tuple[str, dict[str, Any]]]:
    """Return the board's tasks of which a model lacks splits or languages that count, so that it has no score there."""
    if seen.board is None:
        return []
    table = of_runs(seen.runs, Board(seen.board.name, seen.board.scopes))
    lacking = np.isfinite(table.partial) & np.isnan(table.matrix)
    return [
        (
            table.models[model],
            {
                "task": table.tasks[at],
                "published": points(table.partial[model, at]),
                "evidence": [f"{table.tasks[at]}: {points(table.partial[model, at])} over the parts that it has"],
            },
        )
        for model, at in np.argwhere(lacking).tolist()
    ]
