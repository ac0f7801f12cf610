"""What the command line says about the public tasks, as the measurement gets it, and what it asks of the network."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.cli import main
from cardcheck.spotcheck import check as checking
from cardcheck.spotcheck import public, references

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardcheck.spotcheck.measure import Options

    Audit = Callable[..., dict[str, Any]]


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Return a function that audits and gives the spot check of the report."""

    def auditing(*arguments: str) -> dict[str, Any]:
        report = tmp_path / "report.json"
        with pytest.raises(SystemExit):
            main(["audit", *arguments, "--output", f"json:{report}"])
        found: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))["spotcheck"]
        return found

    return auditing


@pytest.fixture
def measured_with(monkeypatch: pytest.MonkeyPatch) -> list[Options]:
    """Return how the first stage is to be measured, in place of measuring it."""
    seen: list[Options] = []

    def measure(_path: Path, _corpus: Any, options: Options, _progress: Any) -> Any:
        seen.append(options)
        raise ValueError("not measured here")

    monkeypatch.setattr(checking, "measure", measure)
    return seen


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return the hosts whose addresses are asked for; none is found."""
    hosts: list[Any] = []

    def refuse(host: Any, *_: Any, **__: Any) -> Any:
        hosts.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "there is no network in a test")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return hosts


def beir(folder: Path) -> Path:
    """Write the least of SciFact in BEIR layout, and return the folder that holds it."""
    place = folder / "sets" / "scifact"
    (place / "qrels").mkdir(parents=True)
    (place / "corpus.jsonl").write_text('{"_id": "d1", "title": "a", "text": "b"}\n', encoding="utf-8")
    (place / "queries.jsonl").write_text('{"_id": "q1", "text": "c"}\n{"_id": "q2", "text": "d"}\n', encoding="utf-8")
    for split, query in (("test", "q1"), ("train", "q2")):
        (place / "qrels" / f"{split}.tsv").write_text(f"query-id\tcorpus-id\tscore\n{query}\td1\t1\n", encoding="utf-8")
    return place.parent


def test_a_folder_of_public_sets_is_measured(  # noqa: PLR0917  # fixtures
    tiny: Path, tmp_path: Path, audit: Audit, measured_with: list[Options], asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --public-sets the folder is what the measurement gets, and nothing is asked for, offline as we are."""
    folder = beir(tmp_path)
    monkeypatch.setattr(references, "public_hash", lambda _name: public.load(public.TASKS[0], folder / "scifact").sha256)
    audit(str(tiny), "--offline", "--public-sets", str(folder))
    (options,) = measured_with
    assert (options.public, options.offline, options.heldout_only) == (folder, True, False)
    assert asked == []


@pytest.mark.usefixtures("asked", "measured_with")
def test_other_data_are_not_taken_for_the_task(tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder with other texts or judgements is refused: an honest model's published score would not be reproduced on them."""
    with pytest.raises(SystemExit) as ended:
        main(["audit", str(tiny), "--offline", "--public-sets", str(beir(tmp_path))])
    assert ended.value.code == 2
    assert "is not SciFact as MTEB evaluates it" in capsys.readouterr().err


def test_held_out_alone(tiny: Path, tmp_path: Path, audit: Audit, measured_with: list[Options]) -> None:
    """With --heldout-only no public task is measured, whatever folder is there."""
    audit(str(tiny), "--offline", "--heldout-only", "--public-sets", str(beir(tmp_path)))
    (options,) = measured_with
    assert options.heldout_only


def test_offline_makes_no_request(tiny: Path, audit: Audit, measured_with: list[Options], asked: list[Any]) -> None:
    """Offline the Hub is not asked for a public task's data; what cannot be had is left out."""
    found = audit(str(tiny), "--offline")
    assert found["reason"] == "not measured here"
    assert [options.offline for options in measured_with] == [True]
    assert asked == []


@pytest.mark.usefixtures("measured_with")
def test_online_the_hub_is_asked(tiny: Path, audit: Audit, asked: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without --offline the Hub is asked for the data."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    found = audit(str(tiny))
    assert found["status"] == "failed"
    assert asked


@pytest.mark.parametrize("folder", ["gone", "empty"])
def test_a_folder_without_the_data_is_a_mistake(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], measured_with: list[Options], folder: str
) -> None:
    """A folder that is named and holds no public set is told in a line, with exit status 2, and nothing is measured."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit) as end:
        main(["audit", str(tiny), "--offline", "--public-sets", str(tmp_path / folder)])
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert folder in error
    assert "Traceback" not in error
    assert measured_with == []
