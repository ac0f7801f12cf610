"""The spot check from end to end, on the tiny model and on the real one."""

from __future__ import annotations

import json
import pickle
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from cardcheck.cli import main
from cardcheck.facts import collect
from cardcheck.spotcheck import measure, panel
from cardcheck.spotcheck.check import Options, spotcheck
from cardcheck.spotcheck.children import EncodingError
from cardcheck.spotcheck.encode import Encoded, encode
from cardcheck.subject import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardcheck.spotcheck.result import SpotCheck

OFFLINE = Options(offline=True)
MINILM = "sentence-transformers/all-MiniLM-L6-v2"


def checked(found: tuple[Any, Any], options: Options, **more: Any) -> SpotCheck:
    """Return the check of what was read of a model."""
    return spotcheck(*found, options, **more)


class _Forbidden:
    """A pickle that fails whoever loads it."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('a pickle was loaded')",)


@pytest.fixture(scope="module")
def progress() -> list[tuple[int, int]]:
    """Return what the progress callback was told while `measured` was made."""
    return []


@pytest.fixture(scope="module")
def measured(
    saved_model: Path, tmp_path_factory: pytest.TempPathFactory, read: Callable[..., Any], progress: list[tuple[int, int]]
) -> SpotCheck:
    """Return the spot check of the tiny model with a pickle beside its weights."""
    folder = Path(shutil.copytree(saved_model, tmp_path_factory.mktemp("check") / "model"))
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(_Forbidden()))
    return checked(read(folder), OFFLINE, progress=lambda done, total: progress.append((done, total)))


def test_without_published_scores_it_is_inconclusive(measured: SpotCheck) -> None:
    """A model of which nobody claims anything is measured, and the report says what would settle it."""
    assert (measured.status, measured.verdict) == ("done", "inconclusive")
    assert measured.residual is None
    assert measured.panel is None
    assert "published scores" in measured.settle


def test_what_was_measured(measured: SpotCheck, held_out: Any) -> None:
    """The result names the set, has a score a query, and a mean inside its interval; a random model scores low."""
    assert (measured.set_name, measured.set_hash) == (held_out.name, held_out.sha256)
    assert set(measured.per_query) == set(held_out.queries)
    assert measured.measured == pytest.approx(100 * np.mean(list(measured.per_query.values())))
    assert measured.measured_interval.low <= measured.measured <= measured.measured_interval.high
    assert measured.measured < 40
    assert measured.same_weights_as is None
    assert measured.texts_per_second > 0


def test_progress_goes_from_nothing_to_all(measured: SpotCheck, progress: list[tuple[int, int]]) -> None:
    """The progress callback is told a growing count of texts out of all of them."""
    total = measured.queries + measured.documents
    assert progress[0] == (0, total)
    assert progress[-1] == (total, total)
    assert progress == sorted(progress)


def _cut(folder: Path) -> None:
    data = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(data[: len(data) // 2])


def _without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def _without_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def _missing_shard(folder: Path) -> None:
    index = {"metadata": {}, "weight_map": {"embeddings.LayerNorm.bias": "model-00002-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (_cut, "safetensors"),
        (_without_tokenizer, "no tokenizer"),
        (_without_weights, "no readable safetensors"),
        (_missing_shard, "shard model-00002-of-00002.safetensors"),
    ],
)
def test_what_cannot_be_measured_is_skipped(
    tiny: Path, read: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None], reason: str
) -> None:
    """A model that lacks a part is not even loaded, and the reason names the part."""
    damage(tiny)
    monkeypatch.setattr(measure, "encode", None)
    result = checked(read(tiny), OFFLINE)
    assert (result.status, result.verdict) == ("skipped", "inconclusive")
    assert reason in result.reason
    assert result.settle


def test_a_card_alone_is_skipped(tiny: Path, read: Callable[..., Any]) -> None:
    """Of a card there is nothing to run."""
    result = checked(read(tiny / "README.md"), OFFLINE)
    assert result.status == "skipped"
    assert "only a card" in result.reason


@pytest.mark.parametrize("error", [EncodingError("the model could not be run: x"), ValueError("vectors that are not finite")])
def test_a_model_that_fails_is_a_failed_check(
    tiny: Path, read: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """What goes wrong inside the model is the check's result, not an exception."""

    def fail(*_args: Any, **_options: Any) -> Encoded:
        raise error

    monkeypatch.setattr(measure, "encode", fail)
    result = checked(read(tiny), OFFLINE)
    assert (result.status, result.verdict, result.reason) == ("failed", "inconclusive", str(error))
    assert result.settle


@pytest.mark.parametrize("package", ["torch", "sentence_transformers", "pytrec_eval", "scipy"])
def test_a_missing_package_is_named(tiny: Path, read: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Without the extra the check is skipped, and what to install is said."""
    from importlib import util

    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name, *rest: None if name == package else find(name, *rest))
    result = checked(read(tiny), OFFLINE)
    assert result.status == "skipped"
    assert result.reason == f"{package} not installed: pip install 'cardcheck[spotcheck]'"


class _Vectors:
    """The embeddings of the real model, made once: later audits of the same weights take them from here."""

    def __init__(self) -> None:
        self.known: dict[str, Any] = {}
        self.made: Encoded | None = None

    def encode(self, path: Path, queries: list[str], documents: list[str], **options: Any) -> Encoded:
        if self.made is None:
            self.made = encode(path, queries, documents, **options)
            self.known = dict(zip([*queries, *documents], [*self.made.queries, *self.made.documents], strict=True))
        first, second = (np.stack([self.known[text] for text in texts]) for texts in (queries, documents))
        return Encoded(first, second, self.made.about, self.made.isolation)


class _Audit:
    """Runs `cardcheck audit` on the real weights, and keeps the JSON report and the exit status."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        report = folder / "report.json"
        with pytest.raises(SystemExit) as end:
            main(["audit", *arguments, "--output", f"json:{report}"])
        self.status = end.value.code
        self.check = json.loads(report.read_text(encoding="utf-8"))["spotcheck"]


@pytest.fixture(scope="module")
def vectors() -> Iterator[_Vectors]:
    """Encode with the real model only once in this module."""
    with pytest.MonkeyPatch.context() as patch:
        kept = _Vectors()
        patch.setattr(measure, "encode", kept.encode)
        yield kept


@pytest.fixture(scope="module")
def honest(model: Path, vectors: _Vectors, tmp_path_factory: pytest.TempPathFactory) -> _Audit:
    """Audit the real model under its own name; this one encodes."""
    del vectors
    return _Audit(tmp_path_factory.mktemp("honest"), str(model), "--id", MINILM)


@pytest.fixture(scope="module")
def inflated(model: Path, honest: _Audit, vectors: _Vectors, tmp_path_factory: pytest.TempPathFactory) -> _Audit:
    """Audit the real model under a card that claims the scores of one three hundred times its size."""
    del honest, vectors
    folder = tmp_path_factory.mktemp("inflated")
    copy = folder / "model"
    shutil.copytree(model, copy, copy_function=lambda source, target: Path(target).symlink_to(Path(source).resolve()))
    for name in ("README.md", "model.safetensors"):  # a link that leaves the folder is not read
        (copy / name).unlink()
    (copy / "model.safetensors").hardlink_to(model / "model.safetensors")
    results = [
        {
            "task": {"type": "Retrieval"},
            "dataset": {"type": f"mteb/{name.lower()}", "name": f"MTEB {name}", "config": "default", "split": panel.tasks()[name].split},
            "metrics": [{"type": "ndcg_at_10", "value": score}],
        }
        for name, score in panel.published("nvidia/NV-Embed-v2").items()
    ]
    front = yaml.safe_dump({"license": "mit", "model-index": [{"name": "best-embedding", "results": results}]})
    (copy / "README.md").write_text(f"---\n{front}---\n# best-embedding\n", encoding="utf-8")
    return _Audit(folder, str(copy), "--fail-on", "never")


@pytest.fixture(scope="module")
def sampled(model: Path, honest: _Audit, vectors: _Vectors, tmp_path_factory: pytest.TempPathFactory) -> _Audit:
    """Audit the real model with twenty queries."""
    del honest, vectors
    return _Audit(tmp_path_factory.mktemp("sampled"), str(model), "--id", MINILM, "--queries", "20", "--fail-on", "never")


@pytest.mark.model
def test_honest_model_is_consistent(honest: _Audit) -> None:
    """The real model keeps what its published scores promise, and leaves itself out of the reference models."""
    assert (honest.check["status"], honest.check["verdict"], honest.status) == ("done", "consistent", 0)
    assert honest.check["same_weights_as"] == MINILM
    assert MINILM not in [point["id"] for point in honest.check["references"]]
    assert honest.check["residual"]["gap_interval"]["low"] < 0 < honest.check["residual"]["gap_interval"]["high"]


@pytest.mark.model
def test_borrowed_scores_are_unexplained(inflated: _Audit, honest: _Audit) -> None:
    """The same weights under a far better model's scores are unexplained, and exit with 1 whatever --fail-on says."""
    assert (inflated.check["verdict"], inflated.status) == ("unexplained", 1)
    assert inflated.check["panel"]["source"] == "the card's model-index"
    assert inflated.check["measured"]["ndcg_at_10"] == honest.check["measured"]["ndcg_at_10"]
    assert inflated.check["residual"]["gap_interval"]["low"] > 0


@pytest.mark.model
def test_twenty_queries_settle_nothing(sampled: _Audit) -> None:
    """Twenty queries are inconclusive, and the report names how many would do, or what else."""
    assert (sampled.check["verdict"], sampled.status) == ("inconclusive", 0)
    assert sampled.check["heldout"]["queries"] == len(sampled.check["per_query"]) == 20
    number = re.search(r"about (\d+) queries would settle it", sampled.check["settle"])
    assert int(number[1]) > 20 if number else "more reference models" in sampled.check["settle"]


@pytest.mark.parametrize(("device", "status"), [("cuda:63", 2), ("nonsense", 2)])
def test_a_device_that_is_not_there(tiny: Path, capsys: pytest.CaptureFixture[str], device: str, status: int) -> None:
    """A device that this machine lacks is one line and exit status 2, not a fault of the model."""
    with pytest.raises(SystemExit) as end:
        main(["audit", str(tiny), "--device", device])
    assert end.value.code == status
    error = capsys.readouterr().err
    assert device in error
    assert "Traceback" not in error


def test_default_options_take_all_queries_on_the_cpu() -> None:
    """Nothing is trusted and nothing left out unless asked for."""
    options = Options()
    assert (options.device, options.queries, options.trust_remote_code) == ("cpu", None, False)


def test_module_with_only_a_pickle_is_not_loaded(tiny: Path) -> None:
    """A module whose own folder holds a pickle and no safetensors keeps the whole model from being loaded."""
    modules = json.loads((tiny / "modules.json").read_text(encoding="utf-8"))
    modules.append({"idx": len(modules), "name": "dense", "path": "9_Dense", "type": "sentence_transformers.models.Dense"})
    (tiny / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
    (tiny / "9_Dense").mkdir()
    (tiny / "9_Dense/pytorch_model.bin").write_bytes(b"a pickle")
    subject = resolve(str(tiny))
    result = spotcheck(subject, collect(subject))
    assert (result.status, result.verdict) == ("skipped", "inconclusive")
    assert "9_Dense" in result.reason


def test_unreadable_modules_are_not_guessed(tiny: Path) -> None:
    """Where modules.json cannot be read the model is not measured as if it had none."""
    (tiny / "modules.json").write_text("[", encoding="utf-8")
    subject = resolve(str(tiny))
    result = spotcheck(subject, collect(subject))
    assert (result.status, "modules.json" in result.reason) == ("skipped", True)
