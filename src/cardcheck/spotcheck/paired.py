"""Two tests that compare a model with itself on one corpus: the split difference and the rewording difference.

Who was trained on a task's test queries is better on them than on queries of the same kind that were not trained on, and better on their
words than on other words for the same thing. Honest models are, too, by chance and because no two sets of queries are equally hard; how
much, the reference models tell, query by query. After ConStat's performance difference (Dekoninck et al. 2024, arXiv 2405.16281, section
3.1), with a model's own other queries in place of its other benchmark: what is compared is the same encoder on the same documents, so that
neither size nor training makes a difference, and the interval is a few points instead of fifteen.

On other queries the subject's scores are regressed, query by query, on those of the reference models (the regression estimator of survey
sampling, Cochran 1977, Sampling Techniques, section 7.1: what queries are hard for all falls out of the variance). The fit tells what it
should score on the test queries; the statistic is the mean of what it scores more. The other queries are those of the split that nobody
evaluates (**split difference**), or the test queries in other words (**rewording difference**). A lexical retriever's scores (BM25, which
was trained on nothing) may be regressed on as well: they say how much of a query's words its documents have, which is what rewording
changes, and are no model that honest ones could be told by.

Both are bootstrapped by query (a query with its rewording). What honest models differ by beyond chance is measured on the
reference models, each against the others, and added to the error. p is of Student's t with as many degrees of freedom as references less
one, also where they show none: eight may by chance not show what the ninth has. Satterthwaite's formula, tried first, erred at twice the
rate, and the normal distribution where none was shown called honest variants of multilingual-e5-small unexplained.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cardcheck.spotcheck.statistics import POWER, Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float64]  # one model's nDCG@10 by query, from 0 to 1
    Table = NDArray[np.float64]  # (n_references, n_queries)

RESAMPLES = 10_000
MIN_REFERENCES = 3
RIDGE = 1e-9  # keeps the normal equations solvable where two references agree on every query


@dataclass(frozen=True, slots=True)
class Difference:
    """A test's outcome, in nDCG@10 points (0 to 100): `statistic` above zero is what training on the test queries does.

    `error` is the standard error, of which `scatter` is what honest models differ by; `p` is one-sided; `interval` holds 98 %; `queries`
    are those compared and `references` the models that say what to expect.
    """

    kind: Literal["split", "rewording"]
    statistic: float
    error: float
    scatter: float
    freedom: float
    p: float
    interval: Interval
    queries: int
    references: int

    def detectable(self, rate: float) -> float:
        """Return the smallest true difference that this test, at this error rate, sees in 80 % of such checks."""
        from scipy.stats import t as student

        return float(student.ppf(1 - rate, self.freedom) + student.ppf(POWER, self.freedom)) * self.error


def split_difference(
    subject: tuple[Scores, Scores], references: tuple[Table, Table], *, lexical: tuple[Table, Table] | None = None, seed: int = 0
) -> Difference:
    """Compare a model on a task's test queries with the same model on its other queries; all pairs are (test, other).

    Raises ValueError with fewer than three references.
    """
    import numpy as np

    rng = np.random.default_rng(seed)
    return _difference("split", subject, references, lexical, (_weights(rng, len(subject[0])), _weights(rng, len(subject[1]))))


def rewording_difference(
    subject: tuple[Scores, Scores], references: tuple[Table, Table], *, lexical: tuple[Table, Table] | None = None, seed: int = 0
) -> Difference:
    """Compare a model on queries with the same model on other words for them; all pairs are (as published, reworded), in one order.

    Raises ValueError with fewer than three references.
    """
    import numpy as np

    weights = _weights(np.random.default_rng(seed), len(subject[0]))  # a query is drawn with its rewording
    return _difference("rewording", subject, references, lexical, (weights, weights))


def _difference(
    kind: Literal["split", "rewording"],
    subject: tuple[Scores, Scores],
    references: tuple[Table, Table],
    lexical: tuple[Table, Table] | None,
    weights: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> Difference:
    """Fit the subject on the references over the second queries, and see what it has more than the fit on the first."""
    import numpy as np

    if len(references[0]) < MIN_REFERENCES:
        raise ValueError(f"{len(references[0])} reference models are too few; at least {MIN_REFERENCES}")
    beside = lexical or tuple(np.empty((0, len(own))) for own in subject)
    # rows: what every fit has (one, which is the intercept, and the lexical scores), the references, the subject
    first, second = (
        np.vstack([np.ones(len(own)), words, table, own]) for own, words, table in zip(subject, beside, references, strict=True)
    )
    means = weights[0] @ first.T
    products = (weights[1] @ (second[:, None, :] * second[None, :, :]).reshape(-1, second.shape[1]).T).reshape(-1, len(second), len(second))
    always = range(1 + len(beside[0]))
    models = range(len(always), len(second) - 1)
    statistic, error = _promised(means, products, len(second) - 1, [*always, *models])
    apart = [_promised(means, products, at, [*always, *(other for other in models if other != at)]) for at in models]
    return _outcome(kind, statistic, error, apart, len(subject[0]))


def _weights(rng: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Return the weights of all queries, alike in the first row and resampled in the others: (1 + resamples, count), rows sum to one.

    Bayesian bootstrap (Rubin 1981, Annals of Statistics 9(1)): the same error as drawing queries with replacement, in a tenth of the time.
    """
    import numpy as np

    drawn = rng.standard_exponential((1 + RESAMPLES, count))
    drawn[0] = 1.0
    return np.asarray(drawn / drawn.sum(axis=1, keepdims=True))


def _promised(means: NDArray[np.float64], products: NDArray[np.float64], target: int, by: list[int]) -> tuple[float, float]:
    """Return by how much a row of the test queries lies over what the other queries promise, and the standard error, in points.

    `means` is (1 + resamples, n_rows), `products` the rows' cross products on the other queries, (1 + resamples, n_rows, n_rows).
    """
    import numpy as np

    normal = products[:, by][:, :, by] + RIDGE * np.eye(len(by))
    slopes = np.linalg.solve(normal, products[:, by, target][:, :, None])[:, :, 0]
    over = (means[:, target] - (means[:, by] * slopes).sum(axis=1)) * 100
    return float(over[0]), float(over[1:].std())


def _outcome(
    kind: Literal["split", "rewording"], statistic: float, error: float, apart: list[tuple[float, float]], queries: int
) -> Difference:
    """Add what honest models differ by, as the references show it, and give p and interval."""
    from scipy.stats import t as student

    excess = sum(value**2 - own**2 for value, own in apart) / len(apart)
    scatter = math.sqrt(max(0.0, excess))
    total = math.hypot(error, scatter)
    freedom = float(len(apart) - 1)
    half = float(student.ppf(0.99, freedom)) * total
    return Difference(
        kind=kind, statistic=statistic, error=total, scatter=scatter, freedom=freedom,
        p=float(student.sf(statistic / total, freedom)) if total else float(statistic <= 0),
        interval=Interval(statistic - half, statistic + half), queries=queries, references=len(apart),
    )  # fmt: skip
