"""Starting child processes for strangers' models, talking to them, and ending them.

On Linux they are forked from a process that has imported the libraries, which takes seconds: the nursery, started at the first child and
kept until this process ends. Elsewhere each is started anew.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import math
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
from cardcheck.spotcheck.nursery import FILES, let_others_look

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

LONGEST = 400  # characters of what a child says
PATIENCE = 0.5  # seconds for a process to end by itself
ANSWERED = 10.0  # seconds for what is done in a hundredth of one
LONGEST_POLL = (1 << 31) - 1  # milliseconds
TRIES = 2  # the nursery may have been killed, for memory say
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

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit status. Raises subprocess.TimeoutExpired."""
        ...

    def kill(self) -> None:
        """End what is left of it."""
        ...


class _Nursery:
    """A running nursery, with the environment that all its children get."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.answered = False
        self.asking, asked = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with asked:
            self.process = subprocess.Popen(  # a module of ours, with our own interpreter
                [sys.executable, "-P", "-m", "cardcheck.spotcheck.nursery"],
                stdin=asked.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
            )

    def usable(self, environment: dict[str, str]) -> bool:
        return self.environment == environment and self.process.poll() is None and self.asking.fileno() != -1

    def close(self) -> None:
        """End it; children that it has forked go on."""
        self.asking.close()
        try:
            self.process.wait(PATIENCE if self.answered else 0)
        except subprocess.TimeoutExpired:  # it is importing yet, or has children
            self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


class _Forked:
    """A child of the nursery's."""

    def __init__(self, nursery: _Nursery, module: str, errors: IO[bytes], deadline: float) -> None:
        """Ask for it. Raises OSError where the nursery is gone or does not answer, TimeoutError where it does not before `deadline`."""
        self.status: int | None = None
        self.read = ""  # of what is told, but not taken yet
        self.stdin: IO[str] | None
        self.stdout: IO[str] | None
        with contextlib.ExitStack() as files:
            (given, self.stdin), (self.stdout, taken), (self.told, told) = (_pipe(files) for _ in range(FILES - 1))
            message = f"{module}\0{_folder()}".encode("utf-8", "surrogateescape")
            socket.send_fds(nursery.asking, [message], [given.fileno(), taken.fileno(), errors.fileno(), told.fileno()])
            for file in (given, taken, told):
                file.close()
            try:
                told_now = self._told(min(deadline, time.monotonic() + ANSWERED) if nursery.answered else deadline)
                self.pid, self.keeper = map(int, told_now.split())
            except subprocess.TimeoutExpired:
                nursery.kill()  # it is importing yet, or was stopped
                if time.monotonic() >= deadline:
                    raise TimeoutError from None
                raise ConnectionError("no answer") from None
            except ValueError:
                raise ConnectionError("nobody answers") from None
            nursery.answered = True
            files.pop_all()

    def wait(self, timeout: float | None = None) -> int:
        if self.status is None:
            # nobody told: who should have was killed as well
            self.status = int(self._told(math.inf if timeout is None else time.monotonic() + timeout) or -signal.SIGKILL)
        return self.status

    def kill(self) -> None:
        """End who should tell its end."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.keeper, signal.SIGKILL)

    def _told(self, until: float) -> str:
        """Return the next line that is told, nothing at the end. Raises subprocess.TimeoutExpired."""
        waiting = select.poll()
        waiting.register(self.told, select.POLLIN)
        while "\n" not in self.read:
            remaining = max(0.0, until - time.monotonic())
            if not waiting.poll(min(remaining * 1000, LONGEST_POLL)):
                raise subprocess.TimeoutExpired("a child", remaining)
            more = os.read(self.told.fileno(), LONGEST).decode()
            if not more:
                return ""
            self.read += more
        line, _, self.read = self.read.partition("\n")
        return line


def _pipe(files: contextlib.ExitStack) -> tuple[IO[str], IO[str]]:
    """Return a pipe's reading and writing end."""
    reading, writing = os.pipe()
    return files.enter_context(os.fdopen(reading, encoding="utf-8")), files.enter_context(os.fdopen(writing, "w", encoding="utf-8"))


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109  # as it is
    except OSError:  # it is gone
        return ""


_nursery: _Nursery | None = None
_one_at_a_time = threading.Lock()


def _start(module: str, errors: IO[bytes], deadline: float, *, forked: bool) -> Child:
    """Start a module of ours in a process and session of its own; nothing is inherited but what its environment may hold.

    Raises TimeoutError where it has not started by `deadline`, EncodingError where it does not start.
    """
    let_others_look(allowed=False)  # this process's environment may hold a token
    if not forked or sys.platform != "linux":
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
    why = ""
    for _ in range(TRIES):
        nursery = None
        try:
            nursery = _open_nursery(deadline)
            return _Forked(nursery, module, errors, deadline)
        except TimeoutError:
            raise
        except OSError as error:
            why = str(error)
        if nursery:
            with contextlib.suppress(subprocess.TimeoutExpired):
                why = f"what imports the libraries ended with {nursery.process.wait(PATIENCE)}"
    raise EncodingError(f"the model could not be run: no process was started ({why})")


def _environment() -> dict[str, str]:
    return {key: os.environ[key] for key in KEPT_ENVIRONMENT if key in os.environ}


def _open_nursery(deadline: float) -> _Nursery:
    """Return the nursery for the environment as it is now. Raises OSError, TimeoutError where another thread opens one for too long."""
    global _nursery  # noqa: PLW0603  # one for the whole process
    if not _one_at_a_time.acquire(timeout=min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX)):
        raise TimeoutError
    try:
        if _nursery is None or not _nursery.usable(_environment()):
            close_nursery()
            _nursery = _Nursery(_environment())
        return _nursery
    finally:
        _one_at_a_time.release()


def prepare() -> None:
    """Let libraries be imported beside what is done before the first child is needed."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # which the first child will meet and tell
            _open_nursery(time.monotonic())


@atexit.register
def close_nursery() -> None:
    """End the process that children are forked from, if there is one; the next child gets a new one."""
    global _nursery  # one for the whole process
    ended, _nursery = _nursery, None
    if ended:
        ended.close()


def _forget_nursery() -> None:
    """Leave the nursery to the process that this one was forked from."""
    global _nursery, _one_at_a_time  # noqa: PLW0603  # one for the whole process
    _one_at_a_time = threading.Lock()
    if _nursery:
        _nursery.asking.close()
        _nursery.process.returncode = 0  # it is not waited for here
        _nursery = None


if sys.platform == "linux":
    os.register_at_fork(after_in_child=_forget_nursery)


def run_child(module: str, lines: list[Any], folder: str, seconds: float, *, forked: bool = True) -> Iterator[Any]:
    """Start a module of ours in a child process, hand it lines of JSON and yield its answers.

    It is killed when the caller stops or the time is over. Not `forked` is for what must start from nothing, as whatever uses a GPU: a
    library that had looked for one would keep all children from it. Raises EncodingError where it ends otherwise than by itself.
    """
    log = Path(folder) / "log"
    deadline = time.monotonic() + seconds
    try:
        with log.open("wb") as errors:
            child = _start(module, errors, deadline, forked=forked)
        status = yield from _answers(child, lines, deadline)
    except TimeoutError:
        raise EncodingError(f"{tight(lines[0])}the model was stopped after {seconds:g} s", hint="allow more with --time-limit") from None
    if status:
        tail = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
        ended = f"its process ended with {status}"
        if status == -signal.SIGKILL:
            ended = "it was killed, most likely for memory"
        elif status == -signal.SIGABRT:  # so libraries that are not Python give up where they are refused memory
            ended += ", most likely for memory"
        raise EncodingError(f"the model could not be run: {tight(lines[0])}{ended}{': ' + tail[0][:LONGEST] if tail else ''}")


def _answers(child: Child, lines_in: list[Any], deadline: float) -> Generator[Any, None, int]:
    """Yield what a child answers, end it and return its exit status; raises TimeoutError where it has not ended by `deadline`."""
    lines: queue.Queue[str | None] = queue.Queue()

    def tell() -> None:
        with contextlib.suppress(BrokenPipeError, ValueError):  # it is gone or reads no more; its answer tells why
            if child.stdin:
                for given in lines_in:
                    child.stdin.write(json.dumps(given) + "\n")
                child.stdin.close()

    def listen() -> None:
        with contextlib.suppress(ValueError):  # no text
            for line in child.stdout or ():
                lines.put(line)
        lines.put(None)

    try:
        for work in (tell, listen):
            threading.Thread(target=work, daemon=True).start()
        while (line := lines.get(timeout=min(max(0.0, deadline - time.monotonic()), threading.TIMEOUT_MAX))) is not None:
            yield json.loads(line)
        return child.wait(max(0.0, deadline - time.monotonic()))
    except (queue.Empty, subprocess.TimeoutExpired):
        raise TimeoutError from None
    finally:
        with contextlib.suppress(ProcessLookupError):  # what it started goes with it
            os.killpg(child.pid, signal.SIGKILL)
        try:
            child.wait(ANSWERED)
        except subprocess.TimeoutExpired:  # it stopped who tells its end
            child.kill()
