"""Expected against measured: the held-out residual, its interval, and the verdict.

After ConStat (Dekoninck et al. 2024, arXiv 2405.16281, section 3), carried over to retrieval: reference models say which held-out
score a panel level promises, and the bootstrap runs over queries and reference models, paired by query, with per-query nDCG@10 where
ConStat has per-sample accuracy. Levels and scores enter as logits, since both have ends. The line is Theil and Sen's (Sen 1968,
JASA 63), which one odd reference model cannot tilt. Honest models scatter about that line; that scatter, with few models, is Student's
t with n - 2 degrees of freedom and is part of the interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Verdict = Literal["consistent", "unexplained", "inconclusive"]

REPLICATES = 4000
ERROR_RATE = 0.05
POWER = 0.80
TOLERANCE = 2.0  # nDCG@10 points; a smaller gap would not change anybody's choice of a model
RESOLUTION = 20.0  # nDCG@10 points; a check that could not even see such a gap does not call a model consistent
MIN_REFERENCES = 4


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval that holds the truth at the rate it was made for."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """The held-out residual in nDCG@10 points (0 to 100).

    `gap` is expected minus measured, its interval 90 % (so that each side errs at 5 %). The verdict is `unexplained` where the gap is
    real (its interval lies above zero) and larger than the tolerance; else `consistent` where a gap of the resolution would have been
    seen; else `inconclusive`. `detectable` is the smallest true gap that would have been called unexplained in 80 % of such checks.
    `from_queries` and `from_references` split the gap's standard error.
    """

    verdict: Verdict
    expected: float
    expected_interval: Interval
    gap: float
    gap_interval: Interval
    detectable: float
    from_queries: float
    from_references: float
    settle: str
    tolerance: float = TOLERANCE
    error_rate: float = ERROR_RATE
    power: float = POWER


def mean_interval(scores: NDArray[np.float64], seed: int, rate: float = 0.95) -> Interval:
    """Return the percentile bootstrap interval of a mean over queries, in points (scores are 0 to 1)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    drawn = scores[rng.integers(len(scores), size=(REPLICATES, len(scores)))].mean(axis=1) * 100
    low, high = np.quantile(drawn, [(1 - rate) / 2, (1 + rate) / 2])
    return Interval(float(low), float(high))


def theil_sen(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (slope, intercept) of the Theil-Sen line of each row: the median of pairwise slopes, then of what remains.

    `x` and `y` are (replicates, n). Pairs with the same x, which resampling makes, are left out.
    """
    import numpy as np

    first, second = np.triu_indices(x.shape[1], 1)
    run = x[:, second] - x[:, first]
    same = np.abs(run) < 1e-9
    slopes = np.where(same, np.nan, (y[:, second] - y[:, first]) / np.where(same, 1.0, run))
    slope = np.nan_to_num(np.nanmedian(slopes, axis=1))
    return slope, np.median(y - slope[:, None] * x, axis=1)


def judge(
    subject: NDArray[np.float64],
    references: NDArray[np.float64],
    levels: NDArray[np.float64],
    level: float,
    level_error: float,
    *,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    resolution: float = RESOLUTION,
) -> Judgement:
    """Judge a subject by reference models.

    `subject` is (n_queries,) and `references` (n_references, n_queries), nDCG@10 from 0 to 1 on the same queries; `levels`
    (n_references,) and `level` are panel levels (0 to 100), `level_error` the standard error of the logit of the subject's.
    Raises ValueError with fewer than four reference models.
    """
    import numpy as np
    from scipy.stats import t as student

    n_references, n_queries = references.shape
    if n_references < MIN_REFERENCES:
        raise ValueError(f"{n_references} reference models are too few; at least {MIN_REFERENCES}")
    rng = np.random.default_rng(seed)
    x, at = _logit(levels), float(_logit(np.array([level]))[0])
    means = _logit(references.mean(axis=1) * 100)
    slope, intercept = (float(part[0]) for part in theil_sen(x[None], means[None]))
    expected = float(_expit(np.array([intercept + slope * at]))[0])
    scatter = math.sqrt(float(((means - intercept - slope * x) ** 2).sum()) / (n_references - 2))

    queries = rng.integers(n_queries, size=(REPLICATES, n_queries))
    drawn_subject = subject[queries].mean(axis=1) * 100
    drawn_means = _logit(np.stack([row[queries].mean(axis=1) for row in references], axis=1) * 100)
    models = _draw_models(rng, n_references)
    noise = scatter * student.rvs(n_references - 2, size=REPLICATES, random_state=rng)
    noise += slope * level_error * rng.standard_normal(REPLICATES)

    lines = theil_sen(x[models], np.take_along_axis(drawn_means, models, axis=1))
    drawn_expected = _expit(lines[1] + lines[0] * at + noise)
    gaps = drawn_expected - drawn_subject
    fixed = theil_sen(np.broadcast_to(x, drawn_means.shape), drawn_means)
    from_queries = float(np.std(_expit(fixed[1] + fixed[0] * at) - drawn_subject))
    low, high = (float(value) for value in np.quantile(gaps, [ERROR_RATE, 1 - ERROR_RATE]))
    gap = expected - float(subject.mean()) * 100
    reach = gap - low
    alarm, power = (float(student.ppf(rate, n_references - 2)) for rate in (1 - ERROR_RATE, POWER))
    detectable = max(tolerance, reach * (1 + power / alarm))
    from_references = math.sqrt(max(0.0, (reach / alarm) ** 2 - from_queries**2))

    spread = np.quantile(drawn_expected, [ERROR_RATE, 1 - ERROR_RATE])
    real = low > 0 and gap > tolerance
    verdict: Verdict = "unexplained" if real else "consistent" if detectable <= resolution else "inconclusive"
    settle = _settle(n_queries, from_queries, from_references, resolution / (alarm + power)) if verdict == "inconclusive" else ""
    return Judgement(
        verdict=verdict,
        expected=expected,
        expected_interval=Interval(float(spread[0]), float(spread[1])),
        gap=gap,
        gap_interval=Interval(low, high),
        detectable=detectable,
        from_queries=from_queries,
        from_references=from_references,
        settle=settle,
        tolerance=tolerance,
    )


def _logit(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    share = np.clip(scores, 0.5, 99.5) / 100
    return np.log(share / (1 - share))


def _expit(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return 100 / (1 + np.exp(-odds))


def _draw_models(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Draw reference models with replacement; a line needs three different ones, so poorer draws are drawn again."""
    import numpy as np

    models = rng.integers(count, size=(REPLICATES, count))
    while poor := [i for i, row in enumerate(models) if len(np.unique(row)) < 3]:
        models[poor] = rng.integers(count, size=(len(poor), count))
    return models


def _settle(n_queries: int, from_queries: float, from_references: float, allowed: float) -> str:
    """Say what would bring the standard error down to `allowed`: more queries, or more reference models."""
    room = allowed**2 - from_references**2
    if room <= 0:
        return "more reference models near this level would settle it; more queries would not"
    return f"about {math.ceil(n_queries * from_queries**2 / room / 10) * 10} queries would settle it"
