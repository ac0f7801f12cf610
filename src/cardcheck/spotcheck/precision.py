"""When bfloat16 may stand in for float32: where the hardware multiplies it, and a sample of the very texts ranks the same."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

CPU_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}  # the last one is ARM's
WORTH = 100_000  # characters: below them the check costs a small model more than it saves
SAMPLE = 32
WORTH_FLOAT32 = 6 * WORTH  # a compiled model in float32 saves a quarter, and its check takes time too
# Similarities may move by this share of their own scatter (root mean square), and this share of pairs may change places. The scatter is
# the measure because models use ranges of cosines between 0.05 and 1 wide. all-MiniLM-L6-v2 on SciFact moves by 0.006 and swaps 0.3 %, so
# that a model at these limits is several times as sensitive to the 8 bits of bfloat16.
MOVED = 0.04
SWAPPED = 0.02
STRETCHED = 0.02  # how far one vector's length may change beside the others', where similarities go by it
LONG = 2000  # texts with most bytes, of which those are looked for that may have most tokens
LIKELY = 64
LETTERS = re.compile("[A-Za-z]+")
UNTOLD = {"moved": 1.0, "swapped": 1.0, "stretched": 1.0}


def has_bfloat16(device: str) -> bool:
    """Tell whether this machine multiplies bfloat16 matrices faster than float32 ones."""
    if device.startswith("cuda"):
        import torch

        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device != "cpu":
        return False
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    flags = next((line.partition(":")[2].split() for line in lines if line.lower().startswith(("flags", "features"))), [])
    return not CPU_FLAGS.isdisjoint(flags)


def sample(texts: Sequence[str], count: int = SAMPLE) -> list[int]:
    """Return positions of texts of all lengths, evenly over the order of length, the longest among them."""
    order = sorted(range(len(texts)), key=lambda i: (-len(texts[i]), i))
    count = min(count, len(order))
    return [order[(number * len(order)) // count] for number in range(count)]


def likely_longest(texts: Sequence[str]) -> list[int]:
    """Return positions of texts among which the one with most tokens is likely to be.

    By characters, and by those that are no ASCII letters: digits, signs and other scripts have several times the tokens that letters have.
    """
    long = sorted(range(len(texts)), key=lambda i: -len(texts[i].encode("utf-8", "surrogatepass")))[:LONG]
    dense = sorted(long, key=lambda i: -len(LETTERS.sub("", texts[i])))
    return list(dict.fromkeys([*sorted(range(len(texts)), key=lambda i: -len(texts[i]))[:LIKELY], *dense[:LIKELY]]))


def compare(exact: Vectors, fast: Vectors) -> dict[str, float]:
    """Return how far the cosines between all pairs of texts move, as a share of their scatter, and how many pairs of them change places.

    `stretched` is the share by which the length of one vector changes most beside the others'. All are 1 where that cannot be told:
    vectors that are not finite, or all alike.
    """
    import numpy as np

    if len(exact) < 3 or not (np.isfinite(exact).all() and np.isfinite(fast).all()):
        return dict(UNTOLD)
    before, after = _cosines(exact), _cosines(fast)
    off = ~np.eye(len(before), dtype=bool)
    scatter = float(before[off].std())
    if scatter == 0:
        return dict(UNTOLD)
    moved = float(np.sqrt(np.mean((after - before)[off] ** 2))) / scatter
    rows = [(old[keep], new[keep]) for old, new, keep in zip(before, after, off, strict=True)]
    swapped = np.mean([np.mean(np.sign(np.subtract.outer(old, old)) * np.sign(np.subtract.outer(new, new)) < 0) for old, new in rows])
    lengths = _lengths(fast) / _lengths(exact)
    stretched = float(np.abs(lengths / np.median(lengths) - 1).max())
    return {"moved": min(1.0, moved), "swapped": float(swapped), "stretched": min(1.0, stretched)}


def holds(difference: dict[str, float], similarity: str = "cosine") -> bool:
    """Tell whether a difference that `compare` found is within the limits."""
    kept = similarity == "cosine" or difference["stretched"] <= STRETCHED
    return kept and difference["moved"] <= MOVED and difference["swapped"] <= SWAPPED


def _cosines(vectors: Vectors) -> NDArray[Any]:
    import numpy as np

    wide = vectors.astype(np.float64) / _lengths(vectors)
    return np.asarray(wide @ wide.T)


def _lengths(vectors: Vectors) -> NDArray[Any]:
    import numpy as np

    norms = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    return np.asarray(np.maximum(norms, np.finfo(np.float32).tiny))
