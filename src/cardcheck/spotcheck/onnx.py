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
    from tokenizers import Tokenizer

    Vectors = NDArray[np.float32]

POOLINGS = ("cls", "mean", "max", "lasttoken")
OLD_NAMES = {
    "cls_token": "cls", "mean_tokens": "mean", "max_tokens": "max", "lasttoken": "lasttoken", "weightedmean_tokens": "weightedmean",
    "mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
}  # fmt: skip
MODULES = {"Transformer", "Pooling", "Normalize"}
# Settings of sentence_bert_config.json that change what is read of a text, and that only sentence-transformers follows.
NOT_FOLLOWED = ("query_length", "document_length", "query_expansion", "processing_kwargs", "processor_kwargs", "tokenizer_args")
POOLED = ("sentence_embedding", "pooler_output_sentence")  # outputs that are one vector a text, pooled by the graph
TOKENS = ("last_hidden_state", "token_embeddings")
OTHER_TOKENS = ("logits", "hidden_states")  # what their names begin with: a prediction, or a layer before the last
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
        self.path, self.file = path, _graph(path)
        self.prompts, self.similarity, self.dimension = _settings(path)
        self.pooling, self.normalise = _modules(path, prompts=any(self.prompts.values()))
        self.tokenizer, self.max_tokens = _tokenizer(path)
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
        return np.ascontiguousarray(pooled[:, : self.dimension], np.float32)  # after normalising, as sentence-transformers cuts

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


def modules(path: Path) -> list[tuple[str, str]]:
    """Return class and folder of each module that modules.json names."""
    rows = [row for row in _json(path / "modules.json", list) if isinstance(row, dict)]
    return [(str(row.get("type") or "").rpartition(".")[2], str(row.get("path") or "")) for row in rows]


def _modules(path: Path, *, prompts: bool) -> tuple[str, bool]:
    """Return the pooling and whether vectors are normalised. Raises UnsupportedError for other modules and other poolings."""
    names = dict(modules(path))
    if others := set(names) - MODULES:
        raise UnsupportedError(f"the ONNX backend runs no module {', '.join(sorted(others))[:100]}")
    folder = names.get("Pooling") or "1_Pooling"
    config = _json(path / folder / "config.json", dict)
    chosen = config.get("pooling_mode") or [
        name for key, name in OLD_NAMES.items() if config.get(f"pooling_mode_{key}") is True
    ]  # the key of sentence-transformers 6 and the ones before
    chosen = [chosen] if isinstance(chosen, str) else chosen or ["mean"]
    if len(chosen) != 1 or chosen[0] not in POOLINGS:
        raise UnsupportedError(f"the ONNX backend does not pool by {chosen!r}"[:200])
    if prompts and config.get("include_prompt") is False:
        raise UnsupportedError("the ONNX backend does not leave a prompt's tokens out of pooling")
    return chosen[0], "Normalize" in names


def _settings(path: Path) -> tuple[dict[str, str], str, int | None]:
    """Return the prompts by kind, the similarity, and at how many numbers vectors are cut, None where they are not."""
    config = _json(path / "config_sentence_transformers.json", dict)
    prompts = config.get("prompts") if isinstance(config.get("prompts"), dict) else {}
    known = {"query": "", "document": ""} | prompts  # as sentence-transformers fills them up
    found: dict[str, str] = {kind: chosen_prompt(known, config.get("default_prompt_name"), kind) for kind in KINDS}
    dimension = config.get("truncate_dim")
    return found, str(config.get("similarity_fn_name") or "cosine"), dimension if _positive(dimension) else None


def _tokenizer(path: Path) -> tuple[Tokenizer, int]:
    """Return the tokenizer as sentence-transformers sets it up, and at how many tokens it cuts. Raises UnsupportedError."""
    from tokenizers import Tokenizer
    from tokenizers.normalizers import Lowercase, Sequence

    encoder, own = _json(path / "sentence_bert_config.json", dict), _json(path / "tokenizer_config.json", dict)
    if asked := [name for name in NOT_FOLLOWED if encoder.get(name)]:
        raise UnsupportedError(f"the ONNX backend does not follow {', '.join(asked)} of sentence_bert_config.json")
    tokenizer = Tokenizer.from_file(str(_first(path, "tokenizer.json")))
    cut = tokenizer.truncation or {}
    most = _max_tokens(encoder.get("max_seq_length"), own.get("model_max_length"), path)
    left = (own.get("truncation_side") or cut.get("direction")) == "left"
    tokenizer.no_padding()
    tokenizer.enable_truncation(most, direction="left" if left else "right")
    if encoder.get("do_lower_case"):
        tokenizer.normalizer = Sequence([Lowercase(), *([tokenizer.normalizer] if tokenizer.normalizer else [])])
    return tokenizer, most


def _max_tokens(stated: Any, tokenizers: Any, path: Path) -> int:
    """Return at how many tokens texts are cut: as stated, else at the smaller of the two limits, as sentence-transformers does."""
    limits = (tokenizers, _json(path / "config.json", dict).get("max_position_embeddings"))
    found = [stated] if _positive(stated) else [limit for limit in limits if _positive(limit)]
    return int(min([*found, MOST_TOKENS]))


def _positive(number: Any) -> bool:
    return type(number) in (int, float) and number > 0


def _output(outputs: list[tuple[str, int]]) -> str:
    """Return the output to take: a sentence vector where the graph makes one, else the token vectors; not any other row a token."""
    by_token = [name for name, rank in outputs if rank == 3]
    known = [name for name, _ in outputs if name in POOLED] + [name for name in TOKENS if name in by_token]
    if known:
        return known[0]
    if len(by_token) == 1 and not by_token[0].startswith(OTHER_TOKENS):
        return by_token[0]
    raise UnsupportedError("the ONNX graph has no output that is known to be token vectors or a sentence_embedding")


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
