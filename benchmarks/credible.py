"""Hold the credible order against private tasks' scores, owners left out, beside the official orders. Run as `make credible`.

Reads the scores of the public MTEB results repository (CC0) from ../shared/data/leaderboard.
"""

from __future__ import annotations

import itertools
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
from scipy.stats import kendalltau

from cardcheck.catalogue import tasks
from cardcheck.leaderboard import credible
from cardcheck.leaderboard.credible_model import expit, logit
from cardcheck.leaderboard.credible_table import Column, Scores, of_runs, owner
from cardcheck.leaderboard.runs import TEXTS, Runs, coded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

ROOT = Path(__file__).parent.parent
SCORES = ROOT.parent / "shared/data/leaderboard/scores-2026-08-20.parquet"
TARGET = tuple(f"{name}Retrieval" for name in ("EnglishFinance1", "EnglishFinance2", "Code1", "French1", "GermanLegal1", "JapaneseCode1"))
ENG = tasks.tasks_of("MTEB(eng, v1)") | tasks.tasks_of("MTEB(eng, v2)")
RTEB = frozenset(name for name in tasks.tasks_of("RTEB(beta)") if (task := tasks.task(name)) and task.public) - {"SWEbenchCodeRetrieval"}
DRAWS = 2000
MOST_MISSING = 2  # tasks of a benchmark that a model may lack for its official mean to be taken all the same


def read() -> Scores:
    """Return the table of all text tasks. Every published run counts, so that the figures hang on no choice among a model's runs."""
    held = pq.read_table(SCORES, columns=[*TEXTS, "main_score"]).drop_null()
    model, revision, task, split, subset = (coded(held[name].dictionary_encode()) for name in TEXTS)
    runs = Runs(model, revision, task, split, subset, held["main_score"].to_numpy())
    return of_runs(runs, lambda known: known.modalities == ("text",))


def official(names: frozenset[str], only: str | None = None) -> tuple[list[str], Array]:
    """Return models and their mean over a benchmark's tasks, each the mean of its splits and subsets; not those that lack many."""
    wanted = sorted(name for name in names if only is None or ((task := tasks.task(name)) and task.type == only))
    table = pq.read_table(SCORES, columns=["model", "task", "main_score"], filters=[("task", "in", wanted)])
    frame = table.filter(np.isfinite(np.asarray(table["main_score"].to_numpy(zero_copy_only=False), dtype=float)))
    means = frame.group_by(["model", "task"]).aggregate([("main_score", "mean")]).to_pylist()
    found: dict[str, list[float]] = {}
    for row in means:
        found.setdefault(row["model"], []).append(row["main_score_mean"])
    whole = {model: sum(values) / len(values) for model, values in found.items() if len(values) >= len(wanted) - MOST_MISSING}
    return list(whole), np.array(list(whole.values()))


def tau(one: Array, other: Array) -> float:
    """Return Kendall's tau-b of two orders."""
    return float(kendalltau(one, other)[0])


def gain(truth: Array, ours: Array, theirs: Array, owners: Array) -> tuple[float, float]:
    """Return the 95 % interval of the gain in tau from drawing models, paired, again and again; whole owners are drawn."""
    draw = np.random.default_rng(20260820)
    groups = [np.flatnonzero(owners == name) for name in np.unique(owners)]
    found = []
    for _ in range(DRAWS):
        at = np.concatenate([groups[i] for i in draw.integers(0, len(groups), len(groups))])
        found.append(tau(ours[at], truth[at]) - tau(theirs[at], truth[at]))
    low, high = np.nanpercentile(found, [2.5, 97.5])
    return float(low), float(high)


def reliability(cells: Array) -> tuple[float, float, float]:
    """Return over all ten halvings the mean tau between halves, and the ceiling: the tau of a faultless predictor of the whole.

    Tau between halves → correlation (Greiner's sin) → Spearman-Brown → square root, the correlation of whole and truth → tau; and the
    same from Pearson's correlation of the halves.
    """
    halves = [half for half in itertools.combinations(range(len(TARGET)), 3) if 0 in half]
    pairs = [(cells[:, list(half)].mean(1), cells[:, [i for i in range(len(TARGET)) if i not in half]].mean(1)) for half in halves]
    between = float(np.mean([tau(a, b) for a, b in pairs]))
    straight = float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in pairs]))

    def ceiling(r: float) -> float:
        return float(2 / np.pi * np.arcsin(np.sqrt(2 * r / (1 + r))))

    return between, ceiling(float(np.sin(np.pi / 2 * between))), ceiling(straight)


def shown(columns: tuple[Column, ...], which: str) -> Mask:
    """Tell which columns a left-out model shows."""
    return np.array(
        [
            {
                "MTEB(eng)": column.task in ENG,
                "MTEB(eng), English subsets": column.task in ENG and not column.other,
                "RTEB public": column.task in RTEB,
                "MTEB(eng) and RTEB public": column.task in ENG | RTEB,
                "all public": not column.private,
            }[which]
            for column in columns
        ],
        dtype=bool,
    )


def coverage(truth: Array, expected: Array, error: Array, owners: Array) -> tuple[float, float]:
    """Return the share of models inside their interval, which is as wide as all *other* owners' misses ask for, and its mean width."""
    inside, wide = [], []
    for name in np.unique(owners):
        mine = owners == name
        by, _ = credible.width(truth[~mine], expected[~mine], error[~mine])
        odds = logit(expected[mine])
        low, high = expit(odds - by * error[mine]), expit(odds + by * error[mine])
        inside += list((truth[mine] >= low) & (truth[mine] <= high))
        wide += list(high - low)
    return float(np.mean(inside)), float(np.mean(wide))


def compare(scores: Scores, which: str, against: dict[str, tuple[list[str], Array]], *, least: int) -> None:
    """Print the tau of what the shown columns lead one to expect, and of the official orders on the same models."""
    target = np.array([column.task in TARGET for column in scores.columns], dtype=bool)
    see = shown(scores.columns, which)
    truth = scores.matrix[:, target].mean(axis=1)
    owners = np.array([owner(model) for model in scores.models])
    rows = np.isfinite(truth) & (np.isfinite(scores.matrix[:, see]).sum(axis=1) >= least)
    folds = [{name} for name in np.unique(owners[rows])]
    expected, error = credible.left_out(scores, target, see, folds)
    covered, wide = coverage(truth[rows], expected[rows], error[rows], owners[rows])
    mine = tau(expected[rows], truth[rows])
    print(f"\n{which}: {rows.sum()} models of {len(folds)} owners, tau {mine:.3f}, 90 % intervals cover {covered:.0%}, {wide:.2f} wide")
    for name, (models, mean) in against.items():
        at = {model: i for i, model in enumerate(models)}
        same = np.array([rows[i] and model in at for i, model in enumerate(scores.models)], dtype=bool)
        theirs = np.array([mean[at[model]] for model, held in zip(scores.models, same, strict=True) if held])
        one, other = tau(expected[same], truth[same]), tau(theirs, truth[same])
        low, high = gain(truth[same], expected[same], theirs, owners[same])
        _, top, lower_top = reliability(scores.matrix[np.ix_(same, target)])
        print(
            f"  {same.sum()} with {name}: credible {one:.3f}, official {other:.3f}, gain {one - other:+.3f} [{low:+.3f}, {high:+.3f}]; "
            f"ceiling {top:.3f} (from Pearson {lower_top:.3f}), reached {one / top:.0%}"
        )


def main() -> int:
    """Print every figure of docs/credible.md."""
    if not SCORES.is_file():
        print(f"skipped: {SCORES} is not here", file=sys.stderr)
        return 0
    scores = read()
    keep = credible.used(scores.columns, ENG)
    few = Scores(scores.models, tuple(c for c, held in zip(scores.columns, keep, strict=True) if held), scores.matrix[:, keep])
    cells = scores.matrix[:, [i for i, column in enumerate(scores.columns) if column.task in TARGET]]
    cells = cells[np.isfinite(cells).all(axis=1)]
    between, top, lower_top = reliability(cells)
    print(f"{len(scores.models)} models, {len(scores.columns)} columns, {keep.sum()} of them learned from")
    print(f"{len(cells)} models with all six: tau between halves {between:.3f}, ceiling {top:.3f} (from Pearson {lower_top:.3f})")
    english = {
        "MTEB(eng, v2) mean": official(tasks.tasks_of("MTEB(eng, v2)")),
        "MTEB(eng, v2) retrieval mean": official(tasks.tasks_of("MTEB(eng, v2)"), "Retrieval"),
    }
    rteb = {"RTEB public mean": official(RTEB)}
    compare(few, "MTEB(eng)", english, least=20)
    compare(few, "MTEB(eng), English subsets", english, least=20)
    for which in ("RTEB public", "MTEB(eng) and RTEB public", "all public"):
        compare(few, which, rteb, least=14)
    start = time.perf_counter()
    found = credible.order(scores, ENG)
    firm = sum(row.firm for row in found.rows)
    print(f"\nthe whole order: {time.perf_counter() - start:.1f} s; intervals measured on {found.calibrated} models; {firm} placed firmly")
    for place, row in enumerate(found.rows[:15], 1):
        print(f"{place:3d} {row.model:50} {row.score or 0:.3f} [{row.low or 0:.3f}, {row.high or 0:.3f}] on {row.cells} results")
        print(f"      {'; '.join(row.why)}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
