"""The command `cardcheck lint`."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from typing import TYPE_CHECKING
from xml.etree.ElementTree import fromstring as parse

import pytest

from cardcheck import batch, cli

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeModel, Run


def test_clean_model(good_model: Path, run: Run) -> None:
    """A model in which nothing is found ends with 0, and nothing is on stderr."""
    result = run("lint", good_model)
    assert (result.status, result.err) == (0, "")
    assert "no errors, no warnings, no notes; " in result.out
    assert "0 unknown" in result.out


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"README.md": None}, "CC101"),
        ({"README.md": ""}, "CC107"),
        ({"README.md": "---\nlicense: [mit\n---\n# m\n"}, "CC102"),
        ({"README.md": b"\xff\xfe\x00\x01"}, "CC604"),
        ({"tokenizer.json": None}, "CC507"),
        ({"config.json": "{"}, "CC505"),
        ({"model.safetensors": "version https://git-lfs.github.com/spec/v1\n"}, "CC506"),
    ],
)
def test_broken_models(good_model: Path, run: Run, change: dict[str, str | bytes | None], rule: str) -> None:
    """One thing wrong with a good model is found by the rule for it, and ends with 1."""
    for name, content in change.items():
        if content is None:
            (good_model / name).unlink()
        else:
            (good_model / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    result = run("lint", good_model)
    assert (result.status, result.err) == (1, "")
    assert f" {rule} " in result.out


def test_truncated_weights(good_model: Path, run: Run) -> None:
    """Weights that end early are found."""
    os.truncate(good_model / "model.safetensors", 60)
    result = run("lint", good_model)
    assert result.status == 1
    assert "model.safetensors:1:1: error CC506" in result.out or "model.safetensors: error CC506" in result.out


@pytest.mark.parametrize(
    "arguments",
    [
        ["./gone"],
        ["/gone/README.md"],
        ["gone"],
        ["BINARY"],
        ["acme/not-in-the-cache", "--offline"],
        ["GOOD", "--id", "nonsense"],
        ["GOOD", "--rules", "./gone"],
    ],
)
def test_what_cannot_be_judged(good_model: Path, run: Run, arguments: list[str]) -> None:
    """A subject or option that cannot be used ends with 2, one line on stderr, nothing on stdout and no traceback."""
    (good_model / "binary.dat").write_bytes(bytes(range(256)))
    names = {"GOOD": good_model, "BINARY": good_model / "binary.dat"}
    result = run("lint", *(names.get(argument, argument) for argument in arguments))
    assert (result.status, result.out) == (2, "")
    assert result.err.startswith("cardcheck: ")
    assert result.err.count("\n") == 1
    assert "internal error" not in result.err


@pytest.mark.parametrize("arguments", [["--fail-on", "panic"], ["--profile", "lax"], ["--nonsense"], ["--id", "a/b", "x", "y"]])
def test_wrong_options(run: Run, arguments: list[str]) -> None:
    """Options that do not exist or do not fit end with 2 and a usage line."""
    result = run("lint", *arguments)
    assert (result.status, result.out) == (2, "")
    assert "Usage: " in result.err


def test_several_subjects(good_model: Path, make_model: MakeModel, run: Run) -> None:
    """Subjects with findings are shown, the others counted; one with findings decides the status."""
    bad = make_model({"README.md": "# bad\n"}, name="bad")
    result = run("lint", good_model, bad, good_model / "README.md")
    assert result.status == 1
    assert [line.split("  ")[0] for line in result.out.split("\n") if f"  folder {good_model.parent}" in line or "  card " in line] == [
        "bad"
    ]
    assert " in 1 of 3 subjects: " in result.out.split("\n")[-2]
    assert run("lint", good_model, good_model / "README.md").status == 0


def test_current_folder_by_default(good_model: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a subject the current folder is judged."""
    monkeypatch.chdir(good_model)
    assert run("lint").out.split("\n")[0] == "ours  folder ."


NOTE, WARNING, ERROR = (
    {"README.md": "---\nlicense: mit\ndatasets: ['a b']\n---\n# m\n\nhttps://arxiv.org/abs/2401.00001\n"},
    {"README.md": "---\ndatasets: [a/b]\n---\n# m\n\nhttps://arxiv.org/abs/2401.00001\n"},
    {"README.md": "---\nlicense: mit\n# m\n"},
)


@pytest.mark.parametrize(
    ("files", "statuses"),
    [(NOTE, (0, 0, 1, 0)), (WARNING, (0, 1, 1, 0)), (ERROR, (1, 1, 1, 0))],
    ids=["note", "warning", "error"],
)
def test_fail_on(make_model: MakeModel, run: Run, files: dict[str, str], statuses: tuple[int, ...]) -> None:
    """The status is 1 for findings at or above --fail-on, and findings are printed all the same."""
    model = make_model(files)
    found = [run("lint", model, "--fail-on", level) for level in ("error", "warning", "note", "never")]
    assert tuple(result.status for result in found) == statuses
    assert all(" CC" in result.out for result in found)
    assert run("lint", model).status == statuses[1]


def test_strict_profile_adds_rules(good_model: Path, run: Run) -> None:
    """Rules of the strict profile judge only where they are asked for."""
    (good_model / "pytorch_model.bin").write_text("x")
    assert "CC603" not in run("lint", good_model).out
    result = run("lint", good_model, "--profile", "strict")
    assert "CC603" in result.out
    assert result.status == 0


def test_id_says_whose_copy_a_folder_is(make_model: MakeModel, run: Run) -> None:
    """With --id the folder is judged as that repository."""
    model = make_model({"README.md": "# m\n\n```\nSentenceTransformer('other/theirs')\n```\n"})
    assert "CC202" not in run("lint", model).out
    result = run("lint", model, "--id", "acme/ours")
    assert "CC202" in result.out
    assert result.out.startswith("acme/ours  folder ")


def test_json(good_model: Path, make_model: MakeModel, run: Run) -> None:
    """With --json one document lists the subjects, and the status is the same."""
    assert run("lint", good_model, "--json").status == 0
    result = run("lint", good_model, make_model({"README.md": ""}), "--json")
    assert (result.status, result.err) == (1, "")
    assert [bool(audit["findings"]) for audit in json.loads(result.out)["audits"]] == [False, True]


def test_unexpected_errors_are_one_line(good_model: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fails inside ends with 2 and one harmless line; CARDCHECK_DEBUG=1 gives the traceback."""

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("\x1b[2J")

    monkeypatch.setattr(batch, "judge", fail)
    result = run("lint", good_model)
    assert (result.status, result.out, result.err.count("\n")) == (2, "", 1)
    assert "internal error: ZeroDivisionError: \\x1b[2J" in result.err
    monkeypatch.setenv("CARDCHECK_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        cli.main(["lint", str(good_model)])


def test_closed_pipe_is_silent(good_model: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that goes away, or Ctrl-C, ends the run without a word."""

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(batch, "judge", interrupt)
    result = run("lint", good_model)
    assert result.status != 0
    assert "Traceback" not in result.err


FIXABLE = "---\nlicense: MIT  # ours\nlanguage: [no, 'de']\n---\n# m\n\nText.\n"
FIXED = "---\nlicense: mit  # ours\nlanguage: [\"no\", 'de']\n---\n# m\n\nText.\n"


@pytest.fixture
def fixable(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a card with two fixable findings, in the working directory."""
    model = make_model({"README.md": FIXABLE})
    monkeypatch.chdir(model)
    return model / "README.md"


ONLY = ("--select", "CC109,CC110")


def test_select_and_ignore(make_model: MakeModel, run: Run) -> None:
    """Rules are chosen by id, beginning, name and category, by several options or commas; nothing left to find is status 0."""
    model = make_model({"README.md": FIXABLE})
    for select in ("CC110", "licence-not-canonical", "cc11"):
        assert _rules(run("lint", model, "--select", select).out) == ["CC110"]
    assert _rules(run("lint", model, "--select", "CC109, CC110").out) == ["CC109", "CC110"]
    assert _rules(run("lint", model, "--select", "CC109", "--select", "CC110").out) == ["CC109", "CC110"]
    assert _rules(run("lint", model, *ONLY, "--ignore", "CC109").out) == ["CC110"]
    assert run("lint", model, *ONLY, "--ignore", "card").status == 0
    assert "CC109" not in run("lint", model, "--ignore", "CC109").out
    (chosen,) = json.loads(run("lint", model, "--select", "CC603", "--json").out)["audits"]
    assert sum(chosen["outcomes"].values()) == 1


def _each(option: str, values: list[str]) -> list[str]:
    return [part for value in values for part in (option, value)]


def _rules(text: str) -> list[str]:
    return sorted(line.split()[2] for line in text.splitlines() if line.startswith(("README.md:", "/")) and " CC" in line)


@pytest.mark.parametrize("option", ["--select", "--ignore"])
def test_rules_that_are_not_there(good_model: Path, run: Run, option: str) -> None:
    """A rule that does not exist ends with 2 and names the nearest."""
    result = run("lint", good_model, option, "licence-not-cannonical")
    assert (result.status, result.out) == (2, "")
    assert "no rule is called 'licence-not-cannonical'; did you mean licence-not-canonical?" in result.err


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "gitlab", "junit", "markdown"])
def test_formats(fixable: Path, good_model: Path, run: Run, form: str) -> None:
    """Every format that README names is printed, for findings and for none, with the same status."""
    assert fixable.is_file()
    found, clean = run("lint", ".", *ONLY, "--format", form), run("lint", good_model, "--format", form)
    assert (found.status, found.err, clean.status, clean.err) == (1, "", 0, "")
    assert "CC110" in found.out
    assert "may be meant" not in clean.out
    if form in ("json", "sarif", "gitlab"):
        json.loads(found.out)
    if form == "junit":
        assert parse(found.out).findall(".//failure")  # noqa: S314  # our own report
        assert not parse(clean.out).findall(".//failure")  # noqa: S314  # our own report
    if form == "json":
        assert found.out == run("lint", ".", *ONLY, "--json").out


@pytest.mark.parametrize("arguments", [["--format", "pdf"], ["--output", "pdf:x"], ["--output", "json"], ["--output", "json:"]])
def test_formats_that_are_not_there(fixable: Path, run: Run, arguments: list[str]) -> None:
    """An unknown format, and an output without a path, end with 2 and write nothing."""
    result = run("lint", ".", *arguments)
    assert (result.status, result.out) == (2, "")
    assert [path.name for path in fixable.parent.iterdir()] == ["README.md"]


def test_outputs(fixable: Path, tmp_path: Path, run: Run) -> None:
    """Several outputs are written in one run, each as it would be printed, and named on stderr."""
    place = tmp_path / "out" / "deep"
    forms = ["text", "json", "sarif", "github", "gitlab", "junit", "markdown", "html"]
    result = run("lint", ".", *ONLY, *_each("--output", [f"{form}:{place / form}" for form in forms]))
    assert result.status == 1
    assert sorted(path.name for path in place.iterdir()) == sorted(forms)
    assert (place / "text").read_text() == result.out
    assert (place / "json").read_text() == run("lint", ".", *ONLY, "--json").out
    assert all(str(place / form) in result.err for form in forms)
    assert fixable.read_text() == FIXABLE


def test_exclude(fixable: Path, run: Run) -> None:
    """What a pattern leaves out is not judged, whether it is named or found."""
    assert run("lint", "README.md", *ONLY).status == 1
    assert run("lint", "README.md", "--exclude", "*.md").status == 0
    assert run("lint", ".", "--exclude", "README.md").status == 0
    assert fixable.is_file()


def test_diff(fixable: Path, run: Run) -> None:
    """`--diff` shows what would change, with status 1, and changes nothing; with nothing to change it is silent, with status 0."""
    result = run("lint", "--diff")
    assert result.status == 1
    assert result.out == (
        "--- README.md\n+++ README.md\n@@ -1,6 +1,6 @@\n ---\n-license: MIT  # ours\n-language: [no, 'de']\n"
        "+license: mit  # ours\n+language: [\"no\", 'de']\n ---\n # m\n \n"
    )
    assert fixable.read_text() == FIXABLE
    assert run("lint", "--diff", "--ignore", "CC109,CC110").status == 0
    fixable.write_text(FIXED)
    clean = run("lint", "--diff")
    assert (clean.status, clean.out, clean.err) == (0, "", "")


def test_fix(fixable: Path, run: Run) -> None:
    """`--fix` writes what `--diff` shows, says so on stderr, judges again, and has nothing to do a second time."""
    result = run("lint", *ONLY, "--fix")
    assert (result.status, result.err) == (0, "fixed 2 in README.md\n")
    assert "no warnings" in result.out
    assert fixable.read_text() == FIXED
    assert run("lint", *ONLY, "--fix").err == ""


def test_fix_leaves_what_it_cannot_mend(fixable: Path, run: Run) -> None:
    """Findings that are left decide the status."""
    fixable.write_text(FIXABLE.replace("MIT ", "none of your business "))
    result = run("lint", "--select", "CC109,CC111", "--fix")
    assert "fixed 1 in README.md" in result.err
    assert run("lint", "--select", "CC109").status == 0


def test_fix_goes_on_until_all_is_mended(fixable: Path, run: Run) -> None:
    """What can be read only after a fix, and what lies beyond the findings that are shown, is mended in the same run."""
    languages = ", ".join(["english", "german", "french"] * 20)
    fixable.write_text(f"\ufeff---\nlicense: MIT\nlanguage: [{languages}]\n---\n# m\n", encoding="utf-8")
    run("lint", "--fix")
    assert fixable.read_text(encoding="utf-8") == f"---\nlicense: mit\nlanguage: [{', '.join(['en', 'de', 'fr'] * 20)}]\n---\n# m\n"
    assert run("lint", "--diff").status == 0


def test_fix_and_diff_together(fixable: Path, run: Run) -> None:
    """One changes files and one does not: both at once cannot be meant."""
    result = run("lint", "--fix", "--diff")
    assert (result.status, result.out) == (2, "")
    assert fixable.read_text() == FIXABLE


def test_fix_keeps_what_the_file_is(fixable: Path, run: Run) -> None:
    """Windows' line endings, the missing last line break, who may read the file and a link to it stay as they were."""
    card = fixable.parent / "docs" / "card.md"
    card.parent.mkdir()
    card.write_bytes(FIXABLE.strip("\n").replace("\n", "\r\n").encode())
    card.chmod(0o640)
    fixable.unlink()
    fixable.symlink_to("docs/card.md")
    assert run("lint", "README.md", *ONLY, "--fix").status == 0
    assert fixable.is_symlink()
    assert card.read_bytes() == FIXED.strip("\n").replace("\n", "\r\n").encode()
    assert card.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in card.parent.iterdir()] == ["card.md"]


def test_fix_of_a_configuration(make_model: MakeModel, run: Run) -> None:
    """JSON is mended at its place, its layout kept."""
    model = make_model({"config_sentence_transformers.json": '{\n    "similarity_function": "dot"\n}', "README.md": FIXED})
    run("lint", model, "--select", "CC540", "--fix")
    assert (model / "config_sentence_transformers.json").read_text() == '{\n    "similarity_fn_name": "dot"\n}'


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True)])
def test_colours(fixable: Path, environment: dict[str, str], coloured: bool) -> None:  # noqa: FBT001  # an expectation
    """A terminal gets colours unless NO_COLOR says not to."""
    ours, theirs = pty.openpty()
    clean = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "GITHUB_ACTIONS")}
    command = [sys.executable, "-c", "from cardcheck.cli import main; main()", "lint", "README.md", *ONLY]
    done = subprocess.run(
        command, cwd=fixable.parent, stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.PIPE, env=clean | environment, check=False
    )
    os.close(theirs)
    printed = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 1
    assert "CC110" in printed
    assert ("\x1b[" in printed) is coloured


def test_findings_on_stdout_all_else_on_stderr(fixable: Path, tmp_path: Path, run: Run) -> None:
    """A document on stdout stays one, whatever else is said."""
    arguments = ("--json", "--output", f"text:{tmp_path / 'x'}", "--baseline", str(tmp_path / "b"), "--update-baseline", "--fix")
    result = run("lint", ".", *ONLY, *arguments)
    assert json.loads(result.out)["audits"]
    assert [line.split()[0] for line in result.err.splitlines()] == ["fixed", str(tmp_path / "b"), "written:"]
    assert fixable.read_text() == FIXED


def test_fix_on_a_full_disk(fixable: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fix that cannot be written ends with 2, and the file is whole."""

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    result = run("lint", *ONLY, "--fix")
    assert result.status == 2
    assert "No space left on device" in result.err
    assert fixable.read_text() == FIXABLE
    assert [path.name for path in fixable.parent.iterdir()] == ["README.md"]


def test_a_readme_that_is_no_card(make_model: MakeModel, run: Run) -> None:
    """A README that is named by itself and speaks of no model is not asked for front matter; one that does is."""
    model = make_model({"README.md": "# A web shop\n\nRun `make serve`.\n"})
    assert run("lint", model / "README.md").status == 0
    (model / "README.md").write_text("# Ours\n\nThis model maps sentences to vectors.\n")
    assert "CC107" in run("lint", model / "README.md").out
