"""The tests on a public task: split difference, rewording difference and score reproduction.

**Score reproduction.** The published score of the task against the rerun here. The queries are the same, so no chance of drawing enters;
what is left is how faithfully a model is run (precision, truncation, the version of a library), by which honest reruns differ by half a
point. The tail is Student's t with three degrees of freedom, since a few differ by more. Prompts that are told in words alone cannot be
taken over by a program: then the test is not run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.spotcheck.paired import Difference, rewording_difference, split_difference
from cardcheck.spotcheck.statistics import POWER, TOLERANCE, Interval
from cardcheck.spotcheck.verdict import Kind, Outcome, share

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cardcheck.spotcheck.references import PublicReferences

RERUN = 0.5  # nDCG@10 points: scale of honest differences between a published score and its rerun (docs/method.md)
RERUN_FREEDOM = 3.0
INTERVAL = 0.99  # each side


def paired(scores: dict[str, NDArray[np.float64]], references: PublicReferences, *, seed: int) -> list[Difference]:
    """Return the split and the rewording difference of a model whose per-query scores go by part; none with too few references."""
    from cardcheck.spotcheck.paired import MIN_REFERENCES

    if len(references.ids) < MIN_REFERENCES:
        return []
    table, words, reworded = references.scores, references.lexical, references.reworded
    return [
        split_difference(
            (scores["test"], scores["other"]),
            (table["test"], table["other"]),
            lexical=(words["test"], words["other"]) if words else None,
            seed=seed,
        ),
        rewording_difference(
            (scores["test"][reworded], scores["reworded"]),
            (table["test"][:, reworded], table["reworded"]),
            lexical=(words["test"][:, reworded], words["reworded"]) if words else None,
            seed=seed,
        ),
    ]


def outcome(found: Difference, on: str, kinds: set[Kind]) -> Outcome:
    """Return a difference as the verdict takes it."""
    least = max(TOLERANCE, found.detectable(share(found.kind, kinds)))
    return Outcome(found.kind, on, found.statistic, found.interval, found.p, least, found.error, found.queries, found.references)


def reproduction(published: float, measured: float, on: str, queries: int, kinds: set[Kind]) -> Outcome:
    """Compare a published score with its rerun, both from 0 to 100."""
    from scipy.stats import t as student

    gap = published - measured
    half = float(student.ppf(INTERVAL, RERUN_FREEDOM)) * RERUN
    least = float(student.ppf(1 - share("reproduction", kinds), RERUN_FREEDOM) + student.ppf(POWER, RERUN_FREEDOM)) * RERUN
    p = float(student.sf(gap / RERUN, RERUN_FREEDOM))
    return Outcome("reproduction", on, gap, Interval(gap - half, gap + half), p, max(TOLERANCE, least), RERUN, queries, 0)
