"""Windows made of ids alone are those that the model makes itself; batches are cut out of them without padding that all rows have."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch

from cardcheck.spotcheck.tokens import Tokeniser, Tokens, read

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = ["the court of law, and the engine of the railway", "", "an animal", "who was the railway? " * 60, "the"]


@pytest.fixture(scope="module")
def loaded(saved_model: Path) -> Any:
    """Return a random model, loaded."""
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(saved_model), device="cpu")


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("prompt", ["", "query: "])
def test_ids_alone_give_the_same(loaded: Any, monkeypatch: pytest.MonkeyPatch, side: str, prompt: str) -> None:
    """Ids, mask, types and all else equal what the model's own way gives, padded on either side and with a prompt, truncated or empty."""
    monkeypatch.setattr(loaded.tokenizer, "padding_side", side)
    expected = loaded.preprocess(TEXTS, prompt=prompt or None)
    tokeniser = Tokeniser(loaded.preprocess)
    found = tokeniser(TEXTS, prompt, {})
    assert all(tokeniser.known.values())
    assert isinstance(found, Tokens)
    assert found.left == (side == "left")
    assert found.lengths == expected["attention_mask"].sum(dim=1).tolist()
    assert set(found.features) == set(expected)
    for name, value in expected.items():
        assert np.array_equal(found.features[name], value), name


def _preprocess(mask: list[list[int]], **more: Any) -> Any:
    """Stand in for a model that gives this mask for two texts, and ids that can be told apart."""

    def preprocess(texts: list[str], prompt: str | None, processing_kwargs: object = None) -> dict[str, Any]:
        del texts, prompt
        ids = torch.arange(1, 1 + 2 * len(mask[0])).reshape(2, -1) * torch.tensor(mask)
        if processing_kwargs:
            return {"input_ids": [[i for i in row if i] for row in ids.tolist()]}
        return {"input_ids": ids, "attention_mask": torch.tensor(mask), **more}

    return preprocess


@pytest.mark.parametrize(
    "more", [{"token_type_ids": torch.tensor([[0, 1, 1], [0, 1, 0]])}, {"position_ids": torch.tensor([[0, 1, 2], [0, 1, 2]])}]
)
def test_what_does_not_follow_from_lengths_is_the_models(more: dict[str, Any]) -> None:
    """Types that are not all zero, and features of another kind, are taken as the model makes them."""
    preprocess = _preprocess([[1, 1, 1], [1, 1, 0]], **more)
    found = Tokeniser(preprocess)(["a", "b"], "", {})
    assert isinstance(found, Tokens)
    for name, value in more.items():
        assert np.array_equal(found.features[name], value)


def test_a_tokenizer_that_needs_what_is_left_out(loaded: Any) -> None:
    """A tokenizer that fails without a mask or padding is used as the model uses it."""

    def preprocess(texts: list[str], *, processing_kwargs: object = None, **options: Any) -> Any:
        if processing_kwargs:
            raise TypeError("no such option")
        return loaded.preprocess(texts, **options)

    found = Tokeniser(preprocess)(TEXTS, "", {})
    assert isinstance(found, Tokens)
    assert np.array_equal(found.features["input_ids"], loaded.preprocess(TEXTS)["input_ids"])


@pytest.mark.parametrize(("mask", "left"), [([[1, 1, 1, 1], [1, 1, 0, 0]], False), ([[1, 1, 1, 1], [0, 0, 1, 1]], True)])
@pytest.mark.parametrize("kind", ["arrays", "tensors"])
def test_batches_are_cut_where_tokens_are(mask: list[list[int]], left: bool, kind: str) -> None:  # noqa: FBT001  # a parameter
    """A short row is cut out without the columns of the long one, on the side where its tokens are."""
    found = read(_preprocess(mask, modality="text")([], None), 2)
    assert isinstance(found, Tokens)
    window = found.to(torch.device("cpu")) if kind == "tensors" else found
    cut = window.cut([1])
    assert cut["attention_mask"].tolist() == [[1, 1]]
    assert cut["input_ids"].tolist() == [[7, 8] if left else [5, 6]]
    assert cut["modality"] == "text"
    assert window.cut([1, 0])["input_ids"].tolist() == found.features["input_ids"][::-1].tolist()


@pytest.mark.parametrize("left", [False, True])
def test_empty_texts_keep_a_column(left: bool) -> None:  # noqa: FBT001  # a parameter
    """Where a tokenizer adds nothing an empty text has no token, alone in its batch or not: it keeps one column, of padding."""
    lengths = {"abc": 3, "": 0}

    def preprocess(texts: list[str], prompt: str | None, processing_kwargs: object = None) -> dict[str, Any]:
        del prompt
        ids = [[7] * lengths.get(text, len(text)) for text in texts]
        if processing_kwargs:
            return {"input_ids": ids}
        width = max(map(len, ids))
        rows = [[0] * (width - len(row)) * left + row + [0] * (width - len(row)) * (not left) for row in ids]
        return {"input_ids": torch.tensor(rows), "attention_mask": torch.tensor(rows).clamp(max=1)}

    tokeniser = Tokeniser(preprocess)
    found = tokeniser(["abc", "", ""], "", {})
    assert isinstance(found, Tokens)
    assert all(tokeniser.known.values())
    assert found.lengths == [3, 1, 1]
    assert found.cut([1, 2])["attention_mask"].tolist() == [[0], [0]]
    alone = tokeniser(["", ""], "", {})
    assert isinstance(alone, Tokens)
    assert alone.cut([0])["input_ids"].tolist() == [[0]]


def test_a_mask_with_holes_is_not_cut() -> None:
    """Where tokens do not lie together, rows keep their whole width."""
    found = read(_preprocess([[1, 0, 1, 0], [1, 1, 0, 0]])([], None), 2)
    assert isinstance(found, Tokens)
    assert found.lengths == [4, 4]
    assert found.cut([1])["attention_mask"].shape == (1, 4)


def test_bags_of_static_embeddings() -> None:
    """A batch as one flat list is a window too, out of which texts are cut in any order, the empty ones among them."""
    found = read({"input_ids": torch.arange(5), "offsets": torch.tensor([0, 2, 2])}, 3)
    assert found is not None
    assert found.lengths == [2, 0, 3]
    cut = found.to(torch.device("cpu")).cut([2, 1, 0])
    assert cut["input_ids"].tolist() == [2, 3, 4, 0, 1]
    assert cut["input_ids"].dtype == torch.int64
    assert cut["offsets"].tolist() == [0, 3, 3]
    assert read({"input_ids": torch.arange(5), "offsets": torch.tensor([0, 2])}, 3) is None


def test_features_that_are_no_rows_of_tokens() -> None:
    """Models that take pictures get their texts as they are, and those are not tokenised in vain again."""
    assert read({"input_ids": torch.zeros(2, 4), "attention_mask": torch.ones(2, 4), "pixel_values": torch.zeros(2, 3, 8, 8)}, 2) is None
    calls = []

    def preprocess(texts: list[str], prompt: str | None) -> dict[str, Any]:
        del prompt
        calls.append(len(texts))
        return {"pixel_values": torch.zeros(len(texts), 3, 8, 8)}

    tokeniser = Tokeniser(preprocess)
    assert [tokeniser(["a", "b", "c"], "", {}) for _ in range(3)] == [None] * 3
    assert calls == [2, 3]
