"""Probing a model: what is measured, what becomes of a model that is broken or hostile."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cardcheck.spotcheck import probe as probing
from cardcheck.spotcheck import probechild, probesearch
from cardcheck.spotcheck.children import EncodingError
from cardcheck.spotcheck.encode import Limits
from cardcheck.spotcheck.probe import Claims, Options, Probe, probe
from cardcheck.spotcheck.probing import LONG_CHARACTERS, LONG_TEXTS, long_texts, sides_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from cardcheck.facts import Facts
    from cardcheck.spotcheck.heldout import HeldOutSet
    from cardcheck.subject import Subject

    Read = Callable[..., tuple[Subject, Facts]]

CLAIMS = Claims(tokens=(64, 512), prefixes=(12,), prompts=("passage: ", "query: "))
PROMPTS = {"query": "query: ", "document": "\u200b", "clustering": "the railway "}
# Counts padding in: of text that was encoded alone there is none.
CODE = """
import json, os, socket
seen = {{"token": os.environ.get("HF_TOKEN"), "connected": False}}
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=5).close()
    seen["connected"] = True
except OSError:
    pass
with open({report!r}, "w") as file:
    json.dump(seen, file)

import torch

class Sloppy(torch.nn.Module):
    @staticmethod
    def load(*args, **options):
        return Sloppy()

    def forward(self, features):
        features["sentence_embedding"] = features["token_embeddings"].mean(dim=1)
        return features
"""


@pytest.fixture(autouse=True)
def _few_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Probe with fewer texts than users do."""
    monkeypatch.setattr(probesearch, "QUERIES", 12)
    monkeypatch.setattr(probesearch, "DOCUMENTS", 24)


def _settings(model: Path, name: str, **changes: Any) -> None:
    path = model / name
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps(known | changes), encoding="utf-8")


def _change_weights(model: Path, change: Callable[[dict[str, Any]], object]) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(model / "model.safetensors")
    change(weights)
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})


@pytest.fixture(scope="module")
def figures() -> list[tuple[int, int]]:
    """Return what the progress callback was told while `found` was made."""
    return []


@pytest.fixture(scope="module")
def found(saved_model: Path, tmp_path_factory: pytest.TempPathFactory, read: Read, figures: list[tuple[int, int]]) -> Probe:
    """Return the probe of a tiny model with prompts."""
    import shutil

    model = Path(shutil.copytree(saved_model, tmp_path_factory.mktemp("prompts") / "model"))
    _settings(model, "config_sentence_transformers.json", prompts=PROMPTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(probesearch, "QUERIES", 12)
        patch.setattr(probesearch, "DOCUMENTS", 24)
        return probe(*read(model), CLAIMS, progress=lambda *done: figures.append(done))


def test_a_model_is_measured(found: Probe, figures: list[tuple[int, int]]) -> None:
    """Dimension, limit, lengths, types and figures are those of the model that was made, and nothing is left out."""
    assert (found.status, found.reason) == ("done", "")
    assert (found.dimension, found.truncates_at, found.length_exact, found.configured_tokens) == (32, 64, True, 64)
    assert (found.stored_dtype, found.dtype, found.device, found.similarity) == ("float32", "float32", "cpu", "cosine")
    assert found.normalised is False
    assert found.norm_low is not None
    assert 1.5 < found.norm_low < 8
    assert found.deterministic is True
    assert found.batch_difference is not None
    assert 0 < found.batch_difference < 1e-5
    assert found.short_per_second is not None
    assert found.long_per_second is not None
    assert found.long_tokens == 64
    assert found.memory_mb is not None
    assert 0 < found.memory_mb < 2000
    assert (found.queries, found.documents, found.set_name) == (12, 24, "velmarch-en-2")
    assert [done for done, _ in figures] == sorted(done for done, _ in figures)
    assert figures[-1][0] <= figures[-1][1] == probing.STEPS


def test_prompts_are_compared_with_none(found: Probe) -> None:
    """Each prompt, from the configuration and the card, is put before its own side; one that the tokenizer drops changes nothing."""
    rows = {(row.name, row.text): row for row in found.prompts or ()}
    assert set(rows) == {*PROMPTS.items(), ("", "passage: ")}, "the card's query prompt is the configured one"
    assert rows["query", "query: "].sides == ["query"]
    assert rows["clustering", "the railway "].sides == ["query", "document"]
    assert rows["", "passage: "].sides == ["document"]
    assert rows["", "passage: "].origin == "card"
    dropped = rows["document", "\u200b"]
    assert not dropped.changes
    assert dropped.cosine == pytest.approx(1)
    assert (dropped.gain, dropped.low, dropped.high) == (0, 0, 0)
    for row in rows.values():
        if row is not dropped:
            assert row.changes
            assert row.cosine < 0.99999
            assert row.low <= row.gain <= row.high


def test_shortened_vectors(found: Probe) -> None:
    """A half, a quarter and the offered dimension are measured; an eighth would be no vector any more."""
    rows = found.prefixes or []
    assert [(row.dimension, row.stated) for row in rows] == [(16, False), (12, True), (8, False)]
    assert found.ndcg is not None
    for row in rows:
        assert row.ndcg == pytest.approx(found.ndcg - row.loss)
        assert row.low <= row.loss <= row.high
        assert -1 <= row.agreement <= 1


def test_a_model_with_weights_missing_and_too_few_positions(tiny: Path, read: Read) -> None:
    """Weights that no file holds are found by loading twice, the length that the model fails at by trying; the rest is left open."""
    _change_weights(tiny, lambda weights: weights.pop("encoder.layer.0.intermediate.dense.weight"))
    _settings(tiny, "sentence_bert_config.json", max_seq_length=100)
    _settings(tiny, "tokenizer_config.json", model_max_length=512)
    found = probe(*read(tiny), CLAIMS)
    assert found.status == "partial"
    assert found.reason.startswith("the model fails: ")
    assert (found.dimension, found.fails_at, found.truncates_at) == (32, 65, None)
    assert (found.repeat_difference, found.deterministic) == (0, False)
    assert found.reload_difference is not None
    assert found.reload_difference > 1e-4
    assert (found.ndcg, found.prefixes, found.prompts) == (None, None, None)


def test_code_of_the_model(tiny: Path, read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Code that ignores the mask is found by encoding alone and together; it runs with leave alone, and finds no network and no token."""
    report = tmp_path / "report"
    monkeypatch.setenv("HF_TOKEN", "a-secret-of-ours")
    server = socket.create_server(("127.0.0.1", 0))
    (tiny / "sloppy.py").write_text(CODE.format(report=str(report), port=server.getsockname()[1]), encoding="utf-8")
    modules = json.loads((tiny / "modules.json").read_text(encoding="utf-8"))
    modules[1] = {"idx": 1, "name": "1", "path": "1_Sloppy", "type": "sloppy.Sloppy"}
    (tiny / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (tiny / "1_Sloppy").mkdir()
    (tiny / "1_Sloppy" / "config.json").write_text("{}", encoding="utf-8")
    refused = probe(*read(tiny))
    assert refused.status == "skipped"
    assert "--trust-remote-code" in refused.reason
    assert not report.exists()
    found = probe(*read(tiny), options=Options(trust_remote_code=True))
    server.close()
    assert json.loads(report.read_text(encoding="utf-8")) == {"token": None, "connected": False}
    assert found.batch_difference is not None
    assert found.batch_difference > 0.002
    assert found.deterministic is True


def test_vectors_that_are_no_numbers(tiny: Path, read: Read) -> None:
    """Of a model that gives NaN nothing is claimed that was not measured."""
    _change_weights(tiny, lambda weights: weights["embeddings.LayerNorm.weight"].fill_(float("nan")))
    found = probe(*read(tiny))
    assert found.status == "partial"
    assert "not finite" in found.reason
    assert found.normalised is found.deterministic is found.batch_difference is found.ndcg is None
    json.dumps(found.plain(), allow_nan=False)


def test_a_model_that_takes_too_long(saved_model: Path, read: Read) -> None:
    """The time limit ends it, with what to do about it."""
    found = probe(*read(saved_model), options=Options(limits=Limits(seconds=0.2)))
    assert (found.status, found.dimension) == ("failed", None)
    assert "--time-limit" in found.reason


def test_only_a_card(saved_model: Path, read: Read) -> None:
    """A card alone is not measured, and that is said."""
    assert probe(*read(saved_model / "README.md")).status == "skipped"


def test_what_came_before_an_end_counts(saved_model: Path, read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the process is killed, the figures that it had told stay."""

    def ask(*_: Any) -> Iterator[dict[str, Any]]:
        yield {"isolation": {"network": True}}
        yield {"part": {"dimension": 32, "norm_low": 1.0, "norm_high": 1.0, "unheard_of": 7}}
        raise EncodingError("the model could not be run: it was killed, most likely for memory")

    monkeypatch.setattr(probechild, "ask", ask)
    found = probe(*read(saved_model))
    assert (found.status, found.dimension, found.normalised) == ("partial", 32, True)
    assert found.deterministic is found.ndcg is None
    assert "memory" in found.reason


@pytest.mark.parametrize(
    "answers",
    [
        [{"part": []}],
        [{"part": {"dimension": "wide"}}],
        [{"part": {"dimension": {}}}],
        [{"part": {"norm_low": "long"}}],
        [{"isolation": 7}, {"error": ["not", "text"]}],
        [{}],
        [],
    ],
)
def test_answers_that_make_no_sense(
    saved_model: Path, read: Read, monkeypatch: pytest.MonkeyPatch, answers: list[dict[str, Any]]
) -> None:  # fmt: skip
    """Whatever the child process answers, there is a reason and no exception."""
    monkeypatch.setattr(probechild, "ask", lambda *_: iter(answers))
    found = probe(*read(saved_model))
    assert found.status == "failed"
    assert found.reason


@pytest.mark.parametrize(
    "row", [7, {}, {"number": "../..", "sides": []}, {"number": 0, "sides": ["query"], "name": "", "text": "", "origin": ""}]
)
def test_prompts_that_make_no_sense(
    saved_model: Path, read: Read, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, row: Any
) -> None:  # fmt: skip
    """Rows of a hostile child are no exception either, and name no file but those of the probe."""
    rng = np.random.default_rng(0)

    def ask(job: dict[str, Any], *_: Any) -> Iterator[dict[str, Any]]:
        for kind in ("query", "document"):
            np.save(f"{job['out']}.{kind}.own.npy", rng.normal(size=(len(job[kind]), 16)).astype(np.float32))
        yield {"part": {"dimension": 16, "searched": True, "prompts": [row]}}
        yield {"done": True}

    monkeypatch.setattr(probechild, "ask", ask)
    found = probe(*read(saved_model))
    assert found.status == "partial"
    assert found.prompts is None
    assert found.ndcg is not None
    assert not list(tmp_path.iterdir())


def test_vectors_of_another_shape(tmp_path: Path) -> None:
    """Vectors that are too few, of another type or a pickle are refused."""
    out = str(tmp_path / "vectors")
    for bad in (np.zeros((3, 4), np.float32), np.zeros((5, 4)), np.zeros(5, np.float32), np.array([{}] * 5, dtype=object)):
        np.save(f"{out}.query.own.npy", bad)
        with pytest.raises(EncodingError):
            probechild.vectors(out, "query", "own", 5)
    with pytest.raises(EncodingError):
        probechild.vectors(out, "document", "own", 5)
    np.save(f"{out}.query.own.npy", np.ones((5, 4), np.float32))
    assert probechild.vectors(out, "query", "own", 5).sum() == 20


def test_a_process_that_prints_no_json(saved_model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Lines of the child that are no JSON, or no mapping, end in an EncodingError, and the process is gone."""
    for line in ("nonsense", "[]"):
        command = ["/bin/sh", "-c", f"echo '{line}'; sleep 60"]
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True)
        monkeypatch.setattr("cardcheck.spotcheck.children._start", lambda *_, child=child, **__: child)
        with pytest.raises(EncodingError, match="makes no sense"):
            list(probechild.ask({"path": str(saved_model), "device": "cpu"}, str(tmp_path), Limits(seconds=30)))
        assert child.returncode == -signal.SIGKILL


def test_a_graph_is_not_probed(tiny: Path, read: Read) -> None:
    """A folder with nothing but an ONNX graph is told as what the probe does not run, not by a library's message."""
    (tiny / "model.safetensors").rename(tiny / "model.onnx")
    found = probe(*read(tiny))
    assert found.status == "skipped"
    assert "no readable safetensors weights" in found.reason


def test_queries_that_go_another_way(saved_model: Path, tmp_path: Path, read: Read) -> None:
    """Where queries have modules of their own, lengths of vectors are of both sides, and the limit says that it is of documents."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Router, StaticEmbedding, Transformer
    from tokenizers import Tokenizer

    torch.manual_seed(1)
    words = StaticEmbedding(Tokenizer.from_file(str(saved_model / "tokenizer.json")), embedding_dim=32)
    documents = [Transformer(str(saved_model)), Pooling(32), Normalize()]
    router = Router.for_query_document(query_modules=[words], document_modules=documents)
    SentenceTransformer(modules=[router], device="cpu").save(str(tmp_path / "router"))
    found = probe(*read(tmp_path / "router"))
    assert (found.status, found.normalised, found.truncates_at) == ("done", False, 64)
    assert found.length_unit == "tokens of a document"


def test_queries_of_another_length(tiny: Path, read: Read) -> None:
    """Where queries are cut at a length of their own, the limit that is told is that of documents, by its words."""
    _settings(tiny, "sentence_bert_config.json", query_length=8)
    found = probe(*read(tiny))
    assert (found.truncates_at, found.length_unit) == (64, "tokens of a document")


@pytest.mark.parametrize("text", ["word", "\u77ed\u3044\u6587" * 50, "a railway and a court of law " * 300])
def test_long_texts_are_as_long_in_every_language(text: str) -> None:
    """Long texts are cut by characters, for Chinese sets no words apart; where there is little text it comes again."""
    texts = long_texts([text, text])
    assert {len(long) for long in texts} == {LONG_CHARACTERS}
    assert len(texts) == LONG_TEXTS


@pytest.mark.parametrize(
    ("name", "sides"),
    [
        ("query", ("query",)),
        ("search_query: ", ("query",)),
        ("Represent this sentence for searching relevant passages:", ("query",)),
        ("passage: ", ("document",)),
        ("search_document", ("document",)),
        ("STS", ("document", "query")),
    ],
)
def test_what_a_prompt_is_put_before(name: str, sides: tuple[str, ...]) -> None:
    """The name of a prompt, or its words, tell which side it is for."""
    assert sides_of(name) == sides


def _vectors(rng: np.random.Generator, sample: probesearch.Sample) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return vectors whose first 16 numbers find what is relevant, and whose other 48 are noise."""
    documents = rng.normal(size=(len(sample.documents), 64)).astype(np.float32)
    place = {name: number for number, name in enumerate(sample.documents)}
    best = [max((grade, name) for name, grade in sample.qrels[query].items() if name in place)[1] for query in sample.queries]
    queries = documents[[place[name] for name in best]].copy()
    queries[:, 16:] = rng.normal(size=(len(queries), 48))
    documents[:, 16:] *= 0.1
    queries[:, 16:] *= 0.1
    return queries, documents


def test_a_beginning_that_holds_everything_loses_nothing(held_out: HeldOutSet) -> None:
    """Where the first numbers hold the meaning, cutting there costs nothing; where the last ones do, it costs nearly all."""
    sample = probesearch.Sample.of(held_out, 0)
    queries, documents = _vectors(np.random.default_rng(1), sample)
    rows = {row.dimension: row for row in probesearch.prefixes(sample, queries, documents, "cosine", stated=[16, 64, 100], seed=0)}
    assert list(rows) == [32, 16, 8]
    assert [rows[size].stated for size in rows] == [False, True, False]
    assert abs(rows[16].loss) < 3
    assert 1 > rows[16].agreement > rows[8].agreement + 0.1
    for row in probesearch.prefixes(sample, queries[:, ::-1].copy(), documents[:, ::-1].copy(), "cosine", stated=[16], seed=0):
        assert row.loss > 20
        assert 0 < row.low < row.loss < row.high
        assert row.agreement < 0.5


def test_the_sample_holds_the_answers(held_out: HeldOutSet) -> None:
    """The passages that answer the sampled queries are among the sampled passages, and the sample is the same for the same seed."""
    sample = probesearch.Sample.of(held_out, 3)
    assert len(sample.queries) == probesearch.QUERIES
    assert len(sample.documents) == probesearch.DOCUMENTS
    answers = {name for query in sample.queries for name, grade in sample.qrels[query].items() if grade == 2}
    assert answers & set(sample.documents)
    assert list(sample.documents) == list(probesearch.Sample.of(held_out, 3).documents)


def test_the_real_model_is_what_its_card_says(model: Path, read: Read) -> None:
    """all-MiniLM-L6-v2 reads 256 tokens, gives 384 dimensions of length one, and was not made to be cut short."""
    found = probe(*read(model), Claims(tokens=(256,)))
    assert (found.status, found.dimension, found.truncates_at, found.normalised, found.deterministic) == ("done", 384, 256, True, True)
    assert found.length_exact
    assert found.ndcg is not None
    assert found.ndcg > 60
    assert found.prefixes is not None
    assert found.prefixes[-1].loss > 3
