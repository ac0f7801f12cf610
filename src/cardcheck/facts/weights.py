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
from cardcheck.pattern import Pattern

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
PICKLE_SUFFIXES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill")
ARRAY_SUFFIXES = (".npy", ".npz")  # NumPy's, which hold pickles where they are arrays of objects
NOT_WEIGHTS = Pattern(
    r"(?:^|/)(?:training_args\.bin|(?:optimizer|scheduler|scaler|sampler)\.(?:pt|bin)|rng_state.*\.pth|random_states_\d+\.pkl"
    r"|(?:zero_|mp_rank_|bf16_zero_)[^/]*_(?:optim|model)_states\.pt)$"
)
# Formats of other programs that end in .bin too: OpenVINO, ONNX, Core ML, TensorFlow.js, llama.cpp, fastText.
NOT_PICKLE = Pattern(
    r"(?:^|/)(?:(?:openvino|onnx|coreml|tfjs|ncnn|mnn)/|[^/]*openvino[^/]*\.bin$|[^/]+\.ml(?:package|modelc)/|group\d+-shard[^/]*\.bin$"
    r"|[^/]*(?:ggml|gguf|[-_.]q\d_[0-9k])[^/]*\.bin$|lid\.\d+\.bin$)",
    re.IGNORECASE,
)
BESIDE = (".xml", ".param", ".mlmodel")  # what stands beside a .bin that is OpenVINO's, ncnn's or Core ML's
CTRANSLATE2 = frozenset({"vocabulary.json", "vocabulary.txt", "shared_vocabulary.json", "shared_vocabulary.txt", "source_vocabulary.json"})
# The first bytes of other formats that also end in .bin: llama.cpp's old and new ones, fastText.
OTHER_FORMATS = (b"GGUF", b"lmgg", b"fmgg", b"tjgg", b"algg", b"\xba\x16\x4f\x2f")
EMBEDDING = Pattern(
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
        if length > MAX_HEADER_BYTES and (other := _other_format(start)):
            raise WeightsError(f"is {other}, and no safetensors file")
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
    if 8 + length + needed < size:
        raise WeightsError(f"goes on after its last tensor: its header promises {8 + length + needed:,} bytes, the file has {size:,}")
    return tensors


def _other_format(start: bytes) -> str:
    """Say what a file is that only its name calls safetensors."""
    if start.startswith(b"PK\x03\x04"):
        return "a zip archive, such as PyTorch writes"
    if start[0] == 0x80 and 2 <= start[1] <= 5:
        return "a pickle"
    return "a GGUF file" if start.startswith(b"GGUF") else ""


def _check_tensors(tensors: list[dict[str, Any]]) -> int:
    """Return where the last tensor ends; raises ValueError, TypeError or KeyError for what the format does not allow."""
    end = 0
    for tensor in sorted(tensors, key=lambda tensor: tuple(tensor["data_offsets"])):
        shape, (first, last), bits = tensor["shape"], tensor["data_offsets"], DTYPES.get(tensor["dtype"])
        if not all(type(number) is int and 0 <= number < MAX_LENGTH for number in (*shape, first, last)) or not isinstance(shape, list):
            raise ValueError("lengths and offsets are whole numbers")
        values = 1
        for number in shape:  # stops at the first product that no file can hold
            values *= number
            if values > MAX_LENGTH:
                raise ValueError("a tensor is larger than any file")
        if first != end or last < first or (bits and (last - first) * 8 != values * bits):
            raise ValueError("the tensors overlap, leave gaps or have not the size of their shape")
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
        elif _is_pickle(listing, path):
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


def pickle_paths(listing: Listing) -> list[str]:
    """Return the files that are pickles, or hold some, by their names: weights, what training left behind, and arrays."""
    suffixes = PICKLE_SUFFIXES + ARRAY_SUFFIXES
    return [path for path in listing.sizes if path.lower().endswith(suffixes) and not _is_other_format(listing, path)]


def _is_other_format(listing: Listing, path: str) -> bool:
    """Tell by the names of a file, its folder and its neighbours that it is another program's."""
    if NOT_PICKLE.search(path):
        return True
    folder, _, name = path.rpartition("/")
    stem = path.removesuffix(".bin")
    if stem == path or name.startswith(("pytorch_model", "adapter_model")):
        return False
    beside = f"{folder}/" if folder else ""
    return any(stem + suffix in listing for suffix in BESIDE) or (
        name == "model.bin" and any(beside + vocabulary in listing for vocabulary in CTRANSLATE2)
    )


def _is_pickle(listing: Listing, path: str) -> bool:
    """Tell whether a file holds weights in a pickle: by its name, and by its first bytes where it is here."""
    if not path.lower().endswith(PICKLE_SUFFIXES) or NOT_WEIGHTS.search(path) or _is_other_format(listing, path):
        return False
    if path in listing.elsewhere:
        return True
    try:
        with (listing.root / path).open("rb") as file:
            return not file.read(8).startswith(OTHER_FORMATS)
    except OSError:
        return True


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
