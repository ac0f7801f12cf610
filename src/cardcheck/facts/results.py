"""model-index: the scores that a card reports of itself."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cardcheck.facts.datasets import COMBINED, check_datasets
from cardcheck.facts.located import Located, Location
from cardcheck.facts.model import Facts, Source
from cardcheck.facts.schema import MAX_ROWS
from cardcheck.facts.scorechecks import check_scores
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.located import Path

MAX_VALUE = 1e300
MAX_WRITTEN = 80
HEADLINES = ("main_score", "ndcg_at_10")
MAX_UNKNOWN = 200  # different keys to look up; comparing words is slow
CORRELATION = Pattern(r"pearson|spearman|kendall|silhouette|matthews|mcc$|^main_score$")  # an STS task's main score is a correlation
SPEED = Pattern(r"^speed$|\b[cg]puspeedtask\b", re.IGNORECASE)  # mteb's speed tasks embed a text of its own, and count words per second
PERCENT = Pattern(
    r"^(?:(?:cos_sim|cosine|dot|euclidean|manhattan|max|similarity)_)?"
    r"(?:accuracy|acc|f1|ap|map|mrr|ndcg|recall|precision|hit_rate|v_measure)(?![a-z])"
)
# What huggingface_hub's EvalResult and the Hub's model card specification know.
KEYS = {
    "model-index": ("name", "results"),
    "a result": ("task", "dataset", "metrics", "source"),
    "a task": ("type", "name"),
    "a data set": ("type", "name", "config", "split", "revision", "args"),
    "a metric": ("type", "value", "name", "config", "args", "verified", "verifyToken"),
    "a source": ("name", "url"),
}


@dataclass(slots=True)
class Metric:
    """One metric of a result; `value` is null where it is no finite number, `written` what stands there."""

    kind: str
    value: float | None
    raw: Any
    variant: str
    range: str | None
    verified: bool
    place: Location

    @property
    def written(self) -> str:
        """The value as text."""
        return "null" if self.raw is None else str(self.raw)[:MAX_WRITTEN]


@dataclass(slots=True)
class Result:
    """One result: what was measured on what, and the metrics."""

    model: str
    task: str | None
    dataset: str | None
    dataset_id: str | None
    config: str | None
    split: str | None
    revision: str | None
    variant: str
    path: Path
    metrics: list[Metric] = field(default_factory=list)

    @property
    def what(self) -> str:
        """The data set in words."""
        return self.dataset or self.dataset_id or "a data set without a name"

    @property
    def is_speed(self) -> bool:
        """Whether words per second were counted: there is no data set, and the main score has no bounds."""
        return bool(SPEED.search(self.task or "") or SPEED.search(self.dataset or ""))

    @property
    def is_combined(self) -> bool:
        """Whether this is a mean over data sets, and not the score on one."""
        return bool(COMBINED.search(self.dataset_id or "") or COMBINED.search(self.revision or ""))

    def bounded(self) -> list[Metric]:
        """Return the metrics that have a value and known bounds."""
        return [metric for metric in self.metrics if metric.value is not None and metric.range is not None]


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
    elif any(not isinstance(model, dict) for model in index):
        facts.set("results.problem", "an entry of model-index is not a mapping", facts.places["results"])
    reader = _Reader(file, located)
    reader.read(facts, index)
    for place, row in _kept(facts, reader.rows):
        facts.add("results.entries", place, **row)
    for problem, (count, place) in reader.problems.items():
        facts.add("results.malformed", place, problem=problem, count=count)
    for place, key, replacement, where in reader.misspelt():
        facts.add("results.misspelt", place, key=key, replacement=replacement, where=where)
    check_datasets(facts, file, located, reader.results)
    check_scores(facts, reader.results)


def _kept(facts: Facts, rows: list[tuple[Location, dict[str, Any]]]) -> list[tuple[Location, dict[str, Any]]]:
    """Return as many rows as are kept, in their order; where there are more, scores that are compared go before those at other depths.

    Cards of multilingual models have 5,000.
    """
    if len(rows) <= MAX_ROWS:
        return rows
    facts.values["facts.capped"].append("results.entries")
    first = sorted(range(len(rows)), key=lambda at: rows[at][1]["metric"] not in HEADLINES)
    return [rows[at] for at in sorted(first[:MAX_ROWS])]


class _Reader:
    """Reads model-index the way huggingface_hub does, and notes what that would stop at."""

    def __init__(self, file: str, located: Located) -> None:
        self.file, self.located = file, located
        self.results: list[Result] = []
        self.rows: list[tuple[Location, dict[str, Any]]] = []
        self.problems: dict[str, tuple[int, Location]] = {}
        self.unknown: list[tuple[Path, str, dict[str, Any], str]] = []

    def place(self, path: Path) -> Location:
        return Location(self.file, *self.located.place(path))

    def wrong(self, problem: str, path: Path) -> None:
        count, place = self.problems.get(problem, (0, None))
        self.problems[problem] = (count + 1, place or self.place(path))

    def mapping(self, value: Any, what: str, path: Path) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            self.wrong(f"{what} is not a mapping", path)
            return None
        if not value.keys() <= set(KEYS[what]):
            self.unknown += [(path, key, value, what) for key in value if key not in KEYS[what]]
        return value

    def child(self, result: dict[str, Any], key: str, path: Path, needed: tuple[str, ...]) -> dict[str, Any]:
        what = {"task": "a task", "dataset": "a data set"}[key]
        if key not in result:
            self.wrong(f"a result has no {key}", path)
            return {}
        value = self.mapping(result[key], what, (*path, key))
        for name in needed:
            if value is not None and name not in value:
                self.wrong(f"{what} has no {name}", path)
        return value or {}

    def items(self, parent: dict[str, Any], key: str, of: str, path: Path) -> Iterator[tuple[Path, Any]]:
        value = parent.get(key)
        if key not in parent:
            self.wrong(f"{of} has no {key}", path)
        elif not isinstance(value, list) and (value is None or value):  # what is empty is passed over
            self.wrong(f"`{key}` of {of} is not a list", (*path, key))
        for at, item in enumerate(value if isinstance(value, list) else []):
            yield (*path, key, at), item

    def read(self, facts: Facts, index: Any) -> None:
        if not isinstance(index, list):
            self.wrong("it is not a list", ("model-index",))
            return
        for at, model in enumerate(index):
            path: Path = ("model-index", at)
            if not isinstance(model, dict):
                self.wrong("an entry is not a mapping", path)
                continue
            self.mapping(model, "model-index", path)
            name = _text(model.get("name")) or ""
            if name:
                held = model.get("results")
                facts.add("results.models", self.place((*path, "name")), name=name, results=len(held) if isinstance(held, list) else 0)
            elif "name" not in model or (model["name"] is None and model.get("results")):
                self.wrong("an entry has no name", path)
            for here, result in self.items(model, "results", "an entry", path):
                self.result(name, result, here)

    def result(self, model: str, value: Any, path: Path) -> None:
        given = self.mapping(value, "a result", path)
        if given is None:
            return
        task = self.child(given, "task", path, ("type",))
        dataset = self.child(given, "dataset", path, ("type", "name"))
        source = given.get("source")
        if source:
            self.mapping(source, "a source", (*path, "source"))
        if isinstance(source, dict) and source.get("name") is not None and source.get("url") is None:
            self.wrong("a source has a name and no url", (*path, "source"))
        result = Result(
            model=model,
            task=_text(task.get("type")),
            dataset=_text(dataset.get("name")),
            dataset_id=_text(dataset.get("type")),
            config=_text(dataset.get("config")),
            split=_text(dataset.get("split")),
            revision=_text(dataset.get("revision")),
            variant=f"{dataset.get('args')!r:.200} {source!r:.200}",
            path=path,
        )
        for here, metric in self.items(given, "metrics", "a result", path):
            self.metric(result, metric, here)
        self.results.append(result)

    def metric(self, result: Result, value: Any, path: Path) -> None:
        given = self.mapping(value, "a metric", path)
        if given is None:
            return
        for key in ("type", "value"):
            if key not in given:
                self.wrong(f"a metric has no {key}", path)
        kind = _text(given.get("type")) or ""
        place = self.place((*path, "value"))
        variant = f"{given.get('name')} {given.get('args')!r:.200} {given.get('config')}" if len(given) > 2 else ""
        verified = given.get("verified") is True and not given.get("verifyToken")
        bounds = None if result.is_speed and kind == "main_score" else metric_range(kind)
        metric = Metric(kind, number(given.get("value")), given.get("value"), variant, bounds, verified, place)
        row = {
            "model": result.model, "task": result.task, "dataset": result.dataset, "dataset_id": result.dataset_id,
            "config": result.config, "split": result.split, "revision": result.revision, "metric": kind, "value": metric.value,
            "written": metric.written, "range": metric.range,
        }  # fmt: skip
        self.rows.append((place, row))
        if "value" in given:
            result.metrics.append(metric)

    def misspelt(self) -> Iterator[tuple[Location, str, str, str]]:
        """Yield the unknown keys that look like a known one which is not there."""
        near: dict[tuple[str, str], str | None] = {}
        for path, key, parent, what in self.unknown:
            if (what, key) not in near:
                if len(near) >= MAX_UNKNOWN:
                    return
                near[what, key] = near_key(key, KEYS[what])
            replacement = near[what, key]
            if replacement and replacement not in parent:
                yield self.place((*path, key)), key, replacement, what


def near_key(key: str, known: tuple[str, ...]) -> str | None:
    """Return the known key that this one is a misspelling of, or None."""
    import difflib

    plain = {re.sub(r"[\W_]", "", name.lower()): name for name in known}
    found = difflib.get_close_matches(re.sub(r"[\W_]", "", key[:40].lower()), plain, n=1, cutoff=0.8)
    return plain[found[0]] if found else None


def number(value: Any) -> float | None:
    """Return a finite number, or None for everything else that can stand there."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and abs(value) < MAX_VALUE else None


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
