"""The commands to GitHub's workflow runner."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made import CHECKS, HOSTILE, RULES, VERDICTS, audit, everything, failed, finding, harmful, hub, rule, silenced

from cardcheck.engine.evaluate import Judgement
from cardcheck.engine.suppress import Remark
from cardcheck.facts.located import Location
from cardcheck.pipeline import Audit, Run
from cardcheck.report import words
from cardcheck.report.escape import visible
from cardcheck.report.github import render
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from cardcheck.spotcheck.result import SpotCheck

COMMAND = re.compile(r"^::(error|warning|notice) ([^\r\n]*?)::([^\r\n]*)$")
UNESCAPED = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))


def unescape(text: str) -> str:
    """Undo the escaping as the runner does."""
    for code, character in UNESCAPED:
        text = text.replace(code, character)
    return text


def commands(*audits: Audit) -> list[tuple[str, dict[str, str], str]]:
    """Return name, properties and message of each command, as the runner reads them."""
    return read(render(Run("lint", list(audits))))


def read(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read commands as the runner does: at the first two colons after the name the message begins."""
    assert text == "" or text.endswith("\n")
    found = []
    for line in text.split("\n")[:-1]:
        match = COMMAND.match(line)
        assert match, line
        properties = dict(part.split("=", 1) for part in match[2].split(","))
        found.append((match[1], {key: unescape(value) for key, value in properties.items()}, unescape(match[3])))
    return found


def test_a_finding_is_a_command() -> None:
    """A finding annotates its place with its message and its remedy, under the rule's id and name."""
    (command,) = commands(audit(failed(finding("a message"))))
    properties = {"file": "model/README.md", "line": "3", "col": "5", "title": f"{RULES[0].id} {RULES[0].name}"}
    assert command == ("warning", properties, f"a message\nfix: {RULES[0].fix}")
    assert render(Run("lint", [audit()])) == ""


def test_the_gravest_come_first() -> None:
    """Errors come first, notes are notices, in whatever subject they are."""
    light = audit(failed(finding(rule=rule(1, "note"))), failed(finding(rule=rule(2))))
    grave = audit(failed(finding(rule=rule(3, "error"))))
    assert [name for name, _, _ in commands(light, grave)] == ["error", "warning", "notice"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_stay_in_their_command(text: str) -> None:
    """Whatever a subject says, there are as many lines as commands, each as it was meant, and nothing is hidden in them."""
    rendered = render(everything(text))
    found = read(rendered)
    assert [name for name, _, _ in found] == [name for name, _, _ in read(render(everything("plain")))]
    assert not harmful(rendered, "\n")
    assert "##[" not in rendered
    assert all(set(properties) <= {"file", "line", "col", "title"} for _, properties, _ in found)
    assert any(message == f"{visible(text)}\nfix: {RULES[2].fix}" for _, _, message in found)
    assert max(map(len, rendered.split("\n"))) < 30_000


@pytest.mark.parametrize(
    ("text", "written"),
    [("100 %", "100 %25"), ("%0A", "%250A"), ("a:b,c", "a:b,c"), ("a\nb", "a b"), ("a\r\nb", "a  b")],
)
def test_messages_are_escaped(text: str, written: str) -> None:
    """In a message the percent sign is escaped; colons and commas mean nothing there."""
    assert f"::{written}%0Afix: " in render(Run("lint", [audit(failed(finding(text)))]))


def test_properties_are_escaped() -> None:
    """In a file's name percent signs, colons and commas are escaped, so that no property and no message begins in it."""
    assert "file=model/a%2Cline=9%3A%3Ab%25.md,line=1," in render(
        Run("lint", [audit(failed(finding(location=Location("a,line=9::b%.md"))))])
    )


@pytest.mark.parametrize(
    ("location", "place"),
    [
        (Location("README.md"), {"line": "1"}),
        (Location("README.md", 7), {"line": "7"}),
        (Location("README.md", 7, 2), {"line": "7", "col": "2"}),
        (Location("."), {"line": "1"}),
    ],
)
def test_places(location: Location, place: dict[str, str]) -> None:
    """A finding without a line is shown at the first; what concerns the whole model is shown at its card."""
    ((_, properties, _),) = commands(audit(failed(finding(location=location))))
    assert {key: value for key, value in properties.items() if key in ("line", "col")} == place
    assert properties["file"] == "model/README.md"


def test_paths_start_at_the_root_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that works in a folder of the checkout names files from the root."""
    (tmp_path / "job").mkdir()
    monkeypatch.chdir(tmp_path / "job")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert commands(audit(failed(finding())))[0][1]["file"] == "job/model/README.md"


def test_a_card_is_named_by_its_file() -> None:
    """What concerns a single card as a whole is shown at the card."""
    card = Subject("cards/ours.md", "card", Path("cards/ours.md"))
    assert commands(audit(failed(finding(location=Location("."))), subject=card))[0][1]["file"] == "cards/ours.md"


def test_files_at_the_hub_have_an_address_in_the_message() -> None:
    """A file at the Hub is in no checkout: nothing is annotated, and the message says where it is."""
    ((_, properties, message),) = commands(hub(failed(finding(location=Location("README.md", 3)))))
    assert list(properties) == ["title"]
    assert message.endswith("\nhttps://huggingface.co/acme/ours/blob/0123abc/README.md#L3")


def test_what_was_not_checked_is_one_notice() -> None:
    """Rules that could not be checked are told together; they are no pass."""
    unknown = [Judgement(rule(number % len(RULES)), "unknown", f"reason {number}") for number in range(25)]
    ((name, properties, message),) = commands(audit(*unknown), hub(unknown[0]))
    assert (name, properties["title"]) == ("notice", "cardcheck: not checked (unknown is not a pass)")
    lines = message.split("\n")
    assert lines[0] == f"{RULES[0].id} {RULES[0].name}: reason 0 (2 subjects)"
    assert lines[-1] == "and 5 more"


@pytest.mark.parametrize(("verdict", "name"), [("unexplained", "error"), ("inconclusive", "warning"), ("consistent", "notice")])
def test_the_verdict_is_told(verdict: str, name: str) -> None:
    """The verdict of the spot check is an annotation without a place."""
    ((found, properties, _),) = commands(hub(spotcheck=VERDICTS[verdict]))
    assert (found, properties) == (name, {"title": f"spot check of acme/ours: {verdict}"})


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_every_test_of_a_spot_check_is_a_line(check: SpotCheck) -> None:
    """The annotation's message has the verdict, then a line for each test that was run, and for what was not."""
    ((_, _, message),) = commands(hub(spotcheck=check))
    assert message.split("\n") == [words.verdict(check), *map(words.tested, check.tests), *words.left_out(check)]


def test_silenced_findings_are_not_annotated() -> None:
    """What is silenced is no annotation; a comment that silences nothing is one."""
    remark = Remark(Location("README.md", 4, 2), "it silences nothing")
    ((name, properties, message),) = commands(audit(silenced(), remarks=(remark,)))
    assert (name, properties["line"], message) == ("notice", "4", "it silences nothing")
