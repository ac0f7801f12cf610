"""Expected against measured: the held-out residual, its interval, and the verdict.

After ConStat (Dekoninck et al. 2024, arXiv 2405.16281, section 3), carried over to retrieval: reference models say which held-out
score a panel level promises, and the bootstrap runs over queries, paired between all models, with per-query nDCG@10 where ConStat has
per-sample accuracy. Levels and scores enter as logits, since both have ends. The line is Theil and Sen's (Sen 1968, JASA 63), which one
odd reference model cannot tilt. Honest models scatter about that line; the prediction interval of a further one is Student's t with
n - 2 degrees of freedom (Draper and Smith 1998, Applied Regression Analysis, section 3.1). The reference models are not resampled, as
ConStat resamples many: a draw of seven mostly holds five different ones or fewer, and says little of the line.
`benchmarks/error_rate.py` measures what the intervals hold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Verdict = Literal["consistent", "unexplained", "inconclusive"]

REPLICATES = 10_000
ERROR_RATE = 0.05
POWER = 0.80
TOLERANCE = 2.0  # nDCG@10 points; a smaller gap would not change anybody's choice of a model
RESOLUTION = 18.0  # nDCG@10 points; the whole first edition sees about this, and a check that sees less calls no model consistent
MIN_REFERENCES = 4
LEAST_SPREAD = 1.0  # points of panel level between the lowest and the highest reference model


@dataclass(frozen=True, slots=True)
class Interval:
    """A two-sided interval that holds the truth at the rate it was made for."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Residual:
    """The held-out residual in nDCG@10 points (0 to 100).

    `gap` is expected minus measured, its interval 90 % (so that each side errs at 5 %). The verdict is `unexplained` where the gap is
    real (its interval lies above zero) and larger than the tolerance; else `consistent` where a gap of the resolution would have been
    seen; else `inconclusive`. `detectable` is the smallest true gap that would have been called unexplained in 80 % of such checks.
    `p` is one-sided. `from_queries` and `from_references` split the gap's standard error `error`, which has `freedom` degrees of freedom.
    """

    verdict: Verdict
    expected: float
    expected_interval: Interval
    gap: float
    gap_interval: Interval
    detectable: float
    from_queries: float
    from_references: float
    error: float
    freedom: int
    p: float
    settle: str
    tolerance: float = TOLERANCE
    error_rate: float = ERROR_RATE
    power: float = POWER


def mean_interval(scores: NDArray[np.float64], seed: int, rate: float = 0.95) -> Interval:
    """Return the bootstrap interval of a mean over queries, in points (scores are 0 to 1).

    Percentiles alone hold too little on few queries (73 to 84 % for 95 at five): they are widened as Student's t is (Hesterberg 2015, The
    American Statistician 69(4), section 5.3).
    """
    import numpy as np
    from scipy.stats import norm
    from scipy.stats import t as student

    rng = np.random.default_rng(seed)
    count = len(scores)
    drawn = scores[rng.integers(count, size=(REPLICATES, count))].mean(axis=1) * 100
    tail = (1 - rate) / 2
    if count > 1:
        tail = float(norm.cdf(-math.sqrt(count / (count - 1)) * student.ppf(1 - tail, count - 1)))
    low, high = np.quantile(drawn, [tail, 1 - tail])
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


def fit(levels: NDArray[np.float64], references: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return slope, intercept and scatter (n - 2 degrees of freedom) of held-out on panel scores, both as logits.

    `levels` is (n_references,), 0 to 100; `references` (n_references, n_queries), 0 to 1.
    """
    x, y = _logit(levels), _logit(references.mean(axis=1) * 100)
    slope, intercept = (float(part[0]) for part in theil_sen(x[None], y[None]))
    return slope, intercept, math.sqrt(float(((y - intercept - slope * x) ** 2).sum()) / (len(x) - 2))


def judge(
    subject: NDArray[np.float64],
    references: NDArray[np.float64],
    levels: NDArray[np.float64],
    level: float,
    level_error: float,
    *,
    seed: int = 0,
    available: int | None = None,
    least_scatter: float = 0.0,
    tolerance: float = TOLERANCE,
    resolution: float = RESOLUTION,
) -> Residual:
    """Judge a subject by reference models.

    `subject` is (n_queries,) and `references` (n_references, n_queries), nDCG@10 from 0 to 1 on the same queries; `levels`
    (n_references,) and `level` are panel levels (0 to 100), `level_error` the standard error of the logit of the subject's.
    Where the queries are a sample, `available` is how many the whole set has, and `least_scatter` the reference models' scatter on all of
    them: on few queries they may by chance lie closer to a line than they do.
    Raises ValueError with fewer than four reference models, or none that differ in level.
    """
    import numpy as np
    from scipy.stats import t as student

    n_references, n_queries = references.shape
    if n_references < MIN_REFERENCES:
        raise ValueError(f"{n_references} reference models are too few; at least {MIN_REFERENCES}")
    if np.ptp(levels) < LEAST_SPREAD:
        raise ValueError("the reference models all have the same level")
    freedom = n_references - 2
    rng = np.random.default_rng(seed)
    x, at = _logit(levels), float(_logit(np.array([level]))[0])
    slope, intercept, scatter = fit(levels, references)
    expected = float(_expit(np.array([intercept + slope * at]))[0])
    gap = expected - float(subject.mean()) * 100

    queries = rng.integers(n_queries, size=(REPLICATES, n_queries))
    drawn_subject = subject[queries].mean(axis=1) * 100
    drawn_means = _logit(np.stack([row[queries].mean(axis=1) for row in references], axis=1) * 100)
    slopes, intercepts = theil_sen(np.broadcast_to(x, drawn_means.shape), drawn_means)
    promised = intercepts + slopes * at

    # Two sources of error that no resampling of queries shows: the scatter of honest models, with what it does to the line, and the
    # uncertainty of the subject's own level.
    scatter = max(scatter, least_scatter)
    spread = scatter * math.sqrt(1 + 1 / n_references + float((at - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum()))
    noise = spread * student.rvs(freedom, size=REPLICATES, random_state=rng) + slope * level_error * rng.standard_normal(REPLICATES)
    drawn_expected = _expit(promised + noise)

    drawn_gap = drawn_expected - drawn_subject
    low, high = (float(value) for value in np.quantile(drawn_gap, [ERROR_RATE, 1 - ERROR_RATE]))
    alarm, power = (float(student.ppf(rate, freedom)) for rate in (1 - ERROR_RATE, POWER))
    error = max(0.0, gap - low) / alarm
    # The reference models' scatter holds their own sampling of queries, which more queries would take away as well.
    sampled = float(np.var(drawn_means - intercepts[:, None] - slopes[:, None] * x, axis=0).mean())
    share = min(1.0, max(sampled / scatter**2, 1 - (least_scatter / scatter) ** 2 if least_scatter else 0.0)) if scatter else 0.0
    direct = float(np.var(_expit(promised) - drawn_subject))
    from_queries = math.sqrt(min(error**2, direct + share * max(0.0, error**2 - direct)))
    from_references = math.sqrt(max(0.0, error**2 - from_queries**2))

    detectable = max(tolerance, error * (alarm + power))
    real = low > 0 and gap > tolerance
    settle = _settle((n_queries, available), from_queries, from_references, resolution / (alarm + power))
    verdict: Verdict = "unexplained" if real else "consistent" if detectable <= resolution else "inconclusive"
    return Residual(
        verdict=verdict,
        expected=expected,
        expected_interval=Interval(*(float(value) for value in np.quantile(drawn_expected, [ERROR_RATE, 1 - ERROR_RATE]))),
        gap=gap,
        gap_interval=Interval(low, high),
        detectable=detectable,
        from_queries=from_queries,
        from_references=from_references,
        error=error,
        freedom=freedom,
        p=(float((drawn_gap <= 0).sum()) + 1) / (REPLICATES + 1),
        settle=settle if verdict == "inconclusive" else "",
        tolerance=tolerance,
    )


def _logit(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    share = np.clip(scores, 0.5, 99.5) / 100
    return np.log(share / (1 - share))


def _expit(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    import numpy as np

    return 100 / (1 + np.exp(-odds))


def _settle(queries: tuple[int, int | None], from_queries: float, from_references: float, allowed: float) -> str:
    """Say what would bring the standard error down to `allowed`: more queries than the ones there are, or more reference models."""
    here, available = queries
    room = allowed**2 - from_references**2
    if room <= 0:
        return "more reference models near this level would settle it; more queries would not"
    needed = math.ceil(here * from_queries**2 / room / 10) * 10
    beyond = f", more than the {available} of this set; so would more reference models" if available and needed > available else ""
    return f"about {needed} queries would settle it{beyond}"
