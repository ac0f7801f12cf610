"""The short list: what is expected of models on chosen tasks, limits that cannot be judged, the order and the front."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from shortlist_made import MODELS, SMALL, SPECIALIST, keep, make, tasks_splits, text_tasks

from cardcheck.catalogue import tasks
from cardcheck.errors import CardcheckError
from cardcheck.leaderboard import boards, shortlist_facts
from cardcheck.leaderboard.credible_model import expit
from cardcheck.leaderboard.credible_table import Column, Scores
from cardcheck.leaderboard.shortlist import shortlist
from cardcheck.leaderboard.shortlist_facts import Known, Limits, known, megabytes, overlap, types_of
from cardcheck.leaderboard.shortlist_plot import svg
from cardcheck.leaderboard.shortlist_score import expected, halves, shares
from cardcheck.leaderboard.shortlist_tasks import Choice, chosen, is_target, table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from cardcheck.leaderboard.shortlist import Shortlist
    from cardcheck.leaderboard.store import Store

    Array = NDArray[np.float64]

GERMAN, POLISH = Choice(languages=("de",)), Choice(languages=("pl",))
CHOSEN = 10


def world(seed: int, *, models: int = 60) -> tuple[Scores, Array, Array]:
    """Return a table of ten Polish and thirty English columns, the logits behind it, and the shares of the Polish ones."""
    draw = np.random.default_rng(seed)
    columns = [*(Column(name, here=True) for name in text_tasks("pol", CHOSEN)), *(Column(name) for name in text_tasks("eng", 30))]
    logits = draw.normal(0, 0.7, (models, 1)) * draw.uniform(0.7, 1.3, len(columns)) + draw.normal(0, 0.6, len(columns))
    logits += draw.normal(0, 0.25, logits.shape)
    target = np.array([column.here for column in columns])
    names = tuple(f"owner{number // 2}/model-{number}" for number in range(models))
    return Scores(names, tuple(columns), expit(logits)), logits, shares(columns, target)


def place(matrix: Array, scores: Scores, share: Array) -> Array:
    """Return the expected scores of a table in which cells were changed."""
    return expected(Scores(scores.models, scores.columns, matrix), share, share > 0).score


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_specialist_is_seen_as_one(seed: int) -> None:
    """A model that is average elsewhere and much better on all chosen tasks is expected to be so, also where half of them are missing."""
    scores, logits, share = world(seed)
    logits = logits.copy()
    logits[0, :CHOSEN] += 2.0
    truth = expit(logits[0, :CHOSEN]).mean()
    matrix = expit(logits)
    assert abs(place(matrix, scores, share)[0] - truth) < 0.05
    matrix[0, 1:CHOSEN:2] = np.nan
    assert abs(place(matrix, scores, share)[0] - truth) < 0.12


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_odd_result_is_not_followed(seed: int) -> None:
    """Points on one of the chosen tasks raise the expected score by far less than they raise the mean, and are named as odd."""
    scores, logits, share = world(seed)
    before = place(scores.matrix, scores, share)[0]
    logits = logits.copy()
    logits[0, 0] += 4.0
    found = expected(Scores(scores.models, scores.columns, expit(logits)), share, share > 0)
    raised = float(expit(logits[0, :CHOSEN]).mean() - scores.matrix[0, :CHOSEN].mean())
    assert found.score[0] - before < raised / 2
    assert found.off[0, 0] > 2


def test_missing_the_hard_tasks_is_no_advantage() -> None:
    """A model that did not run the hard half is expected where it was with all of them, not where its plain mean moves to."""
    scores, _, share = world(4)
    hard = np.argsort(scores.matrix[:, :CHOSEN].mean(axis=0))[: CHOSEN // 2]
    matrix = scores.matrix.copy()
    matrix[0, hard] = np.nan
    moved = float(np.nanmean(matrix[0, :CHOSEN]) - scores.matrix[0, :CHOSEN].mean())
    assert moved > 0.05
    assert abs(place(matrix, scores, share)[0] - place(scores.matrix, scores, share)[0]) < moved / 2


def test_intervals_cover_what_was_hidden() -> None:
    """Of models that ran half of the chosen tasks, 80 to 99 % have the mean of the other half in their interval."""
    inside = []
    for seed in range(20, 28):
        scores, _, share = world(seed)
        matrix = scores.matrix.copy()
        matrix[:12, 1:CHOSEN:2] = np.nan
        found = expected(Scores(scores.models, scores.columns, matrix), share, share > 0)
        assert found.calibrated > 60
        truth = scores.matrix[:12, :CHOSEN].mean(axis=1)
        inside += list((found.low[:12] <= truth) & (truth <= found.high[:12]))
    assert 0.8 <= np.mean(inside) <= 0.99


def test_variants_of_one_data_set_count_once() -> None:
    """Each kind of task counts the same, in it each data set, which its variants share; halves keep variants together."""
    names = ["HotpotQA", "HotpotQAHardNegatives", "ArguAna", "Banking77Classification", "SciFact"]
    columns = [Column(name) for name in names]
    target = np.array([True, True, True, True, False])
    assert shares(columns, target).tolist() == [0.125, 0.125, 0.25, 0.5, 0.0]
    for half in halves(columns, shares(columns, target)):
        assert half[0] == half[1]
        assert not half[4]


# ── facts ──


@pytest.mark.parametrize(("text", "size"), [("500MB", 500), ("1.5 GB", 1536), ("200", 200), ("512kb", 0.5)])
def test_sizes(text: str, size: float) -> None:
    """Sizes are read with their unit, megabytes without one."""
    assert megabytes(text) == size


@pytest.mark.parametrize("text", ["", "0MB", "-5MB", "5 potatoes", "1e9", "9" * 40])
def test_what_is_no_size_is_an_error(text: str) -> None:
    """Anything else is named as wrong."""
    with pytest.raises(CardcheckError, match="is no size"):
        megabytes(text)


def test_limits_say_yes_no_or_that_nobody_knows() -> None:
    """Parameters settle memory where they can; a name of a licence settles it, an address does not; static models take any text."""
    limits = Limits(memory=500, dimension=384, tokens=8000, licences=("commercial",), open_weights=True, no_remote_code=True)
    nothing = Known("a/b")
    assert set(limits.judged(nothing).values()) == {None}
    assert Limits(memory=500).judged(Known("a/b", parameters=100_000_000)) == {"memory": True}
    assert Limits(memory=500).judged(Known("a/b", parameters=200_000_000)) == {"memory": None}
    assert Limits(memory=500).judged(Known("a/b", parameters=300_000_000)) == {"memory": False}
    assert Limits(memory=500).judged(Known("a/b", open_weights=False)) == {"memory": False}
    assert Limits(tokens=8000).judged(Known("a/b", tokens="unlimited")) == {"tokens": True}
    assert Limits(dimension=384).judged(Known("a/b", dimensions=(1024,), shortens=True)) == {"dimension": True}
    assert Limits(dimension=384).judged(Known("a/b", dimensions=(1024,))) == {"dimension": False}
    for licence, fits in (("mit", True), ("cc-by-nc-4.0", False), ("gemma", True), ("https://example.com/LICENSE", None), (None, None)):
        assert Limits(licences=("commercial",)).judged(Known("a/b", licence=licence)) == {"licence": fits}
    assert Limits(licences=("open",)).judged(Known("a/b", licence="gemma")) == {"licence": False}
    assert Limits(licences=("CC-BY-NC-4.0",)).judged(Known("a/b", licence="cc-by-nc-4.0")) == {"licence": True}
    assert Limits(no_remote_code=True).judged(Known("a/b", code=True)) == {"code": False}


def test_what_is_known_of_models() -> None:
    """Facts are found under the name in the results, also an old one; a size that is an adapter's is not taken for the model's."""
    small = known("intfloat/multilingual-e5-small")
    assert small
    assert (small.memory, small.dimensions, small.tokens, small.licence, small.code) == (449.0, (384,), 512, "mit", False)
    adapter = known("castorini/repllama-v1-7b-lora-passage")
    assert adapter
    assert (adapter.memory, adapter.parameters) == (None, 7_000_000_000)
    cut = known("openai/text-embedding-3-large_(embed_dim=512)")
    assert cut
    assert (cut.name, cut.open_weights) == ("openai/text-embedding-3-large (embed_dim=512)", False)
    renamed = known("voyageai/voyage-3-large")
    assert renamed
    assert renamed.name == "mongodb/voyage-3-large"
    jina = known("jinaai/jina-embeddings-v3")
    assert jina
    assert jina.code is True
    assert known("nobody/knows-this") is None


def test_declared_overlap_has_three_states() -> None:
    """Declared, none declared and not declared are told apart; parents' and variants' data count."""
    e5 = overlap("intfloat/multilingual-e5-small", ["HotpotQA-PL", "SciFact"])
    assert (e5.state, e5.tasks) == ("declared", ("HotpotQA-PL",))
    assert overlap("intfloat/multilingual-e5-small", ["SciFact"]).state == "none declared"
    assert overlap("nobody/knows-this", ["SciFact"]).state == "not declared"
    assert not overlap("voyageai/voyage-4-large", ["SciFact"]).checkable


def test_loading_reads_one_file_once() -> None:
    """The facts are read when first asked for, and kept."""
    shortlist_facts._given.cache_clear()
    known("BAAI/bge-m3")
    known("BAAI/bge-small-en-v1.5")
    assert shortlist_facts._given.cache_info().misses == 1


# ── tasks ──


@pytest.mark.parametrize(
    ("choice", "inside", "outside"),
    [
        (Choice(), "SciFact", "Banking77Classification"),
        (Choice(types=("all",)), "Banking77Classification", "VidoreDocVQARetrieval"),
        (Choice(modalities=("document",)), "VidoreDocVQARetrieval", "CIRRIT2IRetrieval"),
        (Choice(modalities=("image",)), "CIFAR10", "VidoreDocVQARetrieval"),
        (Choice(modalities=("audio", "text")), "AudioCapsT2ARetrieval", "ESC50"),
        (Choice(modalities=("audio",)), "ESC50", "SciFact"),
        (Choice(domains=("law",)), "LeCaRDv2", "SciFact"),
        (Choice(languages=("pl",)), "BelebeleRetrieval", "SciFact"),
        (Choice(benchmark="MTEB(eng, v2)", types=("sts",)), "STS12", "ArguAna"),
    ],
)
def test_what_a_choice_means(choice: Choice, inside: str, outside: str) -> None:
    """Modality, type, domain and language choose tasks; pages are not pictures, and text is retrieval unless more is asked for."""
    found = chosen(choice).scopes
    assert inside in found
    assert outside not in found
    if choice.languages:
        assert all("pol" in boards.subsets(inside)[subset] for subset in found[inside].subsets)


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (Choice(modalities=("smell",)), "no modality"),
        (Choice(domains=("nonsense",)), "no domain"),
        (Choice(types=("nonsense",)), "no tasks of the kind"),
        (Choice(languages=("tlh",)), "MTEB has no retrieval"),
        (Choice(benchmark="MTEB(eng, v9)"), "no benchmark"),
    ],
)
def test_what_mteb_does_not_have_is_said(choice: Choice, said: str) -> None:
    """A modality, domain, type, language or benchmark that does not exist is an error that names it."""
    with pytest.raises(CardcheckError, match=said):
        chosen(choice)


def test_every_type_has_a_word() -> None:
    """A word stands for several types, a type as MTEB names it for itself; all words name types that exist."""
    assert "Any2AnyRetrieval" in types_of("retrieval")
    assert types_of("bitext-mining") == ("BitextMining",)
    every = {about.type for name in tasks.names() if (about := tasks.task(name))}
    assert all(set(kinds) <= every for kinds in shortlist_facts.KINDS_OF_TASK.values())


def test_only_the_chosen_languages_are_the_target(tmp_path: Path) -> None:
    """The German part of a task is a column of its own, its other parts are learned from and not asked about."""
    rows = [
        (f"a/{model}", "MLQARetrieval", split, subset, 0.1 + model / 40)
        for model in range(20)
        for split in tasks_splits("MLQARetrieval")
        for subset in ("eng-eng", "deu-deu", "spa-spa")
    ]
    board = chosen(GERMAN)
    found = table(keep(tmp_path, rows), GERMAN, board)
    assert [(column.here, column.other) for column in found.columns] == [(False, False), (False, True), (True, False)]
    assert [is_target(column, GERMAN, board) for column in found.columns] == [False, False, True]


# ── the list ──


@pytest.fixture(name="kept", scope="module")
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return make(tmp_path_factory.mktemp("store"))


def names(found: Shortlist) -> list[str]:
    """Return the models of a list in order."""
    return [entry.placed.model for entry in found.entries]


def test_the_list_is_in_order(kept: Store) -> None:
    """The best come first, within a point the smaller; each has its place at MTEB; models that mteb does not know are counted."""
    found = shortlist(kept, POLISH, Limits())
    assert names(found)[0] == "Qwen/Qwen3-Embedding-8B"
    firm = [entry for entry in found.entries if entry.firm]
    assert [entry.points for entry in firm] == sorted((entry.points for entry in firm), reverse=True)
    for one, other in itertools.pairwise(firm):
        assert one.points > other.points or one.size <= other.size
    assert found.entries[0].official == 1
    assert SPECIALIST in names(found)[:4]
    assert found.out == {"as mteb knows nothing of them": 1, "as baselines": 1, "by kind (reranker)": 1}
    assert len(found.entries) == len(MODELS) + 2 - 3
    assert found.calibrated > 20
    assert set(found.tasks) == set(text_tasks("pol", CHOSEN))


def test_a_limit_that_cannot_be_judged_keeps_the_model_apart(kept: Store) -> None:
    """A model of unknown memory is neither in nor out: it is listed apart, and let pass where that is asked for, as what is not known."""
    unclear = shortlist(kept, POLISH, Limits(memory=60))
    assert SMALL in unclear.unjudged["memory"]
    assert SMALL not in names(unclear)
    asked = shortlist(kept, POLISH, Limits(memory=60), include=("memory",))
    assert SMALL in names(asked)
    entry = next(entry for entry in asked.entries if entry.placed.model == SMALL)
    assert "not known: memory" in entry.reason
    assert not entry.front


def test_the_front_is_where_no_smaller_model_scores_higher(kept: Store) -> None:
    """A marked model beats all smaller ones, and every other of known size has a smaller or equal one that is as good."""
    found = shortlist(kept, POLISH, Limits(memory=4000))
    known_size = [entry for entry in found.entries if entry.about.memory is not None and entry.firm]
    assert sum(entry.front for entry in known_size) >= 2
    for entry in known_size:
        others = [other for other in known_size if other is not entry and other.size <= entry.size and other.points >= entry.points]
        assert entry.front != bool(others)


def test_reasons_say_what_one_should_know(kept: Store) -> None:
    """Remote code, a maker's server, silence on training data and vectors that have to be cut are named."""
    held = {entry.placed.model: entry for entry in shortlist(kept, POLISH, Limits()).entries}
    assert "loading it runs code" in held["jinaai/jina-embeddings-v3"].reason
    assert "served by its maker only" in held["openai/text-embedding-3-small"].reason
    assert "nobody says what it was trained on" in held["thenlper/gte-small"].reason
    assert held["Qwen/Qwen3-Embedding-8B"].reason.startswith("first")
    cut = {entry.placed.model: entry for entry in shortlist(kept, POLISH, Limits(dimension=512)).entries}
    assert "made for them to be cut" in cut["jinaai/jina-embeddings-v3"].reason
    assert "made for them to be cut" not in cut["thenlper/gte-small"].reason


def test_models_without_such_results_are_not_placed(kept: Store, tmp_path: Path) -> None:
    """A model that ran nothing in the language is listed apart, however good it is in English."""
    rows = [
        ("BAAI/bge-m3" if model == 0 else f"a/{model}", task, split, subset, 0.3 + model / 100)
        for model in range(30)
        for task in (*(text_tasks("pol", 6) if model else []), *text_tasks("eng", 10))
        for split in tasks_splits(task)
        for subset in boards.scope(task).subsets
    ]
    del kept
    opened = keep(tmp_path, rows)
    assert shortlist(opened, POLISH, Limits()).unjudged == {"results": ("BAAI/bge-m3",)}
    assert names(shortlist(opened, POLISH, Limits(), include=("results",))) == ["BAAI/bge-m3"]


def test_a_model_that_takes_no_text_is_not_ordered_among_those_that_do(tmp_path: Path) -> None:
    """Where tasks need text too, a model of pictures alone is placed loosely, and why is said; no private task means a note."""
    both = [name for name in tasks.names() if (about := tasks.task(name)) and about.type == "ZeroShotClassification"][:6]
    alone = [
        name
        for name in tasks.names()
        if (about := tasks.task(name)) and about.type == "ImageClassification" and about.modalities == ("image",)
    ][:6]
    clip = "openai/clip-vit-base-patch32"
    rows = [
        ({0: "facebook/dinov2-small", 1: clip}.get(model, f"a/{model}"), task, split, subset, 0.3 + (model * 7 % 13) / 40 + place / 50)
        for model in range(14)
        for place, task in enumerate((*(both if model else []), *alone))
        for split in tasks_splits(task)
        for subset in boards.scope(task).subsets
    ]
    found = shortlist(keep(tmp_path, rows), Choice(modalities=("image",)), Limits())
    held = {entry.placed.model: entry for entry in found.entries}
    assert held[clip].firm
    assert not held["facebook/dinov2-small"].firm
    assert "takes no text, which 6 of the tasks need" in held["facebook/dinov2-small"].reason
    assert any("None of these tasks is private" in note for note in found.notes)


def test_the_picture_has_the_front_in_words(kept: Store) -> None:
    """The SVG is well-formed, has a dot for each model of known size, and says the front to those who do not see it."""
    from xml.etree import ElementTree as ET

    found = shortlist(kept, POLISH, Limits())
    root = ET.fromstring(svg(found))  # noqa: S314  # our own text
    shown = [entry for entry in found.entries if entry.about.memory and entry.firm]
    assert len(root.findall("{http://www.w3.org/2000/svg}circle")) == len(shown)
    text = root.find("{http://www.w3.org/2000/svg}desc")
    assert text is not None
    assert all(entry.placed.model in str(text.text) for entry in shown if entry.front)


def test_an_empty_choice_of_results_is_an_empty_list(tmp_path: Path) -> None:
    """Where nobody ran the tasks, the list is empty, and says how many tasks were run by too few models."""
    found = shortlist(keep(tmp_path, [("a/b", "SciFact", "test", "default", 0.5)]), GERMAN, Limits())
    assert found.entries == ()
    assert "run by too few models" in found.notes[0]
    assert svg(found).startswith("<svg")
