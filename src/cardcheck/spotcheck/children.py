"""Starting child processes for strangers' models, talking to them, and ending them.

On Linux they are forked from a process that has imported the libraries, which takes seconds: the nursery, started at the first child and
kept until this process ends. Elsewhere each is started anew.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import queue
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.memory import tight
from cardcheck.spotcheck.nursery import let_others_look

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST = 400  # characters of what a child says
PATIENCE = 0.5  # seconds for a process to end by itself
# What a child needs to start and to find libraries; credentials such as HF_TOKEN are not among it.
KEPT_ENVIRONMENT = (
    "PATH",
    "HOME",
    "HF_HOME",
    "HF_HUB_CACHE",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "TMPDIR",
)


class EncodingError(CardcheckError):
    """The model could not be loaded or did not encode within its limits."""


class Child(Protocol):
    """What is needed of a process, as `subprocess.Popen` has it. Where it ends by a signal `wait` gives minus its number."""

    pid: int
    stdin: IO[str] | None
    stdout: IO[str] | None

    def wait(self) -> int:
        """Wait for its end and return its exit status."""
        ...


class _Nursery:
    """A running nursery, with the environment that all its children get."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.asked = 0  # children, so far
        self.asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with asked:
            self.process = subprocess.Popen(  # noqa: S603  # a module of ours, with our own interpreter
                [sys.executable, "-P", "-m", "cardcheck.spotcheck.nursery", str(asked.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                pass_fds=[asked.fileno()],
                start_new_session=True,
            )

    def usable(self, environment: dict[str, str]) -> bool:
        return self.environment == environment and self.process.poll() is None

    def close(self) -> None:
        """End it; children that it has forked go on."""
        self.asking.close()
        try:
            self.process.wait(PATIENCE if self.asked else 0)
        except subprocess.TimeoutExpired:  # it is importing yet, or has children
            self.process.kill()
            self.process.wait()


class _Forked:
    """A child of the nursery's."""

    def __init__(self, nursery: _Nursery, module: str, errors: IO[bytes], deadline: float) -> None:
        self.status: int | None = None
        self.stdin: IO[str] | None
        self.stdout: IO[str] | None
        nursery.asked += 1
        given, self.stdin = _pipe(to_child=True)
        taken, self.stdout = _pipe(to_child=False)
        told, self.told = _pipe(to_child=False)
        try:
            socket.send_fds(nursery.asking, [module.encode()], [given, taken, errors.fileno(), told])
        except OSError as error:
            raise EncodingError(f"the model could not be run: no process was started ({error})") from None
        finally:
            for file in (given, taken, told):
                os.close(file)
        started = select.poll()
        started.register(self.told, select.POLLIN)
        if not started.poll(max(0.0, deadline - time.monotonic()) * 1000):
            nursery.process.kill()  # it is importing yet
            nursery.process.wait()
            raise TimeoutError
        self.pid = int(self.told.readline() or 0)
        if not self.pid:
            raise EncodingError("the model could not be run: no process was started")

    def wait(self) -> int:
        if self.status is None:
            with self.told:
                self.status = int(self.told.readline() or -signal.SIGKILL)
        return self.status


def _pipe(*, to_child: bool) -> tuple[int, IO[str]]:
    """Return the child's end of a pipe, and ours as a file."""
    reading, writing = os.pipe()
    if to_child:
        return reading, os.fdopen(writing, "w", encoding="utf-8")
    return writing, os.fdopen(reading, encoding="utf-8")


_nursery: _Nursery | None = None
_one_at_a_time = threading.Lock()


def _start(module: str, errors: IO[bytes], deadline: float) -> Child:
    """Start a module of ours in a process and session of its own; nothing is inherited but what its environment may hold.

    Raises TimeoutError where it has not started by `deadline`.
    """
    let_others_look(allowed=False)  # this process's environment may hold a token
    if sys.platform != "linux":
        return subprocess.Popen(  # noqa: S603  # a module of ours, with our own interpreter
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=_environment(),
            start_new_session=True,
            text=True,
            encoding="utf-8",
        )
    with _one_at_a_time:
        return _Forked(_open_nursery(), module, errors, deadline)


def _environment() -> dict[str, str]:
    return {key: os.environ[key] for key in KEPT_ENVIRONMENT if key in os.environ}


def _open_nursery() -> _Nursery:
    """Return the nursery for the environment as it is now."""
    global _nursery  # noqa: PLW0603  # one for the whole process
    if _nursery is None or not _nursery.usable(_environment()):
        close_nursery()
        _nursery = _Nursery(_environment())
    return _nursery


def prepare() -> None:
    """Let libraries be imported beside what is done before the first child is needed."""
    if sys.platform == "linux":
        with _one_at_a_time:
            _open_nursery()


@atexit.register
def close_nursery() -> None:
    """End the process that children are forked from, if there is one; the next child gets a new one."""
    global _nursery  # noqa: PLW0603  # one for the whole process
    if _nursery:
        _nursery.close()
        _nursery = None


def run_child(module: str, lines: list[Any], folder: str, seconds: float) -> Iterator[Any]:
    """Start a module of ours in a child process, hand it lines of JSON and yield its answers.

    It is killed when the caller stops or the time is over. Raises EncodingError where it ends otherwise than by itself.
    """
    log = Path(folder) / "log"
    deadline = time.monotonic() + seconds
    try:
        with log.open("wb") as errors:
            child = _start(module, errors, deadline)
        yield from _answers(child, lines, deadline)
    except TimeoutError:
        raise EncodingError(f"{tight(lines[0])}the model was stopped after {seconds:g} s", hint="allow more with --time-limit") from None
    if status := child.wait():
        tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        ended = f"its process ended with {status}"
        if status == -signal.SIGKILL:
            ended = "it was killed, most likely for memory"
        elif status == -signal.SIGABRT:  # so libraries that are not Python give up where they are refused memory
            ended += ", most likely for memory"
        raise EncodingError(f"the model could not be run: {tight(lines[0])}{ended}{': ' + tail[0][:LONGEST] if tail else ''}")


def _answers(child: Child, lines_in: list[Any], deadline: float) -> Iterator[dict[str, Any]]:
    """Yield what a child answers, and end it; raises TimeoutError where it has not ended by `deadline`."""
    lines: queue.Queue[str | None] = queue.Queue()

    def talk() -> None:
        try:
            if child.stdin:
                for given in lines_in:
                    child.stdin.write(json.dumps(given) + "\n")
                child.stdin.close()
            for line in child.stdout or ():
                lines.put(line)
        except (BrokenPipeError, ValueError):  # the child is gone; its status tells why
            pass
        lines.put(None)

    threading.Thread(target=talk, daemon=True).start()
    try:
        while (line := lines.get(timeout=max(0.0, deadline - time.monotonic()))) is not None:
            yield json.loads(line)
        child.wait()
    except queue.Empty:
        raise TimeoutError from None
    finally:
        with contextlib.suppress(ProcessLookupError):  # what it started goes with it
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
