"""Make src/cardcheck/data/panel.json: how each panel task's score follows from the panel level, and the public scores.

Reads the scores of the public MTEB results repository (CC0) from ../shared/data/leaderboard. Run as `make panel`.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import fmean

import numpy as np
import pyarrow.parquet as pq
from sklearn.linear_model import HuberRegressor

from cardcheck.spotcheck.panel import logit

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


def fit(scores: dict[str, dict[str, float]]) -> dict[str, dict[str, float | int | str]]:
    """Fit each task's line on the scale, both as logits: Huber's regression, and the residuals' median absolute deviation."""
    levels = {model: fmean(tasks[task] for task in SCALE) for model, tasks in scores.items() if all(task in tasks for task in SCALE)}
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


def main() -> int:
    """Write the file and print the fitted lines."""
    if not SCORES.is_file():
        print(f"skipped: {SCORES} is not here, so the packaged panel stays as it is", file=sys.stderr)
        return 0
    scores = read_scores()
    fitted = fit(scores)
    published = {model: {task: round(score, 2) for task, score in sorted(tasks.items())} for model, tasks in sorted(scores.items())}
    data = {"scale": SCALE, "source": SOURCE, "tasks": fitted, "published": published}
    lines = json.dumps(data, indent=1, ensure_ascii=False)
    TARGET.write_text(lines + "\n", encoding="utf-8")
    print(f"{'task':30} {'intercept':>9} {'slope':>6} {'sd':>5} {'models':>6}")
    for task, line in fitted.items():
        print(f"{task:30} {line['intercept']:9.2f} {line['slope']:6.2f} {line['sd']:5.2f} {line['models']:6d}")
    print(f"{len(published)} models with public scores; {TARGET.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
