"""What OpenVINO computes is what the model computes, at every width, or it is not taken."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest

from cardcheck.spotcheck.children import EncodingError
from cardcheck.spotcheck.encode import Limits, encode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytest.importorskip("openvino", reason="OpenVINO is not installed: the spotcheck extra brings it where there is a build")
import torch
from transformers import AutoConfig, AutoModel, PreTrainedModel

from cardcheck.spotcheck import memory, precision, work
from cardcheck.spotcheck.backends import TorchBackend
from cardcheck.spotcheck.compiled import use

SIZE = {"vocab_size": 100, "hidden_size": 64, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 128}
FEW = {"num_key_value_heads": 2, "head_dim": 16}
KINDS: dict[str, dict[str, Any]] = {
    "bert": {},
    "xlm-roberta": {},
    "mpnet": {},  # positions relative to each other
    "distilbert": {"dim": 64, "n_layers": 3, "n_heads": 4, "hidden_dim": 128},
    "nomic_bert": {},
    "deberta-v2": {"position_buckets": 16, "relative_attention": True, "pos_att_type": ["p2c", "c2p"]},
    "modernbert": {"local_attention": 16, "global_attn_every_n_layers": 2}
    | {f"{name}_token_id": number for number, name in enumerate(("pad", "bos", "eos", "cls", "sep"))},
    "qwen3": FEW,
    "mistral": {"num_key_value_heads": 2, "sliding_window": 32},
    "gemma3_text": FEW | {"sliding_window": 16, "layer_types": ["sliding_attention", "full_attention", "sliding_attention"]},
}
TEXTS = [f"the {'railway and the court of law ' * (number % 7)}{number}" for number in range(40)]


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    """Give PyTorch its threads back, which a compiled model takes away."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


def _model(kind: str, **settings: Any) -> PreTrainedModel:
    torch.manual_seed(0)
    model: Any = AutoModel.from_config(AutoConfig.for_model(kind, **(SIZE | KINDS[kind] | settings)))  # type: ignore[no-untyped-call]
    return cast("PreTrainedModel", model.eval())


def _batches() -> list[dict[str, torch.Tensor]]:
    """Return batches of one and of more texts, wider than the example and narrower, padded on the right and on the left."""
    torch.manual_seed(1)
    found = []
    for texts, width in ((2, 8), (4, 100), (1, 1), (1, 33), (3, 64)):
        right = (torch.arange(width)[None] < (width - 7 * torch.arange(texts)[:, None]).clamp(min=1)).long()
        found += [{"input_ids": torch.randint(5, 99, right.shape) * mask, "attention_mask": mask} for mask in (right, right.flip(1))]
    return found


def _run(model: PreTrainedModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Return the vectors of the tokens that are no padding."""
    with torch.inference_mode():
        rows: torch.Tensor = model(**batch, return_dict=True)["last_hidden_state"]
        return rows[batch["attention_mask"].bool()]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_architectures(kind: str) -> None:
    """Encoders and decoders, with local attention and relative positions, give what PyTorch gives, whatever the width and the padding."""
    model, batches = _model(kind), _batches()
    expected = [_run(model, batch) for batch in batches]
    forwards = use(model, "float32")
    for batch, rows in zip(batches, expected, strict=True):
        assert torch.allclose(_run(model, batch), rows, atol=1e-4)
    assert len(forwards) == 1
    assert not sum(parameter.numel() for parameter in model.parameters())  # no second copy of the weights


def test_other_inputs_are_refused() -> None:
    """What was compiled for some inputs says so where it is given others, and never computes without one."""
    model = _model("bert")
    use(model, "float32")
    batch = _batches()[0]
    _run(model, batch)
    with pytest.raises(RuntimeError, match="compiled for input_ids, attention_mask, called with input_ids"):
        model(input_ids=batch["input_ids"], return_dict=True)
    with pytest.raises(RuntimeError, match="called with task, which a graph does not know"):
        model(**batch, task="query", return_dict=True)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_that_fails_is_an_error(threads: int) -> None:
    """More tokens than there are positions raise, with one thread as with two; the batch before is never taken for this one's."""
    torch.set_num_threads(threads)
    model = _model("xlm-roberta", max_position_embeddings=40)
    use(model, "float32")
    short, long = torch.full((2, 30), 7), torch.full((2, 41), 7)
    model(input_ids=short, attention_mask=short * 0 + 1)
    with pytest.raises(RuntimeError):
        model(input_ids=long, attention_mask=long * 0 + 1)


def test_tokens_beyond_the_table_are_an_error() -> None:
    """PyTorch says so; OpenVINO would take them for something."""
    model = _model("bert")
    use(model, "float32")
    ids = torch.full((2, 8), 99)
    model(input_ids=ids, attention_mask=ids * 0 + 1)
    with pytest.raises(IndexError, match="token id 100 is beyond the 100 rows"):
        model(input_ids=ids + 1, attention_mask=ids * 0 + 1)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_with_ever_new_shapes() -> None:
    """Kernels are kept for some shapes alone: at OpenVINO's and oneDNN's defaults two hundred more take over a gigabyte."""
    code = (
        "import os; from cardcheck.spotcheck import compiled, memory, worker; os.environ |= worker.ENVIRONMENT\n"
        "import torch; from transformers import BertConfig, BertModel\n"
        "model = BertModel(BertConfig(hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=128)).eval()\n"
        "compiled.use(model, 'float32'); held = []\n"
        "with torch.inference_mode():\n"
        "    for width in range(400, 100, -1):\n"
        "        ids = torch.ones(1, width, dtype=torch.long); model(input_ids=ids, attention_mask=ids); held.append(memory._held())\n"
        "print(held[-1] - held[100] >> 20)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert int(done.stdout) < 200


def test_a_run_that_fails_later_is_made_again_the_plain_way(saved_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the faster way cannot do though its sample allowed it is done by the plain one, all of it; the count of texts is right."""
    real = TorchBackend.vectors

    def failing(self: TorchBackend, items: list[Any], kind: Any) -> Any:
        if self.compiled and len(items) > 40:
            raise RuntimeError("Exception from src/node.cpp:823")
        return real(self, items, kind)

    monkeypatch.setattr(TorchBackend, "vectors", failing)
    monkeypatch.setattr(precision, "WORTH_FLOAT32", 0)
    texts = [f"{number} {text}" for number in range(4) for text in TEXTS]
    told: list[int] = []
    job = {"path": str(saved_model), "device": "cpu", "seed": 0, "trust_remote_code": False, "backend": "torch", "chunks": str(tmp_path)}
    job |= {"batch_tokens": None, "window": None, "query": TEXTS, "document": texts}
    threads = torch.get_num_threads()
    rows = {}
    for dtype in ("float32", "exact"):
        about = work.work(job | {"dtype": dtype, "out": str(tmp_path / dtype)}, told.append)
        rows[dtype] = np.load(f"{tmp_path / dtype}.document.npy")
        assert not about["compiled"]
    assert np.array_equal(rows["float32"], rows["exact"])
    assert sum(told) == 2 * (len(texts) + len(TEXTS))
    assert about["reused_texts"] == len(texts) + len(TEXTS)  # the plain way's chunks are those of whoever asks for it
    assert torch.get_num_threads() == threads


def test_vectors_are_kept_apart(saved_model: Path) -> None:
    """A batch's vectors do not change when the next one is computed in the same room; pooling by the first token would show it."""
    backend = TorchBackend(saved_model, device="cpu", trust_remote_code=False)
    pooling: Any = backend.model[1]
    pooling.pooling_mode = "cls"
    items = backend.tokenise(TEXTS[:8], "query")
    expected = [backend.vectors([item], "query") for item in items]
    backend.speed_up("float32", compiled=True)
    found = [backend.vectors([item], "query") for item in items]
    assert torch.allclose(torch.cat(found), torch.cat(expected), atol=1e-5)


def _choose(saved_model: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, dict[str, Any]]:
    monkeypatch.setattr(precision, "WORTH", 0)
    monkeypatch.setattr(precision, "WORTH_FLOAT32", 0)
    monkeypatch.setattr(precision, "has_bfloat16", lambda _device: False)

    def loading() -> TorchBackend:
        return TorchBackend(saved_model, device="cpu", trust_remote_code=False)

    backend, choice = work._choose(loading(), loading, {"device": "cpu", "dtype": "auto", "query": TEXTS, "document": TEXTS}, None)
    return backend, choice


def test_float32_is_compiled_too(saved_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no bfloat16 is multiplied, a compiled model computes in float32 and moves next to nothing."""
    backend, choice = _choose(saved_model, monkeypatch)
    assert backend.about()["compiled"]
    assert (choice["dtype"], choice["compiled"], len(choice["tried"])) == ("float32", True, 1)
    assert choice["tried"][0]["moved"] < 1e-4


def test_what_was_decided_by_the_example_is_found_out(saved_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model whose forward looks at the width does something else when compiled; the check sees it and the plain way is taken."""
    real = TorchBackend.__init__

    def looking(self: TorchBackend, *given: Any, **options: Any) -> None:
        real(self, *given, **options)
        inner: Any = next(module for module in self.model.modules() if isinstance(module, PreTrainedModel))
        plain = inner.forward

        def forward(**inputs: Any) -> Any:
            found = plain(**inputs)
            if inputs["input_ids"].shape[1] > 12:
                found["last_hidden_state"] = found["last_hidden_state"] ** 2
            return found

        inner.forward = forward

    monkeypatch.setattr(TorchBackend, "__init__", looking)
    backend, choice = _choose(saved_model, monkeypatch)
    assert not backend.about()["compiled"]
    assert torch.get_num_threads() == backend.about()["threads"]
    assert choice["tried"][0]["moved"] > work.EXACT
    assert "did not rank" in choice["why"]


def test_models_that_call_no_forward(saved_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where vectors come by another way than a transformer's forward, nothing claims to be compiled."""
    monkeypatch.setattr("cardcheck.spotcheck.compiled.use", lambda _model, _dtype: [])
    backend, choice = _choose(saved_model, monkeypatch)
    assert not backend.about()["compiled"]
    assert "no transformer's forward" in choice["tried"][0]["error"]


def test_without_openvino(saved_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no build of OpenVINO, the plain way is the only one in float32, and in bfloat16 PyTorch's."""
    monkeypatch.setattr(work, "find_spec", lambda _name: None)
    ways, _ = work._ways({"device": "cpu", "dtype": "bfloat16", "query": [], "document": TEXTS})
    assert ways == [{"dtype": "bfloat16", "compiled": False}]
    _, choice = _choose(saved_model, monkeypatch)
    assert "tried" not in choice


def test_nobody_is_told_that_it_is_used() -> None:
    """OpenVINO's telemetry is not imported, though it is installed with it."""
    code = (
        "import sys; from cardcheck.spotcheck import compiled; from transformers import BertConfig, BertModel; import torch\n"
        "model = BertModel(BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=1, intermediate_size=16)).eval()\n"
        "compiled.use(model, 'float32'); ids = torch.ones(1, 4, dtype=torch.long)\n"
        "model(input_ids=ids, attention_mask=ids)\n"
        "assert 'openvino' in sys.modules and sys.modules['openvino_telemetry'] is None"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("megabytes", [60, 110, 130, 250, 400])
def test_little_memory(model: Path, megabytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the limit, the child answers: with vectors, or with why not."""
    monkeypatch.setattr(precision, "WORTH", 0)
    told = ""
    with contextlib.suppress(EncodingError):
        try:
            found = encode(model, TEXTS, TEXTS, dtype="bfloat16", limits=Limits(120, megabytes))
        except EncodingError as error:
            told = str(error)
            raise
    assert "memory" in told if told else np.isfinite(found.documents).all()


@pytest.mark.parametrize("refused", [OSError(12, "Cannot allocate memory"), MemoryError()])
def test_a_limit_under_which_no_folder_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: Exception) -> None:
    """Where memory does not suffice to look at the weights the limit is named all the same, and a usual one is not."""

    def listing(*_: object) -> None:
        raise refused

    monkeypatch.setattr("pathlib.Path.glob", listing)
    assert memory.tight({"path": str(tmp_path), "memory_mb": 1}) == "in little memory (1 MB for weights of 0 MB): "
    assert memory.tight({"path": str(tmp_path), "memory_mb": 3000}) == ""
