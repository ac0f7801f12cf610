"""YAML, JSON, TOML and INI files of frameworks, vector databases and servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardcheck.facts.application.found import Choice, Found
from cardcheck.facts.application.structured import read_json, read_lines, read_toml, read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

COMMIT = "5617a9f61b028005a4858fdac845db406aefb181"
HAYSTACK = "haystack.components.embedders.sentence_transformers_text_embedder.SentenceTransformersTextEmbedder"


def choices(text: str, read: Callable[[str, Found], None] = read_yaml) -> dict[str, Choice]:
    """Return the choices of a file that speak of embedding themselves, by name."""
    found = Found()
    read(text, found)
    return {choice.given: choice for choice in found.choices.values() if choice.sure}


def sizes(text: str, read: Callable[[str, Found], None] = read_yaml) -> list[int]:
    """Return the sizes of vectors that a file declares."""
    found = Found()
    read(text, found)
    return sorted(size.dimension for size in found.dimensions.values())


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("embedding_model: a/b\n", read_yaml),
        ("embedding:\n  model: a/b\n", read_yaml),
        ("embedder:\n  provider: huggingface\n  config:\n    model: a/b\n", read_yaml),
        ("embeddings:\n  _type: x\n  model_name: a/b\n", read_yaml),
        ("services:\n  app:\n    environment:\n      - EMBEDDING_MODEL=a/b\n", read_yaml),
        ("env:\n  - name: EMBEDDING_MODEL\n    value: a/b\n", read_yaml),
        ("x:\n  _target_: langchain_huggingface.HuggingFaceEmbeddings\n  model_name: a/b\n", read_yaml),
        ("{{- if x }}\nembedding_model: a/b\n{{- end }}\n", read_yaml),
        ('{"embedder": {"provider": "huggingface", "config": {"model": "a/b"}}}', read_json),
        ('{\n  // the model\n  "embedding_model": "a/b",\n}', read_json),
        ('[embedding]\nmodel = "a/b"\n', read_toml),
        ('[tool.app]\nembedding-model = "a/b"\n', read_toml),
        ('[embedding]\nmodel = "a/b"\nbroken\n', read_toml),
        ("[embedding]\nmodel = a/b\n", read_lines),
    ],
)
def test_what_chooses_an_embedding_model(text: str, read: Callable[[str, Found], None]) -> None:
    """A key, or what stands around it, says that a value is an embedding model; nearly well-formed files are read by lines."""
    found = choices(text, read)
    assert list(found) == ["a/b"]
    line, column = found["a/b"].place
    assert text.split("\n")[line - 1][column - 1 :].lstrip("\"'").startswith("a/b")


@pytest.mark.parametrize(
    "text",
    [
        "llm:\n  model: a/b\n",
        "embedding:\n  model: ${MODEL}\n",
        "embedding:\n  model: <your model>\n",
        "embedding_url: a/b\n",
        "embedding:\n- model: a/b\n- model: c/d\n",
        "example:\n  embedding_model: a/b\n",
        "x: 1\n",
        "",
    ],
)
def test_what_chooses_none(text: str) -> None:
    """Other models, placeholders, lists to choose from and examples are no choices."""
    assert not [name for name, choice in choices(text).items() if "$" not in name and "<" not in name and choice.sure]


def test_servers_load_what_they_are_started_with() -> None:
    """Compose and Kubernetes files that start text-embeddings-inference, vLLM or Infinity load a model, pinned or not."""
    found = choices(
        "services:\n"
        "  tei:\n    image: ghcr.io/huggingface/text-embeddings-inference:1.7\n    command: --model-id a/1 --port 80\n"
        f"  pinned:\n    image: ghcr.io/huggingface/text-embeddings-inference:1.7\n    command: [--model-id, a/2, --revision, {COMMIT}]\n"
        "  set:\n    image: ghcr.io/huggingface/text-embeddings-inference:1.7\n    environment:\n      - MODEL_ID=a/3\n"
        "  vllm:\n    image: vllm/vllm-openai\n    command: --model a/4 --runner pooling --trust-remote-code\n"
        "  infinity:\n    image: michaelf34/infinity\n    command:\n      - v2\n      - --model-id\n      - a/5\n"
        "  local:\n    image: ghcr.io/huggingface/text-embeddings-inference:1.7\n    command: --model-id ${MODEL:-a/6}\n"
    )
    assert sorted(found) == ["a/1", "a/2", "a/3", "a/4", "a/5", "a/6"]
    assert all(choice.loads for choice in found.values())
    assert [name for name, choice in found.items() if choice.revision] == ["a/2"]
    assert [name for name, choice in found.items() if choice.remote_code] == ["a/4"]


def test_components_of_haystack() -> None:
    """A pipeline that is kept as YAML loads the model that it gives to a class, with the revision and code that stand beside it."""
    part = f"    type: {HAYSTACK}\n    init_parameters:\n      model: a/%d\n%s"
    other = "  llm:\n    type: haystack.components.generators.openai.OpenAIGenerator\n    init_parameters:\n      model: a/3\n"
    text = "components:\n  one:\n" + part % (1, "      trust_remote_code: true\n") + "  two:\n" + part % (2, f"      revision: {COMMIT}\n")
    found = choices(text + other)
    assert {name: (choice.loads, choice.revision, choice.remote_code is not None) for name, choice in found.items()} == {
        "a/1": (True, None, True),
        "a/2": (True, COMMIT, False),
    }


@pytest.mark.parametrize(
    ("text", "read", "size"),
    [
        ('{"mappings": {"properties": {"v": {"type": "dense_vector", "dims": 384}}}}', read_json, [384]),
        ('{"fields": [{"type": "vector", "path": "v", "numDimensions": 768, "similarity": "cosine"}]}', read_json, [768]),
        ("fields:\n- {name: v, data_type: FLOAT_VECTOR, dim: 1024}\n", read_yaml, [1024]),
        ("vectors:\n  size: 512\n  distance: Cosine\n", read_yaml, [512]),
        ("EMBEDDING_DIM: 256\n", read_yaml, [256]),
        ("embedding:\n  model: a/b\n  dimensions: 256\n", read_yaml, [256]),
        ("image:\n  dimensions: 256\nbatch_size: 32\n", read_yaml, []),
        ("embedding:\n- {model: a/b, dimensions: 256}\n- {model: c/d, dimensions: 512}\n", read_yaml, []),
    ],
)
def test_sizes_of_vectors(text: str, read: Callable[[str, Found], None], size: list[int]) -> None:
    """Schemas of Elasticsearch, Atlas, Milvus and Qdrant, and settings, declare sizes; sizes of other things are left alone."""
    assert sizes(text, read) == size


def test_all_documents_of_a_file_are_read() -> None:
    """A YAML file of several documents is read to its end, and lines are counted on."""
    found = choices("---\nembedding_model: a/1\n---\nembedding_model: a/2\n")
    assert {name: choice.place[0] for name, choice in found.items()} == {"a/1": 2, "a/2": 4}
