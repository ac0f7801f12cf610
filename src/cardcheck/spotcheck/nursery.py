"""The process that children are forked from, so that a run imports the libraries once. Run as `python -m cardcheck.spotcheck.nursery FD`.

It reads nothing of a subject and starts no thread of its own. What is asked of it comes by the socket FD: the name of a module, and the
new child's standard files and a pipe for its number and its exit status. It ends when the socket is closed at the other end.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import socket
import sys
import traceback
from importlib import import_module
from typing import NoReturn

from cardcheck.spotcheck.worker import import_libraries

FILES = 4  # standard input, output and error, and the pipe
LONGEST = 200  # bytes of a module's name
PR_SET_DUMPABLE = 4


def let_others_look(*, allowed: bool) -> None:
    """Allow or forbid other processes of this user to read this one's memory and environment, or to trace it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, int(allowed), 0, 0, 0)


def main(asked: socket.socket) -> None:
    """Fork a child whenever one is asked for."""
    let_others_look(allowed=False)  # the children that will be forked trust what lies in here
    with contextlib.suppress(Exception):  # a child imports by itself then, and tells what is wrong
        import_libraries()
    while True:
        name, files, _, _ = socket.recv_fds(asked, LONGEST, FILES)
        with contextlib.suppress(ChildProcessError):  # none is left
            while os.waitpid(-1, os.WNOHANG if name else 0)[0]:
                pass
        if not name:
            return
        if os.fork() == 0:
            asked.close()
            _keep(name.decode(), files)
        for file in files:
            os.close(file)


def _keep(module: str, files: list[int]) -> NoReturn:
    """Fork the child itself, and tell its number, then how it ended."""
    try:
        child = os.fork()
        if child == 0:
            _become(module, files)
        *standard, pipe = files
        for file in standard:
            os.close(file)
        os.write(pipe, b"%d\n" % child)
        _, status = os.waitpid(child, 0)
        os.write(pipe, b"%d\n" % os.waitstatus_to_exitcode(status))
    finally:  # also where nobody reads the pipe any more, or nothing could be forked
        os._exit(0)


def _become(module: str, files: list[int]) -> NoReturn:
    """Be what `python -m module` would have been."""
    status = 1
    try:
        os.setsid()
        for number, file in enumerate(files):
            if number < FILES - 1:
                os.dup2(file, number)
            os.close(file)
        let_others_look(allowed=True)  # else its own files in /proc are closed to it as well
        status = import_module(module).main()
        sys.stderr.flush()
    except BaseException:  # noqa: BLE001  # nothing of the nursery may go on in a child
        traceback.print_exc()
    os._exit(status)


if __name__ == "__main__":
    with socket.socket(fileno=int(sys.argv[1])) as given:
        main(given)
    os._exit(0)  # no tidying up of what children had copies of
