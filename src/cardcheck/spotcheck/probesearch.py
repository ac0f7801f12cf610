"""What prompts and shortened vectors do to searching: measured on a sample of a held-out set, query by query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardcheck.spotcheck.metrics import ndcg_at_10
from cardcheck.spotcheck.search import SIMILARITIES, search
from cardcheck.spotcheck.statistics import mean_interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    from numpy.typing import NDArray

    from cardcheck.spotcheck.heldout import HeldOutSet
    from cardcheck.spotcheck.statistics import Interval

    Vectors = NDArray[np.float32]
    Scores = NDArray[np.float64]

QUERIES = 60
DOCUMENTS = 120
SMALLEST = 8  # dimensions; a shorter beginning is no vector to search with


@dataclass(frozen=True, slots=True)
class Sample:
    """Some queries of a held-out set and some of its passages: all that answer them, then those that were judged, then others."""

    queries: dict[str, str]
    documents: dict[str, str]
    qrels: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, held_out: HeldOutSet, seed: int) -> Sample:
        """Draw a sample."""
        drawn = held_out.sample(QUERIES, seed)
        judged = [(-grade, document) for query in drawn.queries for document, grade in held_out.qrels[query].items()]
        order = dict.fromkeys([document for _, document in sorted(judged)] + list(held_out.corpus))
        documents = {document: held_out.corpus[document] for document in list(order)[:DOCUMENTS]}
        return cls(drawn.queries, documents, {query: held_out.qrels[query] for query in drawn.queries})


@dataclass(frozen=True, slots=True)
class Ranking:
    """nDCG@10 (0 to 1) of each query, and every similarity, a row for each query."""

    scores: Scores
    similarities: Scores

    @property
    def points(self) -> float:
        """The mean in points."""
        return float(self.scores.mean() * 100)


@dataclass(frozen=True, slots=True)
class Prefix:
    """What the first `dimension` numbers of each vector are worth: points of nDCG@10 and how many are lost, agreement of the order with
    that by whole vectors (Spearman, mean over queries), and whether the card or the configuration states that dimension."""  # noqa: D205, D209  # one sentence

    dimension: int
    stated: bool
    ndcg: float
    loss: float
    low: float
    high: float
    agreement: float


def rank(sample: Sample, queries: Vectors, documents: Vectors, similarity: str) -> Ranking:
    """Search the sample. Raises ValueError for vectors that are not finite."""
    import numpy as np

    known = similarity if similarity in SIMILARITIES else "cosine"
    found = search(queries, documents, list(sample.queries), list(sample.documents), similarity=known, k=len(sample.documents))
    scores = ndcg_at_10(sample.qrels, found)
    similarities = np.array([[found[query][document] for document in sample.documents] for query in sample.queries])
    return Ranking(np.array([scores[query] for query in sample.queries]), similarities)


def gain(one: Ranking, other: Ranking, seed: int) -> tuple[float, Interval]:
    """Return by how many points the first ranks better, with the interval over queries."""
    difference = one.scores - other.scores
    return float(difference.mean() * 100), mean_interval(difference, seed)


def cosines(one: Vectors, other: Vectors) -> Scores:
    """Return the cosine between the vectors of each text."""
    import numpy as np

    first, second = one.astype(np.float64), other.astype(np.float64)
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    products: Scores = (first * second).sum(axis=1) / np.maximum(lengths, 1e-12)
    return products


def prefixes(
    sample: Sample, queries: Vectors, documents: Vectors, similarity: str, *, stated: Iterable[int], seed: int
) -> list[Prefix]:  # fmt: skip
    """Cut the vectors to a half, a quarter, an eighth and to each dimension that is stated, and see what is lost."""
    whole = rank(sample, queries, documents, similarity)
    width = queries.shape[1]
    named = set(stated)
    wanted = {width // share for share in (2, 4, 8)} | named
    rows = []
    for dimension in sorted((size for size in wanted if SMALLEST <= size < width), reverse=True):
        short = rank(sample, queries[:, :dimension].copy(), documents[:, :dimension].copy(), similarity)
        loss, interval = gain(whole, short, seed)
        rows.append(
            Prefix(dimension, dimension in named, short.points, loss, interval.low, interval.high, _agreement(whole, short))
        )  # fmt: skip
    return rows


def _agreement(one: Ranking, other: Ranking) -> float:
    """Return Spearman's rank correlation of the similarities, mean over queries."""
    import numpy as np

    first, second = (ranking.similarities.argsort(axis=1).argsort(axis=1) for ranking in (one, other))
    n = first.shape[1]
    squares = ((first - second).astype(np.float64) ** 2).sum(axis=1)
    return float((1 - 6 * squares / (n * (n**2 - 1))).mean())
