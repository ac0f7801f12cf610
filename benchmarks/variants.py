"""Honest and fraudulent variants of real models, as maps over their stored embeddings: made in seconds, so that hundreds can be judged.

A variant is what it does to the vectors of queries and documents. Trained ones are a linear map beside the identity, x → x + W x, as a
projection head would be, trained by contrastive loss on pairs (InfoNCE, van den Oord et al. 2018, arXiv 1807.03748, section 2.3) against
the documents of the batch and hard negatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Change = Callable[[Vectors], Vectors]

TEMPERATURE = 0.05
RATE = 1e-3
BATCH = 128
NEGATIVES = 4


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs to train on: rows of queries and of documents that belong together."""

    queries: Vectors
    documents: Vectors
    pairs: NDArray[np.int64]  # (n, 2): row of a query, row of its document


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant: the model it was made of, what was done, how strongly, and what it does to vectors."""

    base: str
    form: str
    strength: str
    change: Change
    honest: bool
    claimed: float = 0.0  # points put on top of what it measures


def pairs_of(ids: Sequence[str], documents: Mapping[str, int], qrels: Mapping[str, Mapping[str, int]]) -> NDArray[np.int64]:
    """Return (query row, document row) of every relevant pair."""
    found = [
        (at, documents[name]) for at, query in enumerate(ids) for name, grade in qrels[query].items() if grade > 0 and name in documents
    ]
    return np.array(found, dtype=np.int64).reshape(-1, 2)


def trained(data: Pairs, *, steps: int, seed: int) -> Change:
    """Return the map that was trained on the pairs for so many steps."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    queries, documents = torch.from_numpy(data.queries), torch.from_numpy(data.documents)
    width = queries.shape[1]
    matrix = torch.zeros(width, width, requires_grad=True)
    optimizer = torch.optim.Adam([matrix], lr=RATE)
    hard = _hard(data, rng)
    for _ in range(steps):
        rows = rng.choice(len(data.pairs), size=min(BATCH, len(data.pairs)), replace=False)
        probe = _mapped(queries[data.pairs[rows, 0]], matrix)
        kept = np.concatenate([data.pairs[rows, 1], hard[rows].ravel()])
        scores = probe @ _mapped(documents[kept], matrix).T / TEMPERATURE
        same = torch.from_numpy(np.equal.outer(data.pairs[rows, 1], kept))
        own = torch.arange(len(rows))
        same[own, own] = False
        loss = torch.nn.functional.cross_entropy(scores.masked_fill(same, -1e9), own)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    found = matrix.detach()
    return lambda vectors: np.asarray(_mapped(torch.from_numpy(vectors), found).numpy(), dtype=np.float32)


def _hard(data: Pairs, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return for each pair documents that the base model takes for relevant and that are not known to be."""
    relevant: dict[int, set[int]] = {}
    for query, document in data.pairs:
        relevant.setdefault(int(query), set()).add(int(document))
    best = np.argsort(-(data.queries @ data.documents.T), axis=1)[:, :20]
    rows = []
    for query, _ in data.pairs:
        near = [int(one) for one in best[query] if int(one) not in relevant[int(query)]]
        rows.append(rng.choice(near, NEGATIVES, replace=False))
    return np.array(rows, dtype=np.int64)


def _mapped(vectors: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.normalize(vectors + vectors @ matrix.T, dim=1)


def unit(vectors: Vectors) -> Vectors:
    """Return vectors of length one."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(norms, 1e-12), dtype=np.float32)


def same(vectors: Vectors) -> Vectors:
    """Return them as they are."""
    return vectors


def quantised(bits: int, calibration: Vectors) -> Change:
    """Return rounding to so many bits a dimension, between the ends of a sample; one bit is the sign."""
    if bits == 1:
        return lambda vectors: unit(np.sign(vectors).astype(np.float32))
    low, high = calibration.min(axis=0), calibration.max(axis=0)
    step = (high - low) / (2**bits - 1)
    return lambda vectors: unit((np.round((vectors - low) / step) * step + low).astype(np.float32))


def truncated(width: int) -> Change:
    """Return cutting to the first dimensions."""
    return lambda vectors: unit(vectors[:, :width])


def pruned(share: float, seed: int) -> Change:
    """Return setting a random share of the dimensions to zero."""

    def change(vectors: Vectors) -> Vectors:
        kept = np.random.default_rng(seed).random(vectors.shape[1], dtype=np.float32)
        return unit(np.where(kept >= share, vectors, 0.0).astype(np.float32))

    return change


def noisy(scale: float, seed: int) -> Change:
    """Return a random map near the identity, as another seed of the last layer would be."""

    def change(vectors: Vectors) -> Vectors:
        width = vectors.shape[1]
        matrix = np.random.default_rng(seed).normal(0, scale / np.sqrt(width), (width, width)).astype(np.float32)
        return unit(vectors + vectors @ matrix)

    return change
