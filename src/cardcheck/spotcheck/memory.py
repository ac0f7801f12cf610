"""The child's limit on memory. The system keeps it for each process, so that what is forked takes a share of it."""

from __future__ import annotations

import resource
from pathlib import Path


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
