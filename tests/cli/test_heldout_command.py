"""cardcheck heldout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cardcheck.spotcheck import heldout

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    """Return a folder of documents, the name of one with a terminal escape in it."""
    folder = tmp_path / "documents"
    folder.mkdir()
    for name in ("herons", "weirs", "gates"):
        body = f"These {name} have stood in the river since the old bridge was taken down, and nobody counts {name * 2}."
        (folder / f"{name}.md").write_text(f"# All there is to say about {name}\n\n{body}\n", encoding="utf-8")
    (folder / "bad\x1b[31m.pdf").write_bytes(b"no")
    return folder


def test_build_show_list_and_verify(run: Run, documents: Path, tmp_path: Path) -> None:
    """A set is built, listed, shown and verified; counts and warnings are printed, and no escape reaches the terminal."""
    folder = tmp_path / "sets" / "river"
    built = run("heldout", "build", folder, documents, "--language", "en", "--license", "CC0-1.0", "--near", "0.95")
    assert built.status == 0
    assert "3 passages, 3 queries" in built.out
    assert "BM25" in built.out
    assert "3 queries are few" in built.out
    assert "bad\\x1b[31m.pdf" in built.out
    assert "\x1b[31m" not in built.out
    assert "river" in run("heldout", "list", tmp_path / "sets").out
    shown = run("heldout", "show", folder, "--samples", "1").out
    assert "All there is to say about" in shown
    assert run("heldout", "verify", folder).out == f"{folder}: nothing is wrong\n"
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n", encoding="utf-8")
    verified = run("heldout", "verify", folder)
    assert verified.status == 1
    assert "no passage answers the query q00001" in verified.out


def test_json_of_every_command(run: Run, documents: Path, tmp_path: Path) -> None:
    """What machines read is JSON with the same figures."""
    folder = tmp_path / "river"
    built = json.loads(run("heldout", "build", folder, documents, "--language", "en", "--near", "0.95", "--json").out)
    assert built["counts"]["queries"] == 3
    assert built["check"]["scored"][0]["name"]
    listed = json.loads(run("heldout", "list", tmp_path, "--json").out)
    assert [one["name"] for one in listed] == [*heldout.names(), "river"]
    assert json.loads(run("heldout", "show", folder, "--json").out)["passages"] == 3
    assert json.loads(run("heldout", "verify", folder, "--json").out) == [{"set": str(folder), "problems": []}]


def test_list_and_verify_of_the_packaged_sets(run: Run) -> None:
    """Without arguments both speak of what is shipped."""
    assert run("heldout", "list").out.count("packaged") == len(heldout.names())
    assert run("heldout", "verify").status == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "nowhere-1"), "there is no held-out set 'nowhere-1'; packaged are"),
        (("show", "quellmark-en-1", "--domain", "law"), "has no domain 'law'"),
        (("list", "src-nowhere"), "there is no held-out set in src-nowhere"),
        (("build", "out", "nowhere", "--language", "en"), "the source nowhere does not exist"),
        (("build", "out", "wikipedia:de", "--language", "de"), "say --after DATE"),
        (("build", "out", "arxiv:cat:cs.CL", "--language", "en"), "cannot be read"),
        (("build", "out", "debian:../x", "--language", "en"), "neither there nor a language"),
        (("build", "out", "."), "Missing option '--language'"),
        (("build", "out", ".", "--language", "en", "--field", "txt=a"), "write FIELD=COLUMN"),
    ],
)
def test_errors_are_a_line(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str) -> None:
    """Each ends with status 2 and a line that says what to do."""
    monkeypatch.chdir(tmp_path)
    result = run("heldout", *arguments)
    assert result.status == 2
    assert said in result.err
    assert "Traceback" not in result.err
    assert list(tmp_path.iterdir()) == []
