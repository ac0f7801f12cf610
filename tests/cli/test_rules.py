"""The commands `cardcheck rules …`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardcheck.engine.library import load_rules

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

IDS = [rule.id for rule in load_rules()]
RULE = """\
id: ACME001
name: ours
severity: note
confidence: high
fails: files.has_card
message: m
why: w
fix: f
examples: {fails: [{card: ""}], passes: [{files: {a: b}}]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with one rule of a user."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(RULE)
    return tmp_path / "rules"


def test_list(run: Run) -> None:
    """Every rule is on a line of its own, in order."""
    result = run("rules", "list")
    assert (result.status, result.err) == (0, "")
    assert [line.split()[0] for line in result.out.splitlines()] == IDS


def test_list_with_a_users_folder(run: Run, folder: Path) -> None:
    """A user's rules are listed with the others."""
    assert "ACME001  note     custom      default  ours\n" in run("rules", "list", "--rules", folder).out


@pytest.mark.parametrize("name", ["CC101", "cc101", "card-missing", "Card-Missing"])
def test_explain(run: Run, name: str) -> None:
    """A rule is explained by its id or name, in any case of letters."""
    result = run("rules", "explain", name)
    assert result.status == 0
    assert result.out.startswith("# CC101 card-missing\n")
    assert "## How to fix it" in result.out


@pytest.mark.parametrize("name", ["CC999", "", "\x1b[2J"])
def test_explain_what_is_not_there(run: Run, name: str) -> None:
    """An unknown rule ends with 2 and one harmless line that says how to find the right one."""
    result = run("rules", "explain", name)
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert "there is no rule" in result.err
    assert "rules list" in result.err
    assert "\x1b" not in result.err


def test_test(run: Run, folder: Path) -> None:
    """The examples of a user's rules are run with the packaged ones, and counted."""
    result = run("rules", "test", "--rules", folder)
    assert result.status == 0
    assert result.out.startswith(f"{len(IDS) + 1} rules, ")
    assert result.out.endswith(", 0 wrong\n")


def test_test_with_a_wrong_example(run: Run, folder: Path) -> None:
    """An example that does not hold is named, and the status is 1."""
    (folder / "a.yaml").write_text(RULE.replace("files.has_card", '"!files.has_card"'))
    result = run("rules", "test", "--rules", folder)
    assert result.status == 1
    assert "ACME001 ours: example fails[1] gave pass\n" in result.out
    assert result.out.endswith(", 2 wrong\n")


@pytest.mark.parametrize("command", [["list"], ["explain", "CC101"], ["test"]])
def test_folder_that_is_not_there(run: Run, tmp_path: Path, command: list[str]) -> None:
    """A folder of rules that does not exist ends with 2."""
    result = run("rules", *command, "--rules", tmp_path / "gone")
    assert (result.status, result.out) == (2, "")
    assert "not a folder of rules" in result.err


def test_docs(run: Run, tmp_path: Path) -> None:
    """A page is written for every rule, and an index."""
    assert run("rules", "docs", tmp_path / "docs").status == 0
    assert sorted(path.name for path in (tmp_path / "docs").iterdir()) == sorted([f"{name}.md" for name in IDS] + ["README.md"])


def test_docs_are_those_in_the_repository(run: Run, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    """The pages in docs/rules are those that the rules make today."""
    kept = pytestconfig.rootpath / "docs" / "rules"
    if not kept.is_dir():
        pytest.skip("docs/rules is not made yet")
    run("rules", "docs", tmp_path)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {path.name: path.read_text() for path in kept.iterdir()}
