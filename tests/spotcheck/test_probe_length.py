"""Finding how much of a text a model reads, on models that are functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cardcheck.spotcheck.batches import is_out_of_memory
from cardcheck.spotcheck.probelength import MOST, Length, Search, counter, text_of, words_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


class Reader:
    """A model that reads `limit` words and fails with `error` on texts of `fails` words; it remembers the lengths it was given."""

    def __init__(self, limit: int = 10**9, fails: int = 10**9, error: type[Exception] = IndexError, *, breaks: bool = False) -> None:
        self.limit, self.fails, self.error, self.breaks = limit, fails, error, breaks
        self.given: list[int] = []
        self.broken = False

    def __call__(self, words: int) -> NDArray[np.float32]:
        """Return a vector that changes with every word that is read."""
        self.given.append(words)
        if words >= self.fails or self.broken:
            self.broken = self.breaks
            raise self.error(f"{words} words")
        return np.array([min(words, self.limit), 1], np.float32)

    def backwards(self, words: int) -> NDArray[np.float32]:
        """Return the vector of the words in reverse order, which matters to this model."""
        return -np.array([min(words, self.limit), 1], np.float32)


def search(reader: Callable[[int], Any], *guesses: int, most: int = 1000, noise: float = 0.0, seconds: float = 60) -> Length:
    """Look for the length that a model reads."""
    backwards = getattr(reader, "backwards", lambda words: -reader(words))
    return Search(reader, backwards, noise=noise, seconds=seconds, no_memory=is_out_of_memory).find(guesses, most)


@pytest.mark.parametrize("limit", [2, 15, 16, 17, 100, 256, 511, 512, 513, 900, 984])
def test_the_limit_is_found_to_the_word(limit: int) -> None:
    """Whatever the limit is, it is found without a hint, in a number of steps that grows with its logarithm."""
    reader = Reader(limit)
    assert search(reader) == Length(limit, limit)
    assert len(reader.given) < 24


def test_a_right_guess_is_confirmed() -> None:
    """A limit that is told is confirmed by a longer text, one of that length and a shorter one; much longer ones are not tried."""
    reader = Reader(256)
    assert search(reader, 256, 512) == Length(256, 256)
    assert reader.given == [16, 32, 64, 128, 256, 272, 255]


@pytest.mark.parametrize("guess", [128, 512, 5000, 0, -3])
def test_a_wrong_guess_misleads_nobody(guess: int) -> None:
    """A limit that is told and wrong, longer or shorter than the real one, changes nothing."""
    assert search(Reader(256), guess).reads == 256


def test_a_model_that_reads_everything() -> None:
    """No limit is claimed to be known where the longest text that was tried was read to its end, or to near its end."""
    assert search(Reader()) == Length(None, 984)
    assert search(Reader(990)) == Length(None, 984)


@pytest.mark.parametrize("fails", [3, 16, 65, 513])
def test_a_model_that_fails_on_long_texts(fails: int) -> None:
    """The length from which on it fails is found to the word, with the error."""
    found = search(Reader(fails=fails))
    assert (found.reads, found.fails, found.least) == (None, fails, fails - 1)
    assert found.error.startswith("IndexError")


def test_a_model_that_fails_for_good() -> None:
    """Where nothing can be encoded any more after an error, the length that failed is told, and none that was never tried."""
    found = search(Reader(fails=65, breaks=True))
    assert (found.fails, found.least) == (128, 64)


@pytest.mark.parametrize("guesses", [(), (100,)])
def test_words_that_change_nothing_are_no_end(guesses: tuple[int, ...]) -> None:
    """Where further words change nothing, and their order neither, no end is claimed, neither a guessed one nor a found one."""
    chance = np.random.default_rng(0)
    known = chance.standard_normal((1000, 8)).astype(np.float32)
    for pool in (lambda rows: rows[:100].max(axis=0), lambda rows: rows[:100].sum(axis=0)):  # the others are not in the vocabulary

        def saturated(words: int, pool: Callable[[Any], Any] = pool) -> Any:
            return pool(known[:words])

        def backwards(words: int, pool: Callable[[Any], Any] = pool) -> Any:
            return pool(known[: min(words, 100)][::-1])

        saturated.backwards = backwards  # type: ignore[attr-defined]
        found = search(saturated, *guesses)
        assert (found.reads, found.stopped) == (None, "order")
        assert found.least < 100


def test_noise_is_no_change() -> None:
    """A model whose vectors differ a little each time is judged by more than that."""
    chance = np.random.default_rng(0)

    def noisy(words: int) -> NDArray[np.float32]:
        return np.array([min(words, 100) + chance.uniform(-0.01, 0.01)], np.float32)

    assert search(noisy, noise=0.05).reads == 100


def test_memory_that_ends_ends_the_search() -> None:
    """Where memory ends, what is known to be read is told, and no failure of the model."""
    assert search(Reader(fails=200, error=MemoryError), 512) == Length(None, 64, stopped="memory")


def test_time_that_ends_ends_the_search() -> None:
    """No text is begun that would go on after the time is over."""
    found = search(Reader(), seconds=-1)
    assert found.stopped == "time"
    assert found.least == 0


def test_texts_are_beginnings_of_each_other() -> None:
    """A longer text begins with the shorter one, or ends with it for a model that reads the end."""
    words = ["one", "two", "three", "four"]
    begins, ends = (text_of(words, 50, from_end=from_end) for from_end in (False, True))
    assert begins(30).startswith(begins(7) + " ")
    assert ends(30).endswith(" " + ends(7))
    assert len(set(begins(50).split())) == 4
    assert len(begins(31).split()) == len(ends(31).split()) == 31


def test_words_add_one_token_each(saved_model: Path) -> None:
    """With a real tokenizer each word of a text is one token, so that its length is known without counting."""
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    fast = AutoTokenizer.from_pretrained(saved_model)
    rust = Tokenizer.from_file(str(saved_model / "tokenizer.json"))
    rust.enable_truncation(8)
    for tokenizer in (fast, rust):
        count = counter(tokenizer)
        assert count is not None
        words, exact = words_for(["The railway court of Quellmark was an animal, and who? 12 engines"], count)
        assert exact
        assert "the" in words
        assert "quellmark" not in words
        assert count(text_of(words, MOST, from_end=False)(200)) == 202


def test_a_tokenizer_of_its_own_kind() -> None:
    """A tokenizer that nobody knows is not called, and lengths are then not exact."""
    assert counter(object()) is None
    words, exact = words_for(["Some words"], None)
    assert not exact
    assert "words" in words
