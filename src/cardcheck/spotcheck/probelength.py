"""How many tokens a model reads of a text: found by trying, whatever it says of itself."""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

FIRST = 16  # words from which lengths are doubled
BEYOND = 16  # words by which a text must be longer before its vector is trusted to show that nothing more is read
MOST = 8192 + 64  # tokens; what is longer takes minutes on a CPU
FEWEST_WORDS = 4
MOST_WORDS = 300  # different ones
ROUNDING = 1e-5  # of a vector's largest number: what another order of the same sums changes
SLOWER = 5  # doubling a text may take so many times as long
WORD = Pattern(r"[^\W\d_]{2,12}")
COMMON = ("the", "of", "and", "to", "in", "is", "that", "for", "it", "was", "on", "are", "as", "with", "at", "be", "this", "from")


@dataclass(frozen=True, slots=True)
class Length:
    """What was found, in words of the probe.

    `reads` is how many are read, None where the end was not reached; `least` is how many surely are. `fails` is the length from which on
    the model raises `error`, None where it did not. `stopped` says what kept from trying longer texts, or `order`: the longest one with its
    words in another order has the same vector, so that one that stays the same shows no end.
    """

    reads: int | None
    least: int
    fails: int | None = None
    error: str = ""
    stopped: Literal["", "time", "memory", "order"] = ""


class _StopError(Exception):
    """Trying on would take too long, or more memory than there is."""

    def __init__(self, reason: Literal["time", "memory"]) -> None:
        self.reason = reason


class Search:
    """Looks for the length at which the vector of a text stops changing.

    `vector` encodes a text of so many words, the first words of each being the same, and `backwards` the same text with its words in
    reverse order. `noise` is how far two vectors of one text differ.
    """

    def __init__(
        self,
        vector: Callable[[int], Vector],
        backwards: Callable[[int], Vector],
        *,
        noise: float,
        seconds: float,
        no_memory: Callable[[BaseException], bool],
    ) -> None:
        self.vector, self.backwards, self.noise, self.no_memory = vector, backwards, noise, no_memory
        self.deadline = time.monotonic() + seconds
        self.known: dict[int, Vector | None] = {}
        self.slowest = (1, 0.0)  # the longest text so far and what it took
        self.error = ""
        self.least = 0

    def find(self, guesses: Sequence[int], most: int) -> Length:
        """Try longer and longer texts up to `most` words, and on the way the guesses, which are most often right."""
        try:
            found = self._double(sorted({guess for guess in guesses if 1 < guess <= most - BEYOND}), most)
            if found.reads is not None and self._order_is_nothing():
                return Length(None, self.least, stopped="order")
            return found  # noqa: TRY300  # what is confirmed may stop as what is found
        except _StopError as stop:
            return Length(None, self.least, error=self.error, stopped=stop.reason)

    def _double(self, guesses: Sequence[int], most: int) -> Length:
        low, high = 1, min(FIRST, most)
        if self._at(high) is None:
            return self._failure(low, high)
        while high < most:
            longer = min(2 * high, most)
            for guess in guesses:
                if high <= guess < longer and self._is_end(guess):
                    return Length(guess, guess)
            if self._at(longer) is None:
                return self._failure(high, longer)
            if self._alike(high, longer):
                return self._end(low, high)
            self.least = high
            low, high = high, longer
        if most > BEYOND and self._alike(most - BEYOND, most):
            return self._end(low, most - BEYOND)
        return Length(None, max(self.least, most - BEYOND))

    def _order_is_nothing(self) -> bool:
        """Tell whether the longest text has the same vector backwards.

        Words that are not known, or that bring nothing new to a maximum, change no vector, and show no end of what is read.
        """
        longest = max(words for words, vector in self.known.items() if vector is not None)
        forwards, other = self.known[longest], self._encoded(longest, self.backwards)
        return forwards is not None and other is not None and self._same(forwards, other, ROUNDING * float(abs(forwards).max()))

    def _is_end(self, words: int) -> bool:
        return self._alike(words + BEYOND, words) and self._at(words - 1) is not None and not self._alike(words, words - 1)

    def _end(self, low: int, high: int) -> Length:
        """Find where the vector stops changing; at `low` it does not, at `high` it has."""
        reads = self._bisect(low, high, lambda words: self._alike(words, high))
        return Length(reads, reads)

    def _failure(self, low: int, high: int) -> Length:
        """Find where the failing begins; after some errors a GPU takes no work at all any more, and nothing more can be found."""
        try:
            self.vector(low)
        except Exception:  # noqa: BLE001  # as above: anything may come
            return Length(None, low, fails=high, error=self.error)
        fails = self._bisect(low, high, lambda words: self._at(words) is None)
        return Length(None, fails - 1, fails=fails, error=self.error)

    @staticmethod
    def _bisect(low: int, high: int, holds: Callable[[int], bool]) -> int:
        """Return the smallest number in (low, high] from which on it holds; it holds at `high`."""
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if holds(middle) else (middle, high)
        return high

    def _alike(self, one: int, other: int) -> bool:
        first, second = self._at(one), self._at(other)
        return first is not None and second is not None and self._same(first, second)

    def _same(self, one: Vector, other: Vector, least: float = 0.0) -> bool:
        return float(abs(one - other).max()) <= max(self.noise, least)

    def _at(self, words: int) -> Vector | None:
        """Return the vector, None where the model fails on so long a text."""
        if words not in self.known:
            self.known[words] = self._encoded(words, self.vector)
        return self.known[words]

    def _encoded(self, words: int, vector: Callable[[int], Vector]) -> Vector | None:
        found = None
        longest, took = self.slowest
        started = time.monotonic()
        if started + took * (SLOWER if words > longest else 1) > self.deadline:
            raise _StopError("time")
        try:
            found = vector(words)
        except Exception as error:  # noqa: BLE001  # anything may come out of a stranger's model
            if self.no_memory(error):
                raise _StopError("memory") from None
            self.error = self.error or f"{type(error).__name__}: {error}"[:200]
        if words >= longest:
            self.slowest = (words, time.monotonic() - started)
        return found


def counter(tokenizer: Any) -> Callable[[str], int] | None:
    """Return what counts the tokens of a text, special ones included and nothing cut; None for a tokenizer of an unknown kind."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerBase

    if isinstance(tokenizer, PreTrainedTokenizerBase):
        return lambda text: len(tokenizer(text, truncation=False, verbose=False)["input_ids"])
    if isinstance(tokenizer, Tokenizer):
        whole = Tokenizer.from_str(tokenizer.to_str())
        whole.no_truncation()
        whole.no_padding()
        return lambda text: len(whole.encode(text).ids)
    return None


def words_for(texts: Sequence[str], count: Callable[[str], int] | None) -> tuple[list[str], bool]:
    """Return words to make texts of, and whether each of them adds one token to a text, so that lengths in tokens are exact."""
    found = Counter(match[0].lower() for text in texts for match in WORD.finditer(text))
    words = list(dict.fromkeys([*COMMON, *(word for word, _ in found.most_common(10 * MOST_WORDS))]))
    if count is None:
        return words[:MOST_WORDS], False
    exact = [word for word in words if count(f"the {word} {word}") - count(f"the {word}") == 1 == count(f"{word} the") - count(word)]
    return (exact[:MOST_WORDS], True) if len(exact) >= FEWEST_WORDS else (words[:MOST_WORDS], False)


def text_of(words: Sequence[str], most: int, *, from_end: bool) -> Callable[[int], str]:
    """Return what makes a text of so many words; each is the beginning of the longer ones, or the end where a model reads the end."""
    drawn = random.Random(0).choices(words, k=most)  # noqa: S311  # reproducible, not secret
    return lambda length: " ".join(drawn[most - length :] if from_end else drawn[:length])
