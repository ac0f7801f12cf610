"""The child's limit on memory. The system keeps it for each process, so that what is forked takes a share of it."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any

WEIGHTS = ("*.safetensors", "*.onnx", "*/*.safetensors", "*/*.onnx")
ENOUGH = 4  # times the weights, as they are read, converted and laid out once more
BESIDE_MB = 256  # for what a graph and its batches take


def _held() -> int:
    """Return the bytes of private memory (heap and anonymous mappings) that this process holds. Raises OSError or StopIteration."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmData:"))


def limit_memory(megabytes: int) -> bool:
    """Limit private memory to so much on top of what the libraries hold; tell whether it worked."""
    try:
        limit = _held() + (megabytes << 20)
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    except (ValueError, OSError, StopIteration):
        return False
    return True


def share_memory(processes: int) -> None:
    """Leave this process its share, one of `processes`, of what the limit still allows; nothing where there is no limit."""
    limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
    if limit != resource.RLIM_INFINITY:
        limit_memory(max(0, limit - _held()) // processes >> 20)


def tight(job: dict[str, Any]) -> str:
    """Say that a job's limit is little for its model's weights, or nothing: libraries that are refused memory seldom call it that."""
    folder, limit = Path(job["path"]), job["memory_mb"]
    try:
        weights = sum(file.stat().st_size for pattern in WEIGHTS for file in folder.glob(pattern)) >> 20
    except (OSError, MemoryError):  # so little that not even a folder can be listed
        weights = 0
    return f"in little memory ({limit} MB for weights of {weights} MB): " if limit < ENOUGH * weights + BESIDE_MB else ""
