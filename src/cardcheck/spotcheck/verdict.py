"""One verdict from all tests, with the error rate held over all of them together.

Weighted Holm (Holm 1979, Scandinavian Journal of Statistics 6(2), section 4): of the tests that could be run, the one with the smallest
p over its weight is rejected where p is at most the rate times its share of the weights; then the next among those that are left. Whatever
depends on what, the chance that an honest model is called unexplained by any of them is at most the rate, for any weights that are fixed
beforehand. Most goes to the test that sees most (Genovese, Roeder and Wasserman 2006, Biometrika 93(3)): the split difference has an error
of nearly two points, rewording of two and a half, the residual of seven.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from cardcheck.spotcheck.statistics import ERROR_RATE, POWER, RESOLUTION, TOLERANCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardcheck.spotcheck.statistics import Interval, Residual, Verdict

Kind = Literal["residual", "split", "rewording", "reproduction"]

PUBLISHED: tuple[Kind, Kind] = ("residual", "reproduction")  # the tests that put published scores on trial
WEIGHTS: dict[Kind, float] = {"residual": 0.1, "split": 0.5, "rewording": 0.25, "reproduction": 0.15}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one test found, in nDCG@10 points (0 to 100): above zero is what inflation does.

    `p` is one-sided, `interval` holds 98 % (the residual's 90 %). `on` says what was measured, `rate` the level that it was tested at, and
    `rejected` whether the difference is real at that level and larger than the tolerance; `detectable` is the smallest true difference
    that it sees at the test's own share of the error rate in 80 % of such checks.
    """

    kind: Kind
    on: str
    statistic: float
    interval: Interval
    p: float
    detectable: float
    error: float
    queries: int
    references: int
    rate: float = 0.0
    rejected: bool = False


def share(kind: Kind, kinds: Iterable[Kind]) -> float:
    """Return a test's share of the error rate among those that are run."""
    return ERROR_RATE * WEIGHTS[kind] / sum(WEIGHTS[one] for one in set(kinds))


def residual_outcome(found: Residual, on: str, queries: int, references: int, kinds: set[Kind]) -> Outcome:
    """Return the held-out residual as the verdict takes it."""
    from scipy.stats import t as student

    least = float(student.ppf(1 - share("residual", kinds), found.freedom) + student.ppf(POWER, found.freedom)) * found.error
    return Outcome("residual", on, found.gap, found.gap_interval, found.p, max(TOLERANCE, least), found.error, queries, references)


def judged(outcomes: list[Outcome], error_rate: float = ERROR_RATE) -> list[Outcome]:
    """Return the outcomes with the level that each was tested at, and whether it was rejected at this joint error rate."""
    ordered = sorted(outcomes, key=lambda one: one.p / WEIGHTS[one.kind])
    left = sum(WEIGHTS[one.kind] for one in ordered)
    found: dict[int, Outcome] = {}
    real = True
    for one in ordered:
        rate = error_rate * WEIGHTS[one.kind] / left
        real = real and one.p <= rate
        found[id(one)] = replace(one, rate=rate, rejected=real and one.statistic > TOLERANCE)
        if real:  # from the first that is not rejected on, all others are tested at their share of what is left there
            left -= WEIGHTS[one.kind]
    return [found[id(one)] for one in outcomes]


def verdict(outcomes: list[Outcome], *, seen: bool = False) -> Verdict:
    """Return `unexplained` where a test was rejected, `consistent` where one would have seen a difference of the resolution.

    What is consistent is a published score with something: where none was put on trial no verdict is. That a score is reproduced says
    nothing of what the model was trained on, and neither does the held-out residual of a model that could have `seen` the set.
    """
    if any(one.rejected for one in outcomes):
        return "unexplained"
    on_trial = any(one.kind in PUBLISHED for one in outcomes)
    seeing = [
        one for one in outcomes if one.kind != "reproduction" and one.detectable <= RESOLUTION and not (seen and one.kind == "residual")
    ]
    return "consistent" if seeing and on_trial else "inconclusive"
