"""A line on stderr, where that is a terminal, while answers are waited for: how many requests have been answered, and for how long."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.net.client import Log

AFTER, EVERY = 1.0, 0.5  # seconds: what takes less shows nothing


class Waiting:
    """Shows the line as long as anybody waits; `log` says what was answered."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._waiting = 0
        self._done = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Wait inside this; several threads may at once."""
        with self._lock:
            self._waiting += 1
            if self._waiting == 1 and _on_terminal():
                self._done = threading.Event()
                self._thread = threading.Thread(target=self._show, args=(self._done,), daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1
                thread = self._thread if not self._waiting else None
                if thread:
                    self._done.set()
                    thread.join()  # the line is gone before anything else is printed
                    self._thread = None

    def _show(self, done: threading.Event) -> None:
        if done.wait(AFTER):
            return
        from tqdm import tqdm  # keeps the lines of several bars apart

        with tqdm(desc="asking", bar_format="{desc}: {n} requests answered, {elapsed}", file=sys.stderr, leave=False) as line:
            while not done.wait(EVERY):
                line.n = len(self._log.asked)
                line.refresh()


def _on_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # it is closed
        return False
