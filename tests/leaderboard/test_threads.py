"""How many threads numpy's linear algebra takes where tables are small."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from cardcheck.leaderboard import credible_model
from cardcheck.leaderboard.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator


def threads() -> set[int]:
    """Return how many threads each linear algebra that is loaded may take."""
    return {found["num_threads"] for found in threadpool_info() if found["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def two() -> Iterator[None]:
    """Let linear algebra take two threads; skip where nobody can say how many it takes, as for Apple's."""
    with threadpool_limits(2, user_api="blas"):
        if 2 not in threads():
            pytest.skip("this numpy's linear algebra cannot be told how many threads to take")
        yield


def test_one_thread_while_it_lasts() -> None:
    """Inside there is one thread, also inside of itself; afterwards, and after an error, there are as many as before."""
    before = threads()

    @one_thread()
    def inner() -> set[int]:
        return threads()

    with one_thread():
        assert threads() == {1}
        assert inner() == {1}
        assert threads() == {1}
    assert threads() == before
    with pytest.raises(KeyError), one_thread():
        raise KeyError
    assert threads() == before


def test_a_model_is_fitted_in_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever fits a model gets that, without the command line; the caller's threads are left as they were."""
    before, during = threads(), []
    start = credible_model._start  # the step that is slow with several

    def watched(*given: np.ndarray) -> credible_model.Factors:
        during.append(threads())
        return start(*given)

    monkeypatch.setattr(credible_model, "_start", watched)
    credible_model.fit(np.random.default_rng(1).normal(size=(30, 20)), np.full(20, 0.2))
    assert during == [{1}]
    assert threads() == before
