"""Scores that a maker reported against those of mteb's own runs: of the same task, and of one model's tasks of either kind as a whole.

Runs of revision `external` are what makers stated, in their cards mostly. Where a task changed between the two all models differ alike;
so what is held against a model is how much it differs more than the median model does on that task.
"""

from __future__ import annotations

from math import erfc, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from cardcheck.leaderboard.checks.seen import Records, is_baseline, points, stated
from cardcheck.leaderboard.runs import EXTERNAL, coded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardcheck.leaderboard.checks.expected import Expected
    from cardcheck.leaderboard.checks.seen import Seen

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

APART = 0.02
USUAL_OF = 5  # models that say how a task changed
FEWEST = 10  # results of either kind
MOST = 40


def find(seen: Seen) -> Records:
    """Return of each model where its maker's scores and mteb's differ, and whether its maker's fit the rest less than mteb's do."""
    found: Records = {}
    for model, row in _both(seen):
        found.setdefault(model, {"reported": []})["reported"].append(row)
    for held in found.values():
        held["reported"] = sorted(held["reported"], key=lambda row: -abs(row["difference"]))[:MOST]
    for table in seen.tables.values():
        for model, values in _lean(table, stated(seen.runs, table.scores)).items():
            found.setdefault(model, {}).update(values)
    return found


def _both(seen: Seen) -> list[tuple[str, dict[str, Any]]]:
    """Return the scores that both a maker and mteb have, where they lie further apart than the median model's of that task."""
    table = seen.store.rows(("model", "task", "revision", "split", "subset", "described", "main_score"))
    column = {name: coded(table[name]) for name in ("model", "task", "revision", "split", "subset")}
    score = table["main_score"].to_numpy()
    counts = table["described"].to_numpy(zero_copy_only=False) & np.isfinite(score)
    external = np.array([name == EXTERNAL for name in column["revision"].names] + [False], dtype=bool)[column["revision"].of]
    key = np.zeros(len(score), dtype=np.int64)
    for name in ("model", "task", "split", "subset"):
        key = key * (len(column[name].names) + 2) + column[name].of + 1
    mine, theirs = np.flatnonzero(counts & external), np.flatnonzero(counts & ~external)
    common, first, second = np.intersect1d(key[mine], key[theirs], return_indices=True)
    if not len(common):
        return []
    one, two = mine[first], theirs[second]
    apart = score[one] - score[two]
    apart -= _usual(column["task"].of[one], apart)
    return [
        (column["model"].names[column["model"].of[a]], _row(column["task"].names[column["task"].of[a]], score[a], score[b], gap))
        for a, b, gap in zip(one.tolist(), two.tolist(), apart.tolist(), strict=True)
        if abs(gap) >= APART and column["task"].names[column["task"].of[a]] in seen.inside
    ]


def _usual(task: NDArray[np.int32], apart: Array) -> Array:
    """Return by how much a task's stated scores usually exceed mteb's; nothing where few models say so."""
    usual = np.zeros(len(apart))
    for code in np.unique(task):
        its = task == code
        if its.sum() >= USUAL_OF:
            usual[its] = np.median(apart[its])
    return usual


def _row(task: str, stated: float, official: float, gap: float) -> dict[str, Any]:
    line = f"{task}: {points(stated)} reported, {points(official)} in mteb's run"
    return {"task": task, "reported": points(stated), "official": points(official), "difference": points(gap), "evidence": [line]}


def _lean(table: Expected, said: Mask) -> Records:
    """Return of models with both kinds of results how much further the stated ones lie above what is expected (Welch's test).

    Families of tasks count once: their cells err together. English tasks only: what a maker states is mostly of the languages that the
    model is made for, where it is better anyway.
    """
    english = np.array([not column.other for column in table.scores.columns], dtype=bool)
    found: Records = {}
    for row, model in enumerate(table.scores.models):
        if is_baseline(model):
            continue
        at = np.flatnonzero(np.isfinite(table.steady[row]) & english)
        own = said[row, at]
        kinds = [_by_family(table, row, at[held]) for held in (own, ~own)]
        if min(map(len, kinds)) < FEWEST:
            continue
        difference = float(kinds[0].mean() - kinds[1].mean())
        error = sqrt(sum(float(kind.var(ddof=1)) / len(kind) for kind in kinds)) or 1e-9
        found[model] = {
            "reported_results": int(own.sum()),
            "reported_standard": round(difference, 2),
            "reported_chance": round(erfc(difference / error / sqrt(2)) / 2, 6),
        }
    return found


def _by_family(table: Expected, row: int, at: NDArray[np.int64]) -> Array:
    return np.array([table.steady[row, at[table.families[at] == one]].mean() for one in np.unique(table.families[at])])
