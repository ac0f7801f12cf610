"""Listing a hostile folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from cardcheck.errors import CardcheckError
from cardcheck.facts import files
from cardcheck.facts.files import list_files

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import FactsOf, MakeModel, Run

needs_permissions = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")


def test_files_with_sizes(make_model: MakeModel) -> None:
    """All files are listed by their path with forward slashes, and their size."""
    assert list_files(make_model({"README.md": "# m\n", "a/b/c.txt": "x"})).sizes == {"README.md": 4, "a/b/c.txt": 1}


def test_folders_of_tools_are_left_out(make_model: MakeModel) -> None:
    """What Git, caches and virtual environments keep is no part of the model."""
    assert list(list_files(make_model({".git/config": "", ".cache/x": "", "__pycache__/y.py": "", "a.py": ""})).sizes) == ["a.py"]


@pytest.mark.parametrize("target", ["README.md", "nowhere", "a/README.md"])
def test_links_that_lead_nowhere(make_model: MakeModel, facts_of: FactsOf, target: str) -> None:
    """A link to itself, to nothing or round in a circle is a problem, and is not read."""
    model = make_model({"x.txt": ""})
    (model / "README.md").symlink_to(target)
    (model / "a").symlink_to(".")
    facts = facts_of(model)
    problems = {row["path"]: row["problem"] for row in facts["files.problems"]}
    assert "nowhere or to itself" in problems["README.md"]
    assert "link to a folder" in problems["a"]
    assert facts["files.paths"] == ["x.txt"]


@pytest.mark.parametrize("relative", [True, False])
def test_link_that_leaves_the_folder_gives_nothing_away(tmp_path: Path, make_model: MakeModel, run: Run, *, relative: bool) -> None:
    """The content of a file outside appears nowhere in the report, whichever file of the model links to it."""
    secret = tmp_path / "secret.txt"
    secret.write_text("---\nlicense: TOPSECRET\n---\n# TOPSECRET [More Information Needed]\n")
    model = make_model({"config.json": "{}"})
    for name in ("README.md", "tokenizer_config.json", "modules.json", "model.safetensors.index.json"):
        (model / name).symlink_to("../secret.txt" if relative else secret)
    for arguments in ((), ("--json",)):
        result = run("lint", model, *arguments)
        assert result.status == 1
        assert "link that leaves the repository" in result.out
        assert "TOPSECRET" not in result.out + result.err


def test_link_to_a_folder_outside_is_not_followed(tmp_path: Path, make_model: MakeModel, facts_of: FactsOf) -> None:
    """A folder outside is not listed through a link."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.py").write_text("")
    model = make_model({"x.txt": ""})
    (model / "sub").symlink_to(tmp_path / "outside")
    facts = facts_of(model)
    assert facts["files.paths"] == ["x.txt"]
    assert "leaves the repository" in facts["files.problems"][0]["problem"]


def test_links_inside_are_read(make_model: MakeModel, facts_of: FactsOf) -> None:
    """A link to another file of the same folder is that file."""
    model = make_model({"docs/card.md": "# linked\n"})
    (model / "README.md").symlink_to("docs/card.md")
    facts = facts_of(model)
    assert facts["card.title"] == "linked"
    assert facts["files.problems"] == []


def test_links_into_the_cache_are_read(tmp_path: Path) -> None:
    """Links into the folder where the Hub's cache keeps its files are no problem."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "abc"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    (blobs / "1").write_text("# m\n")
    (snapshot / "README.md").symlink_to("../../blobs/1")
    assert list_files(snapshot, links_into=blobs).sizes == {"README.md": 4}
    assert list_files(snapshot).sizes == {}


@pytest.mark.parametrize("name", ["README.md", "config.json", "model.safetensors", "model.safetensors.index.json", "1_Pooling/config.json"])
def test_pipe_is_not_opened(make_model: MakeModel, facts_of: FactsOf, name: str) -> None:
    """A pipe in place of a file is a problem; opening it would wait for ever."""
    model = make_model({"x.txt": ""})
    (model / name).parent.mkdir(exist_ok=True)
    os.mkfifo(model / name)
    facts = facts_of(model)
    assert [(row["path"], row["problem"]) for row in facts["files.problems"]] == [(name, "is neither a file nor a folder; not read")]


def test_folder_in_place_of_the_card(make_model: MakeModel, facts_of: FactsOf) -> None:
    """A folder called README.md is no card."""
    facts = facts_of(make_model({"README.md/x.txt": "", "config.json/y.txt": ""}))
    assert facts["files.has_card"] is False
    assert facts.sources["card"].state == "absent"
    assert facts["files.paths"] == ["README.md/x.txt", "config.json/y.txt"]


@needs_permissions
def test_folder_that_cannot_be_listed(make_model: MakeModel, facts_of: FactsOf) -> None:
    """A folder inside without permission is a problem; the subject itself without permission is an error."""
    model = make_model({"sub/x.txt": ""})
    (model / "sub").chmod(0)
    try:
        assert "cannot be read" in facts_of(model)["files.problems"][0]["problem"]
        with pytest.raises(CardcheckError, match="cannot read the folder"):
            list_files(model / "sub")
    finally:
        (model / "sub").chmod(0o755)


@needs_permissions
def test_card_that_cannot_be_read(make_model: MakeModel, facts_of: FactsOf) -> None:
    """A card without permission is unavailable with the reason, not absent."""
    model = make_model({"README.md": "# m\n"})
    (model / "README.md").chmod(0)
    facts = facts_of(model)
    assert facts.sources["card"].state == "unavailable"
    assert "ermission denied" in facts.sources["card"].reason


def test_card_that_fails_when_read(make_model: MakeModel, facts_of: FactsOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card that cannot be read after all is unavailable with the reason of the system."""

    def refuse(*_: object) -> tuple[str, bool]:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(files.Listing, "read", refuse)
    facts = facts_of(make_model({"README.md": "# m\n", "config.json": "{}"}))
    for source in ("card", "results", "config"):
        assert facts.sources[source].state == "unavailable"
        assert "Input/output error" in facts.sources[source].reason


def test_nesting_is_bounded(make_model: MakeModel, facts_of: FactsOf) -> None:
    """Files twelve folders down are read, those below are noted as not read."""
    twelve = "/".join("d" * 12)
    facts = facts_of(make_model({f"{twelve}/in.txt": "", f"{twelve}/d/out.txt": ""}))
    assert facts["files.paths"] == [f"{twelve}/in.txt"]
    assert [row["path"] for row in facts["files.problems"]] == [f"{twelve}/d"]


def test_number_of_files_is_bounded(make_model: MakeModel, facts_of: FactsOf, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files over the limit are noted as not read."""
    monkeypatch.setattr(files, "MAX_FILES", 3)
    facts = facts_of(make_model({f"{n}.txt": "" for n in range(5)}))
    assert len(facts["files.paths"]) == 3
    assert "more than 3 files" in facts["files.problems"][0]["problem"]


@pytest.mark.parametrize("name", ["a\nb.py", "\x1b[2J.py", "\u202egnp.py", os.fsdecode(b"\xff.py"), " .py", "-.py"])
def test_names_are_taken_as_they_are(make_model: MakeModel, facts_of: FactsOf, name: str) -> None:
    """Line breaks, escapes and bytes that are no UTF-8 in a name do not hinder the listing."""
    model = make_model()
    (model / name).write_text("")
    assert [row["path"] for row in facts_of(model)["files.code"]] == [name]


def test_single_card_is_all_there_is(make_model: MakeModel) -> None:
    """A card named alone is listed without its neighbours."""
    listing = list_files(make_model({"README.md": "# m\n", "config.json": "{}"}) / "README.md")
    assert list(listing.sizes) == ["README.md"]


def test_subject_that_vanishes_is_an_error(tmp_path: Path) -> None:
    """A folder that is not there is refused in one sentence."""
    with pytest.raises(CardcheckError, match="cannot read the folder"):
        list_files(tmp_path / "gone")
