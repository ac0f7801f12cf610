"""How texts become batches: windows that are tokenised ahead, batches of like length under a token budget, halved when memory ends."""

from __future__ import annotations

import contextlib
import ctypes
import signal
from collections import deque
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, TypeVar

from cardcheck.spotcheck.memory import share_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    import torch
    from numpy.typing import NDArray

    from cardcheck.spotcheck.backends import Item

    Vectors = NDArray[np.float32]
    Rows = Vectors | torch.Tensor

T = TypeVar("T")
R = TypeVar("R")
CPU_TOKENS = 4096  # measured: larger ones are no faster on two cores, those below 2048 a fifth slower
CUDA_TOKENS = 16384
PR_SET_PDEATHSIG = 1
MOST_TOKENS = 1 << 17
ROOM = 0.4  # of a GPU's memory: a batch twice as large still fits then
NO_MEMORY = ("out of memory", "can't alloc", "cannot allocate memory", "failed to allocate", "bad_alloc", "bad allocation")


def windows(texts: Sequence[str], size: int) -> list[list[int]]:
    """Return the texts' positions longest first, `size` at a time: what is tokenised together, and one chunk of the result."""
    order = sorted(range(len(texts)), key=lambda i: (-len(texts[i]), i))
    return [order[start : start + size] for start in range(0, len(order), size)]


def batches(lengths: Sequence[int], budget: Budget) -> Iterator[list[int]]:
    """Yield positions, longest first, so that a batch padded to its longest stays within the budget; one too long text goes alone."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    start = 0
    while start < len(order):
        fits = max(1, budget.tokens // max(1, lengths[order[start]]))
        yield order[start : start + min(fits, budget.texts)]
        start += min(fits, budget.texts)


@dataclass(slots=True)
class Budget:
    """How many tokens, padding included, and how many texts a batch may hold; it learns from the batches that were run."""

    tokens: int = CPU_TOKENS
    texts: int = 1 << 20
    device: str = "cpu"
    full: bool = False  # memory has ended once: no growing any more

    def shrink(self, tokens: int) -> None:
        """Take half of what did not fit."""
        self.tokens, self.full = max(1, tokens // 2), True

    def grow(self) -> None:
        """Double on a GPU of whose memory the largest batch so far took less than `ROOM`."""
        if self.full or not self.device.startswith("cuda") or self.tokens >= MOST_TOKENS:
            return
        import torch

        if torch.cuda.max_memory_allocated(self.device) < ROOM * torch.cuda.get_device_properties(self.device).total_memory:
            self.tokens *= 2


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception says that memory has ended, on a GPU or here."""
    if isinstance(error, MemoryError):
        return True
    text = f"{type(error).__name__} {error}".lower()
    return isinstance(error, Exception) and ("outofmemory" in text or any(words in text for words in NO_MEMORY))


def run(compute: Callable[[list[Item]], Rows], items: Sequence[Item], budget: Budget) -> Vectors:
    """Return one vector for each item, in their order."""
    return begin(compute, items, budget)()


def begin(
    compute: Callable[[list[Item]], Rows], items: Sequence[Item], budget: Budget, done: Callable[[int], None] = lambda _count: None
) -> Callable[[], Vectors]:
    """Run the items' batches; return what gives one vector for each item, in their order.

    A GPU works on after this returns, and is waited for where the vectors are asked for. `done` is told how many more items were begun.
    """
    order: list[int] = []
    parts: list[Rows] = []
    for batch in batches([item.length for item in items], budget):
        parts += _halving(compute, [items[i] for i in batch], budget)
        order += batch
        done(len(batch))
        budget.grow()

    def vectors() -> Vectors:
        rows = _joined(parts)
        result = rows.copy()
        result[order] = rows
        return result

    return vectors


def _joined(parts: list[Rows]) -> Vectors:
    """Bring the rows of all batches together, and here."""
    import numpy as np
    import torch

    tensors = [part for part in parts if isinstance(part, torch.Tensor)]
    joined: Vectors = torch.cat(tensors).cpu().numpy() if tensors else np.concatenate(parts)
    return joined


def _halving(compute: Callable[[list[Item]], Rows], items: list[Item], budget: Budget) -> list[Rows]:
    """Run a batch; where memory does not suffice, its halves. Raises what the model raises, and MemoryError for one text alone."""
    try:
        return [compute(items)]
    except Exception as error:
        if not is_out_of_memory(error) or len(items) == 1:
            raise
    budget.shrink(len(items) * max(item.length for item in items))
    _release(budget.device)  # outside the handler: the traceback held the batch's tensors
    middle = len(items) // 2
    return _halving(compute, items[:middle], budget) + _halving(compute, items[middle:], budget)


def _release(device: str) -> None:
    if device.startswith("cuda"):
        import torch

        torch.cuda.empty_cache()


def ahead(prepare: Callable[[T], R], jobs: Sequence[T], processes: int = 0) -> Iterator[tuple[T, R]]:
    """Yield each job with what was prepared of it; the next ones are prepared meanwhile, in a thread or in forked processes.

    Raises what `prepare` raises, and BrokenProcessPool where a process was killed.
    """
    pool, work, most = _pool(prepare, processes)
    coming = deque(pool.submit(work, job) for job in jobs[:most])
    try:
        for number, job in enumerate(jobs):
            ready = coming.popleft().result()
            coming += [pool.submit(work, later) for later in jobs[number + most : number + most + 1]]
            yield job, ready
    finally:  # also where whoever asked wants no more
        pool.shutdown(cancel_futures=True)


def _pool(prepare: Callable[[T], R], processes: int) -> tuple[Executor, Callable[[T], R], int]:
    """Return what prepares, how it is asked, and how many jobs it may hold; a thread where processes cannot be had."""
    if processes:
        with contextlib.suppress(OSError):  # their locks take shared memory, which a container may lack
            pool = ProcessPoolExecutor(processes, get_context("fork"), initializer=_be_forked, initargs=(prepare, processes))
            return pool, _prepared, processes + 2
    return ThreadPoolExecutor(1, thread_name_prefix="tokenise"), prepare, 1


def _be_forked(prepare: Callable[[Any], Any], processes: int) -> None:
    """Be one of the processes: it has tokenizer and texts already, uses one core and its share of the memory, and ends with its parent."""
    import torch

    global _prepare  # noqa: PLW0603  # the way in: what is forked need not be pickled
    _prepare = prepare
    torch.set_num_threads(1)  # OpenMP's threads are not forked
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    share_memory(processes)


def _prepared(job: Any) -> Any:
    return _prepare(job)


_prepare: Callable[[Any], Any]
