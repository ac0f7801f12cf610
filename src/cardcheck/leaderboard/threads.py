"""How many threads the linear algebra of a board takes: one."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Let numpy's linear algebra compute in one thread; a decorator, too. It holds for the whole process meanwhile.

    Tables are small: threads that wait for each other took 50 times as long to place models, on two cores that others used.
    """
    with _threads().limit(limits=1, user_api="blas"):
        yield


@functools.cache
def _threads() -> ThreadpoolController:
    """Look through the libraries that are loaded, once: it takes milliseconds. Numpy's is among them, as whoever computes has loaded it."""
    import numpy as np  # noqa: F401
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
