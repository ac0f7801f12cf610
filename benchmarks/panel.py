"""Make src/cardcheck/data/panel.json: how each panel task's score follows from the panel level, and the public scores.

Reads the scores of the public MTEB results repository (CC0) from ../shared/data/leaderboard. Run as `make panel`. What it prints last is
how often the interval about a model's level holds the mean that the level stands for, by what the model has published.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from itertools import combinations_with_replacement
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import HuberRegressor

from cardcheck.spotcheck.panel import level, logit

ROOT = Path(__file__).parent.parent
SCORES = ROOT.parent / "shared/data/leaderboard/scores-2026-08-20.parquet"
TARGET = ROOT / "src/cardcheck/data/panel.json"
SOURCE = "MTEB results repository as of 2026-08-20"

# Candidates: the ten retrieval tasks of MTEB(eng, v2), BEIR's, and tasks that can be measured on a small machine. The number is how many
# of the 574 models with declared training data list the task's data set among it (mteb 2.26.24, ModelMeta.get_training_datasets).
TRAINED_ON = {
    "ArguAna": 41, "CQADupstackGamingRetrieval": 0, "CQADupstackUnixRetrieval": 0, "ClimateFEVERHardNegatives": 17,
    "FEVERHardNegatives": 206, "FiQA2018": 79, "HotpotQAHardNegatives": 246, "SCIDOCS": 36, "TRECCOVID": 13, "Touche2020Retrieval.v3": 3,
    "CQADupstackRetrieval": 29, "ClimateFEVER": 17, "DBPedia": 65, "FEVER": 206, "HotpotQA": 246, "MLQuestions": 0, "MSMARCO": 293,
    "NFCorpus": 41, "NQ": 313, "QuoraRetrieval": 71, "SciFact": 53, "Touche2020": 3, "XQuADRetrieval": 32,
}  # fmt: skip
# Training on a task's own data lifts its score without lifting retrieval elsewhere, so tasks that over a tenth of the models train on
# are left out. What stays of MTEB(eng, v2) is the scale, the rest is linked to it.
MODELS_WITH_DATA, MOST = 574, 0.10
PANEL = tuple(task for task, models in TRAINED_ON.items() if models <= MOST * MODELS_WITH_DATA)
ENG_V2 = tuple(TRAINED_ON)[:10]
SCALE = tuple(task for task in PANEL if task in ENG_V2)
SPLITS = {"XQuADRetrieval": "validation"}
SUBSETS = {"XQuADRetrieval": "en"}
MIN_MODELS = 10
BROKEN = 1.0  # a nDCG@10 under one point is a broken run, not a score
CLIPPED = 3.0  # spreads off a line: more is another matter (training on the task, a broken run)
NINETY = 1.645
OLD = ("ArguAna", "ClimateFEVER", "CQADupstackRetrieval", "NFCorpus", "SCIDOCS", "SciFact", "TRECCOVID", "Touche2020")
PUBLISHED = {
    "all of the panel": PANEL, "those of MTEB(eng, v2)": SCALE, "those of MTEB(eng, v1)": OLD,
    "three of CQADupstack": ("CQADupstackGamingRetrieval", "CQADupstackUnixRetrieval", "CQADupstackRetrieval"),
    "SciFact and NFCorpus": ("SciFact", "NFCorpus"), "SciFact": ("SciFact",), "SCIDOCS": ("SCIDOCS",),
}  # fmt: skip


def read_scores() -> dict[str, dict[str, float]]:
    """Return model → task → score (0 to 100); several revisions of a model are averaged."""
    wanted = set(PANEL)
    table = pq.read_table(SCORES, columns=["model", "task", "split", "subset", "main_score"], filters=[("task", "in", wanted)])
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in table.to_pylist():
        task, score = row["task"], row["main_score"]
        right = row["split"] == SPLITS.get(task, "test") and row["subset"] == SUBSETS.get(task, "default")
        if right and score is not None and np.isfinite(score) and score * 100 > BROKEN:
            found[row["model"]][task].append(score * 100)
    return {model: {task: fmean(values) for task, values in tasks.items()} for model, tasks in found.items()}


def on_the_scale(scores: dict[str, dict[str, float]]) -> dict[str, float]:
    """Return the level itself of each model that has all tasks of the scale."""
    return {model: fmean(tasks[task] for task in SCALE) for model, tasks in scores.items() if all(task in tasks for task in SCALE)}


def fit(scores: dict[str, dict[str, float]]) -> dict[str, dict[str, float | int | str]]:
    """Fit each task's line on the scale, both as logits: Huber's regression, and the residuals' median absolute deviation."""
    levels = on_the_scale(scores)
    fitted: dict[str, dict[str, float | int | str]] = {}
    for task in PANEL:
        both = [model for model in levels if task in scores[model]]
        if len(both) < MIN_MODELS:
            continue
        x, y = (
            np.array([logit(levels[model]) for model in both]),
            np.array([logit(scores[model][task]) for model in both]),
        )
        line = HuberRegressor(alpha=0.0).fit(x[:, None], y)
        slope, intercept = line.coef_[0], line.intercept_
        residuals = y - intercept - slope * x
        sd = 1.4826 * float(np.median(np.abs(residuals - np.median(residuals))))
        fitted[task] = {
            "intercept": round(float(intercept), 4), "slope": round(float(slope), 4), "sd": round(sd, 4), "models": len(both),
            "split": SPLITS.get(task, "test"), "subset": SUBSETS.get(task, "default"),
        }  # fmt: skip
    return fitted


def in_common(scores: dict[str, dict[str, float]], fitted: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return the mean product of two tasks' residuals, in their spreads and clipped, over the models that have both; only what is positive.

    Of a task with itself it is how much wider than its spread, which is taken from the middle, its residuals lie. That some go together
    negatively comes of the scale being their mean; it is left out, which makes errors larger.
    """
    levels = on_the_scale(scores)
    off: dict[str, dict[str, float]] = {}
    for task, line in fitted.items():
        both = [model for model in levels if task in scores[model]]
        residuals = [(logit(scores[m][task]) - line["intercept"] - line["slope"] * logit(levels[m])) / line["sd"] for m in both]
        off[task] = dict(zip(both, np.clip(residuals, -CLIPPED, CLIPPED).tolist(), strict=True))
    found: dict[str, dict[str, float]] = {task: {} for task in fitted}
    for first, second in combinations_with_replacement(fitted, 2):
        both = [model for model in off[first] if model in off[second]]
        product = fmean(off[first][model] * off[second][model] for model in both) if len(both) >= MIN_MODELS else 0.0
        if product > 0:
            found[first][second] = found[second][first] = round(product, 3)
    return found


def held(scores: dict[str, dict[str, float]], tasks: tuple[str, ...]) -> tuple[int, float]:
    """Return for how many models, and in which share of them, the 90 % interval about the level from these tasks holds the level itself."""
    off = []
    for model, truth in on_the_scale(scores).items():
        if all(task in scores[model] for task in tasks) and (found := level({task: scores[model][task] for task in tasks}, "")):
            off.append(abs(logit(found.value) - logit(truth)) / found.standard_error)
    return len(off), fmean(one <= NINETY for one in off) if off else 0.0


def main() -> int:
    """Write the file; print the fitted lines, and how good the levels' errors are."""
    if not SCORES.is_file():
        print(f"skipped: {SCORES} is not here, so the packaged panel stays as it is", file=sys.stderr)
        return 0
    scores = read_scores()
    fitted = fit(scores)
    published = {model: {task: round(score, 2) for task, score in sorted(tasks.items())} for model, tasks in sorted(scores.items())}
    data = {"scale": SCALE, "source": SOURCE, "tasks": fitted, "in_common": in_common(scores, fitted), "published": published}
    lines = json.dumps(data, indent=1, ensure_ascii=False)
    TARGET.write_text(lines + "\n", encoding="utf-8")
    print(f"{'task':30} {'intercept':>9} {'slope':>6} {'sd':>5} {'models':>6}")
    for task, line in fitted.items():
        print(f"{task:30} {line['intercept']:9.2f} {line['slope']:6.2f} {line['sd']:5.2f} {line['models']:6d}")
    print(f"{len(published)} models with public scores; {TARGET.stat().st_size:,} bytes")
    for name, tasks in PUBLISHED.items():
        models, share = held(scores, tuple(task for task in tasks if task in fitted and task != "MLQuestions"))  # which 14 models have
        print(f"from {name}: the 90 % interval holds the level of {share:.0%} of {models} models")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
