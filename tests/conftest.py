"""Fixtures that many tests share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from hub_double import HubDouble

from cardcheck.cli import main
from cardcheck.engine.example import Example
from cardcheck.engine.examples import build
from cardcheck.facts import Facts, collect
from cardcheck.net import client
from cardcheck.net.online import Online
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

GOOD_CARD = """\
---
license: mit
pipeline_tag: sentence-similarity
datasets: [acme/pairs]
base_model: acme/encoder
---
# ours

It maps sentences to vectors. See [our paper](https://arxiv.org/abs/2401.00001).
"""

Tensors = dict[str, tuple[str, list[int]]]


@dataclass(frozen=True, slots=True)
class Result:
    """What a run of the command line gave."""

    status: int
    out: str
    err: str


class MakeModel(Protocol):
    """Write a model folder and return it."""

    def __call__(
        self, files: Mapping[str, str | bytes] | None = None, weights: Mapping[str, Tensors] | None = None, *, name: str = "model"
    ) -> Path:
        """Write `files` (path → contents) and `weights` (path → tensor → dtype and shape, all zeros)."""


class Run(Protocol):
    """Run the command line in this process."""

    def __call__(self, *args: str | Path) -> Result:
        """Run `cardcheck` with `args`."""


class CardFacts(Protocol):
    """Return the facts of a folder that holds a card and nothing else."""

    def __call__(self, card: str | bytes) -> Facts:
        """Write `card` as README.md, byte for byte."""


class FactsOf(Protocol):
    """Return the facts of a model folder."""

    def __call__(self, path: Path) -> Facts:
        """Collect the facts of the folder `path`."""


@pytest.fixture(autouse=True)
def _no_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide from the tests that they run in somebody's workflow themselves."""
    for name in ("GITHUB_ACTIONS", "GITHUB_WORKSPACE", "CI_PROJECT_DIR", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def facts_of() -> FactsOf:
    """Give the reader of model folders, which takes each for an embedding model."""
    return lambda path: collect(Subject(str(path), "folder", path), embedding=True)


@pytest.fixture
def make_model(tmp_path: Path) -> MakeModel:
    """Give the factory of model folders."""

    def make(files: Mapping[str, str | bytes] | None = None, weights: Mapping[str, Tensors] | None = None, *, name: str = "model") -> Path:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        texts = {path: content for path, content in (files or {}).items() if isinstance(content, str)}
        build(Example(None, texts, dict(weights or {}), {}, None), folder)
        for path, content in (files or {}).items():
            if isinstance(content, bytes):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
        return folder

    return make


@pytest.fixture
def card_facts(make_model: MakeModel, facts_of: FactsOf) -> CardFacts:
    """Give the reader of a single card."""
    return lambda card: facts_of(make_model({"README.md": card}))


@pytest.fixture
def good_model(make_model: MakeModel) -> Path:
    """Give a small model folder in which no rule of the default profile finds anything."""
    return make_model(
        {
            "README.md": GOOD_CARD,
            "config.json": '{"model_type": "bert", "hidden_size": 4, "max_position_embeddings": 16}',
            "tokenizer.json": "{}",
        },
        {"model.safetensors": {"embeddings.word_embeddings.weight": ("F32", [10, 4])}},
        name="good",
    )


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubDouble]:
    """Give a Hub on loopback, an empty cache, and a client that waits no longer than a test may take."""
    monkeypatch.setenv("CARDCHECK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(client, "_HOSTS", {})  # a port that an earlier server had may come again, and that one may have said "later"
    double = HubDouble()
    with double.server:
        yield double


@pytest.fixture
def online(hub: HubDouble) -> Online:
    """Give who asks that Hub; as for a user, but for the endpoint."""
    return Online(endpoint=hub.url)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Give the command line; no request can leave it, and unexpected errors keep their one line."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.delenv("CARDCHECK_DEBUG", raising=False)

    def call(*args: str | Path) -> Result:
        capsys.readouterr()
        status: Any = 0
        try:
            main([str(arg) for arg in args])
        except SystemExit as end:
            status = end.code or 0
        captured = capsys.readouterr()
        return Result(int(status), captured.out, captured.err)

    return call
