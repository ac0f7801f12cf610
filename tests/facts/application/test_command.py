"""Command lines that start a server of embeddings or fetch a model."""

from __future__ import annotations

import pytest

from cardcheck.facts.application.command import read_command, tokens_of
from cardcheck.facts.application.found import Choice, Found


def read(line: str, **variables: str) -> list[Choice]:
    """Return the choices of one command."""
    found = Found()
    read_command(
        tokens_of(line, lambda offset: (1, offset + 1)), found, variables={name: (text, (9, 9)) for name, text in variables.items()}
    )
    return list(found.choices.values())


@pytest.mark.parametrize(
    ("line", "role", "loads"),
    [
        ("text-embeddings-router --model-id a/b --port 80", "embedding", True),
        ("text-embeddings-router --model-id=a/b", "embedding", True),
        ("infinity_emb v2 --model-id a/b", "embedding", True),
        ("vllm serve a/b --task embed", "embedding", True),
        ("python -m vllm.entrypoints.openai.api_server --model a/b --runner pooling", "embedding", True),
        ("vllm serve a/b-reranker --task score", "reranker", True),
        ("ollama pull nomic-embed-text", "embedding", False),
        ("huggingface-cli download a/b --local-dir x", "embedding", True),
        ("python index.py --embedding-model a/b", "embedding", False),
    ],
)
def test_commands(line: str, role: str, loads: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """Servers load their model, a mere flag names it, and what ranks is told from what embeds."""
    [choice] = read(line)
    assert (choice.role, choice.loads) == (role, loads)


@pytest.mark.parametrize(
    "line", ["", "ls -l", "docker run nginx", "text-embeddings-router --port 80", "text-embeddings-router --model-id --port"]
)
def test_commands_without_a_model(line: str) -> None:
    """A command that names no model chooses none."""
    assert not read(line)


@pytest.mark.parametrize(
    ("line", "revision"),
    [
        ("--revision abc", "abc"),
        ("--revision=abc", "abc"),
        ("--revision $KNOWN", "abc"),
        ("--revision ${UNKNOWN:-abc}", "abc"),
        ("--revision $UNKNOWN", "$UNKNOWN"),
        ("", None),
    ],
)
def test_revisions(line: str, revision: str | None) -> None:
    """A revision is read from the flag; a variable that nothing sets stands for one that is not known, not for none."""
    assert [choice.revision for choice in read(f"text-embeddings-router --model-id a/b {line}", KNOWN="abc")] == [revision]


def test_variables() -> None:
    """A model in a variable is found where the variable is set."""
    assert [(choice.given, choice.place) for choice in read("text-embeddings-router --model-id $MODEL", MODEL="a/b")] == [("a/b", (9, 9))]


def test_code_of_the_repository() -> None:
    """The flag of vLLM counts only where the command loads the model."""
    assert [choice.remote_code for choice in read("vllm serve a/b --task embed --trust-remote-code")] == [(1, 29)]
