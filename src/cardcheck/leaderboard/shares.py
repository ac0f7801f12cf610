"""Reading in several processes. This one reads too; the others take the next piece of work from one pipe and hand in all at the end.

A process that dies takes only time with it: what it did not hand in is read here. One whose parent is gone ends when it hands in.
They are programs of their own, not forks, which could hang with Arrow's threads, and do not run the caller's main module again.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING

from cardcheck.leaderboard.read import Share, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardcheck.leaderboard.sources import Source

PIECE = 1024  # files
WIDTH = 4  # bytes of a piece's number; a pipe holds 16,384 of them before it has to be read
CHILD = "import sys; from cardcheck.leaderboard.shares import child; child(int(sys.argv[1]))"


def in_processes(source: Source, paths: Sequence[str], many: int) -> list[Share]:
    """Return what is read of files by so many processes, in order."""
    size = max(PIECE, len(paths) // 10_000)
    pieces = [paths[at : at + size] for at in range(0, len(paths), size)]
    queue, to = os.pipe()
    os.write(to, b"".join(at.to_bytes(WIDTH, "big") for at in range(len(pieces))))
    os.close(to)
    others: list[subprocess.Popen[bytes]] = []
    done: dict[int, Share] = {}
    try:
        others += [_start(queue, source, pieces) for _ in range(min(many, len(pieces)) - 1)]
        done = _work(queue, source, pieces)
        for other in others:
            done |= _handed_in(other)
    finally:
        os.close(queue)
        for other in others:
            other.kill()
            other.wait()
    return [done[at] if at in done else share(source, piece) for at, piece in enumerate(pieces)]


def _start(queue: int, source: Source, pieces: list[Sequence[str]]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-c", CHILD, str(queue)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=(queue,))  # noqa: S603  # ourselves
    assert process.stdin is not None  # noqa: S101  # it is a pipe
    try:
        with process.stdin:
            pickle.dump((source, pieces), process.stdin)
    except BrokenPipeError:
        pass
    return process


def _handed_in(process: subprocess.Popen[bytes]) -> dict[int, Share]:
    assert process.stdout is not None  # noqa: S101  # it is a pipe
    try:
        with process.stdout:
            found: dict[int, Share] = pickle.load(process.stdout)  # noqa: S301  # from a program that was started here
    except (EOFError, OSError, pickle.UnpicklingError):
        return {}
    return found


def _work(queue: int, source: Source, pieces: list[Sequence[str]]) -> dict[int, Share]:
    done: dict[int, Share] = {}
    while len(number := os.read(queue, WIDTH)) == WIDTH:
        at = int.from_bytes(number, "big")
        done[at] = share(source, pieces[at])
    return done


def child(queue: int) -> None:
    """Take part in the work. What comes in and goes out is between two processes of one user."""
    source, pieces = pickle.load(sys.stdin.buffer)  # noqa: S301
    done = _work(queue, source, pieces)
    try:
        pickle.dump(done, sys.stdout.buffer, protocol=pickle.HIGHEST_PROTOCOL)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        os._exit(1)
