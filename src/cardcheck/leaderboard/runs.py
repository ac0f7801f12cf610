"""Which of a model's runs of a task counts, by the rules of mteb's `BenchmarkResults.join_revisions`.

The revision that mteb itself evaluates the model at comes first, then runs of a known version of mteb, then those of a known revision,
then the latest version. Experiments, and folders without a description of the model, do not count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardcheck.leaderboard import boards

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from cardcheck.leaderboard.store import Store

COLUMNS = ("model", "revision", "experiment", "task", "mteb_version", "split", "subset", "run", "described", "main_score")
TEXTS = ("model", "revision", "task", "split", "subset")
EXTERNAL = "external"  # the revision of what a maker stated, in its card mostly
NO_REVISION = (EXTERNAL, "no_revision_available")
MAIN, VERSIONED, KNOWN = 1000, 100, 10  # mteb's own weights


@dataclass(frozen=True, slots=True)
class Codes:
    """A column of texts: a number into `names` for each row, -1 where there is none."""

    names: list[str]
    of: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Runs:
    """The rows of the runs that count."""

    model: Codes
    revision: Codes
    task: Codes
    split: Codes
    subset: Codes
    score: NDArray[np.float64]


def coded(column: pa.ChunkedArray) -> Codes:
    """Return a column of the store as numbers."""
    import numpy as np

    whole = column.combine_chunks()
    numbers = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return Codes(whole.dictionary.to_pylist(), numbers)


def that_count(store: Store, tasks: Iterable[str] | None = None) -> Runs:
    """Return the rows of the one run of each model and task that counts."""
    import pyarrow.compute as pc

    table = store.rows(COLUMNS, tasks)
    table = table.filter(pc.and_(table["described"], pc.is_null(table["experiment"])))
    column = {name: coded(table[name]) for name in COLUMNS[:-3]}
    kept = _chosen(table["run"].to_numpy(), column)
    score = table["main_score"].to_numpy()[kept]
    model, revision, task, split, subset = (Codes(column[name].names, column[name].of[kept]) for name in TEXTS)
    return Runs(model, revision, task, split, subset, score)


def _chosen(run: NDArray[np.int32], column: dict[str, Codes]) -> NDArray[np.bool_]:
    """Tell of each row whether its run counts. A run is a file; they are numbered in the order of their names."""
    import numpy as np

    runs, first = np.unique(run, return_index=True)
    model, revision, task, version = (column[name].of[first] for name in ("model", "revision", "task", "mteb_version"))
    age = _ages(column["mteb_version"].names)[version]
    order = np.lexsort((runs, -age, -_priority(column, first, age), task, model))  # of two that are equal in all else, the first by name
    start = np.ones(len(order), dtype=bool)
    start[1:] = (np.diff(model[order]) != 0) | (np.diff(task[order]) != 0)
    best = order[start]
    held = np.maximum.reduceat(revision[order], np.flatnonzero(start)) if len(order) else revision
    named = held >= 0  # mteb loses what has no revision at all
    counts = np.zeros(int(run.max(initial=0)) + 1, dtype=bool)
    counts[runs[best[named]]] = True
    return counts[run]


def _priority(column: dict[str, Codes], first: NDArray[Any], age: NDArray[Any]) -> NDArray[np.int64]:
    import numpy as np

    model, revision = column["model"], column["revision"]
    at = {name: number for number, name in enumerate(revision.names)}
    main = np.array([at.get(boards.main_revision(name) or "", -2) for name in model.names])
    unknown = np.array([name in NO_REVISION for name in revision.names] + [True])  # the last is where there is none
    its = revision.of[first]
    found: NDArray[np.int64] = MAIN * (its == main[model.of[first]]) + VERSIONED * (age >= 0) + KNOWN * ~unknown[its]
    return found


def _ages(versions: list[str]) -> NDArray[np.int64]:
    """Return the place of each version of mteb among all, -1 for what is none; the last is where there is none."""
    import numpy as np
    from packaging.version import InvalidVersion, Version

    parsed: list[Version | None] = []
    for text in versions:
        try:
            parsed.append(Version(text))
        except InvalidVersion:
            parsed.append(None)
    place = {version: number for number, version in enumerate(sorted({version for version in parsed if version is not None}))}
    return np.array([-1 if version is None else place[version] for version in parsed] + [-1])
