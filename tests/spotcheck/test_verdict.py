"""One verdict from several tests: weighted Holm, and what counts as real."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from cardcheck.spotcheck import statistics
from cardcheck.spotcheck.statistics import ERROR_RATE, RESOLUTION, TOLERANCE, Interval
from cardcheck.spotcheck.verdict import WEIGHTS, Kind, Outcome, judged, residual_outcome, share, verdict

KINDS: tuple[Kind, ...] = ("residual", "split", "rewording", "reproduction")
ALL = set(KINDS)


def outcome(kind: Kind, p: float, statistic: float = 10.0, detectable: float = 5.0) -> Outcome:
    """Return a test's outcome with this p, large unless said otherwise."""
    return Outcome(kind, "SciFact", statistic, Interval(statistic - 3, statistic + 3), p, detectable, 1.0, 300, 7)


def rejected(**p: float) -> set[str]:
    """Return which of the tests with these p are rejected."""
    return {one.kind for one in judged([outcome(kind, p[kind]) for kind in KINDS if kind in p]) if one.rejected}


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        # 0.05 × 10/20 = 0.025 for the first, 0.05 × 5/10 = 0.025 for the second, 0.05 × 3/5 = 0.03 for the third, 0.05 for the last
        ({"split": 0.0249, "rewording": 0.0249, "reproduction": 0.0299, "residual": 0.0499}, ALL),
        ({"split": 0.0249, "rewording": 0.0249, "reproduction": 0.0299, "residual": 0.0501}, ALL - {"residual"}),
        ({"split": 0.0249, "rewording": 0.0251, "reproduction": 0.5, "residual": 0.5}, {"split"}),
        ({"split": 0.0251, "rewording": 0.5, "reproduction": 0.5, "residual": 0.5}, set()),
        # the weights decide who comes first: 0.0051 / 0.1 is more than 0.0249 / 0.5
        ({"split": 0.0249, "residual": 0.0051, "rewording": 0.5, "reproduction": 0.5}, {"split", "residual"}),
        ({"residual": 0.0051, "split": 0.5, "rewording": 0.5, "reproduction": 0.5}, set()),
        # two tests: 0.05 × 2/12 = 0.00833, and where the first is not rejected, neither is the second at 0.05
        ({"residual": 0.0083, "split": 0.0499}, {"residual", "split"}),
        ({"residual": 0.0084, "split": 0.0499}, set()),
        ({"residual": 0.0499}, {"residual"}),
        ({"residual": 0.0501}, set()),
    ],
)
def test_weighted_holm_by_hand(p: dict[str, float], expected: set[str]) -> None:
    """Which tests are rejected agrees with what was computed by hand."""
    assert rejected(**p) == expected


def test_levels_by_hand() -> None:
    """A rejected test was tested at the rate times its share of the weights that were left; the order of the outcomes stays."""
    found = judged([outcome("residual", 0.001), outcome("split", 0.0001), outcome("rewording", 0.0002), outcome("reproduction", 0.0003)])
    assert [one.kind for one in found] == list(KINDS)
    assert [one.rate for one in found] == pytest.approx([0.05, 0.025, 0.025, 0.03])


@pytest.mark.parametrize("statistic", [-10.0, 0.0, TOLERANCE])
def test_a_small_difference_is_not_rejected(statistic: float) -> None:
    """However sure a difference is, it has to be larger than the tolerance; the other tests are not stopped by it."""
    small, large = judged([outcome("split", 1e-9, statistic), outcome("rewording", 0.04)])
    assert (small.rejected, large.rejected) == (False, True)
    assert judged([outcome("split", 1e-9, TOLERANCE + 0.01)])[0].rejected


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([], "inconclusive"),
        ([outcome("residual", 0.5, detectable=RESOLUTION + 1)], "inconclusive"),
        ([outcome("residual", 0.5, detectable=RESOLUTION)], "consistent"),
        ([outcome("residual", 0.5, detectable=RESOLUTION + 1), outcome("split", 0.5)], "consistent"),
        ([outcome("residual", 0.5), outcome("split", 0.001)], "unexplained"),
        ([outcome("residual", 0.5), outcome("split", 0.001, TOLERANCE)], "consistent"),
        ([outcome("split", 0.001)], "unexplained"),
        ([outcome("split", 0.5), outcome("rewording", 0.5)], "inconclusive"),
        ([outcome("split", 0.5), outcome("reproduction", 0.5)], "consistent"),
        ([outcome("reproduction", 0.5)], "inconclusive"),
    ],
)
def test_one_verdict_from_all(outcomes: list[Outcome], expected: str) -> None:
    """One rejected test makes the verdict unexplained; else a published score and a test that would have seen a difference are needed."""
    assert verdict(judged(outcomes)) == expected


def test_a_set_that_could_have_been_seen_makes_nothing_consistent() -> None:
    """The residual of a model as new as the held-out set can show a gap, but not that there is none."""
    honest, gap, split = outcome("residual", 0.5), outcome("residual", 0.0001), outcome("split", 0.5)
    assert verdict(judged([honest]), seen=True) == "inconclusive"
    assert verdict(judged([honest, split]), seen=True) == "consistent"
    assert verdict(judged([gap]), seen=True) == "unexplained"


def _alarms(z: np.ndarray[Any, Any], honest: tuple[Kind, ...] = KINDS) -> float:
    """Return the share of worlds in which any honest test is rejected; `z` is (worlds, tests)."""
    kinds = set(honest)
    worlds = ([outcome(kind, float(p)) for kind, p in zip(KINDS, row, strict=True)] for row in norm.sf(z))
    return float(np.mean([any(one.rejected for one in judged(world) if one.kind in kinds) for world in worlds]))


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.95, -0.3])
def test_the_error_rate_holds_over_all_tests_together(correlation: float) -> None:
    """Of honest models no more are unexplained than the rate says, however the tests hang together, and not far fewer where they do not."""
    worlds, rng = 6000, np.random.default_rng(7)
    covariance = np.full((4, 4), correlation) + np.eye(4) * (1 - correlation)
    rate = _alarms(rng.multivariate_normal(np.zeros(4), covariance, size=worlds))
    slack = 3 * (ERROR_RATE * (1 - ERROR_RATE) / worlds) ** 0.5
    assert rate <= ERROR_RATE + slack
    assert rate >= (ERROR_RATE - slack if correlation <= 0 else 0.01)


def test_a_real_difference_in_one_test_leaves_the_others_their_rate() -> None:
    """Where one test is right to be rejected, the error rate still holds over the three others, and is used up by them."""
    worlds, rng = 6000, np.random.default_rng(8)
    z = rng.standard_normal((worlds, 4)) + np.array([0.0, 9.0, 0.0, 0.0])
    rate = _alarms(z, ("residual", "rewording", "reproduction"))
    assert rate == pytest.approx(ERROR_RATE, abs=3 * (ERROR_RATE * (1 - ERROR_RATE) / worlds) ** 0.5 + 0.001)


def test_shares_make_up_the_rate() -> None:
    """The shares of the tests that are run sum to the error rate; one alone gets all of it."""
    assert sum(share(kind, ALL) for kind in ALL) == pytest.approx(ERROR_RATE)
    assert share("residual", {"residual"}) == pytest.approx(ERROR_RATE)
    assert share("split", {"split", "residual"}) == pytest.approx(ERROR_RATE * WEIGHTS["split"] / (WEIGHTS["split"] + WEIGHTS["residual"]))


def test_the_residual_sees_less_beside_other_tests() -> None:
    """The share of the error rate that other tests take makes the smallest gap that the residual sees larger."""
    zero = Interval(-9.0, 9.0)
    found = statistics.Residual("consistent", 70.0, zero, 0.0, zero, 14.9, 3.1, 4.2, 5.0, 5, 0.5, "")
    alone = residual_outcome(found, "heldout-en-1", 180, 7, {"residual"})
    beside = residual_outcome(found, "heldout-en-1", 180, 7, ALL)
    # Student's t with five degrees of freedom: 2.015 at 5 %, 4.032 at 0.5 %, 0.920 at 80 %
    assert alone.detectable == pytest.approx((2.015 + 0.920) * 5, abs=0.01)
    assert beside.detectable == pytest.approx((4.032 + 0.920) * 5, abs=0.01)
    assert (alone.statistic, alone.p, alone.queries, alone.references) == (0.0, 0.5, 180, 7)
