"""The check's two stages: the held-out set, then a public task, unless the first decides it or the budget is too small."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cardcheck.errors import CardcheckError
from cardcheck.facts import collect
from cardcheck.facts.outside import Offline
from cardcheck.facts.schema import MAX_ROWS
from cardcheck.report import words
from cardcheck.spotcheck import measure, panel, public, references
from cardcheck.spotcheck.check import Options, spotcheck
from cardcheck.spotcheck.encode import Encoded
from cardcheck.spotcheck.references import PublicReferences

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardcheck.spotcheck.result import SpotCheck

WIDTH = 64


@pytest.fixture
def judge(
    tiny: Path, public_data: Path, read: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[SpotCheck, list[int]]]:
    """Return a function that checks the tiny model with made vectors and reference scores, and tells how many texts each stage encoded."""
    stages: list[int] = []

    def encode(_path: Path, queries: list[str], documents: list[str], **options: Any) -> Encoded:
        stages.append(len(queries) + len(documents))
        options["progress"](stages[-1])
        rng = np.random.default_rng(len(stages))
        about = {"similarity": "cosine", "load_s": 1.0, "encode_s": 2.0, "prompts": {}}
        vectors = [rng.standard_normal((len(texts), WIDTH)).astype(np.float32) for texts in (queries, documents)]
        return Encoded(vectors[0], vectors[1], about, {})

    def others(task: Any) -> PublicReferences:
        rng = np.random.default_rng(0)
        scores = {part: rng.random((7, len(texts))) for part, texts in task.queries.items()}
        return PublicReferences(tuple(f"acme/m{at}" for at in range(7)), scores, list(range(len(task.queries["reworded"]))))

    monkeypatch.setattr(measure, "encode", encode)
    monkeypatch.setattr(references, "public_references", others)
    monkeypatch.setattr(references, "public_hash", lambda _name: public.load(public.TASKS[0], public_data).sha256)

    def run(claims: dict[str, float] | None = None, **options: Any) -> tuple[SpotCheck, list[int]]:
        stages.clear()
        monkeypatch.setattr(panel, "claimed", lambda _facts: claims or {})
        subject, _ = read(tiny)
        facts = collect(subject, outside=Offline())  # what is declared is looked up as in an audit
        return spotcheck(subject, facts, Options(public=public_data, offline=True, **options)), list(stages)

    return run


def test_all_four_tests(judge: Callable[..., tuple[SpotCheck, list[int]]]) -> None:
    """With published scores and a public task every test has an outcome, at levels that sum to the error rate at most."""
    found, stages = judge({"SciFact": 1.0})
    assert len(stages) == 2
    assert {one.kind for one in found.tests} == {"residual", "split", "rewording", "reproduction"}
    assert found.public is not None
    assert set(found.public.measured) == {"test", "other", "reworded"}
    assert found.public.published == 1.0
    assert found.encoding["encode_s"] == 4.0
    assert found.texts_per_second == pytest.approx(sum(stages) / 4.0)


def test_without_published_scores_the_paired_tests_run(judge: Callable[..., tuple[SpotCheck, list[int]]]) -> None:
    """What compares a model with itself needs no claim."""
    found, _ = judge()
    assert {one.kind for one in found.tests} == {"split", "rewording"}
    assert found.residual is None


def test_what_is_decided_is_not_measured_further(judge: Callable[..., tuple[SpotCheck, list[int]]]) -> None:
    """A random model with the scores of a great one is unexplained after the first stage."""
    found, stages = judge(dict.fromkeys(panel.tasks(), 80.0))
    assert (found.verdict, len(stages)) == ("unexplained", 1)
    assert "decided" in found.no_public


def test_a_budget_leaves_the_second_stage_out(judge: Callable[..., tuple[SpotCheck, list[int]]]) -> None:
    """What would take longer is left out with the reason, and a budget that suffices changes nothing."""
    found, stages = judge({"SciFact": 1.0}, budget=0.5)
    assert len(stages) == 1
    assert "the budget is 0.5 s" in found.no_public
    assert len(judge({"SciFact": 1.0}, budget=3600.0)[1]) == 2


def test_prompts_in_words(judge: Callable[..., tuple[SpotCheck, list[int]]], tiny: Path) -> None:
    """Where the card tells prompts in words and no file has them, a rerun says nothing of the published score."""
    card = (tiny / "README.md").read_text(encoding="utf-8")
    (tiny / "README.md").write_text(card + "\nPut the instruction `query: ` before each query.\n", encoding="utf-8")
    found, _ = judge({"SciFact": 1.0})
    assert "reproduction" not in {one.kind for one in found.tests}
    assert found.public is not None
    assert "prompts" in found.public.left_out["reproduction"]


@pytest.mark.parametrize(("data", "kinds"), [("mteb/scifact", {"split"}), ("BeIR/scifact-qrels", {"split", "rewording"})])
def test_declared_training_queries(judge: Callable[..., tuple[SpotCheck, list[int]]], tiny: Path, data: str, kinds: set[str]) -> None:
    """A model that declares the task's training queries is not judged by rewording; one that declares its test queries is."""
    card = (tiny / "README.md").read_text(encoding="utf-8")
    (tiny / "README.md").write_text(f"---\ndatasets: [{data}]\n" + card.removeprefix("---\n"), encoding="utf-8")
    found, _ = judge()
    assert {one.kind for one in found.tests} == kinds
    assert found.public is not None
    assert ("rewording" in found.public.left_out) == ("rewording" not in kinds)


def test_scores_on_declared_tasks_promise_nothing(judge: Callable[..., tuple[SpotCheck, list[int]]], tiny: Path) -> None:
    """The panel level leaves out tasks that the model declares to be trained on; the rerun of such a score is still held against it."""
    card = (tiny / "README.md").read_text(encoding="utf-8")
    (tiny / "README.md").write_text("---\ndatasets: [mteb/scifact]\n" + card.removeprefix("---\n"), encoding="utf-8")
    found, _ = judge({"SciFact": 1.0, "NFCorpus": 1.0})
    assert found.panel is not None
    assert found.panel.scores == {"NFCorpus": 1.0}
    assert "panel level 1.0 from 1 task, without 1 whose data are named as training data" in words.panel(found)
    assert any(line.startswith("not judged: published scores on SciFact (") for line in words.left_out(found))
    assert {one.kind for one in found.tests} == {"residual", "split", "reproduction"}
    found, _ = judge({"SciFact": 1.0})
    assert found.panel is None
    assert {one.kind for one in found.tests} == {"split", "reproduction"}
    assert words.panel(found).startswith("no panel level: the data of every task")
    only, _ = judge({"SciFact": 1.0}, heldout_only=True)
    assert (only.verdict, only.tests) == ("inconclusive", [])
    assert "not trained on would settle it" in words.verdict(only)


def test_only_the_held_out_set(judge: Callable[..., tuple[SpotCheck, list[int]]]) -> None:
    """--heldout-only measures nothing else, and a domain takes its queries alone and the whole corpus."""
    found, stages = judge({"SciFact": 1.0}, heldout_only=True)
    assert (len(stages), found.public) == (1, None)
    whole = found.documents
    legal, _ = judge({"SciFact": 1.0}, heldout_only=True, set="velmarch-en-2", domain="legal")
    assert (legal.documents, legal.queries) == (420, 64)
    assert whole in (256, 420)


def test_a_set_without_references(judge: Callable[..., tuple[SpotCheck, list[int]]], monkeypatch: pytest.MonkeyPatch) -> None:
    """On a set that no reference model was measured on, such as a user's own, the other tests run and it is said what is missing."""
    monkeypatch.setattr(references, "references", lambda *_: ())
    found, _ = judge({"SciFact": 1.0})
    assert {one.kind for one in found.tests} == {"split", "rewording", "reproduction"}
    assert "references measure" in found.no_residual


def _declare(tiny: Path, *lines: str) -> None:
    """Put lines into the card's front matter."""
    card = (tiny / "README.md").read_text(encoding="utf-8")
    (tiny / "README.md").write_text("\n".join(["---", *lines, ""]) + card.removeprefix("---\n"), encoding="utf-8")


def test_without_a_published_score_nothing_is_consistent(judge: Callable[..., tuple[SpotCheck, list[int]]]) -> None:
    """Whoever publishes nothing, or declares every task as training data, is measured, and called neither one nor the other."""
    found, _ = judge()
    assert {one.kind for one in found.tests} == {"split", "rewording"}
    assert found.verdict == "inconclusive"
    assert "there are none in the card, nor under this name" in words.verdict(found)


def test_the_leaderboard_is_on_trial_beside_the_card(
    judge: Callable[..., tuple[SpotCheck, list[int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A low claim in the card hides no score that the leaderboard has under the model's name; of each task the higher counts."""
    board = dict.fromkeys(("SciFact", "ArguAna", "NFCorpus"), 70.0)
    monkeypatch.setattr(panel, "published", lambda _id: board)
    found, _ = judge({"SciFact": 1.0, "TRECCOVID": 30.0}, heldout_only=True)
    assert found.published == board | {"TRECCOVID": 30.0}
    assert "model-index and" in found.source
    assert found.verdict == "unexplained"


def test_what_is_not_judged_is_said(judge: Callable[..., tuple[SpotCheck, list[int]]], tiny: Path) -> None:
    """Claims on tasks off the panel are named, also where the data of all tasks on it are named as training data."""
    names = ("FiQA2018", "NQ", "MSMARCO", "DBPedia")
    rows = [
        f"  - {{task: {{type: Retrieval}}, dataset: {{name: MTEB {name}, type: x}}, metrics: [{{type: ndcg_at_10, value: 97}}]}}"
        for name in names
    ]
    _declare(tiny, "datasets: [mteb/scifact]", "model-index:", "- name: m", "  results:", *rows)
    found, _ = judge({"SciFact": 60.0}, heldout_only=True)
    lines = words.left_out(found)
    assert any(line.startswith("not judged: published scores on SciFact") for line in lines)
    assert "not judged: claimed scores on DBPedia, FiQA2018, MSMARCO and 1 more (no tasks of the panel)" in lines
    assert found.verdict == "inconclusive"


def test_scores_that_disagree_are_named(judge: Callable[..., tuple[SpotCheck, list[int]]]) -> None:
    """One claim that cannot be meant does not make an inflated row consistent."""
    claims = dict.fromkeys(("SciFact", "ArguAna", "NFCorpus", "TRECCOVID", "SCIDOCS"), 60.0)
    found, _ = judge(claims | {"CQADupstackUnixRetrieval": 0.0}, heldout_only=True)
    assert found.panel is not None
    assert "CQADupstackUnixRetrieval" in found.panel.odd
    assert any("do not fit the others" in line for line in words.left_out(found))
    assert found.verdict != "consistent"


@pytest.mark.parametrize(("metric", "unread"), [("ndcg_at_10", True), ("map_at_3", False)])
def test_results_beyond_what_is_read(judge: Callable[..., tuple[SpotCheck, list[int]]], tiny: Path, metric: str, *, unread: bool) -> None:
    """A card with more results than are read is never consistent where a claim may be among the others; at other depths none is."""
    metrics = ", ".join([f"{{type: {metric}, value: 1}}"] * (MAX_ROWS + 1))
    row = f"  - {{task: {{type: Retrieval}}, dataset: {{name: MTEB NQ, type: x}}, metrics: [{metrics}]}}"
    _declare(tiny, "model-index:", "- name: m", "  results:", row)
    found, _ = judge({"SciFact": 1.0})
    assert found.unread == unread
    assert (found.verdict == "inconclusive") == unread
    assert ("more results than are read" in " ".join(words.left_out(found))) == unread


def test_another_language_says_what_would_settle(judge: Callable[..., tuple[SpotCheck, list[int]]]) -> None:
    """Where the panel says nothing of the language, no published score would settle it."""
    found, _ = judge(heldout_only=True, language="de")
    assert "the panel is English" in found.no_residual
    assert found.settle.startswith("the English held-out set would settle more")


def test_a_language_and_a_set(judge: Callable[..., tuple[SpotCheck, list[int]]]) -> None:
    """Two sets cannot be asked for at once."""
    with pytest.raises(CardcheckError, match="--set and --language"):
        judge(language="de", set="velmarch-en-2")
