"""Exact search: every query against every document."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 1024
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

    `queries` is (n_queries, dimension), `documents` (n_documents, dimension). Distances come back negated.
    Raises ValueError for an unknown similarity or embeddings that are not finite.
    """
    import torch

    if similarity not in SIMILARITIES:
        raise ValueError(f"unknown similarity {similarity!r}")
    matrix = torch.from_numpy(documents).to(device=device, dtype=torch.float32)
    probes = torch.from_numpy(queries).to(device=device, dtype=torch.float32)
    if not (torch.isfinite(matrix).all() and torch.isfinite(probes).all()):
        raise ValueError("the model gives vectors that are not finite")
    if similarity == "cosine":
        matrix, probes = (torch.nn.functional.normalize(x, dim=1) for x in (matrix, probes))
    run: dict[str, dict[str, float]] = {}
    for start in range(0, len(query_ids), BLOCK):
        block = probes[start : start + BLOCK]
        if similarity in ("cosine", "dot"):
            scores = block @ matrix.T
        else:
            scores = -torch.cdist(block, matrix, p=2.0 if similarity == "euclidean" else 1.0)
        values, indices = scores.topk(min(k, len(document_ids)), dim=1)
        for row, (best, at) in enumerate(zip(values.tolist(), indices.tolist(), strict=True)):
            run[query_ids[start + row]] = {document_ids[i]: value for i, value in zip(at, best, strict=True)}
    return run
