"""The line, the interval and the verdict, on made-up models of which the truth is known."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import theilslopes

from cardcheck.spotcheck.statistics import Interval, Residual, judge, mean_interval, theil_sen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LEVELS = np.linspace(5, 65, 10)


def _queries(mean: float, count: int, rng: np.random.Generator) -> Array:
    """Return per-query scores between 0 and 1 around `mean` points, as noisy as real ones."""
    share = mean / 100
    return np.asarray(rng.beta(2 * share, 2 * (1 - share), count))


def _heldout(level: float) -> float:
    """Return the held-out score of honest models: another logit line."""
    odds = 0.8 * np.log(level / (100 - level)) + 0.9
    return float(100 / (1 + np.exp(-odds)))


def _judge(gap: float = 0.0, *, count: int = 300, level: float = 40.0, seed: int = 0, data: int = 1) -> Residual:
    """Judge a model `gap` points under the line, by ten honest models."""
    rng = np.random.default_rng(data)
    references = np.stack([_queries(_heldout(at), count, rng) for at in LEVELS])
    return judge(_queries(_heldout(level) - gap, count, rng), references, LEVELS, level, 0.05, seed=seed)


def _width(interval: Interval) -> float:
    return interval.high - interval.low


def test_theil_sen_is_exact_on_a_line() -> None:
    """Points on a line give that line, in each row its own."""
    x = np.tile(np.arange(6.0), (2, 1))
    slope, intercept = theil_sen(x, np.stack([2 * x[0] - 3, -0.5 * x[1] + 7]))
    assert slope.tolist() == pytest.approx([2, -0.5])
    assert intercept.tolist() == pytest.approx([-3, 7])


@pytest.mark.parametrize("outlier", [1e3, -1e3])
@pytest.mark.parametrize("at", [0, 4, 8])
def test_theil_sen_is_robust(outlier: float, at: int) -> None:
    """One wild point among nine does not move the line."""
    x = np.arange(9.0)
    y = 2 * x - 3
    y[at] += outlier
    slope, intercept = theil_sen(x[None], y[None])
    assert slope[0] == pytest.approx(2)
    assert intercept[0] == pytest.approx(-3)


@pytest.mark.parametrize("seed", range(5))
def test_theil_sen_agrees_with_scipy(seed: int) -> None:
    """On random points the slope is scipy's; the intercept is the median of what remains (scipy's method `joint`)."""
    x, y = np.random.default_rng(seed).standard_normal((2, 11))
    theirs = theilslopes(y, x, method="joint")
    slope, intercept = theil_sen(x[None], y[None])
    assert slope[0] == pytest.approx(theirs.slope)
    assert intercept[0] == pytest.approx(theirs.intercept)


def test_theil_sen_leaves_out_pairs_with_the_same_x() -> None:
    """Points drawn twice, as in a bootstrap, do not disturb the line."""
    x = np.array([0.0, 0.0, 1.0, 1.0, 2.0])
    slope, intercept = theil_sen(x[None], 3 * x[None] + 1)
    assert (slope[0], intercept[0]) == pytest.approx((3, 1))


@pytest.mark.parametrize("data", range(5))
def test_honest_model_is_consistent(data: int) -> None:
    """A model on the line is consistent, its expected score is the line's, and the interval of the gap holds zero."""
    judged = _judge(data=data)
    assert judged.verdict == "consistent"
    assert judged.expected == pytest.approx(_heldout(40), abs=5)
    assert judged.gap_interval.low < 0 < judged.gap_interval.high
    assert judged.settle == ""


@pytest.mark.parametrize("data", range(5))
def test_model_far_under_the_line_is_unexplained(data: int) -> None:
    """A model thirty points under what its level promises has a positive gap of that size that chance does not explain."""
    judged = _judge(30, data=data)
    assert judged.verdict == "unexplained"
    assert judged.gap == pytest.approx(30, abs=8)
    assert judged.gap_interval.low > 0


def test_model_above_the_line_is_not_suspected() -> None:
    """A model that is better than its published scores has a negative gap and is consistent."""
    judged = _judge(-20)
    assert judged.gap < 0
    assert judged.gap_interval.high < 0
    assert judged.verdict == "consistent"


def test_small_gap_is_within_the_tolerance() -> None:
    """A gap is unexplained only where it is larger than the tolerance, however certain it is."""
    count = 2000
    references = np.stack([np.full(count, _heldout(level) / 100) for level in LEVELS])
    subject = np.full(count, (_heldout(40) - 1.5) / 100)
    assert judge(subject, references, LEVELS, 40, 0.0).verdict == "consistent"
    assert judge(subject, references, LEVELS, 40, 0.0, tolerance=1.0).verdict == "unexplained"


def test_few_queries_are_inconclusive_and_their_number_settles_it() -> None:
    """Twenty queries settle nothing, and with the number of queries that is named instead the check can conclude."""
    judged = _judge(count=20, data=2)
    assert judged.verdict == "inconclusive"
    number = re.search(r"about (\d+) queries would settle it", judged.settle)
    assert number, judged.settle
    assert 20 < int(number[1]) < 2000
    assert _judge(count=2 * int(number[1]), data=2).verdict == "consistent"


def test_scattered_references_are_inconclusive() -> None:
    """Where the reference models themselves disagree, more of them are asked for, not more queries."""
    rng = np.random.default_rng(0)
    levels = np.array([10.0, 25.0, 40.0, 55.0])
    references = np.stack([_queries(mean, 500, rng) for mean in (60, 20, 80, 45)])
    judged = judge(_queries(50, 500, rng), references, levels, 35, 0.05)
    assert judged.verdict == "inconclusive"
    assert "more reference models" in judged.settle


def test_too_few_references() -> None:
    """Three reference models make no line, and that is an error."""
    with pytest.raises(ValueError, match="3 reference models are too few"):
        judge(np.full(50, 0.5), np.full((3, 50), 0.5), np.array([10.0, 20.0, 30.0]), 20, 0.1)


def test_same_seed_same_result() -> None:
    """A seed makes the interval reproducible, another one moves it, and neither moves the gap."""
    first, again, other = _judge(seed=3), _judge(seed=3), _judge(seed=4)
    assert first == again
    assert first.gap_interval != other.gap_interval
    assert first.gap == other.gap


def test_more_queries_narrow_the_interval() -> None:
    """The interval of the gap and the share that queries have in it shrink with their number."""
    few, many = _judge(count=60), _judge(count=1500)
    assert _width(many.gap_interval) < _width(few.gap_interval)
    assert many.from_queries < few.from_queries / 3


def test_uncertain_level_widens_the_interval() -> None:
    """A level known from fewer tasks makes the expected score less certain."""
    rng = np.random.default_rng(1)
    references = np.stack([_queries(_heldout(at), 300, rng) for at in LEVELS])
    subject = _queries(_heldout(40), 300, rng)
    sure, unsure = (judge(subject, references, LEVELS, 40, error) for error in (0.01, 0.6))
    assert _width(unsure.expected_interval) > 1.2 * _width(sure.expected_interval)


@pytest.mark.parametrize("level", [0.0, 50.0, 100.0])
@pytest.mark.parametrize("subject", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("references", ["spread", "all 0", "all 1", "alike"])
def test_extremes_stay_within_bounds(level: float, subject: float, references: str) -> None:
    """Whatever the scores and levels, expected scores lie in 0 to 100, gaps in -100 to 100, and nothing warns."""
    means = {"spread": LEVELS / 100, "all 0": LEVELS * 0, "all 1": LEVELS * 0 + 1, "alike": LEVELS * 0 + 0.4}[references]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judged = judge(np.full(30, subject), np.repeat(means[:, None], 30, axis=1), LEVELS, level, 0.3)
    assert 0 <= judged.expected_interval.low <= judged.expected_interval.high <= 100
    assert 0 <= judged.expected <= 100
    assert -100 <= judged.gap_interval.low <= judged.gap_interval.high <= 100
    assert np.isfinite([judged.gap, judged.detectable, judged.from_queries, judged.from_references]).all()


def test_equal_levels_make_no_line() -> None:
    """Reference models that all have one level say nothing of another one, and that is an error."""
    with pytest.raises(ValueError, match="same level"):
        judge(np.full(40, 0.5), np.random.default_rng(0).random((10, 40)), LEVELS * 0 + 30, 30, 0.1)


@pytest.mark.parametrize(
    "levels", [[0.0, 0.1, 0.2, 0.3, 0.4, 100, 99.9, 99.8, 99.7, 99.6], [99.6, 99.7, 99.8, 99.9, 100, 98.9, 99.6, 100, 100, 100]]
)
def test_levels_clipped_to_one_stay_finite(levels: list[float]) -> None:
    """Levels so near an end that their logits are clipped give finite results and no warning."""
    references = np.random.default_rng(0).random((10, 40))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        judged = judge(np.full(40, 0.5), references, np.array(levels), 30, 0.1)
    assert np.isfinite([judged.expected, judged.gap, judged.gap_interval.low, judged.gap_interval.high, judged.detectable]).all()


def test_scatter_of_the_whole_set_counts_for_a_sample() -> None:
    """Reference models that on few queries happen to lie on a line are not taken to do so on all."""
    references = np.repeat(np.array([[_heldout(level) / 100] for level in LEVELS]), 30, axis=1)
    lucky, warned = (judge(references[5], references, LEVELS, LEVELS[5], 0.0, least_scatter=scatter) for scatter in (0.0, 0.4))
    assert _width(lucky.gap_interval) < 1 < _width(warned.gap_interval)
    assert warned.verdict == "inconclusive"


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_interval_of_a_constant(value: float) -> None:
    """Scores that do not vary have an interval without width."""
    interval = mean_interval(np.full(25, value), seed=0)
    assert (interval.low, interval.high) == pytest.approx((value * 100, value * 100))


def test_interval_of_a_mean_covers_it() -> None:
    """The 95 % interval of a mean agrees with the normal approximation on many queries."""
    scores = np.random.default_rng(5).random(1000)
    interval, half = mean_interval(scores, seed=0), 1.96 * scores.std() / np.sqrt(1000) * 100
    assert interval.low == pytest.approx(scores.mean() * 100 - half, abs=0.2)
    assert interval.high == pytest.approx(scores.mean() * 100 + half, abs=0.2)


@pytest.mark.parametrize("queries", [5, 10, 40])
def test_interval_of_a_mean_of_few_queries(queries: int) -> None:
    """It holds the truth as often as it says also on few queries, about: percentiles alone hold 84, 90 and 94 %."""
    rng = np.random.default_rng(1)
    worlds = [rng.beta(3, 2, queries) for _ in range(300)]
    found = [mean_interval(world, seed=at) for at, world in enumerate(worlds)]
    held = sum(interval.low <= 60 <= interval.high for interval in found) / len(found)
    assert held > 0.90
