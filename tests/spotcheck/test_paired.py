"""The split and the rewording difference, on simulated models of which the truth is known."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest

from cardcheck.spotcheck import paired
from cardcheck.spotcheck.paired import Difference, rewording_difference, split_difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.random import Generator
    from numpy.typing import NDArray

    Table = NDArray[np.float64]
    Judge = Callable[["World", Generator], Difference]

QUICK = 300  # resamples, where many worlds are simulated


class World(NamedTuple):
    """What is true of the models: how many references, queries, and the `lift` of the subject on the test queries (0 to 1).

    `apart` is the standard deviation of what honest models differ by on top of chance, `noise` what a query's score owes to the model.
    """

    references: int = 7
    test: int = 100
    other: int = 200
    lift: float = 0.0
    apart: float = 0.0
    noise: float = 0.12
    hard: float = 0.25


def _scores(world: World, rng: Generator, count: int) -> tuple[Table, Table]:
    """Return what all models score on queries that are alike hard for all, the subject last, and each model's own difference."""
    skill = rng.normal(0, 0.05, (world.references + 1, 1))
    scores = 0.6 + skill + rng.normal(0, world.hard, count) + rng.normal(0, world.noise, (world.references + 1, count))
    own = rng.normal(0, world.apart, (world.references + 1, 1)) if world.apart else np.zeros((world.references + 1, 1))
    own[-1] += world.lift
    return scores, own


def split(world: World, rng: Generator) -> Difference:
    """Judge a subject by its test and other queries in a world."""
    scores, own = _scores(world, rng, world.test + world.other)
    test, other = np.clip(scores[:, : world.test] + own, 0, 1), np.clip(scores[:, world.test :], 0, 1)
    return split_difference((test[-1], other[-1]), (test[:-1], other[:-1]), seed=int(rng.integers(1000)))


def rewording(world: World, rng: Generator) -> Difference:
    """Judge a subject by its queries and other words for them in a world."""
    scores, own = _scores(world, rng, world.test)
    cost = rng.normal(0.08, 0.1, world.test) + rng.normal(0, world.noise, scores.shape)
    first, second = np.clip(scores, 0, 1), np.clip(scores - cost - own, 0, 1)
    return rewording_difference((first[-1], second[-1]), (first[:-1], second[:-1]), seed=int(rng.integers(1000)))


BOTH = pytest.mark.parametrize("judge", [split, rewording])


def _many(judge: Judge, world: World, count: int) -> list[Difference]:
    rng = np.random.default_rng(3)
    return [judge(world, rng) for _ in range(count)]


def _alarms(found: list[Difference], rate: float) -> float:
    return float(np.mean([one.p <= rate for one in found]))


@BOTH
def test_without_a_difference_it_errs_at_the_stated_rate(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many honest subjects no more are rejected than the rate says, and p is no constant."""
    monkeypatch.setattr(paired, "RESAMPLES", QUICK)
    found = _many(judge, World(), 400)
    for rate in (0.05, 0.015):
        assert _alarms(found, rate) <= rate + 3 * (rate * (1 - rate) / len(found)) ** 0.5
    assert 0.35 <= _alarms(found, 0.5) <= 0.65
    assert np.mean([one.interval.low <= 0 <= one.interval.high for one in found]) >= 0.96


def test_models_that_differ_beyond_chance_widen_the_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """What honest models differ by, which no resampling of queries shows, is part of the error and lowers the degrees of freedom."""
    monkeypatch.setattr(paired, "RESAMPLES", QUICK)
    for judge in (split, rewording):
        alike, apart = (_many(judge, World(apart=apart), 20) for apart in (0.0, 0.06))
        assert np.median([one.scatter for one in apart]) == pytest.approx(6, abs=2.5)
        assert np.median([one.error for one in apart]) > 1.5 * np.median([one.error for one in alike])
        assert np.median([one.freedom for one in apart]) < 30


def test_with_models_that_differ_beyond_chance_it_errs_at_the_stated_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where honest models differ beyond chance, and few references tell by how much, no more are rejected than the rate says."""
    monkeypatch.setattr(paired, "RESAMPLES", QUICK)
    found = _many(rewording, World(references=3, apart=0.03), 2000)
    assert _alarms(found, 0.015) <= 0.015 + 3 * (0.015 * 0.985 / len(found)) ** 0.5


@BOTH
def test_a_planted_lift_is_found(judge: Judge) -> None:
    """A lift of twelve points on the test queries alone is found, at about its size; one of the same size the other way is not."""
    found = judge(World(lift=0.12, test=300, other=600), np.random.default_rng(5))
    assert found.p < 0.001
    assert found.interval.low > 2
    assert found.statistic == pytest.approx(12, abs=5)  # scores end at 1, so that not all of a lift arrives
    assert judge(World(lift=-0.12, test=300, other=600), np.random.default_rng(5)).p > 0.99


@BOTH
def test_what_it_would_see_is_what_it_sees(judge: Judge, monkeypatch: pytest.MonkeyPatch) -> None:
    """A difference of the size that a test says it sees in four of five checks is seen about so often."""
    monkeypatch.setattr(paired, "RESAMPLES", QUICK)
    world = World(hard=0.1, noise=0.08)  # far from both ends of the scale, so that a lift arrives whole
    least = float(np.mean([one.detectable(0.05) for one in _many(judge, world, 50)]))
    seen = _alarms(_many(judge, world._replace(lift=least / 100), 150), 0.05)
    assert 0.68 <= seen <= 0.98


def test_the_regression_takes_out_how_hard_queries_are() -> None:
    """Test queries that are harder for all make no difference, and the error is that of what models do not share."""
    rng = np.random.default_rng(11)
    scores, _ = _scores(World(noise=0.05), rng, 900)
    test, other = np.clip(scores[:, :300] - 0.2, 0, 1), np.clip(scores[:, 300:], 0, 1)
    found = split_difference((test[-1], other[-1]), (test[:-1], other[:-1]))
    plain = float(test[-1].mean() - other[-1].mean()) * 100
    chance = 100 * float(np.hypot(test[-1].std() / 300**0.5, other[-1].std() / 600**0.5))
    assert plain < -15
    assert abs(found.statistic) < 2
    assert found.error < chance / 3


@BOTH
def test_it_needs_three_references(judge: Judge) -> None:
    """Two references say too little of what to expect; three will do."""
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="2 reference models are too few; at least 3"):
        judge(World(references=2), rng)
    assert judge(World(references=3), rng).references == 3


@BOTH
def test_the_same_seed_gives_the_same(judge: Judge) -> None:
    """Two calls agree to the last digit, and say what was compared."""
    first, second = (judge(World(), np.random.default_rng(1)) for _ in range(2))
    assert first == second
    assert (first.queries, first.references) == (100, 7)


def test_references_that_agree_on_every_query_do_no_harm() -> None:
    """A reference that is the copy of another leaves the normal equations solvable."""
    rng = np.random.default_rng(2)
    scores, _ = _scores(World(), rng, 300)
    scores = np.clip(scores, 0, 1)
    scores[0] = scores[1] = scores[2]
    found = split_difference((scores[-1, :100], scores[-1, 100:]), (scores[:-1, :100], scores[:-1, 100:]))
    assert np.isfinite([found.statistic, found.error, found.p]).all()
    assert abs(found.statistic) < 10


def test_ten_thousand_resamples_take_under_two_seconds() -> None:
    """Both tests together, at the size of SciFact with eight references, use under two seconds of one processor."""
    assert paired.RESAMPLES == 10_000
    world, rng = World(references=8, test=300, other=809), np.random.default_rng(0)
    started = time.process_time()
    split(world, rng)
    rewording(world, rng)
    assert time.process_time() - started < 2


def test_what_a_lexical_retriever_shares_with_the_models_leaves_the_error() -> None:
    """Models that read words more or less differ in what rewording costs; BM25's scores say so, and honest ones differ less with them."""
    rng = np.random.default_rng(2)
    models, queries = 7, 300
    lexical = np.vstack([rng.normal(0.7, 0.25, queries), rng.normal(0.45, 0.25, queries)])  # as published and reworded
    reading = np.linspace(0, 0.5, models + 1)[rng.permutation(models + 1), None]  # how much of it a model goes by
    hard = rng.normal(0, 0.2, queries)
    first, second = (0.3 + hard + reading * words + rng.normal(0, 0.1, (models + 1, queries)) for words in lexical)
    subject, references = (first[-1], second[-1]), (first[:-1], second[:-1])
    without = rewording_difference(subject, references)
    given = rewording_difference(subject, references, lexical=(lexical[:1], lexical[1:]))
    assert given.scatter < 0.5 * without.scatter
    assert given.error < without.error
    assert abs(given.statistic) < 2 * given.error
    assert given.references == models
