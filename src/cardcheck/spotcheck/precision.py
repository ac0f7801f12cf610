"""When bfloat16 may stand in for float32: where the hardware multiplies it, and a sample of the very texts ranks the same."""

from __future__ import annotations

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
# the measure because models use ranges of cosines between 0.05 and 1 wide. all-MiniLM-L6-v2 on SciFact moves by 0.005 and swaps 0.1 %, so
# that a model at these limits is several times as sensitive to the 8 bits of bfloat16.
MOVED = 0.04
SWAPPED = 0.02


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


def compare(exact: Vectors, fast: Vectors) -> dict[str, float]:
    """Return how far the cosines between all pairs of texts move, as a share of their scatter, and how many pairs of them change places.

    Both are 1 where that cannot be told: vectors that are not finite, or all alike.
    """
    import numpy as np

    if len(exact) < 3 or not (np.isfinite(exact).all() and np.isfinite(fast).all()):
        return {"moved": 1.0, "swapped": 1.0}
    before, after = _cosines(exact), _cosines(fast)
    off = ~np.eye(len(before), dtype=bool)
    scatter = float(before[off].std())
    if scatter == 0:
        return {"moved": 1.0, "swapped": 1.0}
    moved = float(np.sqrt(np.mean((after - before)[off] ** 2))) / scatter
    rows = [(old[keep], new[keep]) for old, new, keep in zip(before, after, off, strict=True)]
    swapped = np.mean([np.mean(np.sign(np.subtract.outer(old, old)) * np.sign(np.subtract.outer(new, new)) < 0) for old, new in rows])
    return {"moved": min(1.0, moved), "swapped": float(swapped)}


def holds(difference: dict[str, float]) -> bool:
    """Tell whether a difference that `compare` found is within the limits."""
    return difference["moved"] <= MOVED and difference["swapped"] <= SWAPPED


def _cosines(vectors: Vectors) -> NDArray[Any]:
    import numpy as np

    wide = vectors.astype(np.float64)
    wide /= np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return np.asarray(wide @ wide.T)
