"""Attention a few texts at a time gives what PyTorch's own gives, and leaves to it what is not plain."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import bidirectional_mask_function, causal_mask_function

from cardcheck.spotcheck import attention
from cardcheck.spotcheck.attention import FewAtATime

if TYPE_CHECKING:
    from pathlib import Path

MODULE: Any = SimpleNamespace(is_causal=False)


def _inputs(texts: int, heads: int, width: int, dimension: int) -> list[torch.Tensor]:
    """Return query, key and value as transformers hands them over: views of (texts, tokens, heads, dimension)."""
    torch.manual_seed(0)
    return [torch.randn(texts, width, heads, dimension).bfloat16().transpose(1, 2) for _ in range(3)]


def _mask(few: FewAtATime, lengths: list[int], width: int, function: Any = bidirectional_mask_function) -> torch.Tensor | None:
    used = torch.arange(width)[None] < torch.tensor(lengths)[:, None]
    return few.mask(
        batch_size=len(lengths), q_length=width, kv_length=width, mask_function=function, attention_mask=used,
        allow_is_causal_skip=False, allow_is_bidirectional_skip=True,
    )  # fmt: skip


def _exact(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, lengths: list[int], scale: float) -> list[torch.Tensor]:
    """Compute attention of each text alone, as Vaswani et al. 2017 (arXiv 1706.03762, 3.2.1) define it, in float64."""
    rows = []
    for text, length in enumerate(lengths):
        one, two, three = (each[text, :, :length].double() for each in (query, key, value))
        rows.append((torch.softmax(one @ two.transpose(1, 2) * scale, dim=-1) @ three).transpose(0, 1))
    return rows


@pytest.mark.parametrize("lengths", [[64], [200, 199, 193, 192, 64, 33, 1], [256] * 5, [130, 90, 129, 3], [97, 96, 95] * 20])
@pytest.mark.parametrize("dimension", [32, 64])
@pytest.mark.parametrize("scale", [None, 0.1])
def test_it_is_attention(monkeypatch: pytest.MonkeyPatch, lengths: list[int], dimension: int, scale: float | None) -> None:
    """Whatever the lengths and their order, each text attends to its own tokens alone, within bfloat16's rounding."""
    monkeypatch.setattr(attention, "sdpa_attention_forward", None)  # PyTorch's own is not what answers
    few, width = FewAtATime(), max(lengths)
    query, key, value = _inputs(len(lengths), 3, width, dimension)
    mask = _mask(few, lengths, width)
    for _ in range(2):  # as a second layer does, in the same room
        found, _ = few.attend(MODULE, query, key, value, mask, scaling=scale, dropout=0.0)
        assert found.shape == (len(lengths), width, 3, dimension)
        assert torch.isfinite(found).all()
        for text, expected in enumerate(_exact(query, key, value, lengths, scale or dimension**-0.5)):
            assert torch.allclose(found[text, : len(expected)].double(), expected, atol=0.03)


@pytest.mark.parametrize(
    ("function", "options", "causal"),
    [
        (bidirectional_mask_function, {"position_bias": torch.ones(1, 2, 80, 80, dtype=torch.bfloat16).tril()}, False),
        (causal_mask_function, {}, True),
        (bidirectional_mask_function, {"is_causal": True}, False),
    ],
)
def test_what_is_not_plain_is_left_to_pytorch(function: Any, options: dict[str, Any], causal: bool) -> None:  # noqa: FBT001  # a parameter
    """Biases of position, causal attention and masks of another kind give what they give without this."""
    few, lengths = FewAtATime(), [80, 70]
    query, key, value = _inputs(2, 2, 80, 32)
    mask = None if options.get("is_causal") else _mask(few, lengths, 80, function)
    module: Any = SimpleNamespace(is_causal=causal)
    found, _ = few.attend(module, query, key, value, mask, **options)
    expected, _ = sdpa_attention_forward(module, query, key, value, mask, **options)
    assert torch.equal(found, expected)


def test_a_mask_that_it_did_not_make(monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask from elsewhere, or one of padding on the left, goes to PyTorch's own, whatever mask was made before."""
    called: list[Any] = []

    def sdpa(*given: Any, **_options: Any) -> tuple[Any, None]:
        called.append(given[4])
        return given[1], None

    monkeypatch.setattr(attention, "sdpa_attention_forward", sdpa)
    few, (query, key, value) = FewAtATime(), _inputs(2, 2, 80, 32)
    _mask(few, [80, 70], 80)
    elsewhere = torch.ones(2, 1, 80, 80, dtype=torch.bool)
    few.attend(MODULE, query, key, value, elsewhere)
    left = few.mask(
        batch_size=2, q_length=80, kv_length=80, mask_function=bidirectional_mask_function,
        attention_mask=torch.arange(80)[None] >= torch.tensor([[0], [10]]), allow_is_causal_skip=False,
    )  # fmt: skip
    few.attend(MODULE, query, key, value, left)
    assert [given is mask for given, mask in zip(called, (elsewhere, left), strict=True)] == [True, True]


def test_long_texts_are_left_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    """All scores of a text at once take memory that grows with the square of its length: beyond a bound PyTorch's own keeps fewer."""
    few = FewAtATime()
    short, long = _inputs(1, 2, 1024, 8), _inputs(1, 2, 4096, 8)
    monkeypatch.setattr(attention, "MOST", 2 * 1024 * 1024)
    for inputs, by in ((short, few._attend), (long, None)):
        monkeypatch.setattr(attention, "sdpa_attention_forward", lambda *given, **_options: (given[1][:, :0], None))
        query, key, value = inputs
        found, _ = few.attend(MODULE, query, key, value, None)
        assert bool(found.numel()) == (by is not None)
    assert few.scores.numel() <= 2 * 1024 * 1024


def test_a_model_uses_it(saved_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real architecture attends so once it is sped up, and its vectors are those of bfloat16 without it."""
    from cardcheck.spotcheck.backends import TorchBackend

    texts = ["the court of law and the railway " * 20, "who was the animal? " * 15, "the engine"]
    found = []
    for steps in (True, False):
        called: list[int] = []
        real = FewAtATime._attend
        monkeypatch.setattr(FewAtATime, "_attend", lambda *given, called=called, real=real: called.append(1) or real(*given))
        monkeypatch.setattr(attention, "SHORT", 1 if steps else 10_000)
        backend = TorchBackend(saved_model, device="cpu", trust_remote_code=False)
        backend.speed_up("bfloat16", fuse=True)
        found.append(np.asarray(backend.vectors(backend.tokenise(texts, "document"), "document")))
        assert bool(called) == steps
        monkeypatch.setattr(FewAtATime, "_attend", real)
    cosines = (found[0] * found[1]).sum(axis=1) / np.linalg.norm(found[0], axis=1) / np.linalg.norm(found[1], axis=1)
    assert cosines.min() > 0.999
