"""The process that children are forked from, so that a run imports the libraries once. Run as `python -m cardcheck.spotcheck.nursery`.

It reads nothing of a subject and starts no thread of its own. What is asked of it comes by the socket that its standard input is: the name
of a module, the folder to be in, and the new child's standard files and a pipe for its number and its exit status. It ends when the socket
is closed at the other end.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import traceback
from importlib import import_module
from typing import NoReturn

from cardcheck.spotcheck.worker import import_libraries

FILES = 4  # standard input, output and error, and the pipe
LONGEST = 8192  # bytes of what is asked
PR_SET_DUMPABLE = 4


def let_others_look(*, allowed: bool) -> None:
    """Allow or forbid other processes of this user to read this one's memory and environment, or to trace it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, int(allowed), 0, 0, 0)


def main(asked: socket.socket) -> None:
    """Fork a child whenever one is asked for."""
    let_others_look(allowed=False)  # the children that will be forked trust what lies in here
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # who started us may have it ignored, and ends would not be told
    with contextlib.suppress(BaseException):  # a child imports by itself then, and tells what is wrong
        import_libraries()
    while True:
        message, files, _, _ = socket.recv_fds(asked, LONGEST, FILES)
        with contextlib.suppress(ChildProcessError):  # none is left
            while os.waitpid(-1, os.WNOHANG if message else 0)[0]:
                pass
        if not message:
            return
        if os.fork() == 0:
            asked.close()
            _keep(message, files)
        for file in files:
            os.close(file)


def _keep(message: bytes, files: list[int]) -> NoReturn:
    """Fork the child itself, which tells its number and ours, and tell how it ended."""
    try:
        child = os.fork()
        if child == 0:
            _become(message, files)
        *standard, pipe = files
        for file in standard:
            os.close(file)
        _, status = os.waitpid(child, 0)
        os.write(pipe, b"%d\n" % os.waitstatus_to_exitcode(status))
    finally:  # also where nobody reads the pipe any more, or nothing could be forked
        os._exit(0)


def _become(message: bytes, files: list[int]) -> NoReturn:
    """Be what `python -m module` would have been."""
    status = 1
    try:
        module, _, folder = message.partition(b"\0")
        *standard, pipe = files
        os.setsid()  # before its number is known: it is by its session that a child is ended
        os.write(pipe, b"%d %d\n" % (os.getpid(), os.getppid()))
        for number, file in enumerate(standard):
            os.dup2(file, number)
        for file in files:
            os.close(file)
        os.chdir(folder or b"/")
        let_others_look(allowed=True)  # else its own files in /proc are closed to it as well
        if "numpy" in sys.modules:
            import numpy as np

            np.random.seed()  # noqa: NPY002  # what a model draws unseeded is not to be the same in all children
        status = import_module(module.decode()).main()
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # nothing of the nursery may go on in a child
        traceback.print_exc()
    finally:
        os._exit(status)


if __name__ == "__main__":
    given = socket.socket(fileno=os.dup(0))
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123  # by its number
        os.dup2(nothing.fileno(), 0)
    main(given)
    os._exit(0)  # no tidying up of what children had copies of
