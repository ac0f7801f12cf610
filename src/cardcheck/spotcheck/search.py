"""Exact search: every query against every document, in one pass over the documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray

BLOCK = 1024  # queries
DOCUMENTS = 16384  # at a time: with a block of queries 64 MB of similarities
SIMILARITIES = ("cosine", "dot", "euclidean", "manhattan")


def search(
    queries: NDArray[np.float32],
    documents: NDArray[np.float32],
    query_ids: list[str],
    document_ids: list[str],
    *,
    similarity: str = "cosine",
    device: str = "cpu",
    k: int = 100,
) -> dict[str, dict[str, float]]:
    """Return each query's `k` best documents with their similarity, best first.

    `queries` is (n_queries, dimension), `documents` (n_documents, dimension); the latter may be a file mapped into memory: it is read
    once, in blocks, and never copied as a whole. Distances come back negated. Among equal similarities the earlier block of documents
    comes first. Raises ValueError for an unknown similarity or embeddings that are not finite.
    """
    if similarity not in SIMILARITIES:
        raise ValueError(f"unknown similarity {similarity!r}")
    probes = _ready(queries, similarity, device)
    best: list[tuple[torch.Tensor, torch.Tensor]] = []
    for first in range(0, len(document_ids), DOCUMENTS):
        matrix = _ready(documents[first : first + DOCUMENTS], similarity, device)
        for number, start in enumerate(range(0, len(query_ids), BLOCK)):
            scores = _similarities(probes[start : start + BLOCK], matrix, similarity)
            found, at = scores.topk(min(k, len(matrix)), dim=1)
            if first:
                found, at = _merge(best[number], (found, at + first), k)
                best[number] = found, at
            else:
                best.append((found, at))
    run: dict[str, dict[str, float]] = {}
    for number, (found, at) in enumerate(best):
        for row, (values, places) in enumerate(zip(found.tolist(), at.tolist(), strict=True)):
            run[query_ids[number * BLOCK + row]] = {document_ids[i]: value for i, value in zip(places, values, strict=True)}
    return run


def _ready(vectors: NDArray[np.float32], similarity: str, device: str) -> torch.Tensor:
    """Put vectors where they are searched, of length 1 where that is what counts."""
    import numpy as np
    import torch

    if not vectors.flags.writeable:  # a file mapped for reading, which PyTorch takes only with a warning
        vectors = np.array(vectors, dtype=np.float32)
    moved = torch.from_numpy(vectors).to(device=device, dtype=torch.float32)
    if not torch.isfinite(moved).all():
        raise ValueError("the model gives vectors that are not finite")
    return torch.nn.functional.normalize(moved, dim=1) if similarity == "cosine" else moved


def _similarities(probes: torch.Tensor, matrix: torch.Tensor, similarity: str) -> torch.Tensor:
    import torch

    if similarity in ("cosine", "dot"):
        return probes @ matrix.T
    return -torch.cdist(probes, matrix, p=2.0 if similarity == "euclidean" else 1.0)


def _merge(before: tuple[torch.Tensor, torch.Tensor], now: tuple[torch.Tensor, torch.Tensor], k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the `k` best of two lists of (similarities, places), each best first; what came before wins where they are equal."""
    import torch

    values, places = (torch.cat(pair, dim=1) for pair in zip(before, now, strict=True))
    values, order = values.sort(dim=1, descending=True, stable=True)
    return values[:, :k], places.gather(1, order[:, :k])
