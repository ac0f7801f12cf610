"""Why a model's credible score departs from the mean of its results, in words that describe and do not accuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardcheck.catalogue import training
from cardcheck.leaderboard.credible_table import Column, bare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cardcheck.leaderboard.credible_model import Factors

    Array = NDArray[np.float64]

FAR = 2.0  # standard deviations of a column's noise beyond which a cell is called unexpected
NAMED = 4
FEW = 10


def reasons(model: str, columns: Sequence[Column], logits: Array, factors: Factors) -> tuple[str, ...]:
    """Return what is to be said of a model's results: unexpected ones, declared training, languages, how few there are."""
    there = np.isfinite(logits)
    place, _ = factors.place(logits[None, :])
    off = np.where(there, (logits - factors.expected(place)[0]) / np.sqrt(factors.spread), 0.0)
    declared = training.counted(bare(model))
    trained = np.array([declared is not None and column.task in declared for column in columns], dtype=bool)
    return tuple(
        text
        for text in (
            _unexpected(columns, off, trained),
            _low(columns, off),
            _training(columns, there, trained, known=declared is not None),
            _languages(columns, there),
            f"rests on {int(there.sum())} results only" if there.sum() < FEW else "",
        )
        if text
    )


def _names(columns: Sequence[Column], found: list[int]) -> str:
    shown = ", ".join(str(columns[j]) for j in found[:NAMED])
    return shown + (f" and {len(found) - NAMED} more" if len(found) > NAMED else "")


def _unexpected(columns: Sequence[Column], off: Array, trained: NDArray[np.bool_]) -> str:
    found = [int(j) for j in np.argsort(-off, kind="stable") if off[j] > FAR]
    if not found:
        return ""
    also = sum(1 for j in found if trained[j])
    said = f"; {also} of them on data that its training declares" if also else ""
    return f"higher than its other results lead one to expect, so counted less: {_names(columns, found)}{said}"


def _low(columns: Sequence[Column], off: Array) -> str:
    found = [int(j) for j in np.argsort(off, kind="stable") if off[j] < -FAR]
    return f"lower than its other results lead one to expect, so counted less: {_names(columns, found)}" if found else ""


def _training(columns: Sequence[Column], there: NDArray[np.bool_], trained: NDArray[np.bool_], *, known: bool) -> str:
    if not known:
        return "nothing is said of its training data"
    count = len({columns[j].task for j in np.flatnonzero(there & trained).tolist()})
    return f"its declared training covers {count} of the tasks that it has results on" if count else ""


def _languages(columns: Sequence[Column], there: NDArray[np.bool_]) -> str:
    other = any(columns[j].other for j in np.flatnonzero(there).tolist())
    return "" if other else "no results in other languages than English: those are expected as for models like it"
