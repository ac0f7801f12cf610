"""model-index: the scores that a card reports of itself."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from cardcheck.facts.located import Located, Location
from cardcheck.facts.model import Facts, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_VALUE = 1e300
CORRELATION = re.compile(r"pearson|spearman|kendall|silhouette|matthews|mcc$")
PERCENT = re.compile(
    r"^(accuracy|f1|ap|map|mrr|ndcg|recall|precision|hit_rate|v_measure|main_score|cos_sim_|dot_|euclidean_|manhattan_|max_|similarity_)"
)


def metric_range(metric: str) -> str | None:
    """Return which bounds a metric has: `percent` (0 to 100), `correlation` (-100 to 100) or None (none known).

    Thresholds are distances, not scores, and legitimately exceed 100; times and sizes have no bounds.
    """
    name = metric.lower().replace("@", "_at_")
    if "threshold" in name or "nauc" in name or "_std" in name or "time" in name:
        return None
    if CORRELATION.search(name):
        return "correlation"
    return "percent" if PERCENT.match(name) else None


def collect_results(facts: Facts, file: str, located: Located) -> None:
    """Fill the group `results` from the card's `model-index`."""
    index = located.value.get("model-index")
    if index is None:
        return
    facts.sources["results"] = Source("known")
    facts.places["results"] = Location(file, *located.place(("model-index",)))
    if not isinstance(index, list):
        facts.set("results.problem", "model-index is not a list", facts.places["results"])
        return
    seen: dict[tuple[str, ...], dict[str, Any]] = {}
    for at, model in enumerate(index):
        if not isinstance(model, dict):
            facts.set("results.problem", "an entry of model-index is not a mapping", facts.places["results"])
            continue
        name = str(model.get("name") or "")
        place = Location(file, *located.place(("model-index", at, "name")))
        if name:
            facts.add("results.models", place, name=name)
        for path, result in _metrics(model.get("results"), ("model-index", at, "results")):
            row = {"model": name, **result}
            here = Location(file, *located.place(path))
            facts.add("results.entries", here, **row)
            _note_conflict(facts, seen, row, here)


def _items(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    for index, item in enumerate(value if isinstance(value, list) else []):
        if isinstance(item, dict):
            yield index, item


def _metrics(results: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    for at, result in _items(results):
        task, dataset = _mapping(result.get("task")), _mapping(result.get("dataset"))
        shared = {
            "task": _text(task.get("type")),
            "dataset": _text(dataset.get("name")),
            "dataset_id": _text(dataset.get("type")),
            "config": _text(dataset.get("config")),
            "split": _text(dataset.get("split")),
            "revision": _text(dataset.get("revision")),
        }
        for index, metric in _items(result.get("metrics")):
            kind, value = _text(metric.get("type")) or "", metric.get("value")
            yield (
                (*path, at, "metrics", index, "value"),
                {
                    **shared,
                    "metric": kind,
                    "value": _number(value),
                    "written": "null" if value is None else str(value)[:80],
                    "range": metric_range(kind),
                },
            )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    """Return a finite number, or None for everything else that can stand there."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and abs(value) < MAX_VALUE else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """Tell whether two results agree; runs on other hardware differ in the last digits."""
    if first["value"] is None or second["value"] is None:
        return bool(first["written"] == second["written"])
    scale = 100.0 if max(abs(first["value"]), abs(second["value"])) > 1 else 1.0
    return math.isclose(first["value"], second["value"], rel_tol=0, abs_tol=0.0005 * scale)


def _note_conflict(facts: Facts, seen: dict[tuple[str, ...], dict[str, Any]], row: dict[str, Any], place: Location) -> None:
    """Note a result that stands twice with different values; a repeat with the same value is harmless."""
    named = ("model", "task", "dataset", "dataset_id", "config", "split", "revision", "metric")
    key = tuple(str(row[name]) for name in named)
    first = seen.setdefault(key, row)
    if not _same(first, row):
        what = " ".join(part for part in (row["dataset"] or row["dataset_id"], row["config"], row["split"], row["metric"]) if part)
        facts.add("results.conflicts", place, what=what, first=first["written"], second=row["written"])
