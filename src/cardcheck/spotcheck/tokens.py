"""Windows of texts as tokens: made of the tokenizer's ids alone where that gives the same, and batches cut out of them.

sentence-transformers turns every id of every row into Python objects three times over (ids, mask, types), with the interpreter locked: on
a GPU that takes longer than the computing. The ids alone take a seventh of it, and the rest follows from their lengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Features = dict[str, Any]  # what sentence-transformers calls so: arrays of shape (texts, width), and what is not of a token
    Preprocess = Callable[..., Features]

BAGS = {"input_ids", "offsets"}
FOLLOWING = {"input_ids", "attention_mask", "token_type_ids"}
IDS_ALONE = {
    "common": {"return_tensors": None},
    "text": {"padding": False, "return_attention_mask": False, "return_token_type_ids": False},
}


@dataclass(frozen=True, slots=True)
class Tokens:
    """A window: its features, the texts' lengths in tokens, and whether they are padded on the left.

    The arrays are NumPy's, which go from process to process without shared memory, and are of short integers, until `to` makes tensors.
    """

    features: Features
    lengths: list[int]
    left: bool = False

    def to(self, device: torch.device) -> Tokens:
        """Move the features at once: a batch that is cut out of them there waits for nothing."""
        return Tokens(_each(self.features, lambda value: _tensor(value, device)), self.lengths, self.left)

    def cut(self, rows: Sequence[int]) -> Features:
        """Return some rows, without the columns in which all of them are padded."""
        width, longest = self.features["attention_mask"].shape[1], max(self.lengths[row] for row in rows)
        columns = slice(width - longest, width) if self.left else slice(0, longest)
        return _each(self.features, lambda value: value[list(rows), columns])


@dataclass(frozen=True, slots=True)
class Bags:
    """A window for static embeddings: the ids of all texts in one row, and how many each has."""

    ids: Any
    lengths: list[int]

    def to(self, device: torch.device) -> Bags:
        """Move the ids at once."""
        return Bags(_tensor(self.ids, device), self.lengths)

    def cut(self, rows: Sequence[int]) -> Features:
        """Return some texts' ids in one row, and where each text begins."""
        ends = [0, *accumulate(self.lengths)]
        offsets = [0, *accumulate(self.lengths[row] for row in rows)][:-1]
        ids = torch.cat([self.ids[ends[row] : ends[row + 1]] for row in rows])
        return {"input_ids": ids, "offsets": torch.tensor(offsets, device=ids.device)}


Tokenised = Tokens | Bags


def _tensor(value: NDArray[Any], device: torch.device) -> torch.Tensor:
    tensor = torch.from_numpy(value).to(device)
    return tensor.long() if value.dtype.kind == "i" else tensor


def _each(features: Features, change: Callable[[Any], Any]) -> Features:
    return {name: change(value) if isinstance(value, np.ndarray | torch.Tensor) else value for name, value in features.items()}


def read(features: Features, count: int) -> Tokenised | None:
    """Return features of `count` texts as a window; None where they are neither one row of tokens a text nor bags of them."""
    if features.keys() == BAGS and features["input_ids"].ndim == 1 and features["offsets"].shape == (count,):
        ids = features["input_ids"].numpy().astype(np.int32)
        return Bags(ids, np.diff(features["offsets"].numpy(), append=len(ids)).tolist())
    arrays = {name: value.numpy() for name, value in features.items() if isinstance(value, torch.Tensor)}
    mask = arrays.get("attention_mask")
    if mask is None or mask.ndim != 2 or len(mask) != count or any(value.shape != mask.shape for value in arrays.values()):
        return None
    lengths = mask.sum(axis=1).tolist()
    for left in (False, True):
        if np.array_equal(mask, _mask(lengths, mask.shape[1], left=left)):
            return Tokens(features | arrays, _with_a_column(lengths), left)
    return Tokens(features | arrays, [mask.shape[1]] * count)


def _with_a_column(lengths: list[int]) -> list[int]:
    """Let a text without tokens have one column: a batch of none but such texts has a width too."""
    return [max(1, length) for length in lengths]


def _mask(lengths: list[int], width: int, *, left: bool) -> NDArray[np.bool_]:
    places = np.arange(width)
    mask: NDArray[np.bool_] = (places[::-1] if left else places)[None] < np.array(lengths)[:, None]
    return mask


class Tokeniser:
    """Makes windows by a model's own `preprocess`; by its ids alone once it has shown on two texts that this gives the same."""

    def __init__(self, preprocess: Preprocess) -> None:
        self.preprocess = preprocess
        self.known: dict[str, Tokens | None] = {}  # by prompt: two texts of different length, as the model wants them
        self.otherwise = False  # known not to take such windows: what was made in vain is not made again

    def __call__(self, texts: list[str], prompt: str, options: dict[str, Any]) -> Tokenised | None:
        """Return the texts as a window; None where the model takes them otherwise. Raises what the model's tokenizer raises."""
        if self.otherwise:
            return None
        key = repr((prompt, options))
        if key not in self.known:
            self.known[key] = self._shown(texts[0], prompt, options)
        like = self.known[key]
        if like is None:
            window = read(self.preprocess(texts, prompt=prompt or None, **options), len(texts))
            self.otherwise = window is None
            return window
        return self._built(texts, like, prompt, options)

    def _shown(self, text: str, prompt: str, options: dict[str, Any]) -> Tokens | None:
        two = [text, text[: len(text) // 8]]
        like = read(self.preprocess(two, prompt=prompt or None, **options), 2)
        arrays = {name for name, value in like.features.items() if isinstance(value, np.ndarray)} if isinstance(like, Tokens) else set()
        if not isinstance(like, Tokens) or not arrays <= FOLLOWING or "input_ids" not in arrays or like.lengths[0] <= like.lengths[1]:
            return None
        try:
            built = self._built(two, like, prompt, options)
        except Exception:  # noqa: BLE001  # a tokenizer that cannot do without what was left out
            return None
        return like if all(np.array_equal(built.features[name], like.features[name]) for name in arrays) else None

    def _built(self, texts: list[str], like: Tokens, prompt: str, options: dict[str, Any]) -> Tokens:
        ids = self.preprocess(texts, prompt=prompt or None, processing_kwargs=IDS_ALONE, **options)["input_ids"]
        lengths = [len(row) for row in ids]
        mask = _mask(lengths, max(1, *lengths), left=like.left)
        rows = np.full(mask.shape, like.features["input_ids"][1][0 if like.left else -1], dtype=np.int32)
        rows[mask] = np.fromiter(chain.from_iterable(ids), np.int32, sum(lengths))
        made = {"input_ids": rows, "attention_mask": mask.astype(np.int8)}
        if "token_type_ids" in like.features:
            made["token_type_ids"] = np.zeros(mask.shape, np.int8)
        return Tokens(like.features | made, _with_a_column(lengths), like.left)
