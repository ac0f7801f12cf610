"""The panel: from published scores to one level."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cardcheck.spotcheck import panel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _on_the_line(level: float, names: list[str] | None = None) -> dict[str, float]:
    """Return the scores that the packaged lines give a model of this level."""
    chosen = names or list(panel.tasks())
    return {name: panel.expit(panel.tasks()[name].intercept + panel.tasks()[name].slope * panel.logit(level)) for name in chosen}


def _claimed(read: Callable[..., Any], folder: Path, *entries: dict[str, Any]) -> dict[str, float]:
    """Return what `claimed` reads from a card with these entries; `name`, `value` and, optionally, `split`, `config` and `metric`."""
    results = [
        {
            "task": {"type": "Retrieval"},
            "dataset": {"type": "mteb/x", **{key: entry[key] for key in ("name", "split", "config") if key in entry}},
            "metrics": [{"type": entry.get("metric", "ndcg_at_10"), "value": entry["value"]}],
        }
        for entry in entries
    ]
    front = yaml.safe_dump({"model-index": [{"name": "m", "results": results}]}, allow_unicode=True)
    (folder / "README.md").write_text(f"---\n{front}---\n# m\n", encoding="utf-8")
    return panel.claimed(read(folder)[1])


@pytest.mark.parametrize("level", [10.0, 25.0, 42.0, 60.0, 70.0])
def test_level_is_recovered(level: float) -> None:
    """Scores on the packaged lines lead back to the level they were made from."""
    found = panel.level(_on_the_line(level), "test")
    assert found
    assert found.value == pytest.approx(level, abs=0.5)


@pytest.mark.parametrize("names", [list(pair) for pair in itertools.combinations(["ArguAna", "SciFact", "NFCorpus"], 2)] + [["SCIDOCS"]])
def test_any_subset_of_tasks_will_do(names: list[str]) -> None:
    """Fewer tasks give the same level with a larger standard error."""
    whole, part = panel.level(_on_the_line(45), "test"), panel.level(_on_the_line(45, names), "test")
    assert whole
    assert part
    assert part.value == pytest.approx(45, abs=0.5)
    assert part.standard_error > whole.standard_error > 0
    assert set(part.scores) == set(names)


@pytest.mark.parametrize("score", [0.0, 100.0])
def test_scores_at_the_ends_stay_finite(score: float) -> None:
    """A score of 0 or 100 gives a level within 0 to 100."""
    found = panel.level({"SciFact": score}, "test")
    assert found
    assert 0 <= found.value <= 100
    assert math.isfinite(found.standard_error)


@pytest.mark.parametrize("scores", [{}, {"STS12": 80.0}, {"scifact": 70.0}])
def test_no_panel_task_no_level(scores: dict[str, float]) -> None:
    """Without a score on a panel task there is no level."""
    assert panel.level(scores, "test") is None


def test_unknown_tasks_are_ignored() -> None:
    """A task that is not on the panel changes nothing."""
    assert panel.level(_on_the_line(45) | {"STS12": 99.0}, "test") == panel.level(_on_the_line(45), "test")


@pytest.mark.parametrize("name", ["SciFact", "MTEB SciFact", "MTEB SciFact (default)", "SciFact (default)"])
@pytest.mark.parametrize("value", [64.5, 0.645])
def test_names_and_scales_on_cards(read: Callable[..., Any], tmp_path: Path, name: str, value: float) -> None:
    """A task is known by the names that mteb writes, and scores between 0 and 1 are brought to 0 to 100."""
    assert _claimed(read, tmp_path, {"name": name, "value": value}) == {"SciFact": pytest.approx(64.5)}


def test_shares_among_percents(read: Callable[..., Any], tmp_path: Path) -> None:
    """One score that is written as a share is one where the others are percents too; nobody claims less than a point."""
    found = _claimed(read, tmp_path, {"name": "MTEB SciFact", "value": 0.6451}, {"name": "MTEB ArguAna", "value": 50})
    assert found == {"SciFact": pytest.approx(64.51), "ArguAna": 50.0}


def test_of_several_claims_the_highest_stands(read: Callable[..., Any], tmp_path: Path) -> None:
    """Rows put before a claim, low or impossible, do not hide it."""
    rows = [{"name": "MTEB SciFact", "value": value} for value in (20.0, 999, 64.5, 0.3)]
    assert _claimed(read, tmp_path, *rows) == {"SciFact": 64.5}


def test_one_score_pulls_the_level_nowhere() -> None:
    """A score that cannot be meant moves the level by little, is named, and makes the level as uncertain as it makes it."""
    scores = _on_the_line(58)
    whole = panel.level(scores, "test")
    assert whole
    assert not whole.odd
    for name in scores:
        spoilt = panel.level(scores | {name: 0.0}, "test")
        assert spoilt
        assert spoilt.value == pytest.approx(58, abs=2)
        assert spoilt.odd == (name,)
        assert spoilt.standard_error > 4 * whole.standard_error


def test_two_scores_that_disagree_say_little() -> None:
    """Where half of the scores are low nobody knows which half is meant: the level may lie anywhere between."""
    scores = _on_the_line(58, ["SciFact", "NFCorpus"])
    found = panel.level(scores | {"SciFact": 0.0}, "test")
    assert found
    assert found.standard_error > 1


def test_tasks_that_err_together_say_less() -> None:
    """Three tasks of one source tell little more than one of them does, where three of different ones tell more."""

    def error(*names: str) -> float:
        found = panel.level(_on_the_line(58, list(names)), "test")
        assert found
        return found.standard_error

    alike = ("CQADupstackGamingRetrieval", "CQADupstackUnixRetrieval", "CQADupstackRetrieval")
    assert 0.8 < error(*alike) / min(map(error, alike)) < 1.2
    apart = ("CQADupstackGamingRetrieval", "TRECCOVID", "SCIDOCS")
    assert error(*apart) < 0.9 * min(map(error, apart))


def test_reference_models_have_no_odd_score() -> None:
    """The scores of reference models agree as well as those that the lines were fitted on: their levels are plain weighted means."""
    for name in ("sentence-transformers/all-MiniLM-L6-v2", "sentence-transformers/all-mpnet-base-v2", "BAAI/bge-small-en-v1.5"):
        scores = panel.published(name)
        found = panel.level(scores, "test")
        assert found
        weights = {task: (panel.tasks()[task].slope / panel.tasks()[task].sd) ** 2 for task in scores}
        places = {task: (panel.logit(score) - panel.tasks()[task].intercept) / panel.tasks()[task].slope for task, score in scores.items()}
        mean = sum(weights[task] * places[task] for task in scores) / sum(weights.values())
        assert found.value == pytest.approx(panel.expit(mean))


@pytest.mark.parametrize(
    "entry",
    [
        {"value": "64.5 points"},
        {"value": float("nan")},
        {"value": None},
        {"value": 120.0},
        {"value": -3.0},
        {"value": 64.5, "split": "train"},
        {"value": 64.5, "config": "de"},
        {"value": 64.5, "metric": "ndcg_at_100"},
        {"value": 64.5, "name": "MTEB STS12"},
    ],
    ids=lambda entry: ",".join(f"{key}={value}" for key, value in entry.items()),
)
def test_what_is_no_panel_score_is_ignored(read: Callable[..., Any], tmp_path: Path, entry: dict[str, Any]) -> None:
    """Text, missing and impossible values, other splits, languages, metrics and tasks do not count."""
    good = {"name": "MTEB ArguAna", "value": 50.0}
    assert _claimed(read, tmp_path, {"name": "MTEB SciFact", **entry}, good) == {"ArguAna": 50.0}


@pytest.mark.parametrize("hub_id", ["nvidia/NV-Embed-v2", "NVIDIA/nv-embed-V2"])
def test_published_scores_are_found_whatever_the_case(hub_id: str) -> None:
    """The Hub's names do not differ by case, and neither do ours."""
    scores = panel.published(hub_id)
    assert len(scores) >= 4
    assert all(0 < score < 100 for score in scores.values())
    assert set(scores) <= set(panel.tasks())


def test_nothing_published_is_empty() -> None:
    """A model that the results repository does not know has no scores."""
    assert panel.published("nobody/nothing") == {}
