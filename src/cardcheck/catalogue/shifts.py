"""How far cards and official results of a task usually lie apart: tasks change between versions of mteb, and then all cards differ alike.

Made by `python benchmarks/claims.py --write` from real cards, so that a difference that most models have is not held against one.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent.parent / "data" / "shifts.json"


class Shift(NamedTuple):
    """Points by which cards are higher than official results of a task: over so many models, the tenth to ninetieth hundredth.

    `share` of them differ by more than a point.
    """

    models: int
    share: float
    low: float
    high: float


@functools.cache
def _given() -> dict[str, list[float]]:
    found: dict[str, list[float]] = json.loads(FILE.read_bytes())["tasks"]
    return found


def shift(task: str) -> Shift | None:
    """Return the usual difference of a task; None where too few cards state it."""
    row = _given().get(task)
    return Shift(int(row[0]), *row[1:]) if row else None
