"""Encoding in a child process that is not trusted: what it may do, what it may not, and how it ends."""

from __future__ import annotations

import json
import os
import pickle
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cardcheck.pipeline import audit
from cardcheck.spotcheck import children as children_of_ours
from cardcheck.spotcheck import encode as encoding
from cardcheck.spotcheck.check import Options
from cardcheck.spotcheck.children import EncodingError
from cardcheck.spotcheck.encode import Encoded, Limits, encode

if TYPE_CHECKING:
    from collections.abc import Iterator

QUERIES = [f"who was {'very ' * (number % 7)}{number}?" for number in range(37)]
DOCUMENTS = [f"the railway of {number}, " * (1 + number % 5) for number in range(70)]
SECRET = "a-secret-of-ours"  # noqa: S105  # it opens nothing
SPY = """
import json, os, socket
seen = {{"environment": dict(os.environ), "connected": False}}
try:
    socket.create_connection(("127.0.0.1", {port}), timeout=5).close()
    seen["connected"] = True
except OSError as error:
    seen["error"] = str(error)
with open({report!r}, "w") as file:
    json.dump(seen, file)

import torch

class Spy(torch.nn.Module):
    @staticmethod
    def load(*args, **options):
        return Spy()

    def forward(self, features):
        return features
"""


class _Trap:
    """A pickle that makes a folder when it is loaded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the ids of the child processes that are started."""
    started: list[int] = []

    start = children_of_ours._start

    def recorded(*args: Any, forked: bool) -> Any:
        child = start(*args, forked=forked)
        started.append(child.pid)
        return child

    monkeypatch.setattr(children_of_ours, "_start", recorded)
    return started


@pytest.fixture
def port() -> Iterator[int]:
    """Return a port of this machine on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        number: int = server.getsockname()[1]
        socket.create_connection(("127.0.0.1", number), timeout=5).close()
        yield number


@pytest.fixture(scope="module")
def counted() -> list[int]:
    """Return what the progress callback was told while `encoded` was made."""
    return []


@pytest.fixture(scope="module")
def encoded(saved_model: Path, counted: list[int]) -> Encoded:
    """Return the embeddings of all texts by the tiny model."""
    return encode(saved_model, QUERIES, DOCUMENTS, progress=counted.append, window=32)


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def _one_line(error: EncodingError) -> str:
    text = str(error)
    assert "\n" not in text
    assert "Traceback" not in text
    assert len(text) < 500
    return text


def _bring_code(model: Path, how: str, report: Path, port: int = 9) -> None:
    """Give a model Python code of its own, which writes `report` when it is imported."""
    (model / "spy.py").write_text(SPY.format(port=port, report=str(report)), encoding="utf-8")
    if how == "module":
        modules = json.loads((model / "modules.json").read_text(encoding="utf-8"))
        modules.append({"idx": 2, "name": "2", "path": "2_Spy", "type": "spy.Spy"})
        (model / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
        (model / "2_Spy").mkdir()
        (model / "2_Spy" / "config.json").write_text("{}", encoding="utf-8")
    else:
        config = json.loads((model / "config.json").read_text(encoding="utf-8"))
        config |= {"auto_map": {"AutoConfig": "spy.Spy", "AutoModel": "spy.Spy"}, "model_type": "spy"}
        (model / "config.json").write_text(json.dumps(config), encoding="utf-8")


def test_results_are_in_the_order_of_the_input(saved_model: Path, encoded: Encoded) -> None:
    """Each row is the embedding of its own text, though texts are encoded in another order and in batches."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(saved_model), device="cpu")
    assert encoded.queries.shape == (len(QUERIES), 32)
    assert encoded.documents.shape == (len(DOCUMENTS), 32)
    for texts, rows in ((QUERIES, encoded.queries), (DOCUMENTS, encoded.documents)):
        alone = np.stack([model.encode(text) for text in texts])
        assert np.allclose(alone, rows, atol=1e-5)
        assert len(np.unique(rows.round(4), axis=0)) > len(texts) / 2


def test_progress_adds_up(encoded: Encoded, counted: list[int]) -> None:
    """The progress callback is told of every text once."""
    assert sum(counted) == len(QUERIES) + len(DOCUMENTS)
    assert len(counted) > 2
    assert encoded.about["dimension"] == 32


def test_leaving_the_network(port: int) -> None:
    """A process that has left the network reaches no port of this machine."""
    code = (
        "import socket; from cardcheck.spotcheck.worker import leave_network\n"
        "print(leave_network())\n"
        f"try: socket.create_connection(('127.0.0.1', {port}), timeout=5); print('reached')\n"
        "except OSError: print('cut off')"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    if out[0] != "True":
        pytest.skip("this system lets no process leave the network (no user namespaces)")
    assert out[1:] == ["cut", "off"]


def test_what_code_of_a_model_sees(tiny: Path, tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch, children: list[int]) -> None:
    """Code that was allowed to run finds no credentials in its environment and no network."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setenv("HOME", str(tmp_path))  # transformers copies the code there
    report = tmp_path / "report.json"
    _bring_code(tiny, "module", report, port)
    result = encode(tiny, ["a"], ["b"], trust_remote_code=True)
    seen = json.loads(report.read_text(encoding="utf-8"))
    assert SECRET not in json.dumps(seen["environment"])
    assert seen["environment"]["HF_HUB_OFFLINE"] == "1"
    assert all(map(_gone, children))
    if not result.isolation["network"]:
        pytest.skip("this system lets no process leave the network (no user namespaces)")
    assert not seen["connected"], "the network was reached"


@pytest.mark.parametrize("how", ["module", "auto_map"])
def test_code_of_a_model_is_not_run_unasked(tiny: Path, tmp_path: Path, how: str) -> None:
    """Neither encoding nor an audit imports a repository's code without --trust-remote-code, and both say why they stop."""
    report = tmp_path / "report.json"
    _bring_code(tiny, how, report)
    check = audit(tiny, measure=Options(heldout_only=True)).spotcheck
    assert check
    assert check.status == "skipped"
    assert "--trust-remote-code" in check.reason
    with pytest.raises(EncodingError, match=r"trust_remote_code|custom code"):
        encode(tiny, ["a"], ["b"])
    assert not report.exists()


def test_code_in_the_working_folder_is_not_run(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Auditing from inside a model's folder does not import modules from it in place of libraries."""
    (tiny / "resource.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(Path(encoding.__file__).parents[2]))  # a relative one would not be found from there
    monkeypatch.chdir(tiny)
    assert encode(Path(), ["a"], ["b"], limits=Limits(60)).queries.shape == (1, 32)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("place", ["pytorch_model.bin", "2_Dense/pytorch_model.bin"])
def test_pickles_are_never_loaded(tiny: Path, tmp_path: Path, place: str) -> None:
    """A pickle in place of weights is not unpickled, whichever module it is of."""
    trap = tmp_path / "trap"
    payload = pickle.dumps(_Trap(trap))
    pickle.loads(payload)  # noqa: S301  # our own: it shows that the trap works
    trap.rmdir()
    if place.startswith("2_"):
        modules = json.loads((tiny / "modules.json").read_text(encoding="utf-8"))
        kind = "sentence_transformers.models.Dense"
        (tiny / "modules.json").write_text(json.dumps([*modules, {"idx": 2, "name": "2", "path": "2_Dense", "type": kind}]))
        (tiny / "2_Dense").mkdir()
        settings = {"in_features": 32, "out_features": 8, "bias": True, "activation_function": "torch.nn.modules.activation.Tanh"}
        (tiny / "2_Dense" / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    else:
        (tiny / "model.safetensors").unlink()
    (tiny / place).write_bytes(payload)
    with pytest.raises(EncodingError) as error:
        encode(tiny, ["a"], ["b"])
    _one_line(error.value)
    assert not trap.exists()


def test_pickles_are_not_loaded_by_an_audit(tiny: Path, tmp_path: Path) -> None:
    """An audit of a model that has nothing but a pickle skips the measurement and says why."""
    (tiny / "model.safetensors").unlink()
    (tiny / "pytorch_model.bin").write_bytes(pickle.dumps(_Trap(tmp_path / "trap")))
    check = audit(tiny, measure=Options(heldout_only=True)).spotcheck
    assert check
    assert check.status == "skipped"
    assert "no readable safetensors" in check.reason
    assert not (tmp_path / "trap").exists()


def test_time_limit(saved_model: Path, children: list[int]) -> None:
    """A model that takes too long is stopped, with the option that allows more, and leaves no process behind."""
    with pytest.raises(EncodingError, match="stopped after 1 s") as error:
        encode(saved_model, QUERIES * 100, DOCUMENTS * 100, limits=Limits(seconds=1))
    assert "--time-limit" in (error.value.hint or "")
    assert len(children) == 1
    assert _gone(children[0])


def test_memory_limit(saved_model: Path, children: list[int]) -> None:
    """A limit that leaves no room beside the libraries is told as such at once, without a traceback."""
    with pytest.raises(EncodingError, match="memory") as error:
        encode(saved_model, ["a"], ["b"], limits=Limits(seconds=20, memory_mb=1))
    _one_line(error.value)
    assert _gone(children[0])


def test_memory_limit_holds_for_a_model(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that asks for more than its limit does not get it, and that is said."""
    monkeypatch.setenv("HOME", str(tmp_path))
    _bring_code(tiny, "module", tmp_path / "report.json")
    with (tiny / "spy.py").open("a", encoding="utf-8") as code:
        code.write("\nheld = bytearray(8 << 30)\n")
    with pytest.raises(EncodingError, match="needs more memory than the limit allows"):
        encode(tiny, ["a"], ["b"], limits=Limits(seconds=60, memory_mb=3000), trust_remote_code=True)
    assert (tmp_path / "report.json").exists()


def test_broken_configuration(tiny: Path, children: list[int]) -> None:
    """A configuration that is no JSON is named in one line."""
    (tiny / "config.json").write_text('{"model_type":\n\n', encoding="utf-8")
    with pytest.raises(EncodingError, match="the model could not be run") as error:
        encode(tiny, ["a"], ["b"])
    assert "config" in _one_line(error.value)
    assert all(map(_gone, children))
