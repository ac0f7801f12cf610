"""Settings of the environment, shell scripts and Dockerfiles."""

from __future__ import annotations

import pytest

from cardcheck.facts.application.dotenv import read_dockerfile, read_env, read_shell
from cardcheck.facts.application.found import Found


def env(text: str) -> list[tuple[str, tuple[int, int]]]:
    """Return the names that a .env file gives, with their places."""
    found = Found()
    read_env(text, found)
    return [(choice.given, choice.place) for choice in found.choices.values()]


def docker(text: str) -> dict[str, tuple[bool, str | None, bool]]:
    """Return for each model of a Dockerfile whether it is loaded, its revision, and whether its code may run."""
    found = Found()
    read_dockerfile(text, found)
    return {choice.given: (choice.loads, choice.revision, choice.remote_code is not None) for choice in found.choices.values()}


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("EMBEDDING_MODEL=BAAI/bge-m3", 17),
        ("EMBEDDING_MODEL='BAAI/bge-m3'", 18),
        ('EMBEDDING_MODEL="BAAI/bge-m3" # the model', 18),
        ("export EMBEDDING_MODEL=BAAI/bge-m3 # the model", 24),
        ("  EMBEDDING_MODEL = BAAI/bge-m3\r", 21),
        ("EMBEDDING_MODEL=${NAME:-BAAI/bge-m3}", 25),
    ],
)
def test_lines_of_an_environment(line: str, column: int) -> None:
    """Quotes, `export`, spaces, comments and defaults are read as a shell would; the place is that of the name."""
    assert env(f"# settings\n{line}\n") == [("BAAI/bge-m3", (2, column))]


@pytest.mark.parametrize(
    "line", ["# EMBEDDING_MODEL=BAAI/bge-m3", "EMBEDDING_MODEL=", "EMBEDDING_MODEL", "LLM_MODEL=BAAI/bge-m3", "EMBEDDING_URL=BAAI/bge-m3"]
)
def test_lines_that_choose_nothing(line: str) -> None:
    """Comments, empty values and other settings choose no embedding model."""
    assert not env(line)


def test_the_last_line_counts() -> None:
    """Of two lines with one name, the later one is what a program sees."""
    assert env("EMBEDDING_MODEL=a/b\nEMBEDDING_MODEL=c/d\n") == [("c/d", (2, 17))]


def test_scripts() -> None:
    """A script's variables are put into its commands, continued lines are one, and Python in a text is read."""
    found = Found()
    script = (
        "model=BAAI/bge-m3\n"
        "docker run ghcr.io/huggingface/text-embeddings-inference:1.7 \\\n    --model-id $model\n"
        "python -c \"from sentence_transformers import SentenceTransformer; SentenceTransformer('intfloat/e5-base')\"\n"
        "docker run -e MODEL_ID=a/b -e REVISION=abc ghcr.io/huggingface/text-embeddings-inference:1.7\n"
    )
    read_shell(script, found)
    assert {choice.given: (choice.loads, choice.place, choice.revision) for choice in found.choices.values()} == {
        "BAAI/bge-m3": (True, (1, 7), None),
        "intfloat/e5-base": (True, (4, script.split("\n")[3].index("intfloat") + 1), None),
        "a/b": (True, (5, 24), "abc"),
    }


def test_dockerfiles() -> None:
    """ARG and ENV are settings, RUN may load a model, and CMD goes on where ENTRYPOINT ends."""
    file = (
        "FROM ghcr.io/huggingface/text-embeddings-inference:1.7\n"
        "ARG EMBEDDING_MODEL=a/1\n"
        'ENV RERANKER_MODEL="a/2" PORT=80\n'
        "ENV EMBED_MODEL a/3\n"
        "RUN python -c \"from sentence_transformers import SentenceTransformer; SentenceTransformer('a/4', trust_remote_code=True)\"\n"
        'RUN python3 -c \'from sentence_transformers import CrossEncoder; CrossEncoder("a/5", revision="abc")\'\n'
        'ENTRYPOINT ["text-embeddings-router", "--model-id"]\n'
        'CMD ["a/6", "--revision", "def"]\n'
    )
    assert docker(file) == {
        "a/1": (False, None, False),
        "a/2": (False, None, False),
        "a/3": (False, None, False),
        "a/4": (True, None, True),
        "a/5": (True, "abc", False),
        "a/6": (True, "def", False),
    }


def test_variables_inside_python() -> None:
    """A model that Python gets from an argument of the build is loaded at the argument's place."""
    found = Found()
    read_dockerfile("ARG EMBEDDING_MODEL=a/b\nRUN python -c \"SentenceTransformer('${EMBEDDING_MODEL}')\"\n", found)
    [choice] = found.choices.values()
    assert (choice.given, choice.place, choice.loads) == ("a/b", (1, 21), True)
