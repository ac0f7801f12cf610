"""Comments that silence rules."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from cardcheck.engine.evaluate import Finding, Judgement
from cardcheck.engine.library import load_rules
from cardcheck.engine.suppress import MAX_COMMENTS, apply, find
from cardcheck.facts.located import Location

if TYPE_CHECKING:
    from conftest import MakeModel, Run

RULES = {rule.id: rule for rule in load_rules()}
A, B = RULES["CC201"], RULES["CC203"]


def failed(rule: str, *lines: int, file: str = "README.md", more: int = 0) -> Judgement:
    """Return the judgement of a rule that found something in these lines."""
    findings = [Finding(RULES[rule], "m", Location(file, line, 1)) for line in lines]
    return Judgement(RULES[rule], "fail" if lines else "pass", findings=findings, more=more)


@pytest.mark.parametrize(
    ("text", "line", "rules", "reason"),
    [
        ("a: b  # cardcheck: ignore[CC201] the paper is under review", 1, ("CC201",), "the paper is under review"),
        ("# cardcheck: ignore[CC201] why", None, ("CC201",), "why"),
        ("  \t# cardcheck: ignore[CC201] why", None, ("CC201",), "why"),
        ("<!-- cardcheck: ignore[CC201] why -->", None, ("CC201",), "why"),
        ("text <!-- cardcheck: ignore[CC201] why -->", 1, ("CC201",), "why"),
        ("<!--cardcheck:ignore[CC201]why-->", None, ("CC201",), "why"),
        ("x = 1 # cardcheck: ignore[CC201, CC203,  scores] because of x", 1, ("CC201", "CC203", "scores"), "because of x"),
        ("SELECT 1 -- cardcheck: ignore[CC201] why", 1, ("CC201",), "why"),
        ("x = 1 ; cardcheck: ignore[CC201] why", 1, ("CC201",), "why"),
        ("int x; // cardcheck: ignore[CC201] why", 1, ("CC201",), "why"),
        ("# cardcheck: ignore[CC201]: why", None, ("CC201",), "why"),
        ("# cardcheck: ignore[CC201] – why – really", None, ("CC201",), "why – really"),
        ("# cardcheck: ignore[CC201]", None, ("CC201",), ""),
        ("# cardcheck: ignore[CC201]   ", None, ("CC201",), ""),
        ("# cardcheck: ignore[CC201] -", None, ("CC201",), ""),
        ("<!-- cardcheck: ignore[CC201] -->", None, ("CC201",), ""),
        ("# cardcheck: ignore[] why", None, (), "why"),
        ('    "model = X()  # cardcheck: ignore[CC201] why\\n",', 1, ("CC201",), "why"),
        ('    "# cardcheck: ignore[CC201] why\\n",', None, ("CC201",), "why"),
        ("a: '#'  # cardcheck: ignore[CC201] why", 1, ("CC201",), "why"),
        ("a: b  # cardcheck: ignore[CC201] why\r", 1, ("CC201",), "why"),
    ],
)
def test_comments(text: str, line: int | None, rules: tuple[str, ...], reason: str) -> None:
    """Comments of many languages are read; behind something they are for their line, alone for the file."""
    found = find({"README.md": text})
    assert [(s.line, s.rules, s.reason) for s in found] == [(line, rules, reason)]


@pytest.mark.parametrize(
    "text",
    [
        "cardcheck: ignore[CC201] no comment",
        "# cardcheck ignore[CC201] why",
        "# cardcheck: ignore CC201 why",
        "# cardcheck: ignore[CC201 why",
        "# cardcheck: disable[CC201] why",
        "# Cardcheck: ignore[CC201] why",
        "# cardcheck: ignore[CC201\n] why",
    ],
)
def test_no_comments(text: str) -> None:
    """What only resembles a suppression silences nothing."""
    assert find({"README.md": text}) == []


def test_places() -> None:
    """A comment has the place where it begins, for what is said of it."""
    found = find({"a.py": "\n\nx = 1  # cardcheck: ignore[CC201] why\n", "b.py": "# cardcheck: ignore[CC203] why"})
    assert [str(s.place) for s in found] == ["a.py:3:8", "b.py:1:1"]


def test_a_line_is_silenced() -> None:
    """A comment behind something silences the rule on that line of that file and nowhere else, and keeps its reason."""
    judged = [failed("CC201", 2, 3), failed("CC203", 2), failed("CC201", 2, file="other.md")]
    result, remarks = apply(judged, {"README.md": "\nx # cardcheck: ignore[CC201] known\n", "other.md": "\nx\n"})
    assert [[finding.location.line for finding in one.findings] for one in result] == [[3], [2], [2]]
    assert [(s.finding.location.line, s.by, s.reason) for s in result[0].silenced] == [(2, "comment", "known")]
    assert [one.outcome for one in result] == ["fail", "fail", "fail"]
    assert remarks == []


@pytest.mark.parametrize("selector", ["CC201", "cc2", "paper-missing", "provenance"])
def test_a_file_is_silenced(selector: str) -> None:
    """A comment on a line of its own silences the rules in the whole file; a rule of which nothing is left passes."""
    judged = [failed("CC201", 2, 30, more=7), failed("CC401", 3)]
    result, remarks = apply(judged, {"README.md": f"x\n# cardcheck: ignore[{selector}] known\n"})
    assert (result[0].outcome, result[0].findings, result[0].more, len(result[0].silenced)) == ("pass", [], 0, 2)
    assert result[1] == judged[1]
    assert remarks == []


def test_what_is_not_listed_is_not_silenced() -> None:
    """Comments for twenty lines silence twenty findings: those beyond them still count."""
    text = "x # cardcheck: ignore[CC201] known\n" * 20
    result, _ = apply([failed("CC201", *range(1, 21), more=5)], {"README.md": text})
    assert (result[0].outcome, result[0].more) == ("fail", 5)


@pytest.mark.parametrize(
    ("comment", "remark"),
    [
        ("# cardcheck: ignore[CC201]", "the suppression of CC201 gives no reason, so it does not count"),
        ("# cardcheck: ignore[CC201, CC203] -", "the suppression of CC201, CC203 gives no reason, so it does not count"),
        ("# cardcheck: ignore[] why", "a suppression names the rules it silences: ignore[CC201] and a reason"),
        ("# cardcheck: ignore[CC203] why", "the suppression of CC203 silences nothing"),
    ],
)
def test_remarks(comment: str, remark: str) -> None:
    """A comment that does not do what it looks like silences nothing, and is spoken of at its place."""
    judged = [failed("CC201", 1), failed("CC203")]
    result, remarks = apply(judged, {"README.md": f"x\n{comment}\n"})
    assert result == judged
    assert [(str(r.location), r.message) for r in remarks] == [("README.md:2:1", remark)]


def test_only_what_is_unused_is_told() -> None:
    """Of several rules that a comment names, those that it silences are not spoken of."""
    result, remarks = apply([failed("CC201", 1), failed("CC203")], {"README.md": "# cardcheck: ignore[CC201, CC203] why"})
    assert result[0].findings == []
    assert [r.message for r in remarks] == ["the suppression of CC203 silences nothing"]


def test_what_was_not_judged_is_no_reason_to_drop_a_comment() -> None:
    """A rule that is unknown today, or that did not run, may be silenced tomorrow: nothing is said of its comment."""
    texts = {"README.md": "# cardcheck: ignore[CC203] why"}
    assert apply([Judgement(B, "unknown", "config: gated")], texts)[1] == []
    assert apply([failed("CC201", 1)], texts)[1] == []


def test_two_comments_for_one_finding() -> None:
    """Where two comments silence the same finding both count as used, and the first one's reason is kept."""
    result, remarks = apply([failed("CC201", 2)], {"README.md": "# cardcheck: ignore[CC2] one\nx # cardcheck: ignore[CC201] two"})
    assert [s.reason for s in result[0].silenced] == ["one"]
    assert remarks == []


def test_reading_comments_takes_linear_time() -> None:
    """Megabytes of what begins a comment are read in time that grows with their length alone, and only so many comments are kept."""

    def seconds(text: str) -> float:
        start = time.process_time()
        find({"README.md": text})
        return time.process_time() - start

    for piece in (
        "# cardcheck: ignore[",
        "# cardcheck: ignore[" + "CC201," * 40 + "\n",
        "x" * 1999 + "# cardcheck:\n",
        "<!--" * 500 + "\n",
    ):
        size = 200_000 // len(piece)
        assert seconds(piece * size * 10) < 30 * seconds(piece * size) + 0.5
    assert len(find({"README.md": "# cardcheck: ignore[CC201] x\n" * (MAX_COMMENTS + 5)})) == MAX_COMMENTS


CARD = "---\nlicense: MIT{line}\n---\n{alone}\n# m\n"


def test_lint_heeds_comments(make_model: MakeModel, run: Run) -> None:
    """A silenced finding decides no status, is counted, and is in the JSON report with its reason."""
    loud = make_model({"README.md": CARD.format(line="", alone="")}, name="loud")
    quiet = make_model({"README.md": CARD.format(line="  # cardcheck: ignore[CC110] it is so", alone="")}, name="quiet")
    assert run("lint", loud, "--select", "CC110").status == 1
    result = run("lint", quiet, "--select", "CC110")
    assert result.status == 0
    assert "1 silenced by comments" in result.out
    document = json.loads(run("lint", quiet, "--select", "CC110", "--json").out)["audits"][0]
    assert document["findings"] == []
    assert [(entry["rule"], entry["by"], entry["reason"]) for entry in document["silenced"]] == [("CC110", "comment", "it is so")]


def test_lint_tells_of_comments_that_silence_nothing(make_model: MakeModel, run: Run) -> None:
    """A comment without a reason does not count, and one that silences nothing is told, at its place."""
    model = make_model({"README.md": CARD.format(line=" # cardcheck: ignore[CC110]", alone="<!-- cardcheck: ignore[CC102] why -->")})
    result = run("lint", model, "--select", "CC110,CC102")
    assert result.status == 1
    assert "README.md:2:14" in result.out
    assert "gives no reason" in result.out
    assert "README.md:4:1" in result.out
    assert "the suppression of CC102 silences nothing" in result.out


def test_an_audit_heeds_no_comments(make_model: MakeModel, run: Run) -> None:
    """A stranger's card has no say in what is found in it."""
    model = make_model({"README.md": CARD.format(line="", alone="<!-- cardcheck: ignore[CC] all of it -->")})
    result = run("audit", model, "--no-spotcheck", "--select", "CC110")
    assert result.status == 1
    assert " CC110 " in result.out
