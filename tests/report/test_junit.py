"""The JUnit report."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from made import CHECKS, HOSTILE, RULES, VERDICTS, audit, everything, failed, finding, harmful, hub, rule, silenced

from cardcheck.engine.evaluate import Judgement
from cardcheck.engine.suppress import Remark
from cardcheck.facts.located import Location
from cardcheck.pipeline import Audit, Run, lint
from cardcheck.report import words
from cardcheck.report.escape import visible
from cardcheck.report.junit import FORBIDDEN, render

if TYPE_CHECKING:
    from pathlib import Path

    from cardcheck.spotcheck.result import SpotCheck

# Element → (attributes it has, attributes it may have, children), as the schemas of Jenkins and GitLab have it.
SHAPES = {
    "testsuites": ({"name", "tests", "failures", "errors", "skipped"}, set(), {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped"}, set(), {"testcase", "system-out"}),
    "testcase": ({"classname", "name"}, {"file"}, {"failure", "skipped", "system-out"}),
    "failure": ({"message", "type"}, set(), set()),
    "skipped": ({"message"}, set(), set()),
    "system-out": (set(), set(), set()),
}  # fmt: skip


def read(text: str) -> ET.Element:
    """Read a report as a service does, and check that it is made of what services know."""
    root = ET.fromstring(text)  # noqa: S314  # our own
    assert root.tag == "testsuites"
    for element in root.iter():
        has, may, children = SHAPES[element.tag]
        assert has <= set(element.attrib) <= has | may
        assert {child.tag for child in element} <= children
        assert all(element.get(key) for key in ("name", "classname") if key in has)
    for suite in (root, *root):
        cases = list(suite.iter("testcase"))
        assert suite.get("tests") == str(len(cases))
        assert suite.get("failures") == str(sum(case.find("failure") is not None for case in cases))
        assert suite.get("skipped") == str(sum(case.find("skipped") is not None for case in cases))
        assert suite.get("errors") == "0"
    for suite in root:
        names = [(case.get("classname"), case.get("name")) for case in suite.iter("testcase")]
        assert len(names) == len(set(names))
    return root


def suite_of(one: Audit) -> ET.Element:
    """Return the test suite of one audit."""
    return read(render(Run("lint", [one])))[0]


def test_a_suite_a_subject_and_a_case_a_rule(good_model: Path) -> None:
    """Every rule is a test case of its subject's suite, named by the subject and by its id and name."""
    found = lint(good_model)
    root = read(render(Run("lint", [found, audit(Judgement(rule(), "pass"))])))
    assert [suite.get("name") for suite in root] == [good_model.as_posix(), "model"]
    assert [case.get("name") for case in root[0]] == [f"{judged.rule.id} {judged.rule.name}" for judged in found.judgements]
    assert {case.get("classname") for case in root[0]} == {good_model.as_posix()}
    assert root.get("failures") == "0"
    assert len(root[1][0]) == 0


def test_a_finding_is_a_failure() -> None:
    """A failure has the first message and, in its text, all of them with places, the reason and the remedy."""
    places = [Location("README.md", 3, 5), Location("config.json")]
    (case,) = suite_of(audit(failed(*(finding(f"message {number}", place) for number, place in enumerate(places)), more=4)))
    assert case.get("file") == "model/README.md"
    failure = case[0]
    assert (failure.get("type"), failure.get("message")) == ("warning", "message 0 (and 5 more)")
    assert (failure.text or "").split("\n") == [
        "- model/README.md:3:5: message 0",
        "- model/config.json: message 1",
        "- and 4 more",
        f"why: {RULES[0].why}",
        f"fix: {RULES[0].fix}",
        f"more: cardcheck rules explain {RULES[0].id}",
    ]


def test_outcomes() -> None:
    """What does not apply and what is unknown is skipped with the reason; a note and what is silenced does not fail."""
    note = failed(finding("a note", rule=rule(2, "note")))
    suite = suite_of(audit(Judgement(rule(0), "not_applicable", "why"), Judgement(rule(4), "unknown", "damaged"), note, silenced()))
    assert [[child.tag for child in case] for case in suite] == [["skipped"], ["skipped"], ["system-out"], []]
    assert [suite[number][0].get("message") for number in (0, 1)] == ["does not apply: why", "unknown: damaged"]
    assert "a note" in (suite[2][0].text or "")


@pytest.mark.parametrize(("verdict", "tag"), [("unexplained", "failure"), ("inconclusive", "skipped"), ("consistent", "system-out")])
def test_the_verdict_is_a_case(verdict: str, tag: str) -> None:
    """The spot check is a test of its own; only an unexplained gap fails it, and only a consistent one passes."""
    (case,) = suite_of(hub(spotcheck=VERDICTS[verdict]))
    assert (case.get("name"), case[0].tag) == ("spot check", tag)
    assert verdict in (case[0].get("message") or case[0].text or "")


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_every_test_of_a_spot_check_is_a_line(check: SpotCheck) -> None:
    """The text of the case has a line for each test that was run, and for what was not."""
    (case,) = suite_of(hub(spotcheck=check))
    lines = (case[0].text or "").split("\n")
    told = [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    assert told == [*map(words.tested, check.tests), *words.left_out(check)]


def test_remarks_are_told() -> None:
    """A comment that silences nothing is told in the suite's output."""
    suite = suite_of(audit(remarks=(Remark(Location("README.md", 4, 2), "it silences nothing"),)))
    assert suite.findtext("system-out") == "- model/README.md:4:2: it silences nothing"


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_stay_text(text: str) -> None:
    """Whatever a subject says, the report is XML with the same elements, holds the text, and nothing in it steers or hides."""
    rendered = render(everything(text))
    root = read(rendered)
    assert [element.tag for element in root.iter()] == [element.tag for element in read(render(everything("plain"))).iter()]
    assert not harmful(rendered, "\n")
    assert not FORBIDDEN.search(rendered)
    assert "##[" not in rendered
    assert not [line for line in rendered.split("\n") if line.lstrip().startswith("::")]
    assert any(failure.get("message") == FORBIDDEN.sub("", visible(text)) for failure in root.iter("failure"))
    rendered.encode("utf-8")


def test_files_at_the_hub_are_named_by_their_address() -> None:
    """A file at the Hub is named by its address there, with the revision."""
    (case,) = suite_of(hub(failed(finding())))
    assert case.get("file") == "https://huggingface.co/acme/ours/blob/0123abc/README.md"
    assert case.get("classname") == "acme/ours"
