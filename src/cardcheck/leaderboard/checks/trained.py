"""The pattern "high where the training data is public, ordinary elsewhere".

A model is placed by its results on all other tasks; what it scores on tasks whose data several makers are said to train on is held against
what that place leads one to expect. The mean of these differences, over its standard error and what models differ by anyway, is the
statistic; models of the board say how it usually scatters (median and median absolute deviation, as an honest model may stand anywhere).

What a maker stated and what mteb measured are never mixed: makers state results on usual tasks, which many train on, and mteb's runs of
the others went otherwise for many reasons. A model is judged by its measured results, where they are too few by the stated ones.
"""

from __future__ import annotations

from math import erfc, sqrt
from typing import TYPE_CHECKING

import numpy as np

from cardcheck.leaderboard.checks.seen import Records, declares, is_baseline, makers, points, stated
from cardcheck.leaderboard.credible_model import expit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cardcheck.leaderboard.checks.expected import Expected
    from cardcheck.leaderboard.checks.seen import Seen
    from cardcheck.leaderboard.credible_model import Factors
    from cardcheck.leaderboard.credible_table import Column

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

MAKERS = 5
INSIDE, OUTSIDE = 10, 20  # results on such tasks, and on others, that a model needs
OWN = 0.2  # variance by which models differ between tasks for reasons of their own, in units of a column's noise
MOST = 4.0  # a single cell counts no more than so many standard deviations
NORMAL = 1.4826
SHOWN = 5
FEW = 50  # models to know the usual scatter from


def find(seen: Seen) -> Records:
    """Return of each model how much higher it scores where makers train than elsewhere, and how usual that is."""
    table = seen.tables["text"]
    scores, public = table.scores, widely(table.scores.columns)
    if table.factors is None or not public.any() or public.all():
        return {}
    said = stated(seen.runs, scores)
    odds = of_one_kind(table.odds, said, public)
    lift, standard, judged = contrast(odds, public, table.factors)
    judged &= ~np.array([is_baseline(model) for model in scores.models], dtype=bool)
    if judged.sum() < FEW:
        return {}
    middle = float(np.median(standard[judged]))
    usual = NORMAL * float(np.median(np.abs(standard[judged] - middle)))
    found: Records = {}
    for row in np.flatnonzero(judged).tolist():
        model = scores.models[row]
        there = np.flatnonzero(public & np.isfinite(odds[row]))
        declared = [declares(model, scores.columns[at].task) for at in there]
        off = (float(standard[row]) - middle) / usual
        found[model] = {
            "trained_tasks": len(there),
            "trained_declared": declared.count("yes") + declared.count("named"),
            "trained_stated": bool(said[row, there].any()),
            "trained_gap": points(lift[row]),
            "trained_standard": round(off, 2),
            "trained_chance": round(erfc(off / sqrt(2)) / 2, 5),
            "trained_furthest": _furthest(table, row, there),
        }
    return found


def _furthest(table: Expected, row: int, columns: NDArray[np.int64]) -> list[str]:
    """Say of the columns furthest above what is expected what they are, and whether the model's training is said to hold them."""
    standard = np.nan_to_num(table.standard[row, columns], nan=-np.inf)
    said = {"yes": "declared", "named": "declared by another name", "no": "not declared", "unsaid": "training unsaid"}
    return [
        f"{table.scores.columns[at]}: {points(table.scores.matrix[row, at])} published, {points(expit(table.expected[row, at]))} expected; "
        f"{said[declares(table.scores.models[row], table.scores.columns[at].task)]}"
        for at in columns[np.argsort(-standard, kind="stable")][:SHOWN].tolist()
        if np.isfinite(table.standard[row, at])
    ]


def widely(columns: Sequence[Column]) -> Mask:
    """Tell which columns are of tasks on whose data several makers are said to train."""
    known = makers()
    return np.array([known.get(column.task, 0) >= MAKERS for column in columns], dtype=bool)


def of_one_kind(odds: Array, said: Mask, public: Mask) -> Array:
    """Return of each model what mteb measured, or what its maker stated (`said`) where that alone is enough to judge it."""
    measured = np.where(said, np.nan, odds)
    return np.where(_enough(measured, public)[:, None], measured, np.where(said, odds, np.nan))


def _enough(odds: Array, public: Mask) -> Mask:
    there = np.isfinite(odds)
    return np.asarray(((there & public).sum(axis=1) >= INSIDE) & ((there & ~public).sum(axis=1) >= OUTSIDE))


def contrast(odds: Array, public: Mask, factors: Factors) -> tuple[Array, Array, Mask]:
    """Return each model's mean excess (0 to 1) on the public columns, the same over its standard error, and whether there is enough."""
    outside = np.where(public, np.nan, odds)
    place, doubt = factors.place(outside)
    expected, noise = factors.expected(place), np.sqrt(factors.spread)
    there = np.isfinite(odds) & public
    off = np.where(there, np.clip((odds - expected) / noise, -MOST, MOST), 0.0)
    many = np.maximum(there.sum(axis=1), 1)
    along = there @ (factors.loading / noise[:, None]) / many[:, None]
    variance = np.einsum("mi,mij,mj->m", along, doubt, along) + 1 / many + OWN
    lift = np.where(there, expit(odds) - expit(expected), 0.0).sum(axis=1) / many
    return lift, off.sum(axis=1) / many / np.sqrt(variance), _enough(odds, public)
