"""Which keys speak of an embedding model, and which model a name means."""

from __future__ import annotations

import pytest

from cardcheck.facts.application.names import is_dimension_key, is_placeholder, looks_like_id, resolve, role_of_key

FULL = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("embedding_model", "embedding"),
        ("embeddingModel", "embedding"),
        ("EMBED_MODEL_ID", "embedding"),
        ("embedder", "embedding"),
        ("sentence-transformer-name", "embedding"),
        ("reranker_model", "reranker"),
        ("cross_encoder_name", "reranker"),
        ("embedding_model_url", ""),
        ("embedding_dim", ""),
        ("embeddings", ""),
        ("model", ""),
        ("member_model", ""),
        ("", ""),
    ],
)
def test_keys(key: str, role: str) -> None:
    """A key is split into words however it is written; what it says of size, address or price names no model."""
    assert role_of_key(key) == role


@pytest.mark.parametrize(
    ("given", "library", "meant"),
    [
        ("all-MiniLM-L6-v2", "", (FULL, "hub", None)),
        (FULL, "fastembed", (FULL, "hub", None)),
        (f"{FULL}@abc", "", (FULL, "hub", "abc")),
        (f"https://huggingface.co/{FULL}/tree/main", "", (FULL, "hub", None)),
        (f"huggingface:{FULL}", "", (FULL, "hub", None)),
        ("sentence_transformers/all-MiniLM-L6-v2", "", (FULL, "hub", None)),
        ("cross_encoder/ms-marco-MiniLM-L6-v2", "", ("cross-encoder/ms-marco-MiniLM-L6-v2", "hub", None)),
        ("fastembed/BAAI/bge-small-en-v1.5", "", ("BAAI/bge-small-en-v1.5", "hub", None)),
        ("openai/text-embedding-3-small", "", ("text-embedding-3-small", "api", None)),
        ("huggingface/BAAI/bge-m3", "litellm", ("BAAI/bge-m3", "hub", None)),
        ("nomic-embed-text:latest", "ollama", ("nomic-embed-text", "api", None)),
        ("models/ours", "", ("models/ours", "local", None)),
        ("./ours/model", "", ("./ours/model", "local", None)),
        ("ours", "sentence-transformers", ("ours", "local", None)),
        ("bert-base-uncased", "transformers", ("bert-base-uncased", "hub", None)),
    ],
)
def test_names(given: str, library: str, meant: tuple[str, str, str | None]) -> None:
    """Short names, prefixes of libraries and services, addresses and revisions all lead to one id."""
    assert resolve(given, library) == meant


@pytest.mark.parametrize("name", ["your-org/model", "<org>/<model>", "${MODEL}", "{name}", "org/model-name", "my-model"])
def test_placeholders(name: str) -> None:
    """A name that is still to be filled in is none."""
    assert is_placeholder(name)


@pytest.mark.parametrize(
    ("name", "is_id"),
    [
        ("a/b", True),
        ("models/b", False),
        ("a/b.json", False),
        ("a/123", False),
        ("a/b/c", False),
        ("text/plain", False),
        ("a" * 200, False),
    ],
)
def test_ids(name: str, is_id: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """Paths, files and media types are not taken for ids of the Hub."""
    assert looks_like_id(name) is is_id


@pytest.mark.parametrize(
    ("key", "inside", "states"),
    [
        ("embedding_dim", False, True),
        ("vectorSize", False, True),
        ("dims", False, False),
        ("dims", True, True),
        ("size", True, False),
        ("embed_batch_size", True, False),
    ],
)
def test_sizes(key: str, inside: bool, states: bool) -> None:  # noqa: FBT001  # parameters of the test
    """A key states the size of vectors by itself, or where all around speaks of embedding."""
    assert is_dimension_key(key, inside=inside) is states
