"""model-index: the scores that a card reports of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardcheck.facts.results import metric_range

if TYPE_CHECKING:
    from conftest import CardFacts

    from cardcheck.facts import Facts

INDEX = """\
---
model-index:
- name: ours
  results:
  - task: {type: Retrieval}
    dataset: {type: mteb/scifact, name: MTEB SciFact, config: default, split: test, revision: abc}
    metrics:
    - type: ndcg_at_10
      value: 61.2
    - type: map_at_10
      value: 55
---
# ours
"""


def one(card_facts: CardFacts, value: str) -> Facts:
    """Return the facts of a card whose only result is `value`."""
    return card_facts(f"---\nmodel-index: [{{name: m, results: [{{metrics: [{{type: ndcg_at_10, value: {value}}}]}}]}}]\n---\n")


def test_entries_have_everything_that_was_written(card_facts: CardFacts) -> None:
    """Each metric is a row with task, data set, split, revision, value and the place of the value."""
    facts = card_facts(INDEX)
    assert facts["results.entries"] == [
        {
            "model": "ours", "task": "Retrieval", "dataset": "MTEB SciFact", "dataset_id": "mteb/scifact", "config": "default",
            "split": "test", "revision": "abc", "metric": metric, "value": value, "written": written, "range": "percent",
            "file": "README.md", "line": line, "column": 7,
        }
        for metric, value, written, line in (("ndcg_at_10", 61.2, "61.2", 9), ("map_at_10", 55.0, "55", 11))
    ]  # fmt: skip
    assert [(row["name"], row["line"]) for row in facts["results.models"]] == [("ours", 3)]
    assert facts.sources["results"].state == "known"


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("61.2", 61.2),
        ("'61.2'", None),
        ("null", None),
        (".nan", None),
        ("-.inf", None),
        ("true", None),
        ("[1]", None),
        ("1e+400", None),
        ("-3", -3.0),
    ],
)
def test_only_finite_numbers_are_values(card_facts: CardFacts, written: str, value: float | None) -> None:
    """What is no finite number has no value, and what was written is kept."""
    row = one(card_facts, written)["results.entries"][0]
    assert row["value"] == value
    assert row["written"]


@pytest.mark.parametrize(
    ("metric", "bounds"),
    [
        ("ndcg_at_10", "percent"),
        ("NDCG@10", "percent"),
        ("cos_sim_spearman", "correlation"),
        ("manhattan_accuracy_threshold", None),
        ("nauc_ndcg_at_10_max", None),
        ("evaluation_time", None),
        ("parameters", None),
    ],
)
def test_bounds_of_metrics(metric: str, bounds: str | None) -> None:
    """Scores are percentages, correlations go below zero, thresholds and times have no bounds."""
    assert metric_range(metric) == bounds


@pytest.mark.parametrize(
    ("index", "problem"),
    [("text", "not a list"), ("{name: m}", "not a list"), ("5", "not a list"), ("[text]", "not a mapping"), ("[null]", "not a mapping")],
)
def test_an_index_of_another_shape_is_a_problem(card_facts: CardFacts, index: str, problem: str) -> None:
    """A model-index that is no list of mappings is said to be none, with its place."""
    facts = card_facts(f"---\nlicense: mit\nmodel-index: {index}\n---\n")
    assert problem in facts["results.problem"]
    assert facts.places["results.problem"].line == 3
    assert facts["results.entries"] == []


@pytest.mark.parametrize(
    "results",
    ["null", "text", "[text, null, 5]", "[{metrics: text}]", "[{metrics: [null, text]}]", "[{task: x, dataset: [y], metrics: []}]"],
)
def test_broken_parts_are_passed_over(card_facts: CardFacts, results: str) -> None:
    """Parts of another shape than expected give no rows and no failure."""
    facts = card_facts(f"---\nmodel-index: [{{name: m, results: {results}}}]\n---\n")
    assert facts["results.entries"] == []
    assert [row["name"] for row in facts["results.models"]] == ["m"]


@pytest.mark.parametrize(
    ("first", "second", "conflicts"),
    [("61.2", "66.0", 1), ("61.2", "61.2", 0), ("61.20", "61.21", 0), ("0.612", "0.660", 1), ("61.2", "text", 1), ("text", "text", 0)],
)
def test_repeats_with_another_value_conflict(card_facts: CardFacts, first: str, second: str, conflicts: int) -> None:
    """A measurement that stands twice conflicts where its values differ by more than rounding."""
    metrics = f"metrics: [{{type: ndcg_at_10, value: {first}}}, {{type: ndcg_at_10, value: {second}}}]"
    facts = card_facts(f"---\nmodel-index: [{{name: m, results: [{{dataset: {{name: d}}, {metrics}}}]}}]\n---\n")
    assert len(facts["results.conflicts"]) == conflicts


def test_other_splits_do_not_conflict(card_facts: CardFacts) -> None:
    """The same metric on another split is another measurement."""
    results = ", ".join(
        f"{{dataset: {{name: d, split: {split}}}, metrics: [{{type: f1, value: {at}}}]}}" for at, split in enumerate(("dev", "test"))
    )
    assert card_facts(f"---\nmodel-index: [{{name: m, results: [{results}]}}]\n---\n")["results.conflicts"] == []
