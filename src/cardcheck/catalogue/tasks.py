"""MTEB's tasks and benchmarks, from packaged facts: read in a few milliseconds, when first asked for, without mteb."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent.parent / "data" / "tasks.json"
TASK_DEFAULTS: dict[str, Any] = {
    "type": "Retrieval",
    "data": None,
    "revision": None,
    "splits": ["test"],
    "score": "ndcg_at_10",
    "languages": "eng",
    "domains": [],
    "date": [],
    "modalities": ["text"],
    "public": True,
    "adapted_from": [],
    "superseded_by": None,
    "beta": False,
}


@dataclass(frozen=True, slots=True)
class Task:
    """An MTEB task. `data` is the data set's id on the Hub, None for a mean over tasks; `splits` are those that it is evaluated on.

    `date` is empty or holds the first and the last day of its texts. `adapted_from` are tasks that it was made from by translation, by
    leaving out or by another way of asking; `superseded_by` is the task that is to be used instead; `beta` that it is on trial.
    """

    name: str
    type: str
    data: str | None
    revision: str | None
    splits: tuple[str, ...]
    score: str
    languages: tuple[str, ...]
    domains: tuple[str, ...]
    date: tuple[str, ...]
    modalities: tuple[str, ...]
    public: bool
    adapted_from: tuple[str, ...]
    superseded_by: str | None
    beta: bool


@dataclass(frozen=True, slots=True)
class _Catalogue:
    tasks: dict[str, dict[str, Any]]
    benchmarks: dict[str, list[str]]
    source: str


@functools.cache
def _catalogue() -> _Catalogue:
    found = json.loads(FILE.read_bytes())
    return _Catalogue(found["tasks"], found["benchmarks"], f"mteb {found['mteb']}")


def source() -> str:
    """Return which version of mteb these facts are of."""
    return _catalogue().source


def names() -> tuple[str, ...]:
    """Return the names of all tasks."""
    return tuple(_catalogue().tasks)


def is_task(name: str) -> bool:
    """Tell whether this is the exact name of a task."""
    return name in _catalogue().tasks


@functools.lru_cache(maxsize=4096)
def task(name: str) -> Task | None:
    """Return the task of exactly this name."""
    given = _catalogue().tasks.get(name)
    if given is None:
        return None
    facts: dict[str, Any] = {**TASK_DEFAULTS, **given, "name": name}
    facts["languages"] = facts["languages"].split()
    for key, value in facts.items():
        if isinstance(value, list):
            facts[key] = tuple(value)
    return Task(**facts)


def benchmarks() -> tuple[str, ...]:
    """Return the names of all benchmarks."""
    return tuple(_catalogue().benchmarks)


@functools.cache
def tasks_of(benchmark: str) -> frozenset[str]:
    """Return the names of a benchmark's tasks; none for one that is not known."""
    return frozenset(_catalogue().benchmarks.get(benchmark, ()))


@functools.cache
def _neighbours() -> dict[str, set[str]]:
    """Return what each task was made from or replaced by, and the other way round, as mteb's `_create_similar_tasks` joins them."""
    found: dict[str, set[str]] = {}
    for name, facts in _catalogue().tasks.items():
        for other in (*facts.get("adapted_from", ()), facts.get("superseded_by")):
            if other:
                found.setdefault(name, set()).add(other)
                found.setdefault(other, set()).add(name)
    return found


@functools.lru_cache(maxsize=4096)
def variants(name: str) -> frozenset[str]:
    """Return the names of all tasks on the same data, this one included: translations, subsets, older and newer versions.

    These are all that can be reached over `adapted_from` and `superseded_by`, as in mteb's `_collect_similar_tasks`.
    """
    found, waiting = set(), [name]
    while waiting:
        at = waiting.pop()
        if at not in found:
            found.add(at)
            waiting += _neighbours().get(at, ())
    return frozenset(found)


@functools.cache
def by_data() -> dict[str, tuple[str, ...]]:
    """Return the tasks on each data set, by its id in lower case."""
    found: dict[str, list[str]] = {}
    for name, facts in _catalogue().tasks.items():
        if facts.get("data"):
            found.setdefault(facts["data"].lower(), []).append(name)
    return {data: tuple(held) for data, held in found.items()}


@functools.cache
def private(benchmark: str) -> int:
    """Return how many of a benchmark's tasks have data that nobody outside can see."""
    return sum(1 for name in tasks_of(benchmark) if _catalogue().tasks.get(name, {}).get("public") is False)
