"""Measuring further reference models into the user's file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.cli import main
from cardcheck.spotcheck import heldout, measure, panel, references

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cardcheck.spotcheck.encode import Encoded

NAME = "acme/tiny"
LEVELS = {"ArguAna": 50.0, "SCIDOCS": 20.0}


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the user's file a place of its own, and the tiny model published scores."""
    file = tmp_path / "references.json"
    monkeypatch.setenv("CARDCHECK_REFERENCES", str(file))
    known = panel.published
    monkeypatch.setattr(panel, "published", lambda name: LEVELS if name == NAME else known(name))
    monkeypatch.setattr(references, "published", panel.published)
    references.forget()
    yield file
    references.forget()


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run the command and return what it prints as JSON, or its error."""
    try:
        main(["references", *arguments, "--json"])
    except SystemExit as end:
        if end.code:
            return capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def test_a_model_is_added(tiny: Path, own: Path, capsys: pytest.CaptureFixture[str], held_out: heldout.HeldOutSet) -> None:
    """A measured model stands among the references of exactly this set, with its published level, and is not measured again."""
    arguments = ("measure", str(tiny), "--id", NAME, "--set", held_out.name, "--heldout-only")
    first = run(*arguments, capsys=capsys)
    assert 0 < first["models"][0]["scores"][held_out.name] < 40
    found = next(model for model in references.references(held_out.name, held_out.sha256) if model.id == NAME)
    assert found.panel is not None
    assert set(found.per_query) == set(held_out.queries)
    before = own.read_bytes()
    assert run(*arguments, capsys=capsys) == {"models": [{"id": NAME, "scores": None}]}
    assert own.read_bytes() == before
    listed = run("list", "--set", held_out.name, capsys=capsys)
    assert NAME in {model["id"] for model in listed["models"]}


def test_an_interruption_keeps_what_is_finished(
    tiny: Path, own: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, held_out: heldout.HeldOutSet
) -> None:
    """Where the second model fails the first stays, and the file is whole."""
    arguments = ("measure", str(tiny), "--id", NAME, "--set", held_out.name, "--heldout-only")
    run(*arguments, capsys=capsys)

    def fail(*_arguments: Any, **_options: Any) -> Encoded:
        raise KeyboardInterrupt

    monkeypatch.setattr(measure, "encode", fail)
    with pytest.raises(SystemExit):
        main(["references", *arguments, "--again"])
    assert [model["id"] for model in json.loads(own.read_text(encoding="utf-8"))["models"]] == [NAME]


def test_what_cannot_be_a_reference(tiny: Path, own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without an id, or without any published score and any public task, it is said what is missing; a damaged file is told and left."""
    assert "--id" in run("measure", str(tiny), "--heldout-only", capsys=capsys)
    assert "nobody has published" in run("measure", str(tiny), "--id", "acme/unknown", "--heldout-only", capsys=capsys)
    own.write_text("{", encoding="utf-8")
    references.forget()
    assert "cannot be read" in run("measure", str(tiny), "--id", NAME, "--heldout-only", capsys=capsys)
    assert own.read_text(encoding="utf-8") == "{"


def test_a_copy_is_no_further_reference(tiny: Path, capsys: pytest.CaptureFixture[str], held_out: heldout.HeldOutSet) -> None:
    """A model with the weights of a known one, under whatever id, is not measured: it would count twice, and be taken for that one."""
    arguments = ("--set", held_out.name, "--heldout-only")
    assert run("measure", str(tiny), "--id", NAME, *arguments, capsys=capsys)["models"]
    told = run("measure", str(tiny), "--id", "BAAI/bge-large-en-v1.5", *arguments, capsys=capsys)
    assert f"has the weights of {NAME}" in told
    assert references.owner_of(tiny) == NAME


@pytest.mark.parametrize(
    "content",
    [
        '{"models": [1]}',
        '{"models": [{"id": "a/b"}]}',
        '{"models": [], "heldout": []}',
        '{"models": [], "public": {"SciFact": 1}}',
        "[" * 100_000,
    ],
    ids=["no-object", "no-fields", "no-sets", "no-set", "deep"],
)
def test_a_spoilt_file_is_told(own: Path, capsys: pytest.CaptureFixture[str], content: str) -> None:
    """A file of another form is an error that says which file it is, never an internal one."""
    own.write_text(content, encoding="utf-8")
    told = run("list", capsys=capsys)
    assert str(own) in told
    assert "internal error" not in told
