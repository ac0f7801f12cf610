"""Starting the child process of a probe, and taking its answers and vectors, none of which is trusted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from cardcheck.spotcheck import encode
from cardcheck.spotcheck.children import EncodingError, run_child

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray

    from cardcheck.spotcheck.encode import Limits

NONSENSE = "the model could not be run: its process answers what makes no sense"
MOST_BYTES = 1 << 28  # of vectors
LONGEST = 400  # characters of a text that comes back
INTEGERS = frozenset(
    {
        "dimension", "configured_tokens", "threads", "parameters", "memory_load_mb", "memory_mb", "truncates_at", "reads_at_least",
        "fails_at",
    }
)  # fmt: skip
NUMBERS = frozenset(
    {
        "norm_low", "norm_high", "repeat_difference", "batch_difference", "reload_difference", "short_per_second", "short_tokens",
        "long_per_second", "long_tokens",
    }
)  # fmt: skip
TEXTS = frozenset({"stored_dtype", "dtype", "device", "similarity", "length_error", "length_stopped", "length_unit"})
SWITCHES = frozenset({"length_exact", "searched"})


def ask(job: dict[str, Any], folder: str, limits: Limits) -> Iterator[dict[str, Any]]:
    """Run one job in a child process that is killed when the caller stops or the time is over; yield its answers.

    Raises EncodingError where it ends otherwise than by itself.
    """
    try:
        for answer in run_child("cardcheck.spotcheck.probing", [job], folder, limits.seconds, forked=job["device"] == "cpu"):
            if not isinstance(answer, dict):
                raise EncodingError(NONSENSE)
            yield answer
    except (ValueError, RecursionError):  # no JSON
        raise EncodingError(NONSENSE) from None


def memory_mb(limits: Limits) -> int:
    """Return the memory limit: what was asked for, or most of what is free."""
    return limits.memory_mb or encode.free_memory_mb()


def figures(part: Any) -> dict[str, Any]:
    """Return what a child tells, each thing of the type it should have; raises EncodingError where it has not."""
    if not isinstance(part, dict):
        raise EncodingError(NONSENSE)
    found: dict[str, Any] = {}
    for name, value in part.items():
        try:
            if value is None:
                found[name] = None
            elif name in INTEGERS:
                found[name] = min(int(value), 1 << 62)
            elif name in NUMBERS:
                found[name] = float(value) if math.isfinite(value) else None
            elif name in TEXTS:
                found[name] = " ".join(str(value).split())[:LONGEST]
            elif name in SWITCHES:
                found[name] = value is True
        except (TypeError, ValueError, OverflowError):
            raise EncodingError(f"the model could not be run: its process gives no sensible {name}") from None
    return found


def vectors(out: str, kind: str, name: str, rows: int) -> NDArray[np.float32]:
    """Return vectors that the child wrote. Raises EncodingError."""
    import numpy as np

    try:
        found = np.load(f"{out}.{kind}.{name}.npy", allow_pickle=False, mmap_mode="r")
        if found.dtype != np.float32 or found.ndim != 2 or len(found) != rows or found.nbytes > MOST_BYTES:
            raise ValueError(f"{found.dtype} of shape {found.shape}")  # noqa: TRY301  # told as every other fault
        return np.array(found, np.float32)
    except (OSError, ValueError, EOFError) as error:
        raise EncodingError(f"the model could not be run: its vectors cannot be read ({error})"[:LONGEST]) from None
