"""Command lines that start a server of embeddings or fetch a model: text-embeddings-inference, vLLM, Infinity, Ollama, the Hub's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cardcheck.facts.application.found import Choice, Found, Place

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Token = tuple[str, Place]
WORD = re.compile(r""""[^"\n]{0,400}"|'[^'\n]{0,400}'|[^\s"';|&()]{1,400}""")
VARIABLE = re.compile(r"^\$(?:\{(\w{1,60})(?::?-([^}]{0,200}))?\}|(\w{1,60}))$")
MODEL_FLAGS = frozenset({
    "--model-id", "--model_id", "--model", "--model-name", "--model_name", "--model-name-or-path", "--model_name_or_path", "--embedding-model",
    "--embedding_model", "--embed-model", "--hf-repo", "-hf",
})  # fmt: skip
REVISION_FLAGS = frozenset({"--revision", "--model-revision", "--code-revision"})
EMBEDDING_FLAGS = frozenset({"--embedding-model", "--embedding_model", "--embed-model"})
EMBEDDING_SERVER = re.compile(r"text-embeddings-(?:inference|router)|infinity[_-]emb|michaelf34/infinity")
VLLM = re.compile(r"vllm|sglang")
VLLM_EMBEDS = re.compile(r"--task[= ](?:embed\w*|score|reward|classify)|--runner[= ]pooling|--is-embedding|--convert[= ]embed")
RERANKS = re.compile(r"rerank|cross-encoder|--task[= ]score")
OLLAMA = frozenset({"pull", "run"})
FETCHERS = frozenset({"hf", "huggingface-cli"})
MAX_TOKENS = 2000


def tokens_of(text: str, place: Callable[[int], Place]) -> list[Token]:
    """Split a command as a shell would, nearly; `place` gives the place of an offset in the text."""
    found: list[Token] = []
    for match in WORD.finditer(text):
        quoted = match[0][0] in "\"'" and len(match[0]) > 1
        found.append((match[0][1:-1] if quoted else match[0], place(match.start() + quoted)))
        if len(found) >= MAX_TOKENS:
            break
    return found


def read_command(tokens: Sequence[Token], found: Found, *, around: str = "", variables: Mapping[str, Token] | None = None) -> None:
    """Read one command. `around` is what its surroundings say (an image's name), `variables` are those that are set above it."""
    texts = [text for text, _ in tokens[:MAX_TOKENS]]
    line = " ".join(texts)
    if not any(hint in line for hint in ("model", "ollama", "hf", "huggingface-cli", "vllm", "embed")):
        return
    all_around = f"{around} {line}".lower()
    server = bool(EMBEDDING_SERVER.search(all_around))
    vllm = bool(VLLM.search(all_around))
    sure = server or (vllm and bool(VLLM_EMBEDS.search(all_around)))
    revision = next((value for flag, (value, _) in _flags(tokens, REVISION_FLAGS)), None)
    if revision and (held := VARIABLE.match(revision)):
        variable = (variables or {}).get(held[1] or held[3])
        revision = variable[0] if variable else held[2] or revision
    code = next(
        (place for text, place in tokens if text in ("--trust-remote-code", "--trust_remote_code", "--trust-remote-code=true")), None
    )
    environment = dict(_environment(tokens)) if server else {}
    revision = revision or environment.get("REVISION", (None,))[0]
    given = [("MODEL_ID", environment["MODEL_ID"])] if "MODEL_ID" in environment else []
    for flag, token in [*_flags(tokens, MODEL_FLAGS), *_named(texts, tokens), *given]:
        text, place = value_of(token, variables or {})
        loads = (server or vllm or flag == "download") and flag != "ollama"
        found.add(
            Choice(
                text,
                _how(flag, all_around),
                place,
                library="ollama" if flag == "ollama" else "server" if loads else "",
                role="reranker" if RERANKS.search(f"{all_around if sure else ''} {text}".lower()) else "embedding",
                sure=sure or flag in EMBEDDING_FLAGS,
                loads=loads,
                revision=revision,
                remote_code=code if loads else None,
            )
        )


def _how(flag: str, around: str) -> str:
    if flag == "ollama":
        return "ollama"
    if flag == "download":
        return "the download"
    for word, name in (("text-embeddings", "text-embeddings-inference"), ("infinity", "Infinity"), ("vllm", "vLLM")):
        if word in around:
            return name
    return flag


def _flags(tokens: Sequence[Token], flags: frozenset[str]) -> list[tuple[str, Token]]:
    """Return the values of flags, as `--flag value` or `--flag=value`."""
    found = []
    for index, (text, place) in enumerate(tokens):
        name, equals, value = text.partition("=")
        if name not in flags:
            continue
        if equals:
            found.append((name, (value, (place[0], place[1] + len(name) + 1))))
        elif index + 1 < len(tokens) and not tokens[index + 1][0].startswith("-"):
            found.append((name, tokens[index + 1]))
    return found


def _environment(tokens: Sequence[Token]) -> list[tuple[str, Token]]:
    """Return what a container is given as `-e NAME=value`."""
    given = [value for _, value in _flags(tokens, frozenset({"-e", "--env"}))]
    return [(name, (value, (line, column + len(name) + 1))) for text, (line, column) in given for name, _, value in [text.partition("=")]]


def _named(texts: Sequence[str], tokens: Sequence[Token]) -> list[tuple[str, Token]]:
    """Return the models that stand behind a verb: `vllm serve NAME`, `ollama pull NAME`, `hf download NAME`."""
    found = []
    for index in range(len(texts) - 2):
        program, verb = texts[index].rpartition("/")[2], texts[index + 1]
        if texts[index + 2].startswith("-"):
            continue
        if program == "vllm" and verb == "serve":
            found.append(("vllm", tokens[index + 2]))
        elif program == "ollama" and verb in OLLAMA:
            found.append(("ollama", tokens[index + 2]))
        elif program in FETCHERS and verb == "download":
            found.append(("download", tokens[index + 2]))
    return found


def value_of(token: Token, variables: Mapping[str, Token]) -> Token:
    """Return what a token stands for: itself, a variable's value at its place, or the default that `${NAME:-default}` gives."""
    text, place = token
    if held := VARIABLE.match(text):
        name = held[1] or held[3]
        if name in variables:
            return variables[name]
        if held[2]:
            return held[2], (place[0], place[1] + text.index(held[2]))
    return token
