"""Which scores of MTEB tasks a card states: in model-index, in `.eval_results` and in its tables, one claim a part of a task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardcheck.catalogue import aliases, tasks
from cardcheck.facts.datasets import task_name
from cardcheck.facts.located import Location
from cardcheck.facts.tables import NUMBER, shown_scores

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts

INDEX, EVAL, TABLE = "model-index", ".eval_results", "table"
MAX_CLAIMS = 2000
MAIN = "main_score"
MOST = 100.0


@dataclass(frozen=True, slots=True)
class Number:
    """A score as the card has it: in points from 0 to 100, half a step of its last digit, as written, and where."""

    points: float
    half: float
    written: str
    place: Location


@dataclass(slots=True)
class Claim:
    """What a card states of one part of a task; None stands for what it does not say. `numbers` go by metric, as `metric_name` gives it."""

    task: str
    split: str | None
    subset: str | None
    revision: str | None
    origin: str
    numbers: dict[str, Number]


def claims(facts: Facts) -> list[Claim]:
    """Return what the card states, model-index first; of a task that stands there the tables say nothing new."""
    found = [*_indexed(facts), *_evaluated(facts)]
    told = {claim.task for claim in found}
    return [*found, *(claim for claim in _shown(facts) if claim.task not in told)][:MAX_CLAIMS]


def metric_name(metric: str) -> str:
    """Return a metric's name in the spelling of today: `cos_sim_spearman` and `cosine_spearman` are one."""
    name = metric.lower().replace("@", "_at_").replace("-", "_").replace(" ", "_")
    return name.replace("cos_sim", "cosine")


def _indexed(facts: Facts) -> Iterator[Claim]:
    rows = [row for row in facts["results.entries"] if row["value"] is not None and row["range"]]
    factor = 100.0 if rows and max(abs(row["value"]) for row in rows) <= 1.0 else 1.0
    held: dict[tuple[Any, ...], Claim] = {}
    for row in rows:
        task = _task(row["dataset"], row["dataset_id"])
        key = (task, row["model"], row["config"], row["split"], row["dataset"])
        if task is None:
            continue
        claim = held.setdefault(key, Claim(task, row["split"], row["config"], row["revision"], INDEX, {}))
        claim.numbers.setdefault(metric_name(row["metric"]), _number(row["written"], row["value"], factor, row))
    yield from held.values()


def _evaluated(facts: Facts) -> Iterator[Claim]:
    """Yield what stands in `.eval_results`; mteb names a row `{task}_{subset}_{split}`, or by the task alone."""
    for row in facts["evalresults.entries"]:
        name, _, part = (row["task"] or "").partition("_")
        task = aliases.spelled_alike(row["task"] or "") or aliases.spelled_alike(name)
        if task is None or row["value"] is None:
            continue
        subset, _, split = part.rpartition("_") if task != row["task"] else ("", "", "")
        yield Claim(task, split or None, subset or None, None, EVAL, {MAIN: _number(row["written"], row["value"], 1.0, row)})


def _shown(facts: Facts) -> Iterator[Claim]:
    for shown in shown_scores(facts, aliases.spelled()):
        numbers = {one.place: found for one in shown if (found := NUMBER.match(one.written))}
        factor = 100.0 if numbers and all(float(found[1]) <= 1.0 for found in numbers.values()) else 1.0
        for one in shown:
            found = numbers.get(one.place)
            task = aliases.spelled_alike(one.key)
            if found is None or task is None or float(found[1]) * factor > MOST:
                continue
            half = factor * 0.5 * 10.0 ** -len(found[2] or "")
            number = Number(float(found[1]) * factor, half, one.written, one.place)
            yield Claim(task, None, None, None, TABLE, {_named(task, one.metrics): number})


def _named(task: str, metrics: set[str]) -> str:
    """Return the metric of a table that names none or one: the task's own, unless the table speaks of another kind."""
    known = tasks.task(task)
    main = metric_name(known.score) if known else MAIN
    if not metrics or any(name in main for name in metrics):
        return MAIN
    return min(metrics)


def _task(name: str | None, data_id: str | None) -> str | None:
    if found := aliases.spelled_alike(task_name(name)):
        return found
    on_data = tasks.by_data().get((data_id or "").lower(), ())
    return on_data[0] if len(on_data) == 1 and task_name(name).startswith(on_data[0].lower()[:6]) else None


def _number(written: str, value: float, factor: float, row: dict[str, Any]) -> Number:
    digits = len(written.partition(".")[2])
    place = Location(row["file"], row["line"], row["column"])
    return Number(value * factor, max(factor * 0.5 * 10.0**-digits, 0.0005), written, place)
