"""What the audit of a whole leaderboard saw of the model, as facts for rules. What was seen comes as plain values."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cardcheck.facts.located import Location
from cardcheck.facts.model import Source
from cardcheck.facts.schema import FIELDS, GROUPS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardcheck.facts.model import Facts

NOT_LOOKED_AT = Source("absent", "not looked at; `cardcheck leaderboard audit` looks")
SEEN = frozenset(GROUPS["board"]) | {"unknown"}
PARTS = ("board", "board.expected", "board.trained", "board.training", "board.dates")
ROWS = tuple(name for name in GROUPS["board"] if FIELDS[f"board.{name}"].kind == "rows")
FEW = "too few other results to say what is expected"


def set_board(facts: Facts, record: Mapping[str, Any]) -> None:
    """Fill the group `board` with what the audit saw: fields by their names, lists of mappings for rows.

    What is missing or null stays empty; what a row lacks is null, and a number that is none counts as missing. `unknown` maps parts
    (`board.expected`, …) to why they could not be judged; where it holds `board`, nothing could.
    """
    unknown = record.get("unknown") or {}
    facts.sources |= {part: Source("known") for part in PARTS} | {part: Source("unavailable", why) for part, why in _silent(record).items()}
    facts.sources |= {part: Source("unavailable", str(why)) for part, why in unknown.items() if part in PARTS}
    if "board" in unknown:
        facts.sources |= dict.fromkeys(PARTS, Source("unavailable", str(unknown["board"])))
        return
    for name in GROUPS["board"]:
        value = record.get(name)
        if name in ROWS:
            for row in value or ():
                keys = FIELDS[f"board.{name}"].keys
                facts.add(f"board.{name}", Location("."), **{key: _number(row.get(key)) for key in keys})
        elif (value := _number(value)) is not None:
            facts.set(f"board.{name}", value)


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _silent(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the parts of which a record says nothing, with why."""
    parts = {}
    if not record.get("expected"):
        parts["board.expected"] = FEW
    if record.get("trained_chance") is None:
        parts["board.trained"] = "too few results of one kind, measured or stated, on tasks that makers train on, or on others"
    if record.get("training") in (None, "unregistered"):
        parts["board.training"] = "mteb does not know this model"
    if not record.get("dated") or record.get("released") is None:
        parts["board.dates"] = "the store holds no days of its results" if not record.get("dated") else "no day of release is known"
    return parts
