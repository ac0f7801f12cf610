"""The packaged reference models."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from cardcheck.spotcheck import references, statistics

if TYPE_CHECKING:
    from pathlib import Path

    from cardcheck.spotcheck.heldout import HeldOutSet

    Models = tuple[references.Reference, ...]


@pytest.fixture(scope="module")
def models(held_out: HeldOutSet) -> Models:
    """Return the reference models of the packaged set."""
    return references.references(held_out.name, held_out.sha256)


@pytest.mark.parametrize("wrong", ["name", "hash"])
def test_another_set_has_no_references(held_out: HeldOutSet, wrong: str) -> None:
    """Scores on another set, or on another version of it, are not compared with."""
    name = "other" if wrong == "name" else held_out.name
    sha256 = "0" * 64 if wrong == "hash" else held_out.sha256
    assert references.references(name, sha256) == ()


def test_enough_are_independent(models: Models) -> None:
    """At least five independent models have a panel level, more than the fewest that judging takes, the subject left out."""
    independent = [model for model in models if model.independent]
    assert len(independent) >= max(5, statistics.MIN_REFERENCES + 1)
    assert all(model.panel for model in independent)
    assert len({model.id for model in models}) == len(models)


def test_levels_cover_a_range(models: Models) -> None:
    """A line needs both ends: levels reach from under 20 to over 45."""
    levels = [model.panel.value for model in models if model.panel]
    assert min(levels) < 20
    assert max(levels) > 45


def test_each_query_has_a_score(models: Models, held_out: HeldOutSet) -> None:
    """Every reference model has one nDCG@10 from 0 to 1 for every query of the set."""
    for model in models:
        assert set(model.per_query) == set(held_out.queries), model.id
        assert all(0 <= score <= 1 for score in model.per_query.values()), model.id


def test_scores_are_published_or_measured(models: Models) -> None:
    """Where a level comes from is said, and our own measurements do not override published scores."""
    for model in models:
        assert model.panel, model.id
        assert ("measured by cardcheck" in model.panel.source) == bool(model.measured), model.id


def test_unknown_weights(tiny: Path, held_out: HeldOutSet) -> None:
    """Weights that are no reference model's are nobody's."""
    assert references.known_weights(tiny, held_out) is None


def test_weights_among_others_are_nobodys(tiny: Path, held_out: HeldOutSet, models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reference model's file beside the weights that run, or below a module of the subject's own, makes it no copy of that model."""
    weights = tiny / "model.safetensors"
    own = {"id": models[0].id, "weights": [hashlib.sha256(weights.read_bytes()).hexdigest()]}
    known = references.references(held_out.name, held_out.sha256)
    monkeypatch.setattr(references, "references", lambda *_: known)
    monkeypatch.setattr(references, "_known", lambda: {"models": [own]})
    assert references.known_weights(tiny, held_out) == models[0]
    (tiny / "2_Dense").mkdir()
    (tiny / "2_Dense/model.safetensors").write_bytes(b"other weights")
    assert references.known_weights(tiny, held_out) is None


@pytest.mark.model
def test_weights_are_recognised(model: Path, held_out: HeldOutSet) -> None:
    """The real model is known by its bytes, whatever its folder is called."""
    known = references.known_weights(model, held_out)
    assert known
    assert known.id == "sentence-transformers/all-MiniLM-L6-v2"
