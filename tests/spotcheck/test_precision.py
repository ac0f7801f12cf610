"""When a shorter data type may stand in for float32."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from cardcheck.spotcheck import precision

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _vectors(seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((32, 64)).astype(np.float32)


def test_the_same_vectors_do_not_move() -> None:
    """Equal vectors hold, and so do longer ones: only directions count."""
    same = precision.compare(_vectors(), _vectors() * 3)
    assert same["moved"] == pytest.approx(0.0, abs=1e-6)
    assert same["swapped"] == pytest.approx(0.0, abs=1e-3)
    assert precision.holds(same)


def test_rounding_to_eight_bits_holds_and_to_three_does_not() -> None:
    """The limits lie between what bfloat16 does to vectors and what a coarse data type does."""
    import torch

    rounded = torch.from_numpy(_vectors()).bfloat16().float().numpy()
    coarse = np.round(_vectors() * 2) / 2
    assert precision.holds(precision.compare(_vectors(), rounded))
    assert not precision.holds(precision.compare(_vectors(), coarse.astype(np.float32)))


def test_a_narrow_range_of_cosines_is_judged_by_its_own_scatter() -> None:
    """The same shift is too much where all cosines lie close together."""
    rng = np.random.default_rng(3)
    noise = (0.003 * rng.standard_normal((32, 64))).astype(np.float32)
    common = np.ones((1, 64), np.float32)
    narrow = common + 0.05 * _vectors()
    assert precision.holds(precision.compare(_vectors(), _vectors() + noise))
    assert not precision.holds(precision.compare(narrow, narrow + noise))


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
def test_what_cannot_be_compared_does_not_hold(bad: float) -> None:
    """Vectors that are not finite, or all alike, are no evidence that nothing moved."""
    broken = np.full((32, 64), bad, np.float32)
    assert not precision.holds(precision.compare(_vectors(), broken))
    assert not precision.holds(precision.compare(broken, broken))


def test_lengths_count_where_similarities_go_by_them() -> None:
    """One vector's length that changes beside the others' is no matter for cosines, and all of one for dot products."""
    longer = _vectors()
    longer[3] *= 1.1
    difference = precision.compare(_vectors(), longer)
    assert precision.holds(difference)
    assert not precision.holds(difference, "dot")
    assert precision.holds(precision.compare(_vectors(), _vectors() * 3), "dot")


@pytest.mark.parametrize("dense", ["0123456789 " * 30, "向量检索模型" * 50, "a:=[b]; " * 40])
def test_the_text_with_most_tokens_is_likely_found(dense: str) -> None:
    """Digits, signs and other scripts have more tokens than letters, of which a hundred longer texts are here."""
    texts = [f"{'internationalisation ' * 20}{number}" for number in range(150)]
    assert 150 in precision.likely_longest([*texts, dense])


def test_the_sample_spans_all_lengths() -> None:
    """A sample holds the longest text and texts of every quarter of the lengths, each once."""
    texts = ["x" * (1 + number * 7 % 1000) for number in range(1000)]
    chosen = precision.sample(texts, 16)
    lengths = [len(texts[i]) for i in chosen]
    assert len(set(chosen)) == 16
    assert max(lengths) == max(map(len, texts))
    assert min(np.histogram(lengths, 4, (0, 1000))[0]) >= 3
    assert precision.sample(texts[:3], 16) == [2, 1, 0]
