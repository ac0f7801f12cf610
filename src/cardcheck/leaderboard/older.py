"""The layout of before mteb 1.11: `{split: {subset: metrics}}` or `{split: metrics}` without `scores`, made into that of today.

As mteb's `TaskResult` converts it, so that a ranking finds the same scores; what it trips over is read where its meaning is clear.
"""

from __future__ import annotations

import functools
from typing import Any

from cardcheck.catalogue import tasks as catalogue
from cardcheck.leaderboard import boards

ABOUT = ("dataset_revision", "mteb_dataset_name", "mteb_version", "task_name", "evaluation_time", "kg_co2_emissions", "date")
NO_SUBSET = ("v_measures", "cos_sim", "euclidean", "manhattan", "dot", "max")
SIMILARITIES = {"cos_sim": "cosine"} | {name: name for name in ("manhattan", "euclidean", "dot", "max", "similarity")}
RENAMED = {
    "NorwegianParliament": "NorwegianParliamentClassification",
    "CMedQAv2": "CMedQAv2-reranking",
    "CMedQAv1": "CMedQAv1-reranking",
    "8TagsClustering": "EightTagsClustering",
    "PPC": "PpcPC",
}
GONE = {
    "ScalaNbClassification": "nob-Latn", "ScalaNnClassification": "nob-Latn",
    "ScalaDaClassification": "dan-Latn", "ScalaSvClassification": "swe-Latn",
}  # fmt: skip  # tasks that mteb no longer has, with their language; all of them measure accuracy
ONLY_FRENCH = ("MLSUMClusteringP2P", "MLSUMClusteringS2S")  # by the versions 1.1.2.dev0 and 1.1.3.dev0


def convert(found: dict[str, Any]) -> dict[str, Any]:
    """Return an old file in the layout of today; without `task_name` or with empty scores where it is none."""
    name = found.get("mteb_dataset_name")
    if not isinstance(name, str):
        return {"scores": {}}
    task = RENAMED.get(name, name)
    splits = {split: dict(held) for split, held in found.items() if split not in ABOUT and isinstance(held, dict)}
    seconds = [held.pop("evaluation_time", None) for held in splits.values()]
    if not any(isinstance(value, dict) for held in splits.values() for key, value in held.items() if key not in NO_SUBSET):
        splits = {split: {"default": held} for split, held in splits.items()}
    if task in ONLY_FRENCH and found.get("mteb_version") in ("1.1.2.dev0", "1.1.3.dev0"):
        splits = {split: {"fr" if subset == "default" else subset: row for subset, row in held.items()} for split, held in splits.items()}
    if task == "XPQARetrieval":  # its subsets were named anew
        splits = {split: {"fra-fra" if subset == "fr" else subset: row for subset, row in held.items()} for split, held in splits.items()}
    metric, spoken = _metric(task), _spoken(task)
    everything = list(dict.fromkeys(" ".join(spoken.values()).split()))
    scores = {
        split: [
            _row(metrics, metric) | {"hf_subset": subset, "languages": spoken[subset].split() if subset in spoken else everything}
            for subset, metrics in held.items()
            if isinstance(metrics, dict)
        ]
        for split, held in splits.items()
    }
    known = _known().get(task.lower(), task) if task not in GONE else task
    times = [one for one in seconds if isinstance(one, int | float)]
    return {
        "task_name": known, "scores": scores, "dataset_revision": found.get("dataset_revision"), "mteb_version": found.get("mteb_version"),
        "evaluation_time": sum(times) if times else None,
    }  # fmt: skip


def _row(metrics: dict[str, Any], metric: str | None) -> dict[str, Any]:
    """Return the metrics of a subset with `cos_sim: {spearman: …}` as `cosine_spearman`, and the main score."""
    row = {key: value for key, value in metrics.items() if key not in SIMILARITIES}
    for key, name in SIMILARITIES.items():
        if isinstance(held := metrics.get(key), dict):
            row |= {f"{name}_{inner}": value for inner, value in held.items()}
    if "main_score" not in row:
        row["main_score"] = row.get(metric) if metric else None
    return row


def _metric(task: str) -> str | None:
    if task in GONE:
        return "accuracy"
    known = catalogue.task(_known().get(task.lower(), task))
    return known.score if known else None


def _spoken(task: str) -> dict[str, str]:
    if task in GONE:
        return {"default": GONE[task]}
    return boards.subsets(_known().get(task.lower(), task))


@functools.cache
def _known() -> dict[str, str]:
    """Return the tasks by their names in small letters."""
    return {name.lower(): name for name in catalogue.names()}
