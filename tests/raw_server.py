"""A server that says bytes, and what the worst of them say."""

from __future__ import annotations

import contextlib
import gzip
import os
import socket
import struct
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Talk = Callable[[socket.socket], None]

GOOD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"


class Raw:
    """A server that says whatever bytes a test wants, or none; `met` counts the connections."""

    def __init__(self, talk: Talk) -> None:
        self.talk, self.met = talk, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.met += 1
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.recv(65536)
            self.talk(connection)


def silent(connection: socket.socket) -> None:
    """Say nothing until the other side leaves."""
    connection.recv(1)


def drip(connection: socket.socket) -> None:
    """Say a byte now and then."""
    connection.sendall(GOOD + b"Content-Length: 1000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b"x")
        time.sleep(0.1)


def reset(connection: socket.socket) -> None:
    """Break off in the middle, without a goodbye."""
    connection.sendall(GOOD + b"Content-Length: 1000\r\n\r\nhalf")
    time.sleep(0.05)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def packed(body: bytes) -> Talk:
    """Return what says a body that is said to be gzip."""
    return lambda connection: connection.sendall(GOOD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


truncated = packed(gzip.compress(os.urandom(1000))[:-200])
