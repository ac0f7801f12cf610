"""Plant copies and inflated models in the real August table, and count what the audit of a board finds. Run as `make planted`.

Copies (50): exact (of the same owner), renamed (exact, of another one), rounded to four decimals, with noise of 0.05 and 0.1 points, and
partial: a half, a quarter and a tenth of the tasks copied, the rest another model's with two points of noise. All but the first are of
owners whom nobody knows. Inflated (50 for each size): points added to all tasks on whose data five makers or more train, to a random half
of these, and to one task of any kind. Originals are drawn with a fixed seed among models with results enough.

Independent are two models of other owners without a common declared ancestor. Every pair of these in the real table that is called a copy,
and every pair of a planted model with anything but its original (or the original's relatives and copies), counts as false.
"""

from __future__ import annotations

import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cardcheck.leaderboard.checks import copies, trained, unusual
from cardcheck.leaderboard.checks.expected import expect
from cardcheck.leaderboard.checks.seen import medium, stated
from cardcheck.leaderboard.credible_model import logit
from cardcheck.leaderboard.credible_table import in_parts
from cardcheck.leaderboard.runs import that_count
from cardcheck.leaderboard.store import open_store
from cardcheck.leaderboard.tables import sync_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from cardcheck.leaderboard.checks.copies import Means
    from cardcheck.leaderboard.checks.expected import Expected
    from cardcheck.leaderboard.credible_table import Scores
    from cardcheck.leaderboard.runs import Runs

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]
    Rows = NDArray[np.int64]

SCORES = Path(__file__).parent.parent.parent / "shared/data/leaderboard/scores-2026-08-20.parquet"
SEED = 20260820
KINDS = ("exact", "renamed", "rounded", "noise 0.05", "noise 0.1", "half", "quarter", "tenth")
COPIES, INFLATED = 50, 50
SIZES = (1, 2, 3, 5, 8, 12)  # points
ALARMS = 0.01
NORMAL_TAIL = 2.326  # standard deviations beyond which a hundredth of a normal distribution lies
BATCH = 10
TOP = 0.995  # no score is lifted beyond
LEAST_TASKS = 20  # results of an original


@dataclass(frozen=True, slots=True)
class Planted:
    """A planted model: a row of scores, how it was made and from which model."""

    scores: Array
    kind: str
    original: int


def main() -> None:
    """Print both figures."""
    start = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "store.parquet"
        sync_table(SCORES, file)
        runs = that_count(open_store(file))
    table = copies.means(runs)
    print(f"{SCORES.name}: {len(table.models)} models, {np.isfinite(table.scores).sum():,} scores of tasks\n")
    wrong = _copies(table)
    _inflated(runs)
    print(f"\n{time.process_time() - start:.0f} s of processor")
    sys.exit(int(wrong))


def _copies(table: Means) -> bool:
    """Print how many planted copies are found, and pairs that should not be; tell whether a whole one was missed or any is false."""
    draw = np.random.default_rng(SEED)
    enough = np.flatnonzero(np.isfinite(table.scores).sum(axis=1) >= LEAST_TASKS)
    originals = draw.choice(enough, COPIES, replace=False)
    planted = [_copy(table, int(at), KINDS[number % len(KINDS)], draw) for number, at in enumerate(originals)]
    scores = np.vstack([table.scores, *(one.scores[None, :] for one in planted)])
    known = len(table.models)
    names = (*table.models, *(_name(number, one, table.models) for number, one in enumerate(planted)))
    kin = copies.related(names)
    found = {(one, other): kind for one, other, kind in copies.shared(copies.compare(scores, kin))}
    print("copies        planted  found  as")
    missed = 0
    for kind in KINDS:
        its = [number for number, one in enumerate(planted) if one.kind == kind]
        hits = [found[planted[n].original, known + n] for n in its if (planted[n].original, known + n) in found]
        said = ", ".join(f"{hits.count(name)} {name}" for name in sorted(set(hits)))
        print(f"{kind:12} {len(its):8} {len(hits):6}  {said}")
        missed += len(its) - len(hits) if kind in KINDS[:5] else 0
    real = {pair: kind for pair, kind in found.items() if max(pair) < known}
    strangers = [pair for pair in real if not kin[pair]]
    false = [pair for pair in found if max(pair) >= known and not _is_right(pair, planted, known, kin, set(real))]
    there = np.isfinite(table.scores).astype(np.int64)
    apart = ~kin[:known, :known] & (there @ there.T >= copies.FEWEST)
    print(f"\npairs of independent models in the real table that are called copies: {len(strangers)} of {int(apart.sum()) // 2:,}")
    print(f"(those with {copies.FEWEST} tasks or more in common)")
    for one, other in strangers:
        print(f"    {names[one]} and {names[other]}: {real[one, other]}")
    print(f"pairs of a planted model with one that it was not made from: {len(false)} of {len(planted) * known:,}")
    for one, other in false:
        print(f"    {names[one]} and {names[other]}: {found[one, other]}")
    print(f"pairs of relatives in the real table: {len(real) - len(strangers)}\n")
    return bool(missed or strangers or false)


def _name(number: int, planted: Planted, models: tuple[str, ...]) -> str:
    """Return the id of a planted model: another of its original's owner, or one of an owner whom nobody knows."""
    return f"{models[planted.original]}-{number}" if planted.kind == "exact" else f"planted{number}/model"


def _copy(table: Means, at: int, kind: str, draw: np.random.Generator) -> Planted:
    """Return a copy of a model; where it is partial the rest is drawn around another model that has the most tasks in common."""
    row = table.scores[at].copy()
    there = np.isfinite(row)
    if kind.startswith("noise"):
        row = np.where(there, np.clip(row + draw.normal(0, float(kind.split()[1]) / 100, len(row)), 0, 1), np.nan)
    elif kind == "rounded":
        row = np.round(row, 4)
    elif kind in ("half", "quarter", "tenth"):
        share = {"half": 0.5, "quarter": 0.25, "tenth": 0.1}[kind]
        common = (np.isfinite(table.scores) & there).sum(axis=1)
        common[at] = 0
        filler = int(draw.choice(np.argsort(-common)[:20]))
        kept = draw.random(len(row)) < share
        other = np.clip(table.scores[filler] + draw.normal(0, 0.02, len(row)), 0, 1)
        row = np.where(kept, row, np.where(there, other, np.nan))
    return Planted(row, kind, at)


def _is_right(pair: tuple[int, int], planted: list[Planted], known: int, kin: NDArray[np.bool_], real: set[tuple[int, int]]) -> bool:
    """Tell whether a pair with a planted model is with its original, or with what the original shares scores with or is kin of."""
    one, other = pair
    first = planted[other - known].original
    if one >= known:
        one = planted[one - known].original
    return one == first or bool(kin[one, first]) or (min(one, first), max(one, first)) in real


def _inflated(runs: Runs) -> None:
    """Print what share of models is found when points are added to all, or half, of the tasks where makers train, and to one task."""
    scores, whole = in_parts(runs, lambda task: medium(task) == "text")
    public = trained.widely(scores.columns)
    said = stated(runs, scores)
    table = expect(scores, whole)
    usual, judged = _statistic(scores.matrix, said, public, table)
    usual = np.sort(usual[judged])
    middle = float(np.median(usual))
    limit = float(usual[int(np.ceil((1 - ALARMS) * len(usual))) - 1])
    rule = middle + trained.NORMAL * float(np.median(np.abs(usual - middle))) * NORMAL_TAIL
    print(f"inflation: {public.sum()} columns of tasks that {trained.MAKERS} makers or more train on; {judged.sum()} models can be judged")
    print(f"beyond the rule's 1 %: {(usual > rule).sum()} of them in the real table, {len(usual) * ALARMS:.1f} expected\n")
    print("points  on all of them: at 1 % false alarms, by the rule   on half of them   on one task: found as a high cell")
    draw = np.random.default_rng(SEED)
    at = draw.choice(np.flatnonzero(judged), INFLATED, replace=False)
    half = public & (draw.random(len(public)) < 0.5)
    one = np.array([draw.choice(np.flatnonzero(np.isfinite(table.expected[row] + table.odds[row]))) for row in at])
    for points in SIZES:
        whole_of, half_of = (_power(scores, whole, said, at, lifted, points=points) for lifted in (public, half))
        single = _single(scores, whole, at, one, points)
        shares = (float((whole_of > limit).mean()), float((whole_of > rule).mean()), float((half_of > limit).mean()), single)
        print("{:6}  {:37.0%} {:12.0%} {:17.0%} {:35.0%}".format(points, *shares))


def _statistic(matrix: Array, said: Mask, public: Mask, table: Expected) -> tuple[Array, Mask]:
    assert table.factors is not None  # noqa: S101  # the table is not empty
    _, standard, judged = trained.contrast(trained.of_one_kind(logit(matrix), said, public), public, table.factors)
    return standard, judged


def _power(scores: Scores, whole: Array, said: Mask, at: Rows, lifted: Mask, *, points: float) -> Array:
    """Return the statistic of models when points are added to these of their columns, the board fitted again with them.

    Ten are in the table at a time: a board where many models are inflated would be another one.
    """
    found = np.zeros(len(at))
    public = trained.widely(scores.columns)
    for start in range(0, len(at), BATCH):
        rows = at[start : start + BATCH]
        given = scores.matrix.copy()
        given[np.ix_(rows, lifted)] = np.minimum(given[np.ix_(rows, lifted)] + points / 100, TOP)
        found[start : start + BATCH] = _statistic(given, said, public, expect(replace(scores, matrix=given), whole))[0][rows]
    return found


def _single(scores: Scores, whole: Array, at: Rows, columns: Rows, points: float) -> float:
    """Return the share of models whose one lifted cell lies so high as to be a finding, and would not have been without the points."""
    before = _chance(scores, whole)[at, columns] <= unusual.CHANCE
    given = scores.matrix.copy()
    given[at, columns] = np.minimum(given[at, columns] + points / 100, TOP)
    after = _chance(replace(scores, matrix=given), whole)[at, columns] <= unusual.CHANCE
    return float((after & ~before).mean())


def _chance(scores: Scores, whole: Array) -> Array:
    table = expect(scores, whole)
    return unusual.chances(table)


if __name__ == "__main__":
    main()
