"""`.eval_results/*.yaml`: what the Hub reads, and what it passes over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from huggingface_hub import parse_eval_result_entries

from cardcheck.facts import Facts, collect
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from conftest import FactsOf, MakeModel

GOOD = """\
- dataset:
    id: mteb/scifact
    task_id: SciFact
    revision: 0228b52cf27578f30900b9e5271d331663a030d7
  value: 64.21
  date: "2025-11-03"
  source:
    url: https://huggingface.co/datasets/mteb/results
    name: MTEB results
"""
PROOF = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9.eyJoYXNoIjoiMDEyMyJ9.abcDEF123456"
INDEX = """\
---
model-index:
- name: m
  results:
  - task: {{type: Retrieval}}
    dataset: {{type: {id}, name: MTEB SciFact}}
    metrics:
    - {{type: ndcg_at_10, value: {value}}}
---
"""
LISTS = (
    "malformed",
    "misspelt",
    "values",
    "unproven",
    "dates",
    "dataset_ids",
    "revisions",
    "urls",
    "conflicts",
    "contradictions",
    "astray",
)


@pytest.fixture
def read(make_model: MakeModel, facts_of: FactsOf) -> Any:
    """Give the reader of one file of results."""
    return lambda text, card="# m\n": facts_of(make_model({"README.md": card, ".eval_results/SciFact.yaml": text}))


def faults(facts: Facts) -> set[str]:
    """Return the names of the lists that hold something."""
    return {name for name in LISTS if facts[f"evalresults.{name}"]}


def test_a_good_file_has_no_faults(read: Any) -> None:
    """An entry is a row with its data set, task, value, source and place."""
    facts = read(GOOD)
    (row,) = facts["evalresults.entries"]
    assert (row["dataset"], row["task"], row["value"], row["token"], row["line"]) == ("mteb/scifact", "SciFact", 64.21, False, 5)
    assert row["source"] == "https://huggingface.co/datasets/mteb/results"
    assert row["file"] == ".eval_results/SciFact.yaml"
    assert faults(facts) == set()
    assert facts.sources["evalresults"].state == "known"


def test_no_file_is_no_source(make_model: MakeModel, facts_of: FactsOf) -> None:
    """A repository without results has none, and nothing is said of it."""
    facts = facts_of(make_model({"README.md": "# m\n", "eval/results.json": "{}"}))
    assert facts.sources["evalresults"].state == "absent"
    assert faults(facts) == set()


def test_a_file_that_cannot_be_read_is_unavailable(make_model: MakeModel, facts_of: FactsOf) -> None:
    """What could not be looked at is not passed over."""
    path = make_model({"README.md": "# m\n", ".eval_results/a.yaml": GOOD})
    (path / ".eval_results" / "a.yaml").write_bytes(b"- a\n" * 1_100_000)
    assert facts_of(path).sources["evalresults"].state == "unavailable"


def test_a_file_named_by_itself_is_read(make_model: MakeModel) -> None:
    """Where single files are named, those of results are read as well."""
    path = make_model({"README.md": "# m\n", ".eval_results/a.yaml": "- 5\n"})
    facts = collect(Subject(str(path), "files", path, only=(".eval_results/a.yaml",)))
    assert [row["problem"] for row in facts["evalresults.malformed"]] == ["an entry is not a mapping"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (GOOD.replace("- dataset", "- datasets"), "has no dataset"),
        (GOOD.replace("  value: 64.21\n", ""), "has no value"),
        (GOOD.replace("    task_id: SciFact\n", ""), "has no task_id"),
        (GOOD.replace("    id: mteb/scifact\n", "    id:\n"), "has no id"),
        (GOOD.replace("    url: https://huggingface.co/datasets/mteb/results\n", ""), "has no url"),
        ("dataset: {id: cais/hle, task_id: default}\nvalue: 20.9\n", "not a list"),
        ("- dataset: cais/hle\n  value: 20.9\n", "not a mapping"),
        ("- 5\n", "not a mapping"),
        ("", "empty"),
        ("- [", "not valid YAML"),
        ("&a [*a]", "not valid YAML"),
    ],
)
def test_what_the_hub_cannot_read(read: Any, text: str, problem: str) -> None:
    """Each fault that keeps a file from being shown is named, and huggingface_hub stops at it too where it reads it at all."""
    facts = read(text)
    assert any(problem in row["problem"] for row in facts["evalresults.malformed"])
    if "YAML" not in problem and text and "task_id" not in problem and problem != "has no id" and "empty" not in problem:
        with pytest.raises((KeyError, TypeError, ValueError, AttributeError)):
            parse_eval_result_entries(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("old", "new", "replacement"),
    [
        ("  date", "  verify_token: x\n  date", "verifyToken"),
        ("task_id", "taskId", "task_id"),
        ("- dataset", "- datasets", "dataset"),
        ("    url", "    urls", "url"),
        ("revision", "revison", "revision"),
        ("  date", "  hardware: one GPU\n  date", None),
        ("  date", f"  verifyToken: {PROOF}\n  verify_token: x\n  date", None),
    ],
)
def test_keys_that_are_nearly_right(read: Any, old: str, new: str, replacement: str | None) -> None:
    """A key that looks like one of the Hub's is taken for it; others are the author's own."""
    found = [row["replacement"] for row in read(GOOD.replace(old, new, 1))["evalresults.misspelt"]]
    assert found == ([replacement] if replacement else [])


@pytest.mark.parametrize(
    ("line", "unproven"),
    [
        (f"  verifyToken: {PROOF}\n", False),
        (f"  verifyToken: {PROOF}\n  notes: verified\n", False),
        ("  notes: not verified\n", False),
        ("  notes: unverified\n", False),
        ("  notes: [verified]\n", False),
        (f"  verify_token: {PROOF}\n  notes: verified\n", False),
        ("  verifyToken:\n", True),
        ("  verifyToken: ''\n", True),
        ("  verifyToken: verified\n", True),
        ("  verifyToken: true\n", True),
        ("  verifyToken: [a]\n", True),
        ("  verified: true\n", True),
        ("  notes: Verified by the Hub\n", True),
    ],
)
def test_claims_of_verification(read: Any, line: str, *, unproven: bool) -> None:
    """Only a token that can be one proves that a result was verified."""
    assert bool(read(GOOD + line)["evalresults.unproven"]) is unproven


@pytest.mark.parametrize(
    ("date", "problem"),
    [
        ("2025-11-03", None),
        ("'2025-11-03T10:30:00Z'", None),
        ("2025-11-03T10:30:00.5+01:00", None),
        ("2025-02-30", "calendar"),
        ("2025", "form"),
        ("03/11/2025", "form"),
        ("[2025]", "form"),
        ("2999-01-01", "ahead"),
    ],
)
def test_dates(read: Any, date: str, problem: str | None) -> None:
    """A date is of ISO 8601, in the calendar and not in the future."""
    found = [row["problem"] for row in read(GOOD.replace('"2025-11-03"', date))["evalresults.dates"]]
    assert len(found) == (problem is not None)
    assert not problem or problem in found[0]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("64.21", ".nan", "values"),
        ("64.21", "'64.21'", "values"),
        ("64.21", "[64.21]", "values"),
        ("64.21", "true", "values"),
        ("mteb/scifact", "scifact", "dataset_ids"),
        ("mteb/scifact", "https://huggingface.co/datasets/mteb/scifact", "dataset_ids"),
        ("0228b52cf27578f30900b9e5271d331663a030d7", "main", "revisions"),
        ("https://huggingface.co/datasets/mteb/results", "/home/ada/runs", "urls"),
        ("https://huggingface.co/datasets/mteb/results", "http://localhost/runs", "urls"),
    ],
)
def test_values_that_are_none(read: Any, old: str, new: str, fault: str) -> None:
    """Values, ids, revisions and addresses that cannot be any are noted, one fault each."""
    assert faults(read(GOOD.replace(old, new))) == {fault}


def test_repeats_with_another_value_conflict(make_model: MakeModel, facts_of: FactsOf) -> None:
    """The same task from the same source has one value, in one file or in two; other notes are other measurements."""
    other = GOOD.replace("64.21", "71.0")
    facts = facts_of(make_model({".eval_results/a.yaml": GOOD + GOOD, ".eval_results/b.yaml": other}))
    assert [(row["first"], row["second"], row["where"]) for row in facts["evalresults.conflicts"]] == [
        ("64.21", "71.0", ".eval_results/a.yaml")
    ]
    facts = facts_of(make_model({".eval_results/a.yaml": GOOD, ".eval_results/b.yaml": other + "  notes: with a prompt\n"}))
    assert facts["evalresults.conflicts"] == []


@pytest.mark.parametrize(
    ("dataset_id", "value", "task", "contradicts"),
    [
        ("mteb/scifact", "64.21", "SciFact", False),
        ("mteb/scifact", "0.6421", "SciFact", False),
        ("mteb/scifact", "58.0", "SciFact", True),
        ("scifact", "58.0", "SciFact_default_test", True),
        ("mteb/nfcorpus", "58.0", "SciFact", False),
        ("mteb/scifact", "58.0", "default", False),
    ],
)
def test_results_against_model_index(read: Any, dataset_id: str, value: str, task: str, *, contradicts: bool) -> None:
    """A result that no metric of the same task and data has contradicts the card."""
    facts = read(GOOD.replace("task_id: SciFact", f"task_id: {task}"), INDEX.format(id=dataset_id, value=value))
    assert bool(facts["evalresults.contradictions"]) is contradicts


@pytest.mark.parametrize(
    ("task", "contradicts"), [("SciFact", True), ("SciFact_default_test", True), ("SciFact_test", True), ("SciFact_Zeroshot", False)]
)
def test_another_task_on_the_same_data_contradicts_nothing(read: Any, task: str, *, contradicts: bool) -> None:
    """What follows a task's name is a configuration or a split, or else makes it another task, as in ESC50_Zeroshot."""
    index = INDEX.format(id="mteb/scifact", value="58.0").replace("MTEB SciFact", "MTEB SciFact, config: default, split: test")
    facts = read(GOOD.replace("task_id: SciFact", f"task_id: {task}"), index)
    assert bool(facts["evalresults.contradictions"]) is contradicts


@pytest.mark.parametrize(
    ("path", "text", "astray"),
    [
        ("eval_results/a.yaml", GOOD, True),
        (".eval-results/a.yml", GOOD, True),
        (".eval_results.yaml", GOOD, True),
        (".eval_results/a.json", '[{"dataset": {"id": "a/b", "task_id": "x"}, "value": 1}]', True),
        ("eval_results/a.yaml", "batch_size: 5\n", False),
        ("results/a.yaml", GOOD, False),
    ],
)
def test_results_in_another_place(make_model: MakeModel, facts_of: FactsOf, path: str, text: str, *, astray: bool) -> None:
    """Files that are meant for the Hub and lie where it does not look are noted."""
    assert bool(facts_of(make_model({path: text}))["evalresults.astray"]) is astray


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "5",
        "[[[[1]]]]",
        "- {dataset: [], value: {}, source: 5, date: {}, notes: 5}",
        "- {dataset: {id: [], task_id: {}}}",
        "- {1: 2, true: 3}",
    ],
)
def test_any_shape_is_survived(read: Any, text: str) -> None:
    """Whatever stands in the file, a fact says so and nothing is raised."""
    assert faults(read(text)) >= {"malformed"}


def test_time_grows_with_the_file_and_no_faster(make_model: MakeModel, facts_of: FactsOf) -> None:
    """Many entries with many unknown keys take time in proportion."""

    def seconds(entries: int) -> float:
        text = "".join(f"- {{dataset: {{id: a/b, task_id: t{at}}}, value: {at}, verifx{at}: 1}}\n" for at in range(entries))
        path = make_model({".eval_results/a.yaml": text}, name=f"m{entries}")
        start = time.perf_counter()
        facts_of(path)
        return time.perf_counter() - start

    assert seconds(8000) < 12 * seconds(2000) + 0.5
