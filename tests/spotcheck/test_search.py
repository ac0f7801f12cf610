"""Exact search against a brute-force one in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from cardcheck.spotcheck.search import BLOCK, SIMILARITIES, search

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Matrix = NDArray[np.float32]


def _random(rows: int, seed: int) -> Matrix:
    return np.random.default_rng(seed).standard_normal((rows, 16)).astype(np.float32)


def _ids(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def _brute_force(queries: Matrix, documents: Matrix, similarity: str) -> NDArray[np.float64]:
    first, second = queries.astype(np.float64), documents.astype(np.float64)
    if similarity == "cosine":
        first, second = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (first, second))
    if similarity in ("cosine", "dot"):
        return np.asarray(first @ second.T)
    difference = first[:, None] - second[None]
    return -np.asarray(np.abs(difference).sum(axis=2) if similarity == "manhattan" else np.sqrt((difference**2).sum(axis=2)))


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_equals_brute_force(similarity: str) -> None:
    """Each query's best documents and their similarities are those of the definition, best first."""
    queries, documents = _random(7, 1), _random(50, 2)
    run = search(queries, documents, _ids("q", 7), _ids("d", 50), similarity=similarity, k=10)
    for row, scores in enumerate(_brute_force(queries, documents, similarity)):
        best = np.argsort(-scores)[:10]
        assert list(run[f"q{row}"]) == [f"d{at}" for at in best]
        assert list(run[f"q{row}"].values()) == pytest.approx(scores[best].tolist(), abs=1e-3)


def test_k_larger_than_the_corpus() -> None:
    """Asking for more documents than there are gives all of them."""
    run = search(_random(2, 1), _random(3, 2), _ids("q", 2), _ids("d", 3), k=100)
    assert all(set(found) == {"d0", "d1", "d2"} for found in run.values())


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("side", [0, 1], ids=["queries", "documents"])
def test_vectors_that_are_not_finite_are_refused(bad: float, side: int) -> None:
    """A model that gives no numbers is not ranked by them."""
    vectors = [_random(2, 1), _random(3, 2)]
    vectors[side][1, 3] = bad
    with pytest.raises(ValueError, match="not finite"):
        search(vectors[0], vectors[1], _ids("q", 2), _ids("d", 3))


def test_unknown_similarity() -> None:
    """A similarity that is not there is named in the error."""
    with pytest.raises(ValueError, match="unknown similarity 'hamming'"):
        search(_random(2, 1), _random(3, 2), _ids("q", 2), _ids("d", 3), similarity="hamming")


def test_more_queries_than_a_block() -> None:
    """Queries on both sides of a block's end get their own results."""
    count = BLOCK + 3
    queries, documents = _random(count, 1), _random(20, 2)
    run = search(queries, documents, _ids("q", count), _ids("d", 20), k=1)
    best = _brute_force(queries, documents, "cosine").argmax(axis=1)
    assert [list(run[f"q{row}"]) for row in range(count)] == [[f"d{at}"] for at in best]


def test_zero_vectors_have_similarity_zero() -> None:
    """A vector without a direction divides by no zero."""
    run = search(np.zeros((1, 16), np.float32), _random(3, 2), ["q"], _ids("d", 3))
    assert set(run["q"].values()) == {0.0}


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_more_documents_than_a_block(similarity: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents that are searched in blocks give what one block gives."""
    queries, documents, ids = _random(9, 1), _random(200, 2), (_ids("q", 9), _ids("d", 200))
    whole = search(queries, documents, *ids, similarity=similarity, k=20)
    monkeypatch.setattr("cardcheck.spotcheck.search.DOCUMENTS", 7)
    blocks = search(queries, documents, *ids, similarity=similarity, k=20)
    assert {query: list(found) for query, found in blocks.items()} == {query: list(found) for query, found in whole.items()}
    for query, found in blocks.items():
        assert list(found.values()) == pytest.approx(list(whole[query].values()), abs=1e-5)


def test_equal_similarities_fall_to_the_earlier_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies of a document in later blocks do not push out the first."""
    documents = np.repeat(_random(1, 2), 9, axis=0)
    monkeypatch.setattr("cardcheck.spotcheck.search.DOCUMENTS", 3)
    run = search(_random(1, 1), documents, ["q"], _ids("d", 9), k=3)
    assert set(run["q"]) == {"d0", "d1", "d2"}


def test_a_mapped_file_is_searched_without_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents in a file that is mapped for reading are found, never more than a block of them in memory."""
    documents = _random(300, 2)
    np.save(tmp_path / "documents.npy", documents)
    mapped = np.load(tmp_path / "documents.npy", mmap_mode="r")
    monkeypatch.setattr("cardcheck.spotcheck.search.DOCUMENTS", 50)
    sizes: list[int] = []
    real = torch.from_numpy

    def recorded(array: Matrix) -> torch.Tensor:
        sizes.append(len(array))
        return real(array)

    monkeypatch.setattr(torch, "from_numpy", recorded)
    ids = _ids("q", 5), _ids("d", 300)
    assert search(_random(5, 1), mapped, *ids, k=5) == search(_random(5, 1), documents, *ids, k=5)
    assert max(sizes) == 50
