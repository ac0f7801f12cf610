"""The report for a terminal."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pty
import re
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from made import CHECKS, RULES, VERDICTS, audit, everything, failed, finding, hub, public_task, rule, silenced
from made import HOSTILE as STRINGS

from cardcheck.engine.evaluate import Judgement
from cardcheck.engine.suppress import Remark
from cardcheck.facts.located import Location
from cardcheck.pipeline import Audit
from cardcheck.pipeline import Run as RunOf
from cardcheck.report import words
from cardcheck.report.text import render
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from conftest import MakeModel, Run

    from cardcheck.spotcheck.result import SpotCheck

HOSTILE = [
    "\x1b]0;owned\x07",
    "\x1b[2J\x1b[H",
    "\u202e\u2066",
    "\x9b31m",
    "\u2028\u2029\x85",
    "\ufeff\u200b\U000e0041",
    "\x08\x0c\x7f",
    "<script>alert(1)</script>",
]
JOINERS = "\u200c\u200d"
COMMAND = [sys.executable, "-c", "from cardcheck.cli import main; main()"]


def harmful(text: str) -> list[str]:
    """Return the characters that steer a terminal or hide, line feeds left out."""
    return [
        hex(ord(character))
        for character in text
        if character != "\n" and character not in JOINERS and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
    ]


def carets(text: str) -> list[tuple[int, str]]:
    """Return (line, the rest of the source line from the caret on) for every caret of a report."""
    found, lines = [], text.split("\n")
    for above, below in itertools.pairwise(lines):
        if below.startswith("        | ") and below.endswith("^"):
            found.append((int(above[:7]), above[len(below) - 1 :]))
    return found


def plain(*audits: Audit) -> list[str]:
    """Return the lines of the report on these audits, without colours."""
    return click.unstyle(render(RunOf("lint", list(audits)))).split("\n")[:-1]


def named(name: str, *judgements: Judgement) -> Audit:
    """Return an audit of the folder `name`."""
    return audit(*judgements, subject=Subject(name, "folder", Path(name)))


def escaped(text: str) -> str:
    """Return text as the inside of a YAML string in double quotes."""
    return "".join(character if character.isascii() and character.isprintable() else f"\\U{ord(character):08x}" for character in text)


@pytest.mark.parametrize("raw", [True, False], ids=["raw", "as YAML escapes"])
@pytest.mark.parametrize("evil", HOSTILE)
def test_no_string_of_the_subject_steers_the_terminal(make_model: MakeModel, run: Run, evil: str, *, raw: bool) -> None:
    """Whatever stands in title, licence, data sets, results, links, configuration or file names, no control character is printed."""
    inside = evil if raw else escaped(evil)
    card = (
        f'---\nlicense: "{inside}mit"\n{inside}: x\n"k{inside}": 1\n"k{inside}": 2\ndatasets: ["a {inside}"]\n'
        f'model-index:\n- name: "{inside}"\n  results:\n  - dataset: {{name: "{inside}"}}\n'
        f'    metrics: [{{type: "ndcg{inside}", value: "{inside}"}}]\n---\n'
        f"# Title {evil}\n\n[More Information Needed] {evil}\n\n```\nSentenceTransformer('a/b') {evil}\n```\n"
    )
    model = make_model(
        {
            "README.md": card.encode(),
            "config.json": json.dumps({"_name_or_path": f"/home/{evil}"}),
            "modules.json": json.dumps([{"type": f"x.{evil}", "path": "y"}]),
            f"code{evil.replace('/', '')}.py": "",
            "model.safetensors.index.json": '{"weight_map": {"a": "shard\\u001b[2J"}}',
        },
        name=f"m{evil.replace('/', '')}",
    )
    (model / f"link{evil.replace('/', '')}").symlink_to("nowhere")
    for path in (model, model / "README.md"):
        result = run("lint", path, "--profile", "strict", "--id", "acme/ours")
        assert result.status == 1
        assert harmful(result.out + result.err) == []
    assert "link" in run("lint", model).out


@pytest.mark.parametrize("evil", HOSTILE)
def test_errors_do_not_steer_the_terminal(run: Run, evil: str) -> None:
    """The name of a subject that is not there is made harmless as well."""
    result = run("lint", f"./gone{evil}")
    assert result.status == 2
    assert harmful(result.out + result.err) == []


def test_findings_have_place_line_and_caret(make_model: MakeModel, run: Run) -> None:
    """A finding reads file:line:column, and the caret stands under the place."""
    result = run("lint", make_model({"README.md": "---\nlicense: mit\nbase_model: a\nlicense: x\n---\n# m\n\nIt is {MODEL_NAME}.\n"}))
    assert "README.md:4:1: warning CC105 key-repeated: " in result.out
    assert "README.md:8:7: warning CC104 template-leftover: " in result.out
    assert (4, "license: x") in carets(result.out)
    assert (8, "{MODEL_NAME}.") in carets(result.out)


@pytest.mark.parametrize("before", ["", "a" * 29, "a" * 200, "a" * 5000, "\t", "é", "\x1b[2J", "\u202e" * 3])
@pytest.mark.parametrize("after", ["", "b" * 500])
def test_caret_stands_under_the_place(make_model: MakeModel, run: Run, before: str, after: str) -> None:
    """Whatever precedes the place, long or written out as a code, the caret stands under it, and lines stay short."""
    result = run("lint", make_model({"README.md": f"# m\n\n{before}{{MODEL_NAME}}{after}\n"}) / "README.md")
    assert "{MODEL_NAME}" in [rest[:12] for line, rest in carets(result.out) if line == 3]
    assert max(len(line) for line in result.out.split("\n") if " | " in line) < 150


def test_caret_stands_under_the_place_after_wide_characters(make_model: MakeModel, run: Run) -> None:
    """Characters two cells wide before the place move the caret by two cells each."""
    result = run("lint", make_model({"README.md": "# m\n\n日本語 {MODEL_NAME}\n"}) / "README.md")
    below = next(below for above, below in zip(result.out.split("\n"), result.out.split("\n")[1:], strict=False) if "| 日本語" in above)
    assert len(below) - 1 - len("        | ") == 7


def test_more_than_three_findings_of_a_rule_are_counted(make_model: MakeModel, run: Run) -> None:
    """Three findings of a rule are shown, the others counted, in the summary too."""
    out = run("lint", make_model({"README.md": "# m\n\nThis model is\n" + "{MODEL_NAME}\n" * 50}) / "README.md").out
    assert out.count("CC104 template-leftover") == 3
    assert "and 47 more of CC104" in out
    assert ", 51 warnings," in out


def test_graver_findings_come_first(make_model: MakeModel, run: Run) -> None:
    """Errors stand before warnings, warnings before notes."""
    out = run("lint", make_model({"README.md": "---\ndatasets: ['a b']\nx: 1\nx: 2\n---\n", "config.json": "{", "p.pt": "x"})).out
    order = [line.split(": ")[1].split()[0] for line in out.split("\n") if " CC" in line and ": " in line and not line.startswith(" ")]
    assert set(order) == {"error", "warning", "note"}
    assert order == sorted(order, key=["error", "warning", "note"].index)


def test_what_was_not_checked_is_said(make_model: MakeModel, run: Run) -> None:
    """Rules whose source cannot be read are listed with the reason, and counted."""
    out = run("lint", make_model({"README.md": "---\nmodel-index: [\n---\n# m\n"})).out
    assert "Not checked (unknown is not a pass)" in out
    said = next(line for line in out.split("\n") if line.endswith(": results: the front matter is not valid YAML (line 3)"))
    assert "CC403 score-impossible, CC404 score-contradicts-itself, " in said
    assert "0 unknown" not in out


def test_huge_titles_do_not_flood_the_terminal(make_model: MakeModel, run: Run) -> None:
    """A card whose title has 100,000 characters gives a short report."""
    assert len(run("lint", make_model({"README.md": "# " + "x" * 100_000 + "\n"})).out) < 20_000


@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_on_a_terminal(good_model: Path, environment: dict[str, str], *, coloured: bool) -> None:
    """A terminal gets colours unless NO_COLOR is set."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    primary, secondary = pty.openpty()
    process = subprocess.Popen([*COMMAND, "lint", str(good_model)], stdout=secondary, stderr=subprocess.DEVNULL, env=kept | environment)
    os.close(secondary)
    output = b""
    try:
        while piece := os.read(primary, 65536):
            output += piece
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(primary)
    assert process.wait(20) == 0
    assert b"ours" in output
    assert (b"\x1b[" in output) is coloured


def test_no_colours_in_a_pipe(good_model: Path) -> None:
    """What is piped has no escapes, for a good model as for a missing one."""
    for path in (good_model, good_model / "gone"):
        result = subprocess.run([*COMMAND, "lint", str(path)], capture_output=True, check=False)
        assert b"\x1b" not in result.stdout + result.stderr
        assert result.stdout or result.stderr


def test_terminal_without_unicode_still_gets_the_report(make_model: MakeModel) -> None:
    """Where the output cannot hold a character it is written as its code, and the run does not fail."""
    model = make_model({"README.md": "---\nlanguage: de\n---\n# Modell für 日本語\n"})
    environment = os.environ | {"PYTHONIOENCODING": "latin-1:strict"}
    result = subprocess.run([*COMMAND, "lint", str(model / "README.md")], capture_output=True, check=False, env=environment)
    assert result.returncode == 1
    assert b"f\xfcr \\u65e5" in result.stdout


def test_of_many_subjects_those_with_findings_are_shown() -> None:
    """Clean subjects are counted and not shown; the counts over all come last."""
    clean = [named(f"clean{number}", Judgement(rule(), "pass")) for number in range(200)]
    bad = named("bad", failed(finding(), finding("another"), more=4), failed(finding(rule=rule(1, "error"))))
    lines = plain(*clean[:100], bad, *clean[100:])
    assert [line for line in lines if "  folder " in line] == ["bad  folder bad"]
    assert lines[-1] == "7 findings in 1 of 201 subjects: 1 error, 6 warnings; 0 unknown"
    assert plain(*clean) == ["no findings in 200 subjects; 0 unknown"]
    assert plain() == ["no findings in no subjects; 0 unknown"]


def test_a_rule_is_explained_once_a_run() -> None:
    """Reason and remedy of a rule come with its first finding, in whichever subject that is."""
    lines = plain(*(named(name, failed(finding()), failed(finding(rule=rule(1)))) for name in "abc"))
    for number in (0, 1):
        assert lines.count(f"  why: {RULES[number].why}") == 1
        assert lines.count(f"  fix: {RULES[number].fix}") == 1
        assert sum(f" {RULES[number].id} {RULES[number].name}" in line for line in lines) == 3


def test_what_was_not_checked_in_many_subjects_is_said_once() -> None:
    """The same reason for the same rule is one line with the subjects; it is no pass."""
    unknown = [Judgement(rule(), "unknown", reason) for reason in ("damaged", "offline")]
    lines = plain(*(named(name, unknown[0]) for name in "abcde"), named("f", unknown[1]))
    start = lines.index("Not checked (unknown is not a pass)")
    assert lines[start + 1 : start + 3] == [
        f"  {RULES[0].id} {RULES[0].name}: damaged (5 subjects: a, b, c and 2 more)",
        f"  {RULES[0].id} {RULES[0].name}: offline (1 subject: f)",
    ]
    assert lines[-1] == "no findings in 6 subjects; 6 unknown"


@pytest.mark.parametrize("others", [[], [audit()]], ids=["alone", "with others"])
def test_silenced_findings_are_counted(others: list[Audit]) -> None:
    """What comments, settings and the baseline silence is counted and not shown."""
    lines = plain(audit(silenced(), silenced()), *others)
    assert lines[-1].endswith("; 2 silenced by comments, 2 silenced by the settings, 2 known to the baseline")
    assert not [line for line in lines if "silenced by comment:" in line]


@pytest.mark.parametrize("others", [[], [audit()]], ids=["alone", "with others"])
def test_findings_that_can_be_mended_are_told(others: list[Audit]) -> None:
    """A finding with an edit is fixable where its file lies here, and their number is said; an audit mends nothing."""
    judged = failed(finding("mend me", edit=("a", "b")), finding("leave me"))
    lines = plain(audit(judged), *others)
    assert [line.rpartition(": ")[2] for line in lines if " me" in line] == ["mend me (fixable with --fix)", "leave me"]
    assert lines[-1].endswith("; 1 fixable with --fix")
    stdin = audit(judged, subject=Subject("-", "card", Path("meanwhile/README.md")))
    for text in (render(RunOf("lint", [hub(judged), *others])), render(RunOf("lint", [stdin])), render(RunOf("audit", [audit(judged)]))):
        assert "--fix" not in text


def test_places_can_be_opened_from_where_one_stands(make_model: MakeModel, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are named by their path from the working directory, or from the root where they lie elsewhere."""
    model = make_model({"README.md": "# m\n\n{MODEL_NAME}\n"})
    monkeypatch.chdir(model.parent)
    assert "\nmodel/README.md:3:1: warning CC104" in run("lint", "model").out
    monkeypatch.chdir(model)
    assert "\nREADME.md:3:1: warning CC104" in run("lint", ".").out
    (model / "below").mkdir()
    monkeypatch.chdir(model / "below")
    assert f"\n{model.as_posix()}/README.md:3:1: warning CC104" in run("lint", "..").out


@pytest.mark.parametrize("others", [[], [audit()]], ids=["alone", "with others"])
def test_comments_that_silence_nothing_are_told(others: list[Audit]) -> None:
    """A comment that does not do what it looks like is told with its place."""
    lines = plain(audit(remarks=(Remark(Location("README.md", 4, 2), "the suppression of CC201 silences nothing"),)), *others)
    assert "model/README.md:4:2: comment: the suppression of CC201 silences nothing" in lines


@pytest.mark.parametrize("verdict", VERDICTS)
def test_verdicts_are_told_for_many_subjects_too(verdict: str) -> None:
    """A subject that was measured is shown, with or without findings."""
    lines = plain(hub(spotcheck=VERDICTS[verdict]), audit())
    assert any(line.startswith(f"  {verdict}: ") for line in lines)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_every_test_is_a_line(check: SpotCheck) -> None:
    """Each test that was run has a line with all that is known of it, each that was not is told with its reason."""
    lines = plain(hub(spotcheck=check))
    for test in check.tests:
        cells = words.test_cells(test)
        assert [re.split(" {2,}", line.strip()) for line in lines if line.startswith(f"  {cells[0]} ")] == [list(cells)]
    assert [line.strip() for line in lines if line.startswith(("  not run: ", "  not judged: "))] == words.left_out(check)
    assert sum(line.startswith(f"  {check.verdict}: ") for line in lines) == 1


@pytest.mark.parametrize("text", STRINGS)
def test_hostile_public_sources_keep_to_their_lines(text: str) -> None:
    """The name under which a score is published and the reason for which data cannot be had steer nothing."""
    public = dataclasses.replace(public_task(0.1), source=text, left_out={"rewording": text})
    shapes = [
        dataclasses.replace(CHECKS["consistent"], public=public),
        dataclasses.replace(CHECKS["prompts in words"], public=public),
        dataclasses.replace(CHECKS["nothing to compare with"], no_public=text, settle=text),
    ]
    for shape in shapes:
        lines = plain(hub(spotcheck=shape))
        expected = plain(hub(spotcheck=dataclasses.replace(shape, public=shape.public and public_task(0.1), no_public="x", settle="x")))
        assert harmful("".join(lines)) == []
        assert abs(len(lines) - len(expected)) <= 1  # a reason that is empty is told in our words


@pytest.mark.parametrize("text", STRINGS)
def test_hostile_strings_keep_to_their_lines(text: str) -> None:
    """Whatever a subject says, the report has as many lines, none steers, and none is a command to the service that logs it."""
    rendered = click.unstyle(render(everything(text)))
    assert harmful(rendered) == []
    assert not [line for line in rendered.split("\n") if line.lstrip().startswith("::")]
    assert "##[" not in rendered
    assert "##vso[" not in rendered


@pytest.mark.parametrize("name", ["::error::owned", " ::error::owned", "::stop-commands::x"])
def test_names_are_no_commands_to_a_workflow(make_model: MakeModel, run: Run, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Neither a folder nor a title at the beginning of a line is a command to GitHub's runner."""
    model = make_model({"README.md": f"# {name}\n\n{{MODEL_NAME}}\n"}, name=name)
    monkeypatch.chdir(model.parent)
    for out in (run("lint", f"./{name}").out, run("lint", f"./{name}", f"./{name}/README.md").out):
        assert "owned" in out or "stop-commands" in out
        assert not [line for line in out.split("\n") if line.lstrip().startswith("::")]
