"""Starting the child process of a probe, and taking its answers and vectors, none of which is trusted."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardcheck.spotcheck import encode
from cardcheck.spotcheck.encode import EncodingError

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
    environment = {key: os.environ[key] for key in encode.KEPT_ENVIRONMENT if key in os.environ}
    encode._hide_environment()  # noqa: SLF001  # the same precaution as for encoding
    log = Path(folder) / "log"
    with log.open("wb") as errors:
        child = subprocess.Popen(  # our own module, with our own interpreter
            [sys.executable, "-P", "-m", "cardcheck.spotcheck.probing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )
    try:
        for answer in encode._answers(child, [job], time.monotonic() + limits.seconds, limits.seconds):  # noqa: SLF001
            if not isinstance(answer, dict):
                raise EncodingError(NONSENSE)
            yield answer
    except (ValueError, RecursionError):  # no JSON
        raise EncodingError(NONSENSE) from None
    finally:
        with contextlib.suppress(ProcessLookupError):  # what it started goes with it
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    if child.returncode not in (0, None):
        tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        reason = "it was killed, most likely for memory" if child.returncode == -9 else f"its process ended with {child.returncode}"
        raise EncodingError(f"the model could not be run: {reason}{': ' + tail[0][:LONGEST] if tail else ''}")


def memory_mb(limits: Limits) -> int:
    """Return the memory limit: what was asked for, or most of what is free."""
    return limits.memory_mb or encode._free_memory_mb()  # noqa: SLF001


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
