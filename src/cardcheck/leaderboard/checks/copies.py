"""Models that share scores: exact copies, partial ones, and models so near to each other that they are all but one.

Two measurements of different models agree to four decimals now and then: on small test sets, and where a task is too hard or too easy.
How often is counted for each task over pairs of models that have nothing to do with each other: other owners, no common declared ancestor.
For a pair, the chance of so many agreements is bounded after Chernoff: with an agreement in task t worth -log p_t,
P(sum >= x) <= prod_t (1 - p_t + p_t^(1-h)) e^(-hx) for each h from 0 to 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cardcheck.catalogue import tasks, training
from cardcheck.leaderboard.checks.seen import Records, is_baseline
from cardcheck.leaderboard.credible_table import bare, owner
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cardcheck.leaderboard.checks.seen import Seen
    from cardcheck.leaderboard.runs import Runs

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

EQUAL = 5.1e-5  # rounded to four decimals, as cards print
NEAR = 0.0025  # a quarter of a point: what another machine, data type or batch size changes at most
HALF_POWERS = (0.3, 0.5, 0.7)
RAREST = 0.002  # no agreement is held to be rarer by chance, however few pairs there were to see it on
SURE = -25.0  # log of the bound; of 200,000 pairs, by chance fewer than one in a million boards has such a one
EXACT, ALL_BUT = 0.9, 0.75  # shares of the common tasks
FEWEST, FEWEST_NEAR = 5, 8  # tasks
NOT_CLOSE = 0.5  # of the tasks within a tenth of a point, so many must be equal: models alike have both
TENTH = 0.001
SHOWN = 5
MOST = 20
# What tells a copy in another number format from its original
FORMAT = Pattern(
    r"[-_. ](?:u?int[48]|fp(?:8|16|32)|bf16|f16|q[2-8](?:_[\w.]{1,4})?|[48]-?bit|awq|gptq|gguf|onnx|openvino|quantized|binary)(?![a-z\d])"
)


@dataclass(frozen=True, slots=True)
class Means:
    """Models, tasks, and the mean of all that a model has of a task (NaN where it has nothing)."""

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    scores: Array


@dataclass(frozen=True, slots=True)
class Pairs:
    """Of each pair of models (square, both ways): tasks that both have, agreements, and the log of their chance."""

    shared: NDArray[np.int32]
    equal: NDArray[np.int32]
    tenth: NDArray[np.int32]
    near: NDArray[np.int32]
    equal_chance: Array
    near_chance: Array


def find(seen: Seen) -> Records:
    """Return of each model those that it shares scores with."""
    table = means(seen.runs)
    pairs = compare(table.scores, related(table.models))
    found: Records = {}
    for one, other, kind in shared(pairs):
        if is_baseline(table.models[one]) or is_baseline(table.models[other]):
            continue
        for at, to in ((one, other), (other, one)):
            found.setdefault(table.models[at], {"copies": []})["copies"].append(_row(table, pairs, at, to, kind))
    for held in found.values():
        held["copies"] = sorted(held["copies"], key=lambda row: (row["kind"] != "exact", -row["equal"], row["other"]))[:MOST]
    return found


def means(runs: Runs) -> Means:
    """Return the mean score of each model and task over the splits that the task is evaluated on, whatever its subsets."""
    splits = {name: code for code, name in enumerate(runs.split.names)}
    counts = np.zeros((len(runs.task.names), len(splits) + 1), dtype=bool)
    for code, name in enumerate(runs.task.names):
        known = tasks.task(name)
        counts[code, [splits[split] for split in (known.splits if known else ()) if split in splits]] = True
    at = np.flatnonzero(counts[runs.task.of, runs.split.of] & np.isfinite(runs.score))
    wide = len(runs.task.names)
    cell = runs.model.of[at].astype(np.int64) * wide + runs.task.of[at]
    size = len(runs.model.names) * wide
    count, total = np.bincount(cell, minlength=size), np.bincount(cell, weights=runs.score[at], minlength=size)
    scores = np.divide(total, count, out=np.full(size, np.nan), where=count > 0).reshape(len(runs.model.names), wide)
    return Means(tuple(runs.model.names), tuple(runs.task.names), scores)


def related(models: Sequence[str]) -> Mask:
    """Tell which models (square) have one owner, or an ancestor in common that mteb declares, or are each other's."""
    owners = np.unique([owner(model) for model in models], return_inverse=True)[1]
    found = np.asarray(owners[:, None] == owners[None, :])
    lines: dict[str, list[int]] = {}
    for at, model in enumerate(models):
        for name in (bare(model), *training.ancestors(bare(model))):
            lines.setdefault(name, []).append(at)
    for held in lines.values():
        found[np.ix_(held, held)] = True
    return found


def compare(scores: Array, kin: Mask) -> Pairs:
    """Compare all models (rows) task by task (columns, from 0 to 1)."""
    size = len(scores)
    counts = [np.zeros((size, size), dtype=np.int32) for _ in range(4)]
    parts = [_Chance(size) for _ in range(2)]
    for column in scores.T:
        at = np.flatnonzero(np.isfinite(column))
        if len(at) < 2:
            continue
        cell = np.ix_(at, at)
        apart = np.abs(column[at][:, None] - column[at][None, :])
        strangers = ~kin[cell]
        equal, near = apart <= EQUAL, apart <= NEAR
        for count, there in zip(counts, (True, equal, apart <= TENTH, near), strict=True):
            count[cell] += there
        for part, there in zip(parts, (equal, near), strict=True):
            part.add(cell, there, strangers)
    common, same, tenth, close = counts
    return Pairs(common, same, tenth, close, parts[0].bound(), parts[1].bound())


class _Chance:
    """The bound on the chance of a pair's agreements, task by task."""

    def __init__(self, size: int) -> None:
        self.worth = np.zeros((size, size))
        self.grown = [np.zeros((size, size)) for _ in HALF_POWERS]

    def add(self, cell: Any, there: Mask, strangers: Mask) -> None:
        """Add a task: which of its models' pairs agree, and which have nothing to do with each other."""
        chance = max((1 + (there & strangers).sum()) / (2 + strangers.sum()), RAREST)
        self.worth[cell] += there * -np.log(chance)
        for power, grown in zip(HALF_POWERS, self.grown, strict=True):
            grown[cell] += np.log(1 - chance + chance ** (1 - power))

    def bound(self) -> Array:
        """Return the log of the bound, 0 where there is none."""
        each = [grown - power * self.worth for power, grown in zip(HALF_POWERS, self.grown, strict=True)]
        return np.asarray(np.minimum(np.min(each, axis=0), 0.0))


def shared(pairs: Pairs) -> list[tuple[int, int, str]]:
    """Return the pairs that share more than chance gives, the first before the second: `exact`, `partial` or `near`."""
    common = np.maximum(pairs.shared, 1)
    sure = (pairs.equal_chance <= SURE) & (pairs.equal >= FEWEST)
    exact = sure & (pairs.equal / common >= EXACT)
    near = ~exact & (pairs.near_chance <= SURE) & (pairs.near / common >= ALL_BUT) & (pairs.near >= FEWEST_NEAR)
    partial = ~exact & ~near & sure & (pairs.equal >= NOT_CLOSE * pairs.tenth)
    return [
        (int(one), int(other), kind)
        for kind, held in (("exact", exact), ("near", near), ("partial", partial))
        for one, other in np.argwhere(np.triu(held, 1))
    ]


def relation(model: str, other: str) -> str:
    """Tell what is known of two models: another `format` or way to run one, `declared` relatives, of one `owner`, or `none`."""
    one, two = bare(model), bare(other)
    if one == two or _plain(one) == _plain(two):
        return "format"
    lines = [{name, *training.ancestors(name)} for name in (one, two)]
    return "declared" if lines[0] & lines[1] else "owner" if owner(model) == owner(other) else "none"


def _plain(model: str) -> str:
    return FORMAT.sub("", model.rpartition("/")[2].lower())


def _row(table: Means, pairs: Pairs, at: int, to: int, kind: str) -> dict[str, Any]:
    model, other = table.models[at], table.models[to]
    mine, theirs = (known.released if (known := training.annotation(bare(name))) else None for name in (model, other))
    results = np.isfinite(table.scores).sum(axis=1)
    dated = bool(mine and theirs and mine != theirs)
    fewer = (-int(results[at]), len(model), model) > (-int(results[to]), len(other), other)
    return {
        "other": other,
        "relation": relation(model, other),
        "kind": kind,
        "shared": int(pairs.shared[at, to]),
        "equal": int(pairs.equal[at, to]),
        "near": int(pairs.near[at, to]),
        "later": (mine or "") > (theirs or "") if dated else fewer,
        "dated": dated,
        "evidence": _evidence(table, at, to),
    }


def _evidence(table: Means, at: int, to: int) -> list[str]:
    """Return some of the tasks that both have, those that agree and tell models apart best first."""
    apart = np.abs(table.scores[at] - table.scores[to])
    common = np.flatnonzero(np.isfinite(apart))
    spread = np.nanstd(table.scores[:, common], axis=0)
    order = common[np.lexsort((-spread, apart[common] > EQUAL))][:SHOWN]
    return [f"{table.tasks[task]}: {table.scores[at, task]:.5f} and {table.scores[to, task]:.5f}" for task in order]
