"""The backends: each gives what its model gives elsewhere, and says what it cannot run."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from safetensors.torch import load_file

from cardcheck.spotcheck import precision
from cardcheck.spotcheck.backends import TorchBackend, UnsupportedError, graph_alone, load
from cardcheck.spotcheck.check import Options, spotcheck
from cardcheck.spotcheck.children import EncodingError
from cardcheck.spotcheck.encode import encode
from cardcheck.spotcheck.onnx import _output
from cardcheck.spotcheck.ready import not_measurable
from cardcheck.spotcheck.wrapper import MtebBackend

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from cardcheck.facts import Facts
    from cardcheck.spotcheck.heldout import HeldOutSet
    from cardcheck.subject import Subject

    Real = tuple[list[str], list[str], tuple[NDArray[Any], NDArray[Any]]]

TEXTS = ["the court of law", "who was the railway?", "an animal", "the engine of the railway and of the court, and the law of it"]


def _cosines(first: NDArray[Any], second: NDArray[Any]) -> NDArray[Any]:
    norms = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    return np.asarray((first * second).sum(axis=1) / norms)


def _expected(model: Path, queries: list[str], documents: list[str]) -> tuple[NDArray[Any], NDArray[Any]]:
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(str(model), device="cpu")
    return loaded.encode_query(queries), loaded.encode_document(documents)


@pytest.fixture(scope="module")
def real(model: Path, held_out: HeldOutSet) -> Real:
    """Return queries and documents, and the real model's vectors of them as SentenceTransformer gives them."""
    queries, documents = list(held_out.queries.values())[:40], list(held_out.corpus.values())[:40]
    return queries, documents, _expected(model, queries, documents)


@pytest.mark.parametrize("dtype", ["exact", "float32", "bfloat16"])
def test_equals_sentence_transformers(model: Path, real: Real, dtype: Any) -> None:
    """The real model's vectors are those of SentenceTransformer.encode: within 10⁻³ in float32, and nearly so in bfloat16."""
    queries, documents, vectors = real
    found = encode(model, queries, documents, dtype=dtype)
    assert found.about["dtype"] == ("bfloat16" if dtype == "bfloat16" else "float32")
    for rows, expected in zip((found.queries, found.documents), vectors, strict=True):
        assert _cosines(rows, expected).min() > (0.998 if dtype == "bfloat16" else 0.999999)


def test_bfloat16_is_taken_where_it_pays_and_holds(saved_model: Path) -> None:
    """With much text and the hardware for it, a model computes in bfloat16 and the check's figures are told; else float32 says why."""
    documents = [f"the {'railway and the court of law ' * 4}{number}" for number in range(2000)]
    about = encode(saved_model, TEXTS, documents).about
    if precision.has_bfloat16("cpu"):
        assert about["dtype"] == "bfloat16"
        assert precision.holds(about["precision"]["tried"][-1])
    else:
        assert about["dtype"] == "float32"
        assert about["precision"]["why"]


def test_lengths_of_queries_and_documents(saved_model: Path, tmp_path: Path) -> None:
    """A model that cuts queries and documents at lengths of their own is run so, as encode_query and encode_document do."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(saved_model), device="cpu")
    encoder: Any = model[0]
    if not hasattr(encoder, "query_length"):
        pytest.skip("this release of sentence-transformers knows no such lengths")
    encoder.query_length, encoder.document_length = 6, 12
    model.save(str(tmp_path / "model"))
    texts = [f"{text} {text} {text}" for text in TEXTS]
    found = encode(tmp_path / "model", texts, texts, dtype="exact")
    for rows, expected in zip((found.queries, found.documents), _expected(tmp_path / "model", texts, texts), strict=True):
        assert np.allclose(rows, expected, atol=1e-5)
    assert not np.allclose(found.queries, found.documents, atol=1e-2)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")
def test_tokenising_in_processes_changes_nothing(saved_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As beside a GPU: windows that processes tokenise give the vectors that a thread's give, in their places, and are kept."""
    from cardcheck.spotcheck import work

    documents = [f"{TEXTS[i % 4]} {i}" for i in range(100)]
    job = {"path": str(saved_model), "query": TEXTS, "document": documents, "device": "cpu", "seed": 0, "trust_remote_code": False}
    job |= {"backend": "torch", "dtype": "exact", "batch_tokens": None, "window": 16}
    found = {}
    for processes in (0, 3):
        monkeypatch.setattr(work, "_tokenisers", lambda *_given, processes=processes: processes)
        out = str(tmp_path / f"by-{processes}")
        work.work(job | {"chunks": f"{out}-chunks", "out": out}, lambda _count: None)
        found[processes] = np.load(f"{out}.document.npy")
        assert len(list((tmp_path / f"by-{processes}-chunks").rglob("*.chunk"))) == 8
    assert np.array_equal(found[0], found[3])
    assert len(np.unique(found[0], axis=0)) == 100


def test_bfloat16_that_moves_ranks_falls_back(saved_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose ranks move is run in float32 from freshly loaded weights, and that is said with the figures."""
    from cardcheck.spotcheck import work
    from cardcheck.spotcheck.backends import Backend, TorchBackend

    def loading() -> Backend:
        return TorchBackend(saved_model, device="cpu", trust_remote_code=False)

    monkeypatch.setattr(precision, "MOVED", 1e-9)
    job = {"device": "cpu", "dtype": "bfloat16", "query": TEXTS, "document": TEXTS}
    texts = work._sampled(loading(), job)
    exact = work._sample(loading(), texts, "cpu")
    backend, choice = work._choose(loading(), loading, job, None)
    assert choice["dtype"] == backend.about()["dtype"] == "float32"
    assert "did not rank" in choice["why"]
    assert {way["dtype"] for way in choice["tried"]} == {"bfloat16"}
    assert np.array_equal(work._sample(backend, texts, "cpu"), exact)


def test_static_embeddings(saved_model: Path, tmp_path: Path) -> None:
    """A model without attention, whose batches are one list of tokens, gives what sentence-transformers gives."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import StaticEmbedding
    from tokenizers import Tokenizer

    torch.manual_seed(1)
    tokenizer = Tokenizer.from_file(str(saved_model / "tokenizer.json"))
    SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=16)], device="cpu").save(str(tmp_path / "static"))
    found = encode(tmp_path / "static", TEXTS, TEXTS[::-1])
    expected = _expected(tmp_path / "static", TEXTS, TEXTS[::-1])
    assert np.allclose(found.queries, expected[0], atol=1e-6)
    assert np.allclose(found.documents, expected[1], atol=1e-6)
    assert found.about["max_seq_length"] is None
    assert "looked up" in found.about["precision"]["why"]
    many = encode(tmp_path / "static", TEXTS, TEXTS[::-1] * 10, window=2)  # tokenised in processes where there are cores
    assert np.array_equal(many.documents, np.concatenate([found.documents] * 10))


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_float32_is_what_computes(saved_model: Path, tmp_path: Path, dtype: str) -> None:
    """Weights that are stored longer or shorter than float32 are computed in it, as is said."""
    import torch
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(saved_model), device="cpu")
    model[0].to(getattr(torch, dtype))
    model.save(str(tmp_path / "model"))
    weights = load_file(tmp_path / "model" / "model.safetensors")
    assert {str(tensor.dtype) for tensor in weights.values()} == {f"torch.{dtype}"}
    backend = TorchBackend(tmp_path / "model", device="cpu", trust_remote_code=False)
    assert (backend.about()["dtype"], backend.about()["stored_dtype"]) == ("float32", dtype)
    assert {parameter.dtype for parameter in backend.model.parameters()} == {torch.float32}


def test_prompts_and_truncation_of_both_kinds(tiny: Path) -> None:
    """Queries and documents get their own prompts, as encode_query and encode_document put them, and are cut at the model's length."""
    config = {"prompts": {"query": "who was ", "document": "the law: "}, "default_prompt_name": None, "similarity_fn_name": "dot"}
    (tiny / "config_sentence_transformers.json").write_text(json.dumps(config), encoding="utf-8")
    texts = [*TEXTS, "the railway of the court " * 40]
    found = encode(tiny, texts, texts)
    expected = _expected(tiny, texts, texts)
    assert np.allclose(found.queries, expected[0], atol=1e-5)
    assert np.allclose(found.documents, expected[1], atol=1e-5)
    assert not np.allclose(found.queries, found.documents, atol=1e-3)
    assert found.about["similarity"] == "dot"


def _field(number: int, value: bytes | int) -> bytes:
    """Encode one field of a protocol buffer."""

    def varint(left: int) -> bytes:
        out = b""
        while left > 127:
            out, left = out + bytes([left & 127 | 128]), left >> 7
        return out + bytes([left])

    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def _graph(table: NDArray[np.float32], note: bytes = b"", outside: bytes = b"") -> bytes:
    """Return an ONNX model that looks tokens up in a table (onnx.proto: ModelProto, GraphProto, NodeProto, TensorProto).

    The table's numbers stand in the file `outside` where one is named.
    """

    def value(name: bytes, kind: int, dimensions: int) -> bytes:
        shape = b"".join(_field(1, _field(2, b"d%d" % i)) for i in range(dimensions))
        return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, shape)))

    node = _field(1, b"table") + _field(1, b"input_ids") + _field(2, b"last_hidden_state") + _field(4, b"Gather")
    tensor = b"".join(_field(1, size) for size in table.shape) + _field(2, 1) + _field(8, b"table")
    tensor += _field(13, _field(1, b"location") + _field(2, outside)) + _field(14, 1) if outside else _field(9, table.tobytes())
    graph = _field(1, node) + _field(2, b"g") + _field(5, tensor) + _field(11, value(b"input_ids", 7, 2))
    graph += _field(12, value(b"last_hidden_state", 1, 3))
    return _field(1, 8) + _field(6, note) + _field(7, graph) + _field(8, _field(2, 13))


@pytest.fixture
def onnx(tiny: Path) -> tuple[Path, NDArray[np.float32]]:
    """Return a folder with an ONNX model beside modules.json, and the model's table."""
    pytest.importorskip("onnxruntime", exc_type=ImportError)
    table = np.random.default_rng(0).standard_normal((200, 12)).astype(np.float32)
    (tiny / "onnx").mkdir()
    (tiny / "onnx" / "model.onnx").write_bytes(_graph(table))
    (tiny / "model.safetensors").unlink()
    return tiny, table


def _ids(folder: Path, text: str) -> list[int]:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    return list(tokenizer.encode(text).ids)


@pytest.mark.parametrize("pooling", ["mean", "cls", "max", "lasttoken"])
def test_onnx(onnx: tuple[Path, NDArray[np.float32]], pooling: str) -> None:
    """A folder with a graph and no safetensors is run by onnxruntime, pooled and normalised as its modules say, padding left out."""
    folder, table = onnx
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": pooling}), encoding="utf-8")
    modules = [{"idx": 0, "type": "a.Transformer", "path": ""}, {"idx": 1, "type": "a.Pooling", "path": "1_Pooling"}]
    modules.append({"idx": 2, "type": "sentence_transformers.models.Normalize", "path": "2_Normalize"})
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    found = encode(folder, TEXTS[:1], TEXTS)
    assert found.about["backend"] == "onnx"
    pool = {"mean": lambda x: x.mean(axis=0), "cls": lambda x: x[0], "max": lambda x: x.max(axis=0), "lasttoken": lambda x: x[-1]}
    for text, row in zip(TEXTS, found.documents, strict=True):
        vector = pool[pooling](table[_ids(folder, text)])
        assert np.allclose(row, vector / np.linalg.norm(vector), atol=1e-5)
    assert np.allclose(found.queries[0], found.documents[0], atol=1e-6)


def test_a_check_of_an_onnx_folder(onnx: tuple[Path, NDArray[np.float32]], read: Callable[..., tuple[Subject, Facts]]) -> None:
    """A folder that has nothing but a graph is measured, and without its tokenizer refused with the reason."""
    folder, _ = onnx
    subject, facts = read(folder)
    found = spotcheck(subject, facts, Options(heldout_only=True))
    assert (found.status, found.encoding["backend"]) == ("done", "onnx")
    (folder / "tokenizer.json").unlink()
    found = spotcheck(*read(folder), Options(heldout_only=True))
    assert (found.status, found.verdict) == ("skipped", "inconclusive")
    assert "tokenizer.json" in found.reason


@pytest.mark.parametrize("where", ["../secret", "/etc/hostname", "onnx/../../secret", "link"])
def test_a_graph_reads_no_file_outside(onnx: tuple[Path, NDArray[np.float32]], where: str) -> None:
    """A graph whose numbers lie in a file outside of its folder is not run; one whose file lies beside it is."""
    folder, table = onnx
    (folder.parent / "secret").write_bytes(table.tobytes())
    (folder / "secret").write_bytes(table.tobytes())
    if where == "link":
        (folder / "onnx" / "link").symlink_to(folder.parent / "secret")
    graph = folder / "onnx" / "model.onnx"
    graph.write_bytes(_graph(table, outside=where.encode()))
    with pytest.raises(EncodingError):
        encode(folder, TEXTS, TEXTS)
    (folder / "onnx" / "link").unlink(missing_ok=True)
    (folder / "onnx" / "beside").write_bytes(table.tobytes())
    graph.write_bytes(_graph(table, outside=b"beside"))
    assert encode(folder, TEXTS, TEXTS).about["backend"] == "onnx"


@pytest.mark.parametrize("place", [".cache", "sub", "1_Pooling"])
def test_stray_weights_are_not_the_models(
    onnx: tuple[Path, NDArray[np.float32]], saved_model: Path, read: Callable[..., tuple[Subject, Facts]], place: str
) -> None:
    """Weights in a folder that no module is loaded from leave a graph alone; what is decided before and in the child agree."""
    folder, _ = onnx
    (folder / place).mkdir(exist_ok=True)
    shutil.copy(saved_model / "model.safetensors", folder / place)
    (folder / "tokenizer.json").unlink()
    reason = not_measurable(read(folder)[1], trust_remote_code=False) or ""
    assert ("which the ONNX backend needs" in reason) is (place != "1_Pooling")
    job = {"path": str(folder), "backend": "auto", "device": "cpu", "trust_remote_code": False}
    with pytest.raises(UnsupportedError if place != "1_Pooling" else OSError, match=r"tokenizer.json|no file named"):
        load(job)()


def test_a_router_is_not_a_graph() -> None:
    """A Router's weights lie in folders that it names itself; a graph beside them is not taken for the model."""
    assert graph_alone(["onnx/model.onnx"], [("Transformer", ""), ("Pooling", "1_Pooling")])
    assert not graph_alone(["onnx/model.onnx", "document_0_Transformer/model.safetensors"], [("Router", "")])
    assert not graph_alone(["onnx/model.onnx", "0_Transformer/model.safetensors"], [("Transformer", "0_Transformer")])
    assert not graph_alone([".cache/model.onnx"], [])


def test_words_that_are_counted_have_no_weights(tmp_path: Path, read: Callable[..., tuple[Subject, Facts]]) -> None:
    """A bag of words has its vocabulary in its settings and no weights: it is measured, and a model with other modules is not."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import BoW

    SentenceTransformer(modules=[BoW(vocab=["court", "law", "railway"])], device="cpu").save(str(tmp_path / "bow"))
    facts = read(tmp_path / "bow")[1]
    assert not_measurable(facts, trust_remote_code=False) is None
    assert encode(tmp_path / "bow", ["law court"], ["court"]).queries.tolist() == [[1, 1, 0]]
    modules = json.loads((tmp_path / "bow" / "modules.json").read_text(encoding="utf-8"))
    modules.append({"idx": 1, "name": "1", "path": "1_Dense", "type": "sentence_transformers.models.Dense"})
    (tmp_path / "bow" / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    assert "no readable safetensors" in (not_measurable(read(tmp_path / "bow")[1], trust_remote_code=False) or "")


def test_mteb_needs_a_name(tiny: Path, read: Callable[..., tuple[Subject, Facts]]) -> None:
    """The loader of mteb knows models by their Hub ids: a folder that has none is not handed to it."""
    found = spotcheck(*read(tiny), Options(heldout_only=True, backend="mteb"))
    assert (found.status, "--id" in found.reason) == ("skipped", True)


def test_onnx_that_scales_by_the_batch_runs_texts_alone(onnx: tuple[Path, NDArray[np.float32]]) -> None:
    """A graph that quantises activations by the batch's range gets one text at a time."""
    folder, table = onnx
    (folder / "onnx" / "model.onnx").write_bytes(_graph(table, b"DynamicQuantizeLinear"))
    assert encode(folder, TEXTS, TEXTS).about["one_text_a_batch"] is True
    shutil.copytree(folder, folder.parent / "other")
    (folder.parent / "other" / "onnx" / "model.onnx").write_bytes(_graph(table))
    assert encode(folder.parent / "other", TEXTS, TEXTS).about["one_text_a_batch"] is False


@pytest.mark.parametrize("broken", ["module", "graph", "pooling"])
def test_onnx_that_cannot_be_run(onnx: tuple[Path, NDArray[np.float32]], broken: str) -> None:
    """A module that is not run, a file that is no graph and an unknown pooling are told in one line, never passed over."""
    folder, _ = onnx
    if broken == "module":
        (folder / "modules.json").write_text(json.dumps([{"type": "sentence_transformers.models.Dense", "path": "2"}]), encoding="utf-8")
    elif broken == "graph":
        (folder / "onnx" / "model.onnx").write_bytes(b"no graph")
    else:
        (folder / "1_Pooling" / "config.json").write_text(json.dumps({"pooling_mode": "weightedmean"}), encoding="utf-8")
    expected = {"module": "runs no module Dense", "graph": "model.onnx", "pooling": "weightedmean"}[broken]
    with pytest.raises(EncodingError, match=expected) as error:
        encode(folder, TEXTS, TEXTS)
    assert "\n" not in str(error.value)


def _set(folder: Path, name: str, **changes: Any) -> None:
    path = folder / name
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps(known | changes), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "changes", "cut"),
    [
        ("tokenizer_config.json", {"truncation_side": "left"}, lambda ids: [ids[0], *ids[1:-1][-62:], ids[-1]]),
        ("sentence_bert_config.json", {"max_seq_length": 20}, lambda ids: [*ids[:19], ids[-1]]),
        ("sentence_bert_config.json", {"max_seq_length": None}, lambda ids: [*ids[:63], ids[-1]]),
        ("config.json", {"max_position_embeddings": 50}, lambda ids: [*ids[:49], ids[-1]]),
        ("tokenizer_config.json", {"model_max_length": 10**30}, lambda ids: [*ids[:63], ids[-1]]),
    ],
)
def test_onnx_cuts_where_the_settings_say(
    onnx: tuple[Path, NDArray[np.float32]], name: str, changes: dict[str, Any], cut: Callable[[list[int]], list[int]]
) -> None:
    """A text is cut at the stated length, else at the smaller of the tokenizer's and the model's limit, and at the end that is named."""
    folder, table = onnx
    _set(folder, name, **changes)
    text = "the railway of the court and of the law " * 20 + "who was an engine"
    found = encode(folder, [text], [text])
    assert np.allclose(found.documents[0], table[cut(_ids(folder, text))].mean(axis=0), atol=1e-5)


def test_onnx_cuts_no_model_short_that_reads_more(onnx: tuple[Path, NDArray[np.float32]]) -> None:
    """Limits above what texts are ever cut at are not taken for missing ones."""
    folder, table = onnx
    _set(folder, "tokenizer_config.json", model_max_length=40960)
    _set(folder, "config.json", max_position_embeddings=40960)
    text = "the court of law " * 200
    assert np.allclose(encode(folder, [text], [text]).documents[0], table[_ids(folder, text)].mean(axis=0), atol=1e-5)


def test_onnx_cuts_vectors_after_normalising(onnx: tuple[Path, NDArray[np.float32]]) -> None:
    """Vectors are cut at the dimension that the settings state as sentence-transformers does: at last, and not normalised again."""
    folder, table = onnx
    modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
    modules.append({"idx": 2, "name": "2", "type": "sentence_transformers.models.Normalize", "path": "2_Normalize"})
    (folder / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    _set(folder, "config_sentence_transformers.json", truncate_dim=5)
    whole = table[_ids(folder, TEXTS[0])].mean(axis=0)
    assert np.allclose(encode(folder, TEXTS, TEXTS).documents[0], (whole / np.linalg.norm(whole))[:5], atol=1e-5)


def test_onnx_lowercases_where_the_settings_say(onnx: tuple[Path, NDArray[np.float32]]) -> None:
    """A tokenizer that keeps case gets lower case where sentence-transformers would give it some, prompts included."""
    folder, table = onnx
    told = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    told["normalizer"]["lowercase"] = False
    (folder / "tokenizer.json").write_text(json.dumps(told), encoding="utf-8")
    _set(folder, "config_sentence_transformers.json", prompts={"query": "WHO: ", "document": ""})
    found = encode(folder, ["Court"], ["who: court"])
    assert not np.allclose(found.queries, found.documents)
    _set(folder, "sentence_bert_config.json", do_lower_case=True)
    found = encode(folder, ["Court"], ["who: court"])
    assert np.allclose(found.queries[0], table[_ids(folder, "who: court")].mean(axis=0), atol=1e-5)
    assert np.allclose(found.queries, found.documents, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("1_Pooling/config.json", {"include_prompt": False}, "prompt's tokens"),
        ("1_Pooling/config.json", {"pooling_mode": None, "pooling_mode_weightedmean_tokens": True}, "weightedmean"),
        ("1_Pooling/config.json", {"pooling_mode": None, "pooling_mode_mean_sqrt_len_tokens": True}, "mean_sqrt_len_tokens"),
        (
            "1_Pooling/config.json",
            {"pooling_mode": None, "pooling_mode_cls_token": True, "pooling_mode_weightedmean_tokens": True},
            "'cls', 'weightedmean'",
        ),
        ("sentence_bert_config.json", {"query_length": 8}, "query_length"),
        ("sentence_bert_config.json", {"document_length": 16}, "document_length"),
    ],
)
def test_onnx_refuses_what_it_does_not_follow(
    onnx: tuple[Path, NDArray[np.float32]], name: str, changes: dict[str, Any], expected: str
) -> None:  # fmt: skip
    """A setting that changes vectors and is not followed is told; nothing is computed another way in silence."""
    folder, _ = onnx
    _set(folder, "config_sentence_transformers.json", prompts={"query": "who was ", "document": ""})
    _set(folder, name, **changes)
    with pytest.raises(EncodingError, match=expected):
        encode(folder, TEXTS, TEXTS)


@pytest.mark.parametrize(
    ("outputs", "taken"),
    [
        ([("logits", 3), ("last_hidden_state", 3)], "last_hidden_state"),
        ([("hidden_states.0", 3), ("token_embeddings", 3), ("pooler_output", 2)], "token_embeddings"),
        ([("last_hidden_state", 3), ("sentence_embedding", 2)], "sentence_embedding"),
        ([("1620", 3), ("1623", 2)], "1620"),
        ([("logits", 3)], ""),
        ([("hidden_states.12", 3)], ""),
        ([("a", 3), ("b", 3)], ""),
        ([("last_hidden_state", 2)], ""),
    ],
)
def test_the_output_of_a_graph(outputs: list[tuple[str, int]], taken: str) -> None:
    """Token vectors are known by their name, or by being the only rows there are; a prediction for each token is none."""
    if taken:
        assert _output(outputs) == taken
    else:
        with pytest.raises(UnsupportedError, match="no output"):
            _output(outputs)


def test_openvino_without_its_packages_or_files(saved_model: Path) -> None:
    """Where OpenVINO or its graph is missing, what to do is said."""
    with pytest.raises(EncodingError, match=r"pip install 'optimum-intel|no openvino_model.xml"):
        encode(saved_model, TEXTS, TEXTS, backend="openvino")


@pytest.mark.parametrize(("tokens", "told"), [(None, None), (math.inf, None), (512.0, 512), (0, 0)])
def test_mteb_that_knows_no_limit(tokens: float | None, told: int | None) -> None:
    """A model of mteb's registry that has no limit, as static embeddings have none there, is described without one."""
    backend = MtebBackend.__new__(MtebBackend)
    backend.name, backend.device, backend.model = "acme/static", "cpu", SimpleNamespace()
    backend.meta = SimpleNamespace(max_tokens=tokens, similarity_fn_name=None, revision="a", use_instructions=False)
    assert backend.about()["max_seq_length"] == told


@pytest.mark.skipif(find_spec("mteb") is not None, reason="mteb is installed")
def test_mteb_that_is_not_installed(saved_model: Path) -> None:
    """A model that is asked for through mteb's loader says what to install."""
    with pytest.raises(EncodingError, match="pip install mteb"):
        encode(saved_model, TEXTS, TEXTS, backend="mteb", mteb_name="intfloat/e5-small")


def test_code_of_a_repository_is_refused_whatever_a_loader_asks_for(tiny: Path, tmp_path: Path) -> None:
    """Where remote code was not allowed, transformers imports none even when a loader sets trust_remote_code itself, as some of mteb do."""
    config = json.loads((tiny / "config.json").read_text(encoding="utf-8"))
    config |= {"auto_map": {"AutoConfig": "own.Own"}, "model_type": "own"}
    (tiny / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (tiny / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nclass Own: pass\n", encoding="utf-8")
    load = f"AutoConfig.from_pretrained({str(tiny)!r}, trust_remote_code=True)"
    refuse = "from cardcheck.spotcheck.wrapper import refuse_remote_code as refuse; refuse()\n"
    environment = os.environ | {"HF_HOME": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
    for before, runs in ((refuse, False), ("", True)):
        code = f"{before}from transformers import AutoConfig\ntry: {load}\nexcept Exception as error: print(error)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        assert (tmp_path / "ran").exists() is runs
        assert ("--trust-remote-code" in done.stdout) is not runs
