"""Code and configuration of an application that chooses an embedding model: from files to the group `app`."""

from __future__ import annotations

from functools import partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cardcheck.facts.application.audits import read_audits
from cardcheck.facts.application.found import Found
from cardcheck.facts.application.join import Application, fill
from cardcheck.facts.located import Location
from cardcheck.facts.model import Facts, Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardcheck.facts.files import Listing

MAX_AGE_DAYS = 180
SUPPRESSES = "cardcheck:"
# A file without any of these says nothing of embedding. Looking for them costs microseconds, reading a syntax tree milliseconds.
NAMES = (
    "entence_transformers", "entence-transformers", "entenceTransformer", "SENTENCE_TRANSFORMER", "rerank", "Rerank", "RERANK", "CrossEncoder",
    "cross-encoder", "FlagModel", "FlagReranker", "INSTRUCTOR", "MiniLM", "minilm", "mpnet", "bge-", "intfloat/", "/gte-", "jina-", "nomic-",
    "mxbai", "LaBSE", "mean-tokens", "dense_vector", "knn_vector", "vector(", "VECTOR(", "EMBED", "text-embedding", "voyage-",
)  # fmt: skip
# In code, "embed" alone is in every neural network.
CODE = (
    *NAMES, "VectorParams", "FLOAT_VECTOR", "IndexFlat", "faiss", "Vector(", "StaticModel", "TextSplitter", "SentenceSplitter", "embedding_model",
    "embed_model", "emb_model", "mbedder", "Embeddings", "llama_index", "haystack", "fastembed", "embeddings.create", "Embedding.create", "embed_content",
    "EmbeddingFunction", "EmbeddingModel", "embeddingModel", "embedding_function", "'embedding'", '"embedding"', "'embeddings'", '"embeddings"',
    "feature-extraction", "VectorField", "trust_remote_code",
)  # fmt: skip
SETTINGS = (*NAMES, "embed", "Embed", "vector")
DATA_SUFFIXES = (".lock", "-lock.json", ".lock.json", ".min.json", ".geojson", ".schema.json")
MAX_DATA = 300_000  # a larger JSON file holds data, not settings


def collect_application(facts: Facts, listing: Listing, *, audits: tuple[str, ...] = (), max_age_days: int = MAX_AGE_DAYS) -> None:
    """Fill the group `app` from the files that were named; `audits` are the patterns of kept audits, none for the usual places."""
    application = Application(listing)
    for path in listing.sizes:
        reader = reader_of(path)
        if reader is None:
            continue
        try:
            text, cut = listing.read(path)
        except OSError as error:
            facts.add("app.problems", Location(path), path=path, problem=f"cannot be read: {error.strerror}")
            continue
        if not _speaks(text, CODE if path.endswith((".py", ".ipynb")) else SETTINGS):
            if SUPPRESSES in text:
                facts.texts[path] = text
            continue
        found = Found()
        if cut and not path.endswith(".json"):
            found.problem = ("is larger than 4 MB; only its beginning is read", (1, 1))
        if not (path.endswith(".json") and (len(text) > MAX_DATA or '"cardcheck_version"' in text)):
            reader(text, found)
        application.add(path, found)
        if found != Found() or SUPPRESSES in text:
            facts.texts[path] = text
    kept = read_audits(listing, audits)
    fill(facts, application, kept)
    facts.set("app.files", len(listing.sizes))
    facts.set("app.audits_kept", bool(kept or audits))
    facts.set("app.max_audit_age_days", max_age_days)
    facts.sources["app"] = Source("known")


def _speaks(text: str, triggers: tuple[str, ...]) -> bool:
    for trigger in triggers:  # noqa: SIM110  # any() with a generator takes three times as long, and this runs for every file
        if trigger in text:
            return True
    return False


def reader_of(path: str) -> Callable[[str, Found], None] | None:
    """Return the function that reads a file of this name; None for one that holds neither code nor settings."""
    name = PurePosixPath(path).name.lower()
    if name.endswith(DATA_SUFFIXES):
        return None
    about = PurePosixPath(path).stem
    suffix = PurePosixPath(name).suffix
    if suffix == ".py":
        from cardcheck.facts.application.python import read_python

        return read_python
    if suffix == ".ipynb":
        from cardcheck.facts.application.notebook import read_notebook

        return read_notebook
    if suffix == ".sql":
        return _read_sql
    return _settings(name, suffix, about)


def _settings(name: str, suffix: str, about: str) -> Callable[[str, Found], None] | None:
    from cardcheck.facts.application import dotenv, structured

    if name.startswith(("dockerfile", "containerfile")) or suffix in (".dockerfile", ".containerfile"):
        return partial(dotenv.read_dockerfile, about="")
    if name.startswith(".env") or suffix == ".env" or ".env." in name:
        return partial(dotenv.read_env, about="")
    readers = {
        ".yaml": structured.read_yaml, ".yml": structured.read_yaml, ".json": structured.read_json, ".toml": structured.read_toml,
        ".sh": dotenv.read_shell, ".bash": dotenv.read_shell, ".cfg": structured.read_lines, ".ini": structured.read_lines,
        ".tpl": structured.read_lines, ".j2": structured.read_lines,
    }  # fmt: skip
    return partial(readers[suffix], about=about) if suffix in readers else None


def _read_sql(text: str, found: Found) -> None:
    from bisect import bisect_right

    from cardcheck.facts.application.sql import read_sql

    breaks = [-1, *(at for at, letter in enumerate(text) if letter == "\n")]

    def place(offset: int) -> tuple[int, int]:
        line = bisect_right(breaks, offset - 1)
        return line, offset - breaks[line - 1]

    read_sql(text, found, place)
