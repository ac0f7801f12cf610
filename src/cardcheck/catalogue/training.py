"""What mteb's annotators say of each model's training data, and the zero-shot share that mteb makes of it. Read without mteb.

That nothing is said (None), that none of MTEB's data was trained on (an empty list) and a list are three things.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardcheck.catalogue import aliases, tasks
from cardcheck.catalogue import models as hub

FILE = Path(__file__).parent.parent / "data" / "training.json"


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is said of a model. `data` is None where nothing is said of its training data, which is not the same as an empty list.

    `public_data` tells where the data is to be had (or only that it is), None where no one says; `adapted_from` the model it was made from.
    """

    id: str
    data: tuple[str, ...] | None
    adapted_from: str | None = None
    released: str | None = None
    public_data: str | None = None
    public_code: bool = False
    open_weights: bool = False


@dataclass(frozen=True, slots=True)
class _Catalogue:
    models: dict[str, dict[str, Any]]
    renamed: dict[str, str]


@functools.cache
def _catalogue() -> _Catalogue:
    found = json.loads(FILE.read_bytes())
    return _Catalogue(found["models"], found["renamed"])


@functools.cache
def _by_lower_case() -> dict[str, str]:
    return {name.lower(): name for name in _catalogue().models}


def models() -> tuple[str, ...]:
    """Return the names of all models that are annotated."""
    return tuple(_catalogue().models)


@functools.lru_cache(maxsize=4096)
def annotation(name: str) -> Annotation | None:
    """Return what is said of a model by its name, whatever the capitals, or by a name that it once had."""
    known = _catalogue()
    name = known.renamed.get(name, name)
    facts = known.models.get(name)
    if facts is None:
        other = _by_lower_case().get(name.lower()) or hub.moved(name)
        return annotation(other) if other and other != name else None
    data = facts.get("data")
    if isinstance(data, str):  # as another model's
        data = known.models[data[1:]]["data"]
    public = facts.get("public_data")
    return Annotation(
        id=name,
        data=None if data is None else tuple(data),
        adapted_from=facts.get("adapted_from"),
        released=facts.get("released"),
        public_data="yes" if public is True else public,
        public_code=facts.get("public_code", False),
        open_weights=facts.get("open", False),
    )


def ancestors(name: str) -> tuple[str, ...]:
    """Return the models that a model was made from by mteb, the nearest first; the last may be one that mteb does not know."""
    found: list[str] = []
    at = annotation(name)
    while at is not None and at.adapted_from and at.adapted_from not in (name, *found):
        found.append(at.adapted_from)
        at = annotation(at.adapted_from)
    return tuple(found)


def misspelt(name: str) -> str | None:
    """Return the task whose name differs from this one, which is no task, in capitals and punctuation only."""
    return None if tasks.is_task(name) else aliases.spelled_alike(name)


def is_ambiguous(name: str) -> bool:
    """Tell whether a name may be another task's as well, however it is spelled: `STS-B`."""
    match = aliases.data_set(name)
    return match is not None and match.kind == "ambiguous"


@functools.lru_cache(maxsize=4096)
def counted(name: str, *, mended: bool = False, ambiguous: bool = False) -> frozenset[str] | None:
    """Return the tasks that mteb takes a model to be trained on, as its `ModelMeta.get_training_datasets` does; None where it cannot say.

    A parent's tasks are added where the parent is registered, and then all variants. With `mended`, misspelt names count for the tasks
    they mean, with `ambiguous` those that may mean another one too.
    """
    data: set[str] = set()
    for at in (name, *ancestors(name)):
        found = annotation(at)
        if found is None or found.data is None:  # of a parent that is silent, its own parents' data is not asked for
            if at == name:
                return None
            break
        data.update(found.data)
    if mended:
        data.update(task for item in data.copy() if (task := misspelt(item)) and (ambiguous or not is_ambiguous(item)))
    return frozenset(variant for item in data for variant in tasks.variants(item))


def zero_shot(name: str, benchmark: str, *, mended: bool = False, ambiguous: bool = False) -> int | None:
    """Return the share of a benchmark's tasks that mteb counts as not trained on, in percent: its `ModelMeta.zero_shot_percentage`."""
    trained, held = counted(name, mended=mended, ambiguous=ambiguous), tasks.tasks_of(benchmark)
    if trained is None or not held:
        return None
    return int(100 - 100 * (len(trained & held) / len(held)))
