"""Weights: safetensors headers read without loading, pickles named, broken files found.

The format is described at https://huggingface.co/docs/safetensors: eight bytes with the header's length (little endian), the header
as JSON, then the tensors' bytes. huggingface_hub can parse such a header too, but does not tell whether the bytes it promises are there.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from cardcheck.facts.files import LFS_POINTER, LFS_PROBLEM
from cardcheck.facts.located import Location
from cardcheck.facts.model import Facts, Source

if TYPE_CHECKING:
    from pathlib import Path

    from cardcheck.facts.files import Listing

MAX_HEADER_BYTES = 100_000_000  # the format's own limit
MAX_LENGTH = 2**48
# Bits of one value, by the names that safetensors 0.8 knows; of others the size is not checked.
DTYPES = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
    "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64, "C64": 64,
}  # fmt: skip
PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
NOT_WEIGHTS = re.compile(r"(?:^|/)(?:training_args\.bin|optimizer\.pt|scheduler\.pt|rng_state.*\.pth)$")
NOT_PICKLE = re.compile(r"(?:^|/)(?:openvino/|.*openvino.*\.bin$|onnx/)")
EMBEDDING = re.compile(
    r"(?:^|\.)(?:word_embeddings|embed_tokens|tok_embeddings|wte|shared|token_embedding)\.weight$|^embeddings?(?:\.weight)?$"
)


class WeightsError(ValueError):
    """A weights file is not what its name says."""


def read_header(path: Path) -> dict[str, dict[str, Any]]:
    """Return a safetensors file's tensors: name → {dtype, shape, data_offsets}, without reading any weights.

    Raises WeightsError where the file is too short, is a Git LFS pointer, or its header is no valid header; OSError.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if len(start) == 8 and LFS_POINTER.encode().startswith(start):
            raise WeightsError(LFS_PROBLEM)
        length = int.from_bytes(start, "little")
        if len(start) < 8 or length > min(MAX_HEADER_BYTES, size - 8):
            raise WeightsError("is cut short or is no safetensors file: its header is longer than the file")
        try:
            header = json.loads(file.read(length))
            tensors = {name: tensor for name, tensor in header.items() if name != "__metadata__"}
            needed = _check_tensors(list(tensors.values()))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise WeightsError("has a header that is not valid") from None
    if 8 + length + needed > size:
        raise WeightsError(f"is cut short: its header promises {8 + length + needed:,} bytes, the file has {size:,}")
    return tensors


def _check_tensors(tensors: list[dict[str, Any]]) -> int:
    """Return where the last tensor ends; raises ValueError, TypeError or KeyError for what the format does not allow."""
    end = 0
    for tensor in sorted(tensors, key=lambda tensor: int(tensor["data_offsets"][0])):
        shape, (first, last), bits = tensor["shape"], tensor["data_offsets"], DTYPES.get(tensor["dtype"])
        if not all(type(number) is int and 0 <= number < MAX_LENGTH for number in (*shape, first, last)) or not isinstance(shape, list):
            raise ValueError("lengths and offsets are whole numbers")
        values = 1
        for number in shape:  # stops at the first product that no file can hold
            values *= number
            if values > MAX_LENGTH:
                raise ValueError("a tensor is larger than any file")
        if first < end or last < first or (bits and (last - first) * 8 != values * bits):
            raise ValueError("the tensors overlap or have not the size of their shape")
        end = last
    return end


def collect_weights(facts: Facts, listing: Listing) -> None:
    """Fill the group `weights`."""
    seen = False
    tensors: dict[str, tuple[Location, dict[str, Any]]] = {}
    for path, size in listing.sizes.items():
        place = Location(path)
        if path.endswith(".safetensors"):
            seen = True
            if path in listing.elsewhere:
                facts.add("weights.safetensors", place, path=path, parameters=None, tensors=None, bytes=size)
                continue
            try:
                header = read_header(listing.root / path)
            except (WeightsError, OSError) as error:
                reason = str(error) if isinstance(error, WeightsError) else f"cannot be read: {error.strerror}"
                facts.add("weights.broken", place, path=path, problem=reason)
                continue
            parameters = sum(math.prod(tensor["shape"]) for tensor in header.values())
            facts.add("weights.safetensors", place, path=path, parameters=parameters, tensors=len(header), bytes=size)
            tensors |= {name: (place, tensor) for name, tensor in header.items()}
        elif path.endswith(PICKLE_SUFFIXES) and not NOT_WEIGHTS.search(path) and not NOT_PICKLE.search(path):
            seen = True
            facts.add("weights.pickle", place, path=path, bytes=size)
    for suffix in ("onnx", "gguf"):
        found = [path for path in listing.sizes if path.endswith("." + suffix)]
        facts.set(f"weights.{suffix}", found)
        seen = seen or bool(found)
    if seen:
        facts.sources["weights"] = Source("known")
    _summarise(facts, tensors)
    _check_index(facts, listing)


def _summarise(facts: Facts, tensors: dict[str, tuple[Location, dict[str, Any]]]) -> None:
    if not tensors:
        return
    first = next(iter(tensors.values()))[0]
    facts.places["weights"] = first
    rows = facts["weights.safetensors"]
    facts.set("weights.parameters", min(sum(row["parameters"] or 0 for row in rows), 2**62), first)
    facts.set("weights.dtypes", sorted({str(tensor.get("dtype")) for _, tensor in tensors.values()}))
    for name, (place, tensor) in tensors.items():
        if EMBEDDING.search(name) and len(tensor["shape"]) == 2:
            facts.set("weights.vocab_size", int(tensor["shape"][0]), place)
            facts.set("weights.hidden_size", int(tensor["shape"][1]), place)
            return


def _check_index(facts: Facts, listing: Listing) -> None:
    """Note what a sharded model's index names and the repository does not have."""
    for path in listing.sizes:
        if not path.endswith(".safetensors.index.json"):
            continue
        try:
            text, _ = listing.read(path)
            shards = sorted({str(shard) for shard in json.loads(text)["weight_map"].values()})
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            facts.add("weights.broken", Location(path), path=path, problem="is not a valid index of shards")
            continue
        folder = path.rpartition("/")[0]
        for shard in shards:
            if (f"{folder}/{shard}" if folder else shard) not in listing:
                facts.add("weights.broken", Location(path), path=path, problem=f"names the shard {shard}, which is not there")
