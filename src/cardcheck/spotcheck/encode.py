"""Encoding with a model that is not trusted: in a child process without network, with a memory limit and a time limit."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cardcheck.spotcheck.children import LONGEST, EncodingError, run_child

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

Backend = Literal["auto", "torch", "onnx", "openvino", "mteb"]
Precision = Literal["auto", "bfloat16", "float32", "exact"]
MEMORY_SHARE = 0.8
MAPPED_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """What the child process may use; `memory_mb` None means four fifths of what is free."""

    seconds: float = 1800.0
    memory_mb: int | None = None


@dataclass(frozen=True, slots=True)
class Encoded:
    """Embeddings as the model gives them, shapes (n_queries, d) and (n_documents, d), and how they were made."""

    queries: NDArray[np.float32]
    documents: NDArray[np.float32]
    about: dict[str, Any]
    isolation: dict[str, bool]


def encode(
    path: Path,
    queries: list[str],
    documents: list[str],
    *,
    device: str = "cpu",
    seed: int = 0,
    limits: Limits | None = None,
    trust_remote_code: bool = False,
    progress: Callable[[int], None] = lambda _count: None,
    backend: Backend = "auto",
    dtype: Precision = "auto",
    chunks: Path | None = None,
    mteb_name: str = "",
    batch_tokens: int | None = None,
    window: int | None = None,
) -> Encoded:
    """Encode texts with the model in folder `path`; `progress` is told how many more texts are done.

    `backend` `mteb` loads `mteb_name` by mteb's own loader instead. `dtype` `auto` takes bfloat16 where the hardware has it and a sample
    of the texts ranks the same, `exact` computes as sentence-transformers does. In the folder `chunks`, which an interrupted run goes on
    from, encodings are kept up to two gigabytes. `batch_tokens` is how many tokens a batch holds at first, `window` the texts of a chunk.

    Raises EncodingError.
    """
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="cardcheck-") as folder:
        job = {
            "path": str(path.absolute()),
            "query": len(queries),
            "document": len(documents),
            "device": device,
            "seed": seed,
            "memory_mb": limits.memory_mb or free_memory_mb(),
            "trust_remote_code": trust_remote_code,
            "backend": backend,
            "dtype": dtype,
            "chunks": str(chunks.absolute()) if chunks else "",
            "mteb": mteb_name,
            "batch_tokens": batch_tokens,
            "window": window,
            "out": str(Path(folder) / "vectors"),
        }
        isolation: dict[str, bool] = {}
        for answer in run_child("cardcheck.spotcheck.worker", [job, *queries, *documents], folder, limits.seconds, forked=device == "cpu"):
            if "error" in answer:
                raise EncodingError(f"the model could not be run: {_first_lines(answer['error'])}")
            if "encoded" in answer:
                progress(answer["encoded"])
            isolation = answer.get("isolation", isolation)
            if "done" in answer:
                return Encoded(_vectors(folder, "query"), _vectors(folder, "document"), answer["done"], isolation)
    raise EncodingError("the model could not be run: its process ended without an answer")


def _vectors(folder: str, kind: str) -> NDArray[np.float32]:
    """Return what the child wrote; large files are mapped, and stay until the array is gone though their name goes."""
    import numpy as np

    file = Path(folder) / f"vectors.{kind}.npy"
    mapped = file.stat().st_size > MAPPED_BYTES and sys.platform == "linux"
    try:
        vectors: NDArray[np.float32] = np.load(file, mmap_mode="r" if mapped else None, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise EncodingError(f"the model could not be run: its vectors cannot be read ({_first_lines(str(error))})") from None
    return vectors


def _first_lines(text: str) -> str:
    return " ".join(text.split())[:LONGEST]


def free_memory_mb() -> int:
    """Return four fifths of the memory that is free or could be freed; where that is not told, of all there is."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        free = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return max(1024, int(free * MEMORY_SHARE) >> 20)
