"""Of which weights the results are, and from when: revisions that are not known, and results older than the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cardcheck.catalogue import training
from cardcheck.leaderboard import boards
from cardcheck.leaderboard.checks.seen import Records, is_baseline
from cardcheck.leaderboard.credible_table import bare
from cardcheck.leaderboard.runs import NO_REVISION, coded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardcheck.leaderboard.checks.seen import Seen
    from cardcheck.leaderboard.runs import Codes

SLACK = np.timedelta64(2, "D")  # days of two time zones, and a release that is announced when it was measured
COMMIT = 40  # letters of a commit's name: other revisions are names that interfaces and mteb give, which cannot be compared


def find(seen: Seen) -> Records:
    """Return of each model how many tasks are of no known revision or another than mteb's, and which results are older than it."""
    table = seen.store.rows(("model", "task", "revision", "described", "date"))
    described = table["described"].to_numpy(zero_copy_only=False)
    model, task, revision = (coded(table[name]) for name in ("model", "task", "revision"))
    days = table["date"].to_numpy().astype("datetime64[D]")
    inside = np.array([name in seen.inside for name in task.names], dtype=bool)[task.of]
    at = np.flatnonzero(described & inside)
    key = (model.of[at].astype(np.int64) * (len(task.names) + 1) + task.of[at]) * (len(revision.names) + 2) + revision.of[at] + 1
    runs = at[np.unique(key, return_index=True)[1]]
    start = np.unique(model.of[runs], return_index=True)[1]
    found: Records = {}
    for its in np.split(runs, start[1:]) if len(runs) else ():
        name = model.names[model.of[its[0]]]
        if not is_baseline(name):
            found[name] = _revisions(name, its, task, revision) | _older(name, its, task, days)
    return found


def _revisions(model: str, runs: NDArray[np.int64], task: Codes, revision: Codes) -> dict[str, Any]:
    """Count the tasks of which a known revision was run, none is known, and another than mteb's."""
    own, held = boards.main_revision(model), dict[str, set[str]]()
    for at in runs.tolist():
        held.setdefault(task.names[task.of[at]], set()).add(revision.names[revision.of[at]] if revision.of[at] >= 0 else "")
    unknown = sum(1 for names in held.values() if not names - {*NO_REVISION, ""})
    comparable = own is not None and len(own) == COMMIT
    others = sorted({name for names in held.values() if own not in names for name in names if len(name) == COMMIT}) if comparable else []
    return {
        "results": len(held),
        "stated_only": sum(1 for names in held.values() if names == {"external"}),
        "no_revision": unknown,
        "other_revision": sum(1 for names in held.values() if own not in names and names & set(others)),
        "revision": own,
        "other_revisions": others[:5],
    }


def _older(model: str, runs: NDArray[np.int64], task: Codes, days: NDArray[np.datetime64]) -> dict[str, Any]:
    """Return the results from before the day on which the model was released, by what mteb and the files say."""
    known = training.annotation(bare(model))
    its = days[runs]
    dated = runs[~np.isnat(its)]
    found: dict[str, Any] = {"released": known.released if known else None, "dated": len(dated), "older": []}
    if known is None or known.released is None or not len(dated):
        return found
    before = dated[days[dated] < np.datetime64(known.released) - SLACK]
    for at in before[np.argsort(days[before])][:40].tolist():
        name, day = task.names[task.of[at]], str(days[at])
        found["older"].append({"task": name, "date": day, "evidence": [f"{name}: run on {day}, the model is of {known.released}"]})
    return found
