"""A model in an ONNX file, run by onnxruntime: tokenizer.json, the graph, then the pooling that modules.json asks for."""

from __future__ import annotations

import json
import mmap
from typing import TYPE_CHECKING, Any

from cardcheck.spotcheck.backends import KINDS, Item, Kind, UnsupportedError, chosen_prompt

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

POOLINGS = ("cls", "mean", "max", "lasttoken")
OLD_NAMES = {"cls_token": "cls", "mean_tokens": "mean", "max_tokens": "max", "lasttoken": "lasttoken"}
MODULES = {"Transformer", "Pooling", "Normalize"}
POOLED = ("sentence_embedding", "pooler_output_sentence")  # outputs that are one vector a text, pooled by the graph
# Such a graph scales activations by their range over the whole batch: only alone is a text's vector its own.
BY_BATCH = b"DynamicQuantizeLinear"
MOST_TOKENS = 1 << 15


class OnnxBackend:
    """An encoder in an ONNX file."""

    def __init__(self, path: Path, *, device: str) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise UnsupportedError("the ONNX backend is not installed: pip install onnxruntime") from None
        from tokenizers import Tokenizer

        self.path, self.file = path, _graph(path)
        self.pooling, self.normalise = _modules(path)
        self.prompts, self.similarity = _settings(path)
        self.max_tokens = _max_tokens(path)
        self.tokenizer = Tokenizer.from_file(str(_first(path, "tokenizer.json")))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(self.max_tokens)
        options = onnxruntime.SessionOptions()
        providers = ["CUDAExecutionProvider"] if device.startswith("cuda") else ["CPUExecutionProvider"]
        self.session = onnxruntime.InferenceSession(str(self.file), options, providers=providers)
        self.inputs = {entry.name for entry in self.session.get_inputs()}
        self.output = _output([(entry.name, len(entry.shape or ())) for entry in self.session.get_outputs()])
        self.texts = 1 if _contains(self.file, BY_BATCH) else 1 << 20

    def tokenise(self, texts: list[str], kind: Kind) -> list[Item]:
        """Tokenise with the prompt of their kind."""
        encoded = self.tokenizer.encode_batch([self.prompts[kind] + text for text in texts])
        return [Item(len(one.ids), one.ids) for one in encoded]

    def vectors(self, items: list[Item], kind: Kind) -> Vectors:  # noqa: ARG002  # the protocol's
        """Run one batch and pool it."""
        import numpy as np

        lengths = np.array([item.length for item in items])
        mask = (np.arange(max(1, lengths.max())) < lengths[:, None]).astype(np.int64)
        ids = np.zeros_like(mask)  # what stands where nothing is looked at does not matter
        ids[mask.astype(bool)] = np.concatenate([np.asarray(item.data, np.int64) for item in items])
        given = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(mask)}
        tokens = self.session.run([self.output], {name: array for name, array in given.items() if name in self.inputs})[0]
        tokens = np.asarray(tokens, np.float32)
        pooled = tokens if tokens.ndim == 2 else _pool(tokens, mask, self.pooling)
        if self.normalise:
            pooled = pooled / np.maximum(np.linalg.norm(pooled, axis=1, keepdims=True), np.finfo(np.float32).tiny)
        return np.ascontiguousarray(pooled, np.float32)

    def about(self) -> dict[str, Any]:
        """Say what ran."""
        import onnxruntime

        return {
            "backend": "onnx",
            "file": str(self.file.relative_to(self.path)),
            "max_seq_length": self.max_tokens,
            "similarity": self.similarity,
            "assumed_mean_pooling": not (self.path / "modules.json").is_file(),
            "prompts": self.prompts,
            "device": "cuda" if "CUDAExecutionProvider" in self.session.get_providers() else "cpu",
            "dtype": "onnx",
            "one_text_a_batch": self.texts == 1,
            "onnxruntime": onnxruntime.__version__,
        }


def _first(path: Path, name: str) -> Path:
    found = next((folder / name for folder in (path, path / "onnx") if (folder / name).is_file()), None)
    if found is None:
        raise UnsupportedError(f"there is no {name}")
    return found


def _graph(path: Path) -> Path:
    """Return the graph: the plain one before those of other precisions."""
    plain = (path / "onnx" / "model.onnx", path / "model.onnx")
    found = [*plain, *sorted((path / "onnx").glob("model*.onnx")), *sorted(path.glob("*.onnx"))]
    graph = next((file for file in found if file.is_file()), None)
    if graph is None:
        raise UnsupportedError("there is no model.onnx")
    return graph


def _json(file: Path, kind: type) -> Any:
    """Return what a JSON file says; an empty one of its kind where it is not there or is something else."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return kind()
    return found if isinstance(found, kind) else kind()


def _modules(path: Path) -> tuple[str, bool]:
    """Return the pooling and whether vectors are normalised. Raises UnsupportedError for other modules and other poolings."""
    rows = [row for row in _json(path / "modules.json", list) if isinstance(row, dict)]
    names = {str(row.get("type", "")).rpartition(".")[2]: str(row.get("path", "")) for row in rows}
    if others := set(names) - MODULES:
        raise UnsupportedError(f"the ONNX backend runs no module {', '.join(sorted(others))[:100]}")
    folder = names.get("Pooling") or "1_Pooling"
    config = {} if ".." in folder.split("/") else _json(path / folder / "config.json", dict)
    chosen = config.get("pooling_mode") or [
        name for key, name in OLD_NAMES.items() if config.get(f"pooling_mode_{key}") is True
    ]  # the key of sentence-transformers 6 and the ones before
    chosen = [chosen] if isinstance(chosen, str) else chosen or ["mean"]
    if len(chosen) != 1 or chosen[0] not in POOLINGS:
        raise UnsupportedError(f"the ONNX backend does not pool by {chosen!r}"[:200])
    return chosen[0], "Normalize" in names


def _settings(path: Path) -> tuple[dict[str, str], str]:
    """Return the prompts by kind, and the similarity."""
    config = _json(path / "config_sentence_transformers.json", dict)
    prompts = config.get("prompts") if isinstance(config.get("prompts"), dict) else {}
    known = {"query": "", "document": ""} | prompts  # as sentence-transformers fills them up
    found: dict[str, str] = {kind: chosen_prompt(known, config.get("default_prompt_name"), kind) for kind in KINDS}
    return found, str(config.get("similarity_fn_name") or "cosine")


def _max_tokens(path: Path) -> int:
    """Return at how many tokens texts are cut."""
    told = (
        _json(path / "sentence_bert_config.json", dict).get("max_seq_length"),
        _json(path / "tokenizer_config.json", dict).get("model_max_length"),
        _json(path / "config.json", dict).get("max_position_embeddings"),
    )
    return int(next((number for number in told if isinstance(number, (int, float)) and 0 < number <= MOST_TOKENS), 512))


def _output(outputs: list[tuple[str, int]]) -> str:
    """Return the output to take: a sentence vector where the graph makes one, else the token vectors."""
    pooled = next((name for name, _ in outputs if name in POOLED), None)
    tokens = next((name for name, rank in outputs if rank == 3), None)
    found = pooled or tokens
    if found is None:
        raise UnsupportedError("the ONNX graph gives neither token vectors nor a sentence_embedding")
    return found


def _pool(tokens: Vectors, mask: NDArray[np.int64], pooling: str) -> Vectors:
    import numpy as np

    if pooling == "cls":
        return np.asarray(tokens[:, 0])
    if pooling == "lasttoken":
        return np.asarray(tokens[np.arange(len(tokens)), np.maximum(mask.sum(axis=1) - 1, 0)])
    weights = mask[:, :, None].astype(np.float32)
    if pooling == "max":
        return np.asarray(np.where(weights > 0, tokens, -np.inf).max(axis=1), np.float32)
    return np.asarray((tokens * weights).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-9), np.float32)


def _contains(file: Path, text: bytes) -> bool:
    with file.open("rb") as stream:
        if file.stat().st_size == 0:
            return False
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return content.find(text) >= 0
