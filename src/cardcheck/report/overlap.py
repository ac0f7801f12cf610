"""What reporters show of training data and benchmarks, apart from findings: a row for each benchmark that was judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts

TITLE = "Training data and benchmarks"
SILENT = "nobody says what the model was trained on: of no benchmark can it be told whether it was seen"
HEADS = ("benchmark", "verdict", "tasks inside", "private", "zero-shot by mteb", "here")
NOTHING = "–"
# What of the group `overlap` the report for machines holds; lines on many subjects have the verdicts alone.
LISTS = ("benchmarks", "tasks", "unrecognised", "parents")
RENDERED = ("shown",)  # words for a message, made of what the other fields hold


class Row(NamedTuple):
    """A benchmark in words: what was found, `why` the two percentages differ, and the `ways` that led to the first tasks."""

    benchmark: str
    verdict: str
    inside: str
    private: str
    mteb: str
    here: str
    why: str
    ways: tuple[str, ...]

    @property
    def cells(self) -> tuple[str, ...]:
        """What stands under the heads."""
        return self.benchmark, self.verdict, self.inside, self.private, self.mteb, self.here


class Table(NamedTuple):
    """The rows, and a reason that is the same in all of them, which is said once."""

    rows: list[Row]
    why: str


def table(facts: Facts) -> Table | None:
    """Return what is to be shown; None where nobody looked, a table without rows where nothing is declared."""
    found = facts["overlap.benchmarks"] if facts.sources["overlap"].state == "known" else []
    if not found:
        return None
    if all(row["verdict"] == "not declared" for row in found):
        return Table([], SILENT)
    rows = [_row(row) for row in found]
    whys = {row.why for row in rows}
    if len(whys) == 1 and len(rows) > 1:
        return Table([row._replace(why="") for row in rows], whys.pop())
    return Table(rows, "")


def _row(row: dict[str, Any]) -> Row:
    differ = row["zero_shot"] is None or row["zero_shot"] != row["ours"]
    unsure = row["verdict"] == "cannot be verified"
    why = [unclear(row["unclear"])] * unsure + [row["why"]] * differ
    return Row(
        benchmark=row["benchmark"],
        verdict=row["verdict"],
        inside=NOTHING if row["tasks"] is None else f"{row['overlapping']} of {row['tasks']}",
        private=str(row["private"]),
        mteb=_percent(row["zero_shot"]),
        here=("≤ " if row["unclear"] and row["ours"] is not None else "") + _percent(row["ours"]),
        why="; ".join(why),
        ways=tuple(row["ways"]),
    )


def unclear(number: int) -> str:
    """Return what keeps a benchmark from being called free of overlap."""
    return f"{number} {'name' if number == 1 else 'names'} of data or parents may hold any of it"


def _percent(share: int | None) -> str:
    return NOTHING if share is None else f"{share} %"


def document(facts: Facts, *, brief: bool = False) -> dict[str, Any] | None:
    """Return the group as plain values for machines, None where nobody looked; a brief one holds the verdicts alone."""
    if facts.sources["overlap"].state != "known" or not facts["overlap.benchmarks"]:
        return None
    lists = LISTS[:1] if brief else LISTS
    held = {name: [{key: row[key] for key in row if key not in RENDERED} for row in facts[f"overlap.{name}"]] for name in lists}
    return {"annotation": facts["overlap.annotation"], **held}
