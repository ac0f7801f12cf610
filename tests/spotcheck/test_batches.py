"""Batches of like length under a budget, halved when memory ends, tokenised ahead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardcheck.spotcheck.backends import Item
from cardcheck.spotcheck.batches import Budget, ahead, batches, begin, is_out_of_memory, run, windows

if TYPE_CHECKING:
    from numpy.typing import NDArray


PROCESSES = [0, 2] if sys.platform == "linux" else [0]


def _items(lengths: list[int]) -> list[Item]:
    return [Item(length, number) for number, length in enumerate(lengths)]


def _rows(items: list[Item]) -> NDArray[np.float32]:
    return np.array([[item.data, item.length] for item in items], np.float32)


@given(st.lists(st.integers(0, 300), max_size=60), st.integers(1, 1000), st.integers(1, 20))
def test_every_text_is_in_one_batch_within_the_budget(lengths: list[int], tokens: int, texts: int) -> None:
    """Batches padded to their longest text stay within the budget, unless one text alone is longer, and hold each text once."""
    found = list(batches(lengths, Budget(tokens, texts)))
    assert sorted(i for batch in found for i in batch) == list(range(len(lengths)))
    for batch in found:
        assert len(batch) <= texts
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= tokens


def test_sorted_batches_waste_little() -> None:
    """Texts of mixed lengths are padded by less than a twentieth."""
    lengths = np.random.default_rng(0).integers(10, 256, 2000).tolist()
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in batches(lengths, Budget(4096)))
    assert padded < 1.05 * sum(lengths)


def test_windows_hold_the_longest_first() -> None:
    """Windows are cut from the texts in order of length, and positions of equal length keep their order."""
    assert windows(["a", "ccc", "bb", "d"], 3) == [[1, 2, 0], [3]]
    assert windows([], 3) == []


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")]
)
def test_batches_are_halved_when_memory_ends(error: Exception) -> None:
    """What does not fit is run in halves, later batches are smaller from the start, and rows keep their order."""
    sizes: list[int] = []

    def compute(items: list[Item]) -> NDArray[np.float32]:
        sizes.append(len(items))
        if sum(item.length for item in items) > 50:
            raise error
        return _rows(items)

    lengths = np.random.default_rng(1).integers(5, 11, 64).tolist()
    budget = Budget(400)
    told: list[int] = []
    rows = begin(compute, _items(lengths), budget, told.append)()
    assert rows[:, 0].tolist() == list(range(64))
    assert rows[:, 1].tolist() == lengths
    assert sum(told) == 64
    assert budget.full
    assert budget.tokens <= 100
    assert max(sizes[len(sizes) // 2 :]) <= 10


def test_one_text_that_does_not_fit_is_told() -> None:
    """A text that needs more memory than there is, alone, is an error and no loop."""

    def compute(_items: list[Item]) -> NDArray[np.float32]:
        raise MemoryError

    with pytest.raises(MemoryError):
        run(compute, _items([3, 4, 5]), Budget())


def test_other_errors_are_not_taken_for_memory() -> None:
    """An error of the model is raised at once."""
    calls: list[int] = []

    def compute(items: list[Item]) -> NDArray[np.float32]:
        calls.append(len(items))
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        run(compute, _items([3, 4, 5]), Budget())
    assert calls == [3]
    assert not is_out_of_memory(KeyboardInterrupt())


def test_the_next_job_is_prepared_beside_this_one() -> None:
    """While a job is being worked on, another thread has prepared the next, and no further one."""
    prepared: list[int] = []
    second = threading.Event()

    def prepare(job: int) -> int:
        prepared.append(job)
        if job == 1:
            second.set()
        return job * 10

    jobs = ahead(prepare, [0, 1, 2])
    assert next(jobs) == (0, 0)
    assert second.wait(5)
    assert prepared == [0, 1]
    assert list(jobs) == [(1, 10), (2, 20)]
    assert list(ahead(prepare, [])) == []


@pytest.mark.parametrize("processes", PROCESSES)
def test_errors_of_preparing_arrive(processes: int) -> None:
    """A text that cannot be tokenised ends the run with its own error."""

    def prepare(_job: int) -> int:
        raise ValueError("no tokens")

    with pytest.raises(ValueError, match="no tokens"):
        list(ahead(prepare, [1, 2, 3], processes))


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_jobs_are_prepared_in_processes() -> None:
    """Forked processes prepare what they need not be handed, each job once and in order, and are gone afterwards."""
    lock = threading.Lock()  # cannot be pickled

    def prepare(job: int) -> tuple[int, int]:
        with lock:
            return job * 10, os.getpid()

    found = list(ahead(prepare, list(range(20)), 3))
    assert [(job, made) for job, (made, _) in found] == [(i, i * 10) for i in range(20)]
    makers = {process for _, (_, process) in found}
    assert os.getpid() not in makers
    assert not any(Path(f"/proc/{process}").exists() for process in makers)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_where_processes_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without shared memory for their locks a thread does the work."""

    def refuse(*_given: object, **_options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("cardcheck.spotcheck.batches.ProcessPoolExecutor", refuse)
    assert list(ahead(lambda job: job + 1, [1, 2, 3], 2)) == [(1, 2), (2, 3), (3, 4)]


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_processes_share_the_memory() -> None:
    """The limit holds for all together: each may take its share of what is left."""
    code = (
        "import resource; from cardcheck.spotcheck.batches import ahead; from cardcheck.spotcheck.memory import limit_memory, _held\n"
        "import torch; limit_memory(400)\n"
        "def left(_job): return (resource.getrlimit(resource.RLIMIT_DATA)[0] - _held()) >> 20\n"
        "print(max(found for _, found in ahead(left, [1, 2, 3, 4], 4)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 20 < int(done.stdout) <= 101


@pytest.mark.parametrize("processes", PROCESSES)
def test_who_wants_no_more_waits_for_nothing(processes: int) -> None:
    """Where the computing fails, what was to be prepared is left, and nothing goes on."""
    jobs = ahead(lambda job: job, list(range(1000)), processes)
    assert next(jobs) == (0, 0)
    jobs.close()  # type: ignore[attr-defined]  # it is a generator
    assert list(jobs) == []


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_a_killed_process_is_told() -> None:
    """A process that was killed, for memory say, ends the run with an error instead of a wait without end."""
    with pytest.raises(BrokenProcessPool):
        list(ahead(lambda _job: os.kill(os.getpid(), signal.SIGKILL), [1, 2, 3], 2))


def test_a_gpu_batch_grows_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a GPU batches double until the largest took much of the memory, and never again after memory has ended."""
    import torch

    budget = Budget(1000, device="cuda:0")
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda _device: budget.tokens)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: SimpleNamespace(total_memory=10_000))
    sizes: list[int] = []

    def compute(items: list[Item]) -> NDArray[np.float32]:
        sizes.append(len(items))
        return _rows(items)

    run(compute, _items([100] * 200), budget)
    assert sizes[:3] == [10, 20, 40]
    assert set(sizes[2:-1]) == {40}
    budget.shrink(4000)
    budget.grow()
    assert budget.tokens == 2000
