"""model-index: the scores that a card reports of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from huggingface_hub import ModelCard

from cardcheck.facts.datasets import id_problem
from cardcheck.facts.results import metric_range
from cardcheck.facts.schema import MAX_ROWS

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
        ("cosine_accuracy@1", "percent"),
        ("max_ap", "percent"),
        ("max_seq_length", None),
        ("main_score", "correlation"),
        ("mape", None),
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


ENTRY = "{task: {type: Retrieval}, dataset: {type: a/b, name: B}, metrics: [{type: f1, value: 1.5}]}"


@pytest.mark.parametrize(
    ("index", "problem"),
    [
        ("text", "not a list"),
        ("5", "not a list"),
        ("{name: m}", "not a list"),
        ("[text]", "an entry is not a mapping"),
        (f"[{{results: [{ENTRY}]}}]", "no name"),
        ("[{results: []}]", "no name"),
        (f"[{{name: null, results: [{ENTRY}]}}]", "no name"),
        ("[{name: m}]", "no results"),
        ("[{name: m, results: null}]", "`results` of an entry is not a list"),
        ("[{name: m, results: [text]}]", "a result is not a mapping"),
        ("[{name: m, results: [{dataset: {type: a/b, name: B}, metrics: [{type: f1, value: 1.5}]}]}]", "no task"),
        ("[{name: m, results: [{task: Retrieval, dataset: {type: a/b, name: B}, metrics: [{type: f1, value: 1.5}]}]}]", "a task is not"),
        (
            "[{name: m, results: [{task: {name: x}, dataset: {type: a/b, name: B}, metrics: [{type: f1, value: 1.5}]}]}]",
            "a task has no type",
        ),
        ("[{name: m, results: [{task: {type: x}, metrics: [{type: f1, value: 1.5}]}]}]", "no dataset"),
        ("[{name: m, results: [{task: {type: x}, dataset: {}, metrics: []}]}]", "a data set has no type"),
        ("[{name: m, results: [{task: {type: x}, dataset: {type: a/b}, metrics: []}]}]", "a data set has no name"),
        ("[{name: m, results: [{task: {type: x}, dataset: {type: a/b, name: B}}]}]", "no metrics"),
        ("[{name: m, results: [{task: {type: x}, dataset: {type: a/b, name: B}, metrics: {type: f1}}]}]", "`metrics` of a result"),
        ("[{name: m, results: [{task: {type: x}, dataset: {type: a/b, name: B}, metrics: [{value: 5}]}]}]", "a metric has no type"),
        ("[{name: m, results: [{task: {type: x}, dataset: {type: a/b, name: B}, metrics: [{type: f1}]}]}]", "a metric has no value"),
        (f"[{{name: m, results: [{ENTRY[:-1]}, source: {{name: s}}}}]}}]", "no url"),
        (f"[{{name: m, results: [{ENTRY[:-1]}, source: text}}]}}]", "a source is not a mapping"),
        ("[]", None),
        ("[{name: m, results: []}]", None),
        ("[{name: null, results: []}]", None),
        ("[{name: m, results: {}}]", None),
        (f"[{{name: m, results: [{ENTRY}]}}]", None),
        (f"[{{name: m, results: [{ENTRY[:-1]}, source: {{url: u}}}}]}}]", None),
    ],
)
def test_what_the_hubs_client_refuses(card_facts: CardFacts, index: str, problem: str | None) -> None:
    """A model-index is malformed exactly where huggingface_hub refuses to load the card."""
    card = f"---\nmodel-index: {index}\n---\n# m\n"
    found = [row["problem"] for row in card_facts(card)["results.malformed"]]
    if problem:
        assert any(problem in text for text in found)
        with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):
            ModelCard(card)
    else:
        assert found == []
        ModelCard(card)


def checked(card_facts: CardFacts, *results: str) -> Facts:
    """Return the facts of a card with these results, each of them `name | metric: value, …`, maybe with a task before the name."""
    entries = []
    for result in results:
        head, _, metrics = result.partition(" | ")
        task, _, name = head.rpartition("/")
        pairs = ", ".join(f"{{type: '{kind}', value: {value}}}" for kind, value in (pair.split(": ") for pair in metrics.split(", ")))
        entries.append(
            f"{{task: {{type: {task or 'Retrieval'}}}, dataset: {{type: mteb/x, name: '{name}', split: test}}, metrics: [{pairs}]}}"
        )
    return card_facts(f"---\nmodel-index: [{{name: m, results: [{', '.join(entries)}]}}]\n---\n# m\n")


LISTS = (
    "conflicts", "repeats", "misspelt", "unnumbered", "revisions", "dataset_ids", "train_splits", "splitless", "mixed_scales",
    "main_scores", "disorder", "perfect", "zeros", "twins", "uniform", "unverified",
)  # fmt: skip


@pytest.mark.parametrize(
    ("results", "fault"),
    [
        (["A | ndcg_at_10: 61.2", "B | ndcg_at_10: 33.1"], None),
        (["A | ndcg_at_10: 0.612", "B | ndcg_at_10: 33.1"], "mixed_scales"),
        (["A | accuracy: 91.2, f1: 0.905"], "mixed_scales"),
        (["A | cosine_pearson: 0.33, cosine_spearman: 25.5"], None),
        (["BitextMining/Tatoeba (kab-eng) | f1: 0.6", "B | f1: 33.1"], None),
        (["A | ndcg_at_10: 61.2, map_at_10: 50, main_score: 61.2"], None),
        (["A | ndcg_at_10: 61.2, map_at_10: 50, main_score: 71.2"], "main_scores"),
        (["A | ndcg_at_10: 61.2, main_score: 71.2"], None),
        (["A | recall_at_10: 70, recall_at_100: 65"], "disorder"),
        (["A | recall_at_10: 70, recall_at_100: 70"], None),
        (["A | precision_at_10: 70, precision_at_100: 7"], None),
        (["A | cosine_map@10: 0.8, cosine_map@100: 0.7"], None),
        (["A | dot_ap: 80, max_ap: 75"], "disorder"),
        (["A | ndcg_at_10: 100.0"], "perfect"),
        (["A | cosine_accuracy: 1.0"], "perfect"),
        (["A | recall_at_100: 100.0"], None),
        (["PairClassification/OpusparcusPC (fr) | max_ap: 100.0"], None),
        (["A | ndcg_at_10: 0.0"], "zeros"),
        (["A | accuracy: 88, f1: 0.0"], "zeros"),
        (["A | accuracy: 0.0, text_acc: 31.7, main_score: 31.7"], None),
        (["LEMBNeedleRetrieval (default) | main_score: 0.0"], None),
        (["EPBench (default_gpt4o_short) | main_score: 100.0"], None),
        ([*(f"T{at}x | main_score: {40 + at}.5" for at in range(30)), "U | main_score: 0.62"], None),
        ([*(f"T{at}x | main_score: {40 + at}.5" for at in range(10)), "U | main_score: 0.62"], "mixed_scales"),
        (["Speed/CPUSpeedTask (default) | main_score: 1171249.8"], None),
        (["A | accuracy: 5, f1: 6, ap: 7, recall: 8", "B | accuracy: 5, f1: 6, ap: 7, recall: 8"], "twins"),
        (["A | accuracy: 5, f1: 6, ap: 7, recall: 8", "A.v2 | accuracy: 5, f1: 6, ap: 7, recall: 8"], None),
        (["AHardNegatives (yo) | accuracy: 5, f1: 6, ap: 7, recall: 8", "A (yo) | accuracy: 5, f1: 6, ap: 7, recall: 8"], None),
        (["MultilingualB (es) | accuracy: 5, f1: 6, ap: 7, recall: 8", "SpanishB | accuracy: 5, f1: 6, ap: 7, recall: 8"], None),
        (["dim 768 | accuracy: 5, f1: 6, ap: 7, recall: 8", "dim 64 | accuracy: 5, f1: 6, ap: 7, recall: 8"], None),
        ([f"dim {dim} | accuracy: 75.5" for dim in (768, 512, 256, 128, 64)], None),
        ([f"{name} | accuracy: 75.5" for name in "ABCDE"], "uniform"),
        ([f"{name} | accuracy: 75.{name}" for name in "01234"], None),
        (["A | f1: 61.2, f1: 61.2"], "repeats"),
        (["A | f1: 61.2, f1: 66"], "conflicts"),
    ],
)
def test_scores_against_each_other(card_facts: CardFacts, results: list[str], fault: str | None) -> None:
    """Each fault of a set of scores is noted once, under its own name, and real sets of scores have none."""
    facts = checked(card_facts, *results)
    assert [name for name in LISTS if facts[f"results.{name}"]] == ([fault] if fault else [])
    assert all(len(facts[f"results.{name}"]) == 1 for name in LISTS if name == fault)


def test_many_faults_of_a_kind_are_one_row(card_facts: CardFacts) -> None:
    """A row says how many values are like it, and points at the first."""
    facts = checked(card_facts, "A | f1: .nan, map: .nan, mrr: text")
    assert [(row["what"], row["written"], row["count"]) for row in facts["results.unnumbered"]] == [
        ("f1 of A", "nan", 2),
        ("mrr of A", "text", 1),
    ]
    facts = card_facts(
        "---\nmodel-index: [{name: m, results: ["
        + ", ".join(f"{{dataset: {{type: x, name: d{at}, revision: None}}, metrics: []}}" for at in range(5))
        + "]}]\n---\n"
    )
    assert [(row["revision"], row["count"]) for row in facts["results.revisions"]] == [("None", 5)]
    assert [(row["id"], row["problem"], row["count"]) for row in facts["results.dataset_ids"]] == [("x", "owner", 5)]


@pytest.mark.parametrize(
    ("metrics", "how"),
    [
        ("ndcg_at_10: 61.2, nauc_mrr_at_1_std: .nan", "undefined"),
        ("ndcg_at_10: 61.2, nAUC_mrr_max: nan", "undefined"),
        ("accuracy: 61.2, ap_weighted: .nan", "undefined"),
        ("nauc_mrr_at_1_std: .nan", "not finite"),
        ("accuracy: 61.2, f1: .nan", "not finite"),
        ("accuracy: 61.2, ap: .inf", "not finite"),
        ("f1: '86.1'", "quoted"),
        ("f1: '-3'", "quoted"),
        ("f1: 1e-05", "exponent"),
        ("f1: '86,1'", "text"),
        ("f1: 86.1%", "text"),
        ("f1: ' '", "text"),
    ],
)
def test_what_keeps_a_value_from_being_a_number(card_facts: CardFacts, metrics: str, how: str) -> None:
    """NaN is told apart where mteb writes it for what cannot be computed, and text where it is a number but for its form."""
    assert checked(card_facts, f"A | {metrics}")["results.unnumbered"][0]["how"] == how


def test_faults_of_one_kind_say_in_how_many_results(card_facts: CardFacts) -> None:
    """Repeats are counted for each task on a data set, orders for each result, zeros and NaN for the card."""
    facts = checked(card_facts, "A | f1: .nan, map: .nan", "B | f1: .nan")
    assert [(row["count"], row["results"]) for row in facts["results.unnumbered"]] == [(3, 2)]
    facts = checked(card_facts, "A | f1: 5, map: 7", "STS/A | f1: 9", "A | f1: 6, map: 8", "STS/A | f1: 8")
    assert [(row["what"], row["count"]) for row in facts["results.conflicts"]] == [("A test f1", 2), ("A test f1", 1)]
    facts = checked(card_facts, "A | recall_at_1: 5, recall_at_10: 4, recall_at_100: 3, mrr_at_1: 5, mrr_at_10: 4")
    assert [(row["low"], row["high"], row["count"]) for row in facts["results.disorder"]] == [("recall_at_1", "recall_at_10", 3)]
    facts = checked(card_facts, "A | f1: 0.0", "B | f1: 0", "C | f1: 5.5")
    assert [(row["dataset"], row["count"]) for row in facts["results.zeros"]] == [("A", 2)]


COMMIT = "8a04d940a42cd40658986fdd8e3da561533a3646"


@pytest.mark.parametrize(
    ("results", "ids", "revisions"),
    [
        ([("Retrieval", "arguana", "None"), ("Retrieval", "fever", "None")], [("arguana", "owner", False, 2, "`fever`")], ["None"]),
        ([("STS", "paws-x", COMMIT)], [("paws-x", "legacy", True, 1, "")], []),
        ([("STS", "paws-x", "None")], [("paws-x", "owner", False, 1, "")], ["None"]),
        ([("Retrieval", "scifact", COMMIT)], [("scifact", "owner", True, 1, "")], []),
        ([("Retrieval", f"d{at}", None) for at in range(7)], [("d0", "owner", False, 7, "`d1`, `d2`, `d3`, `d4`, …")], []),
        ([("Speed", "CPUSpeedTask", "1.0")], [], []),
        ([("Retrieval", "CQADupstackRetrieval_is_a_combined_dataset", "CQADupstackRetrieval_is_a_combined_dataset")], [], []),
        ([("Retrieval", "CQADupstackRetrieval", "CQADupstackRetrieval is a combined dataset")], [], []),
        ([("Retrieval", "aggregate tasks do not have a path", "'1'")], [], []),
        ([("nano-beir", "NanoBEIR_R100_mean", None), ("nano-beir", "NanoBEIR_mean_256", None)], [], []),
    ],
)
def test_which_results_lead_to_no_data(
    card_facts: CardFacts,
    results: list[tuple[str, str, str | None]],
    ids: list[tuple[str, str, bool, int, str]],
    revisions: list[str],
) -> None:
    """Ids without an owner share a row; a commit under an old id is enough; means and speeds have no data set."""
    entries = ", ".join(
        f"{{task: {{type: {task}}}, dataset: {{type: {dataset}, name: MTEB X, revision: {revision or 'null'}}}, metrics: []}}"
        for task, dataset, revision in results
    )
    facts = card_facts(f"---\nmodel-index: [{{name: m, results: [{entries}]}}]\n---\n# m\n")
    found = [(row["id"], row["problem"], row["pinned"], row["ids"], row["others"]) for row in facts["results.dataset_ids"]]
    assert found == ids
    assert [row["revision"] for row in facts["results.revisions"]] == revisions


def test_a_speed_has_no_bounds(card_facts: CardFacts) -> None:
    """A speed task of mteb has words per second for a main score."""
    facts = checked(card_facts, "Speed/GPUSpeedTask | main_score: 7186456.8", "A | main_score: 7186456.8")
    assert [row["range"] for row in facts["results.entries"]] == [None, "correlation"]


@pytest.mark.parametrize(
    ("key", "replacement"),
    [("veriefied", "verified"), ("verify_token", "verifyToken"), ("Value2", None), ("comment", None), ("typ", None)],
)
def test_keys_that_are_nearly_right(card_facts: CardFacts, key: str, replacement: str | None) -> None:
    """A key of a metric that looks like a known one is taken for it, unless the known one is there as well."""
    facts = card_facts(f"---\nmodel-index: [{{name: m, results: [{{metrics: [{{type: f1, value: 5, {key}: 1}}]}}]}}]\n---\n")
    assert [row["replacement"] for row in facts["results.misspelt"]] == ([replacement] if replacement else [])


@pytest.mark.parametrize(
    ("dataset_id", "problem"),
    [
        ("mteb/scifact", None),
        ("scifact", "owner"),
        ("squad", "legacy"),
        ("unknown", "placeholder"),
        ("", "placeholder"),
        ("MTEB", "benchmark"),
        ("https://huggingface.co/datasets/a/b", "address"),
        ("my data", "form"),
        ("a/b/c", "form"),
    ],
)
def test_ids_of_data_sets(dataset_id: str, problem: str | None) -> None:
    """An id is OWNER/NAME; what is not is told apart by why."""
    assert id_problem(dataset_id) == problem


def test_more_results_than_rows_are_all_compared(card_facts: CardFacts) -> None:
    """Comparisons see results beyond the cap on rows."""
    results = [f"D{at} | f1: {50 + at / 1000}" for at in range(4100)]
    facts = checked(card_facts, *results, "D1 | f1: 90")
    assert "results.entries" in facts["facts.capped"]
    assert len(facts["results.conflicts"]) == 1


def test_of_too_many_rows_those_that_are_compared_stay(card_facts: CardFacts) -> None:
    """A card of a multilingual model holds more rows than are kept: scores at other depths go first, and the order stays."""
    other = ", ".join(["{type: map_at_3, value: 1}"] * MAX_ROWS)
    row = "{{task: {{type: Retrieval}}, dataset: {{name: {name}, type: x}}, metrics: [{metrics}{{type: ndcg_at_10, value: 2}}]}}"
    rows = [row.format(name=name, metrics=metrics) for name, metrics in (("A", other + ", "), ("B", ""))]
    facts = card_facts("---\nmodel-index:\n- name: m\n  results: [" + ", ".join(rows) + "]\n---\n")
    entries = facts["results.entries"]
    assert len(entries) == MAX_ROWS
    assert [entry["dataset"] for entry in entries if entry["metric"] == "ndcg_at_10"] == ["A", "B"]
    assert entries[-1]["dataset"] == "B"
    assert "results.entries" in facts["facts.capped"]
