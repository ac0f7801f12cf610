"""The card's scores beside MTEB's results: what agrees, which trap explains a difference, and what remains."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.catalogue.shifts import shift
from cardcheck.engine.recorded import Recorded
from cardcheck.facts import Facts, collect
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeModel

    Compared = Callable[..., Facts]

ME = "acme/ours"
OLD, NEW = "a" * 40, "b" * 40
S, C, MTOP = "SciFact", "CUREv1", "MTOPIntentClassification"
TABLE = "Results on MTEB:\n\n| model | SciFact | NFCorpus |\n| --- | --- | --- |\n| ours | {} | 33.12 |\n| theirs | 60.10 | 31.00 |\n"


@pytest.fixture
def compared(make_model: MakeModel) -> Compared:
    """Give the facts of a card whose scores are held against these results."""

    def compare(card: str, results: Any, *, hub_id: str | None = ME, **files: str) -> Facts:
        path = make_model({"README.md": card, **files})
        outside = Recorded({"results": {ME: results}} if results is not None else {})
        return collect(Subject(str(path), "folder", path, id=hub_id), embedding=True, outside=outside)

    return compare


def index(*rows: tuple[str, str, float], **dataset: str) -> str:
    """Return a card with these (task, metric, value) in model-index."""
    more = "".join(f", {key}: {value}" for key, value in dataset.items())
    entries = "".join(
        f"  - task: {{type: Retrieval}}\n    dataset: {{type: mteb/x, name: MTEB {task}{more}}}\n"
        f"    metrics: [{{type: {metric}, value: {value}}}]\n"
        for task, metric, value in rows
    )
    return f"---\nmodel-index:\n- name: ours\n  results:\n{entries}---\n# ours\n"


def run(
    task: str, *, name: str = "1", split: str = "test", subset: str = "default", revision: str = "", **metrics: float
) -> dict[str, Any]:
    """Return one part of a results file."""
    return {"task": task, "run": name, "split": split, "subset": subset, "dataset_revision": revision, "metrics": metrics}


def traps(facts: Facts) -> list[tuple[str, str]]:
    """Return the task and the trap of every compared part."""
    return [(row["task"], row["trap"]) for row in facts["official.entries"]]


def test_agreement_and_direction(compared: Compared) -> None:
    """Numbers within a point agree; others count as higher or lower, with the mean difference and the place in the card."""
    card = index(("SciFact", "ndcg_at_10", 64.6), ("NFCorpus", "ndcg_at_10", 39.0), ("SCIDOCS", "ndcg_at_10", 20.0))
    facts = compared(card, [run("SciFact", main_score=0.645), run("NFCorpus", ndcg_at_10=0.33), run("SCIDOCS", ndcg_at_10=0.235)])
    assert (facts["official.claimed"], facts["official.compared"], facts["official.higher"], facts["official.lower"]) == (3, 3, 1, 1)
    assert facts["official.mean_difference"] == pytest.approx((0.1 + 6.0 - 3.5) / 3, abs=0.01)
    widest = facts["official.entries"][0]
    assert (widest["task"], widest["stated"], widest["official"], widest["difference"], widest["trap"]) == ("NFCorpus", 39.0, 33.0, 6.0, "")
    assert (widest["file"], widest["line"]) == ("README.md", 10)


def test_one_run_that_agrees_is_enough(compared: Compared) -> None:
    """The nearest run counts, and runs that lie far apart are noted."""
    facts = compared(index(("SciFact", "ndcg_at_10", 64.6)), [run("SciFact", main_score=0.30), run("SciFact", name="2", main_score=0.645)])
    assert facts["official.entries"][0]["run"] == "2"
    assert [(row["low"], row["high_run"]) for row in facts["official.spread"]] == [(30.0, "2")]


@pytest.mark.parametrize(
    ("card", "results", "trap"),
    [
        ("# ours\n\n" + TABLE.format("77.25"), [run("SciFact", main_score=0.6451, recall_at_10=0.7725)], "metric"),
        (index(("SciFact", "ndcg_at_10", 0.645), ("NFCorpus", "ndcg_at_10", 33.0)), [run("SciFact", ndcg_at_10=0.645)], "scale"),
        (index((S, "ndcg_at_10", 73.12)), [run(S, main_score=0.6), run(S, split="dev", ndcg_at_10=0.7312)], "split"),
        (index((C, "ndcg_at_10", 64.9), split="test", revision=OLD), [run(C, revision=NEW, main_score=0.545)], "data revision"),
        (index((C, "ndcg_at_10", 64.9), split="test", revision=OLD), [run(C, revision=OLD, main_score=0.545)], ""),
        (index(("SciFact", "ndcg_at_10", 64.9), revision=OLD), [run("SciFact", revision=NEW, main_score=0.545)], ""),
        (index(("SciFact", "ndcg_at_10", 64.9)), [run("SciFact", main_score=0.012)], "broken run"),
        (index((MTOP, "accuracy", 75.0)), [run(MTOP, subset="en", accuracy=0.65)], None),
        (index((MTOP, "accuracy", 75.0), config="en"), [run(MTOP, subset="en", accuracy=0.65)], "task"),
        (index((MTOP, "accuracy", 55.0), config="en"), [run(MTOP, subset="en", accuracy=0.65)], ""),
    ],
)  # fmt: skip
def test_traps(compared: Compared, card: str, results: Any, trap: str | None) -> None:
    """Each known trap is told apart; where data of another revision gives the same scores to everybody, the revision explains nothing."""
    facts = compared(card, results)
    assert [found for task, found in traps(facts) if task != "NFCorpus"] == ([] if trap is None else [trap])


def test_prompts(compared: Compared) -> None:
    """Retrieval that differs to one side while everything else agrees is told as prompts, where the model has any."""
    retrieval = ("SciFact", "NFCorpus", "SCIDOCS", "TRECCOVID")
    others = ("TwitterURLCorpus", "SprintDuplicateQuestions", "StackExchangeClustering")
    metrics = {"StackExchangeClustering": "v_measure"}
    card = index(*((task, "ndcg_at_10", 44.0) for task in retrieval), *((task, metrics.get(task, "max_ap"), 80.0) for task in others))
    results = [run(task, main_score=0.40) for task in retrieval] + [run(task, main_score=0.80) for task in others]
    assert {trap for _, trap in traps(compared(card, results))} == {""}
    prompts = {"config_sentence_transformers.json": '{"prompts": {"query": "query: "}}'}
    assert dict(traps(compared(card, results, **prompts))) == dict.fromkeys(retrieval, "prompt") | dict.fromkeys(others, "")


def test_numbers_of_the_card_are_no_second_measurement(compared: Compared) -> None:
    """What the repository took from the card is told, and not compared."""
    facts = compared(index(("SciFact", "ndcg_at_10", 64.6)), [run("SciFact", name="external", main_score=0.646)])
    assert (facts["official.copied"], facts["official.compared"]) == (["SciFact"], 0)


def test_eval_results(compared: Compared) -> None:
    """Entries of `.eval_results` are read by mteb's names for tasks, subsets and splits."""
    entry = "- dataset: {id: mteb/MTOPIntent, task_id: MTOPIntentClassification_de_test}\n  value: 90.5\n"
    facts = compared("# ours\n", [run(MTOP, subset="de", main_score=0.5)], **{".eval_results/a.yaml": entry})
    assert [(row["subset"], row["stated"], row["origin"]) for row in facts["official.entries"]] == [("de", 90.5, ".eval_results")]


def test_sources(compared: Compared) -> None:
    """Without an id, without scores, and without results there is nothing to compare, and each is told; so is who did not answer."""
    card = index(("SciFact", "ndcg_at_10", 64.6))
    found = [
        compared(card, [], hub_id=None).sources["official"],
        compared("# ours\n", []).sources["official"],
        compared(card, None).sources["official"],
        compared(card, "the Hub answered 503").sources["official"],
    ]
    assert [source.state for source in found] == ["absent", "absent", "absent", "unavailable"]
    assert "503" in (found[3].reason or "")


def test_the_usual_difference_is_packaged() -> None:
    """MTOPIntent changed between versions of mteb, SciFact did not; a task that no card states has no usual difference."""
    moved, stayed = shift(MTOP), shift("SciFact")
    assert moved is not None
    assert moved.share > 0.5
    assert stayed is not None
    assert stayed.share < 0.2
    assert shift("NoSuchTask") is None


def test_hostile_results(compared: Compared) -> None:
    """Whatever stands in the results, the facts are made."""
    odd: list[Any] = [None, True, -1, 1e300, float("nan"), float("inf"), "x" * 10_000, [], {"a": 1}, "\ud800"]
    dice = random.Random(5)  # noqa: S311  # reproducible, not secret
    card = index(("SciFact", "ndcg_at_10", 64.6), ("NFCorpus", "ndcg_at_10", 33.0))
    for _ in range(50):
        rows = [
            {"task": dice.choice(["SciFact", "NFCorpus"])}
            | {
                key: dice.choice(odd)
                for key in ("run", "split", "subset", "metrics", "dataset_revision", "mteb_version")
                if dice.random() < 0.6
            }
            for _ in range(6)
        ]
        assert compared(card, rows).sources["official"].state == "known"
