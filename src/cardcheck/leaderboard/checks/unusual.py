"""Cells and families of tasks that lie far from what all other results of the model lead one to expect.

How far is far is measured on the board itself: of the cells of tasks on whose data no maker is said to train, few lie as high as this
one. That share is a conformal p-value: the false alarms among cells that training cannot have lifted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cardcheck.leaderboard.checks.seen import Records, declares, is_baseline, makers, points
from cardcheck.leaderboard.credible_model import expit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardcheck.leaderboard.checks.expected import Expected
    from cardcheck.leaderboard.checks.seen import Seen

    Array = NDArray[np.float64]

CHANCE = 0.002  # of the cells of tasks that nobody trains on, so many lie as high
HIGH = 0.05  # less than five points above what is expected changes no choice
LOW, LOW_STANDARD = 0.2, 6.0
WHOLE = 0.5  # a model that ran few of a task's languages may be made for these
LEAST = 500  # cells to measure chance on
SCATTER, SCATTER_CELLS = 2.0, 20
MOST = 40  # rows of a kind that a model has
FAMILY = 2  # columns


def find(seen: Seen) -> Records:
    """Return of each model the cells and families that are unexpectedly high or low, and how far its results scatter."""
    found: Records = {}
    for table in seen.tables.values():
        inside = np.array([seen.covers(column) for column in table.scores.columns], dtype=bool)
        gap = table.scores.matrix - expit(table.expected)
        chance = chances(table)
        with np.errstate(invalid="ignore"):
            high = inside & (chance <= CHANCE) & (gap >= HIGH) & (table.whole >= WHOLE) & (table.scores.matrix > _middle(table))
            low = inside & (table.standard <= -LOW_STANDARD) & (gap <= -LOW)
        for row, model in enumerate(table.scores.models):
            if is_baseline(model):
                continue
            own = found.setdefault(model, {"expected": 0, "scatter": None, "high": [], "low": []})
            _scatter(table, row, own)
            own["high"] += _high(table, row, np.flatnonzero(high[row]), chance[row])[:MOST]
            own["low"] += _low(table, row, np.flatnonzero(low[row]))[:MOST]
    return found


def chances(table: Expected) -> Array:
    """Return what share of the cells on data that nobody is said to train on lie as high as each cell; 1 where there are too few."""
    known = makers()
    nobody = np.array([not known.get(column.task) for column in table.scores.columns], dtype=bool)
    real = ~np.array([is_baseline(model) for model in table.scores.models], dtype=bool)
    steady = table.steady
    held = steady[np.ix_(real, nobody)]
    held = np.sort(held[np.isfinite(held)])
    if len(held) < LEAST:
        return np.ones_like(steady)
    above = len(held) - np.searchsorted(held, steady, side="left")
    return np.where(np.isfinite(steady), (1 + above) / (len(held) + 1), 1.0)


def _middle(table: Expected) -> Array:
    """Return the median of each column: what half of all models reach, with a guess perhaps, is not high."""
    return np.nanmedian(table.scores.matrix, axis=0) if table.scores.columns else np.zeros(0)


def _scatter(table: Expected, row: int, own: dict[str, Any]) -> None:
    cells = int(np.isfinite(table.standard[row]).sum())
    if cells > own["expected"]:
        own["expected"] = cells
        own["scatter"] = round(float(table.scatter[row]), 2) if cells >= SCATTER_CELLS else None


def _high(table: Expected, row: int, columns: NDArray[np.int64], chance: Array) -> list[dict[str, Any]]:
    """Return a row for each family with cells that are too high, the furthest first."""
    held: dict[int, list[int]] = {}
    for at in columns[np.argsort(-table.steady[row, columns], kind="stable")].tolist():
        held.setdefault(int(table.families[at]), []).append(at)
    return [_row(table, row, found, chance) for found in held.values()]


def _row(table: Expected, row: int, found: list[int], chance: Array) -> dict[str, Any]:
    """Describe a family by its cell that is furthest off; the others are its evidence."""
    at, column = found[0], table.scores.columns[found[0]]
    low, high = (float(expit(table.expected[row, at] + side * table.wide * table.error[row, at])) for side in (-1, 1))
    known = makers()
    return {
        "task": column.task,
        "name": str(column),
        "published": points(table.scores.matrix[row, at]),
        "expected": points(expit(table.expected[row, at])),
        "low": points(low),
        "high": points(high),
        "standard": round(float(table.standard[row, at]), 1),
        "chance": round(float(chance[at]), 5),
        "declared": declares(table.scores.models[row], column.task),
        "makers": known.get(column.task, 0),
        "cells": len(found),
        "evidence": [_line(table, row, one) for one in found],
    }


def _line(table: Expected, row: int, at: int) -> str:
    """Say what a cell is beside what is expected there, and what the models get that are nearest to it in the column."""
    others = np.sort(table.scores.matrix[np.isfinite(table.scores.matrix[:, at]), at])[::-1]
    place = int((others > table.scores.matrix[row, at]).sum()) + 1
    part = "" if table.whole[row, at] > WHOLE else f" over {table.whole[row, at]:.0%} of its parts"
    published, expected = points(table.scores.matrix[row, at]), points(expit(table.expected[row, at]))
    return (
        f"{table.scores.columns[at]}: {published} published{part}, {expected} expected from its other results; "
        f"place {place} of {len(others)}, the best has {points(others[0])}, the median {points(np.median(others))}"
    )


def _low(table: Expected, row: int, columns: NDArray[np.int64]) -> list[dict[str, Any]]:
    order = columns[np.argsort(table.standard[row, columns], kind="stable")]
    return [
        {
            "task": table.scores.columns[at].task,
            "name": str(table.scores.columns[at]),
            "published": points(table.scores.matrix[row, at]),
            "expected": points(expit(table.expected[row, at])),
            "standard": round(float(table.standard[row, at]), 1),
            "hundredth": _is_hundredth(table, row, at),
            "evidence": [_line(table, row, at)],
        }
        for at in order.tolist()
    ]


def _is_hundredth(table: Expected, row: int, at: int) -> bool:
    """Tell whether a hundred times the score would be what is expected: a share that was divided by a hundred once too often."""
    given = float(table.scores.matrix[row, at])
    low, high = (float(expit(table.expected[row, at] + side * table.error[row, at])) for side in (-1, 1))
    return 0.0051 < given < 0.01 and low <= 100 * given <= high  # scores are held 0.005 off the ends
