"""Names: which keys speak of an embedding model, what looks like a model's name, and which model a name means."""

from __future__ import annotations

import functools
import re
from typing import Literal

from cardcheck.catalogue import models

Kind = Literal["hub", "api", "local"]
HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
HUB_ADDRESS = re.compile(r"https?://(?:www\.)?(?:huggingface\.co|hf\.co)/([A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})(?:[/?#]|$)")
COMMIT = re.compile(r"[0-9a-f]{40}")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
NO_LETTER = re.compile(r"[^a-z0-9]+")
FILE = re.compile(
    r"\.(?:py|json|ya?ml|txt|onnx|bin|pt|pth|ckpt|gguf|safetensors|tar|gz|zip|csv|md|sh|html|jpg|png|db|sqlite|env|log|so|index)$",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(
    r"your|\bmy[-_]|example|placeholder|username|<|>|\$|\{|\}|%|^(?:org|owner|user|namespace|acme-org|company|foo|some[-_]\w+)/"
    r"|/(?:model|name|repo|model[-_]?name|model[-_]?id|repo[-_]?name|bar)$",
    re.IGNORECASE,
)
FOLDERS = frozenset({
    "models", "model", "data", "checkpoints", "checkpoint", "weights", "output", "outputs", "saved_models", "saved-models", "local", "results",
    "app", "src", "assets", "artifacts", "cache", "tmp", "static", "resources", "trained_models", "pretrained", "embeddings", "runs", "files",
    "home", "mnt", "opt", "content", "kaggle", "workspace", "text", "application", "image", "audio", "video", "multipart", "http", "library",
})  # fmt: skip
# What services put before a model's name, as in litellm's openai/text-embedding-3-small.
SERVICES = frozenset({
    "openai", "azure", "azure_openai", "cohere", "voyage", "voyageai", "bedrock", "amazon_bedrock", "vertex_ai", "vertexai", "google_vertexai",
    "gemini", "google", "google_genai", "google-genai", "mistral", "mistralai", "ollama", "jina_ai", "nvidia_nim", "together_ai", "fireworks_ai",
    "databricks", "watsonx", "lm_studio", "lmstudio", "hosted_vllm", "text-completion-openai", "litellm", "openrouter", "xinference", "deepinfra", "groq", "anthropic",
})  # fmt: skip
LOCAL_PREFIXES = ("local:", "huggingface:", "hf:", "hf://", "sentence-transformers:", "sentence_transformers:", "fastembed:")
# In settings only: "sentence_transformers/all-MiniLM-L6-v2" says who loads the model, and no class would take it.
LIBRARY_PREFIXES = ("sentence_transformers/", "cross_encoder/", "fastembed/", "flagembedding/")
CANONICAL = re.compile(
    r"(?:bert|roberta|distilbert|distilroberta|albert|xlm|xlnet|camembert|electra|t5|gpt2|openai-gpt)(?:-[a-z0-9]+){0,6}"
)
EMBEDS = re.compile(r"^(?:embed\w*|sbert|text2vec|vectorizer)$")
OTHER = frozenset({
    "dim", "dims", "dimension", "dimensions", "size", "url", "uri", "api", "key", "token", "provider", "device", "batch", "type", "class", "backend",
    "prompt", "port", "host", "endpoint", "kwargs", "cache", "max", "min", "timeout", "prefix", "suffix", "function", "fn", "region", "dtype",
    "format", "instruction", "threads", "workers", "service", "options", "choices", "list", "supported", "available", "config", "cost", "price",
    "description", "label", "help", "table", "column", "field", "index", "collection", "file", "version", "args", "params", "limit", "threshold",
})  # fmt: skip
NAMING = frozenset({"model", "name", "id", "repo", "checkpoint", "path", "dir", "identifier", "modelname", "modelid", "default"})
GENERIC = frozenset({
    "model", "model_name", "model_id", "modelname", "modelid", "model_name_or_path", "base_model", "hf_model", "hf_model_id", "hf_model_name",
    "hf_repo", "repo_id", "hf_repo_id", "pretrained_model_name_or_path", "model_repo", "default_model", "model_path", "engine", "hf_model_path",
    "hf_model_repo_id", "hub_id", "hf_hub_id", "transformer_model", "huggingface_model",
    "default_model_name", "default_model_id", "local_model", "local_model_name", "encoder_model", "encoder_name", "text_model",
    "retriever_model", "retrieval_model", "dense_model", "semantic_model", "similarity_model", "transformer", "encoder",
})  # fmt: skip
WEAK = frozenset({"name", "id", "path", "value", "default", "repo", "model_dir"})  # a choice only where all around speaks of embedding
REVISIONS = frozenset({
    "revision", "model_revision", "code_revision", "hf_revision", "commit", "model_commit", "git_revision", "commit_hash", "model_version_sha",
})  # fmt: skip


@functools.lru_cache(maxsize=8192)
def words(key: str) -> tuple[str, ...]:
    """Return a key's words in small letters: `embeddingModel`, `EMBEDDING_MODEL` and `embedding-model` have the same ones."""
    return tuple(word for word in NO_LETTER.split(CAMEL.sub("_", key[:120]).lower()) if word)


@functools.lru_cache(maxsize=8192)
def role_of_key(key: str) -> Literal["embedding", "reranker", ""]:
    """Return what a key says of its own value: the name of a model that embeds, of one that ranks, or nothing certain."""
    parts = words(key)
    about: Literal["embedding", "reranker", ""] = subject_of(key)
    if not about or (set(parts) & OTHER):
        return ""
    if len(parts) == 1 and parts[0] in ("embed", "embeddings", "embedded", "reranking", "rerank"):
        return ""
    return about if len(parts) == 1 or set(parts) & NAMING or parts[-1] in ("embedder", "embedding", "reranker", "sbert") else ""


def is_location(key: str) -> bool:
    """Tell whether a key may hold a path as well as a name."""
    return bool({"path", "dir", "default", "checkpoint"} & set(words(key)))


def subject_of(key: str) -> Literal["embedding", "reranker", ""]:
    """Return whether a key speaks of embedding or ranking at all."""
    parts = words(key)
    if any(part.startswith("rerank") for part in parts) or ("cross" in parts and "encoder" in parts) or "crossencoder" in parts:
        return "reranker"
    if any(EMBEDS.match(part) for part in parts) or "sentencetransformer" in parts or "sentencetransformers" in parts:
        return "embedding"
    return "embedding" if "sentence" in parts and ("transformer" in parts or "transformers" in parts or "encoder" in parts) else ""


def generic(key: str) -> Literal["model", "weak", ""]:
    """Return whether a key names a model of any kind, may name anything (`weak`), or names no model."""
    joined = "_".join(words(key))
    return "model" if joined in GENERIC else "weak" if joined in WEAK else ""


def is_revision_key(key: str) -> bool:
    """Tell whether a key holds the revision of the model beside it."""
    joined = "_".join(words(key))
    return joined in REVISIONS or (joined.endswith("_revision") and bool(subject_of(key)))


def is_dimension_key(key: str, *, inside: bool) -> bool:
    """Tell whether a key states the size of vectors; `inside` says that what surrounds it speaks of embedding already."""
    parts = words(key)
    if not parts or parts[-1] not in ("dim", "dims", "dimension", "dimensions", "size", "dimensionality"):
        return False
    if set(parts) & {
        "batch",
        "chunk",
        "cache",
        "page",
        "pool",
        "window",
        "image",
        "max",
        "min",
        "vocab",
        "hidden",
        "file",
        "input",
        "context",
    }:
        return False
    about = any(part.startswith("embed") or part in ("vector", "vectors") for part in parts[:-1])
    return about or (inside and parts[-1] != "size" and len(parts) <= 2)


def is_placeholder(name: str) -> bool:
    """Tell whether a name stands for one that is still to be filled in."""
    return PLACEHOLDER.search(name) is not None


def looks_like_id(name: str) -> bool:
    """Tell whether a text has the form of a Hub id and not that of a path, a file or a media type."""
    return (
        len(name) < 150
        and HUB_ID.fullmatch(name) is not None
        and not FILE.search(name)
        and name.partition("/")[0].lower() not in FOLDERS
        and not is_placeholder(name)
        and any(letter.isalpha() for letter in name.partition("/")[2])
    )


def resolve(given: str, library: str) -> tuple[str, Kind, str | None]:  # noqa: PLR0911  # a table of ways to write a name
    """Return the id that a name means to a library, where the model comes from, and the revision that is written behind an `@`."""
    name, revision = _split_revision(_without_prefix(given.strip(), library))
    if models.hub(name) or models.moved(name):
        return name, "hub", revision
    owner, _, rest = name.partition("/")
    if library == "litellm" or (owner in SERVICES and rest and not name.startswith("models/")):
        if owner in ("huggingface", "hf") and "/" in rest:
            return rest, "hub", revision
        if owner in SERVICES:
            return rest.removesuffix(":latest"), "api", None
    is_api = models.api(name) or models.api(name.removesuffix(":latest"))
    if is_api and not (library in ("sentence-transformers", "fastembed") and models.short(name)):
        return name.removesuffix(":latest"), "api", None
    if "/" not in name:
        return _without_owner(name, library, revision)
    if library in ("api", "google", "litellm"):  # an interface like OpenAI's that serves something under the name of a repository
        return name.removeprefix("models/"), "api", None
    return (name, "hub", revision) if looks_like_id(name) else (name, "local", None)


def _without_prefix(name: str, library: str) -> str:
    """Take off what says by whom a model is loaded, and the address of the Hub."""
    for prefix in LOCAL_PREFIXES:
        name = name.removeprefix(prefix)
    if not library and (prefix := next((prefix for prefix in LIBRARY_PREFIXES if name.startswith(prefix)), "")):
        name = name.removeprefix(prefix)
        return f"cross-encoder/{name}" if prefix == "cross_encoder/" and "/" not in name else name
    address = HUB_ADDRESS.match(name)
    return address[1] if address else name


def _without_owner(name: str, library: str, revision: str | None) -> tuple[str, Kind, str | None]:
    if library in ("api", "litellm", "google", "ollama"):
        return name, "api", None
    if full := models.short(name):
        return full, "hub", revision
    if CANONICAL.fullmatch(name) and library in ("sentence-transformers", "transformers"):
        return name, "hub", revision
    full = f"{models.SENTENCE_TRANSFORMERS}/{name}"
    if library == "sentence-transformers" and (models.meant(full) or models.other_case(full)):
        return full, "hub", revision
    return name, "local", None


def _split_revision(name: str) -> tuple[str, str | None]:
    before, at, after = name.partition("@")
    return (before, after) if at and "/" in before and after and not models.api(name) else (name, None)
