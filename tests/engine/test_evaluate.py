"""Judging facts by rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest
import yaml

from cardcheck.engine.evaluate import MAX_FINDINGS, Judgement, evaluate
from cardcheck.engine.rule import load_rule
from cardcheck.facts import Facts
from cardcheck.facts.located import Location
from cardcheck.facts.model import Source

if TYPE_CHECKING:
    from pathlib import Path


class Judge(Protocol):
    """Judge facts by one rule made of a few keys."""

    def __call__(self, facts: Facts, fails: str, **keys: Any) -> Judgement:
        """Evaluate the rule whose condition is `fails`."""


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    """Give the judge."""

    def call(facts: Facts, fails: str, **keys: Any) -> Judgement:
        rule = {
            "id": "ACME001", "name": "x", "severity": "error", "confidence": "high", "fails": fails, "message": "m", "why": "w", "fix": "f",
            "examples": {"fails": [{"card": ""}], "passes": [{"card": ""}]}, **keys,
        }  # fmt: skip
        path = tmp_path / "rule.yaml"
        path.write_text(yaml.safe_dump(rule))
        return evaluate(facts, [load_rule(path)])[0]

    return call


@pytest.fixture
def facts() -> Facts:
    """Give facts of which only a title and three placeholders are known."""
    found = Facts()
    found.sources["card"] = Source("known")
    found.texts["README.md"] = "first\r\nsecond line\nthird"
    found.set("card.title", "Title", Location("README.md", 2, 1))
    for line in (1, 2, 3):
        found.add("card.placeholders", Location("README.md", line, 2), text=f"t{line}")
    return found


@pytest.mark.parametrize(
    ("fails", "outcome"), [("true", "fail"), ("false", "pass"), ("card.placeholders", "fail"), ("card.datasets", "pass")]
)
def test_outcomes(judge: Judge, facts: Facts, fails: str, outcome: str) -> None:
    """True or rows fail; false or no rows pass."""
    assert judge(facts, fails).outcome == outcome


def test_unavailable_source_is_unknown(judge: Judge, facts: Facts) -> None:
    """What could not be looked at is unknown with the reason, even where another source is absent or the condition holds."""
    facts.sources["config"] = Source("unavailable", "gated")
    for condition in ("true", "false"):
        judged = judge(facts, condition, needs=["weights", "config"])
        assert (judged.outcome, judged.reason, judged.findings) == ("unknown", "config: gated", ())


def test_absent_source_is_not_applicable(judge: Judge, facts: Facts) -> None:
    """Where there is nothing to judge the rule does not apply."""
    judged = judge(facts, "true", needs=["card", "weights"])
    assert (judged.outcome, judged.reason) == ("not_applicable", "weights: absent")


def test_condition_that_does_not_hold_is_not_applicable(judge: Judge, facts: Facts) -> None:
    """A rule whose `when` does not hold does not apply."""
    assert judge(facts, "true", when="card.title == 'Other'").outcome == "not_applicable"
    assert judge(facts, "true", when="card.title == 'Title'").outcome == "fail"


ERRORS = [
    "1 / card.words == 0",
    "card.headings[0].level == 1",
    "card.placeholders[0]['nothing'] == 1",
    "card.placeholders.exists(p, p.text > 5)",
]


@pytest.mark.parametrize("expression", ERRORS)
@pytest.mark.parametrize("key", ["fails", "when", "message"])
def test_evaluation_errors_are_unknown(judge: Judge, facts: Facts, key: str, expression: str) -> None:
    """Whatever fails while a rule is evaluated is unknown with its message, never a pass."""
    keys = {"fails": {}, "when": {"when": expression}, "message": {"message": f"{{{expression}}}"}}[key]
    judged = judge(facts, expression if key == "fails" else "true", **keys)
    assert judged.outcome == "unknown"
    assert judged.reason.startswith("the rule could not be evaluated: ")
    assert list(judged.findings) == []


def test_too_many_steps_are_unknown(judge: Judge, facts: Facts) -> None:
    """A condition that runs away is stopped, and is unknown."""
    facts.set("files.paths", ["x"] * 4000)
    assert judge(facts, "files.paths.exists(a, files.paths.exists(b, a != b))").outcome == "unknown"


def test_rows_are_findings_at_their_places(judge: Judge, facts: Facts) -> None:
    """Each row that fails is a finding where the row stands, with its source line."""
    judged = judge(facts, "card.placeholders.filter(p, p.text != 't1')", message="{it.text} of {card.title}")
    assert [(finding.message, str(finding.location), finding.source_line) for finding in judged.findings] == [
        ("t2 of Title", "README.md:2:2", "second line"),
        ("t3 of Title", "README.md:3:2", "third"),
    ]


@pytest.mark.parametrize(
    ("at", "place"),
    [("card.title", "README.md:2:1"), (["card.license", "card.title"], "README.md:2:1"), ("card.license", "."), ("files", ".")],
)
def test_finding_without_a_row_points_at_its_fact(judge: Judge, facts: Facts, at: Any, place: str) -> None:
    """The first fact of `at` that has a place is pointed at, else the subject."""
    assert str(judge(facts, "true", at=at).findings[0].location) == place


def test_findings_are_capped_and_counted(judge: Judge, facts: Facts) -> None:
    """Beyond a thousand findings of a rule the rest is counted."""
    for line in range(MAX_FINDINGS + 10):
        facts.add("card.datasets", Location("README.md", line + 1, 1), value="x")
    judged = judge(facts, "card.datasets")
    assert (len(judged.findings), judged.more) == (MAX_FINDINGS, 10)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("no hole", "no hole"),
        ("{card.title}{card.title}", "TitleTitle"),
        ("{card.placeholders.map(p, p.text)}", "t1, t2, t3"),
        ("{2.50} {1.0 / 3.0} {7} {true} {null}", "2.5 0.333333 7 True None"),
        ("a } b { c", "a } b { c"),
    ],
)
def test_message_holes(judge: Judge, facts: Facts, message: str, text: str) -> None:
    """Expressions in braces are filled in; lists are joined, numbers are short."""
    assert judge(facts, "true", message=message).findings[0].message == text


def test_text_of_the_subject_is_no_expression(judge: Judge, facts: Facts) -> None:
    """Braces in the subject's text stay what they are."""
    facts.set("card.title", "{1 + 1}")
    assert judge(facts, "true", message="{card.title}").findings[0].message == "{1 + 1}"


def test_hostile_values_can_be_bound(judge: Judge, facts: Facts) -> None:
    """Half surrogate pairs, NUL, integers of any size and numbers that are not finite do not stop the evaluator."""
    facts.set("card.title", "\ud800\x00")
    facts.set("config.hidden_size", 2**63)
    facts.add("results.entries", Location("README.md"), **dict.fromkeys(FIELDS_OF_ENTRIES, float("nan")))
    assert judge(facts, "card.title != null && config.hidden_size == null && results.entries[0].value == null").outcome == "fail"


FIELDS_OF_ENTRIES = ("model", "task", "dataset", "dataset_id", "config", "split", "revision", "metric", "value", "written", "range")


def test_long_source_lines_are_cut(judge: Judge, facts: Facts) -> None:
    """A source line of a megabyte is not carried into the report where the finding is at its start."""
    facts.texts["README.md"] = "x" * 1_000_000
    facts.places["card.title"] = Location("README.md", 1, 1)
    assert len(judge(facts, "true", at="card.title").findings[0].source_line or "") == 160


@pytest.mark.parametrize(("column", "length"), [(1, 160), (100, 180), (10_000, 10_080), (10_001, None), (900_000, None)])
def test_places_far_on_in_a_long_line(judge: Judge, facts: Facts, column: int, length: int | None) -> None:
    """Of a file of one line a finding carries what leads up to its place, or nothing where that is too much."""
    facts.texts["README.md"] = "x" * 1_000_000
    facts.places["card.title"] = Location("README.md", 1, column)
    line = judge(facts, "true", at="card.title").findings[0].source_line
    assert (None if line is None else len(line)) == length


def test_place_beyond_the_file_has_no_source_line(judge: Judge, facts: Facts) -> None:
    """A line that is not there is not shown."""
    facts.places["card.title"] = Location("README.md", 99, 1)
    assert judge(facts, "true", at="card.title").findings[0].source_line is None


def test_rows_with_a_wrong_line_are_not_the_end(judge: Judge, facts: Facts) -> None:
    """A user's rule that makes its own rows and gives them a line that is no number does not stop the others."""
    assert judge(facts, "[{'file': 'a', 'line': 'x'}]").outcome in ("fail", "unknown")
