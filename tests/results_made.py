"""Results as MTEB's repository has them, made for tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

REVISION = "0123456789abcdef0123456789abcdef01234567"


def result(task: str, scores: dict[str, list[tuple[str, Any]]], **about: Any) -> dict[str, Any]:
    """Return what a results file holds: for each split, pairs of a subset and its main score."""
    rows = {
        split: [{"hf_subset": subset, "languages": ["eng-Latn"], "main_score": score, "ndcg_at_10": score} for subset, score in held]
        for split, held in scores.items()
    }
    return {"task_name": task, "dataset_revision": "1", "mteb_version": "2.0.0", "evaluation_time": 1.5, "scores": rows} | about


def put(
    root: Path, model: str, content: Any, *, revision: str = REVISION, task: str | None = None, described: bool = True, experiment: str = ""
) -> Path:
    """Write a results file, and beside it the model's description; `content` may be the file's text."""
    folder = root / "results" / model.replace("/", "__") / revision
    if experiment:
        folder = folder / "experiments" / experiment
    folder.mkdir(parents=True, exist_ok=True)
    if described:
        about: dict[str, Any] = {"name": model, "revision": revision}
        if experiment:
            about["experiment_kwargs"] = {"embed_dim": 64}
        (folder / "model_meta.json").write_text(json.dumps(about), encoding="utf-8")
    file = folder / f"{task or content['task_name']}.json"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return file
