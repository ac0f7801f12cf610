"""nDCG@10 against values computed by hand: gains are the grades, the discount at rank r is log2(r + 1)."""

from __future__ import annotations

from math import log2

import pytest

from cardcheck.spotcheck.metrics import ndcg_at_10

GRADES = {"a": 2, "b": 1, "c": 0}
IDEAL = 2 + 1 / log2(3)


def _descending(*documents: str) -> dict[str, float]:
    return {document: 1.0 - rank / 100 for rank, document in enumerate(documents)}


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (_descending("a", "b", "c"), 1.0),
        (_descending("b", "a", "c"), (1 + 2 / log2(3)) / IDEAL),
        (_descending("c", "x", "b", "a"), (1 / log2(4) + 2 / log2(5)) / IDEAL),
        (_descending("x", "a"), (2 / log2(3)) / IDEAL),
        (_descending("c", "x"), 0.0),
        (_descending(*"klmnopqrs", "a", "b"), (2 / log2(11)) / IDEAL),
    ],
    ids=["ideal", "swapped", "late", "unjudged first", "nothing relevant", "cut after ten"],
)
def test_graded_relevance(run: dict[str, float], expected: float) -> None:
    """A run's nDCG@10 is its discounted gain over the best possible one; unjudged documents gain nothing."""
    assert ndcg_at_10({"q": GRADES}, {"q": run})["q"] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("order", [("a", "z"), ("z", "a")])
@pytest.mark.parametrize(("relevant", "expected"), [("z", 1.0), ("a", 1 / log2(3))])
def test_ties_fall_by_id(order: tuple[str, str], relevant: str, expected: float) -> None:
    """Among equal scores the larger id ranks first as in trec_eval, whatever order they come in."""
    run = dict.fromkeys(order, 0.5)
    assert ndcg_at_10({"q": {relevant: 2}}, {"q": run})["q"] == pytest.approx(expected, abs=1e-6)


def test_query_without_results() -> None:
    """A query that is not in the run has no score, and does not disturb the others."""
    scores = ndcg_at_10({"p": {"a": 2}, "q": {"a": 2}}, {"q": {"a": 1.0}})
    assert scores == {"q": pytest.approx(1.0)}


def test_query_without_judgements() -> None:
    """A query that nobody judged has no score."""
    assert ndcg_at_10({"q": {"a": 2}}, {"q": {"a": 1.0}, "p": {"a": 1.0}}) == {"q": pytest.approx(1.0)}


def test_nothing_relevant_is_judged() -> None:
    """A query whose judgements are all 0 scores 0, not a division by zero."""
    assert ndcg_at_10({"q": {"a": 0}}, {"q": {"a": 1.0}}) == {"q": 0.0}


@pytest.mark.parametrize("grade", [101, 2**61, -(2**61), 10**20])
def test_a_grade_that_trec_eval_dies_of_is_refused(grade: int) -> None:
    """It takes memory for each grade up to the highest: gigabytes, or the process ends."""
    with pytest.raises(ValueError, match=r"the query q has the grade -?\d{3,20}, and the highest that counts is 100"):
        ndcg_at_10({"q": {"a": grade}}, {"q": {"a": 1.0}})
    assert ndcg_at_10({"q": {"a": 100}, "p": {"a": grade}}, {"q": {"a": 1.0}}) == {"q": 1.0}
