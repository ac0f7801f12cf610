"""What mteb says of models' training data, and its zero-shot share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.catalogue import tasks, training

if TYPE_CHECKING:
    import pytest


def test_silence_an_empty_list_and_a_list() -> None:
    """That nothing is said, that nothing of MTEB was used, and a list are three things."""
    silent, empty, listed = (training.annotation(name) for name in ("thenlper/gte-base", "sergeyzh/rubert-tiny-turbo", "intfloat/e5-base"))
    assert silent is not None
    assert empty is not None
    assert listed is not None
    assert (silent.data, empty.data) == (None, ())
    assert listed.data is not None
    assert "MSMARCO" in listed.data
    assert training.annotation("acme/ours") is None


def test_a_model_by_its_other_names() -> None:
    """Other capitals, mteb's renamings and the Hub's lead to the entry."""
    for name in ("INTFLOAT/E5-base", "dunzhang/stella_en_1.5B_v5"):
        assert training.annotation(name) is not None


def test_the_lineage() -> None:
    """Parents are followed to one that mteb does not know."""
    assert training.ancestors("dunzhang/stella-mrl-large-zh-v3.5-1792d") == ("dunzhang/stella-large-zh-v3-1792d",)
    assert training.ancestors("acme/ours") == ()


def test_a_circle_of_parents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that are each other's parents do not go round for ever."""
    known = {name: training.Annotation(name, ("MSMARCO",), other) for name, other in (("a/a", "b/b"), ("b/b", "a/a"), ("c/c", "c/c"))}
    monkeypatch.setattr(training, "annotation", known.get)
    assert training.ancestors("a/a") == ("b/b",)
    assert training.ancestors("c/c") == ()
    assert "MSMARCO-PL" in (training.counted.__wrapped__("a/a") or ())


def test_what_a_silent_parent_hides(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in mteb, a silent parent's own parents are not asked, and a silent model has no share at all."""
    known = {
        "a/a": training.Annotation("a/a", ("NQ",), "b/b"),
        "b/b": training.Annotation("b/b", None, "c/c"),
        "c/c": training.Annotation("c/c", ("MSMARCO",)),
    }
    monkeypatch.setattr(training, "annotation", known.get)
    assert "MSMARCO" not in (training.counted.__wrapped__("a/a") or ())
    assert training.counted.__wrapped__("b/b") is None


def test_the_zero_shot_share() -> None:
    """The share counts a benchmark's tasks, variants included; without a list or a benchmark there is none."""
    assert training.zero_shot("intfloat/e5-base", "BEIR") == 86  # 13 of 15
    assert training.zero_shot("thenlper/gte-base", "BEIR") is None
    assert training.zero_shot("intfloat/e5-base", "no such benchmark") is None
    assert training.zero_shot("sergeyzh/rubert-tiny-turbo", "BEIR") == 100


def test_mended_names_lower_the_share() -> None:
    """A misspelt name counts once it is mended; one that may mean another task only if asked for."""
    reranker = "KaLM-Embedding/KaLM-Reranker-V1-Large"
    assert (training.zero_shot(reranker, "BEIR"), training.zero_shot(reranker, "BEIR", mended=True)) == (100, 60)
    stella = "infgrad/stella-base-zh-v3-1792d"
    shares = [training.zero_shot(stella, "MTEB(cmn, v1)", **how) for how in ({}, {"mended": True}, {"mended": True, "ambiguous": True})]
    assert shares == [77, 77, 74]


def test_models_that_fall_from_all_zero_shot() -> None:
    """Thirteen models have 100 % on a benchmark for a misspelt name, nine of them for one that can mean nothing else."""
    for ambiguous, count in ((True, 13), (False, 9)):
        fallen = {
            model
            for model in training.models()
            for board in tasks.benchmarks()
            if training.zero_shot(model, board) == 100 and training.zero_shot(model, board, mended=True, ambiguous=ambiguous) != 100
        }
        assert len(fallen) == count
