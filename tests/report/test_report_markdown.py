"""The Markdown summary."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from made import CHECKS, HOSTILE, RULES, VERDICTS, audit, everything, failed, finding, harmful, hub, rule, silenced
from markdown_it import MarkdownIt

from cardcheck.engine.evaluate import Judgement
from cardcheck.engine.suppress import Remark
from cardcheck.facts.located import Location
from cardcheck.pipeline import Audit, Run
from cardcheck.report import words
from cardcheck.report.markdown import MAX_LENGTH, code, render
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from markdown_it.token import Token

    from cardcheck.spotcheck.result import SpotCheck

PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
# What services turn into links, mentions, references and emoji where it stands in plain text.
AUTOMATIC = re.compile(r"@\w|https?://|www\.|#\d|\bGH-\d|:tada:|evil")


def summary(*audits: Audit) -> str:
    """Return the summary of these audits."""
    return render(Run("lint", list(audits)))


def parts(text: str) -> list[Token]:
    """Return the inline parts of a rendered summary."""
    return [child for token in PARSER.parse(text) for child in token.children or ()]


def cells(text: str) -> list[list[str]]:
    """Return the rows of the table of a summary, as read by a Markdown parser, code spans without their marks."""
    rows: list[list[str]] = []
    for token in PARSER.parse(text):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows and token.level == 4:
            rows[-1].append("".join(child.content for child in token.children or ()))
    return rows


def test_findings_are_a_table_the_gravest_first() -> None:
    """Each finding is a row with severity, rule, place and message, and each rule is explained once."""
    light = audit(failed(finding("a note", rule=rule(1, "note"))), failed(finding("a warning"), finding("another")))
    grave = audit(failed(finding("an error", Location("a|b.md"), rule=rule(2, "error"))))
    text = summary(light, grave)
    assert cells(text) == [
        ["severity", "rule", "place", "finding"],
        ["error", f"{RULES[2].id} {RULES[2].name}", "model/a|b.md", "an error"],
        ["warning", f"{RULES[0].id} {RULES[0].name}", "model/README.md:3:5", "a warning"],
        ["warning", f"{RULES[0].id} {RULES[0].name}", "model/README.md:3:5", "another"],
        ["note", f"{RULES[1].id} {RULES[1].name}", "model/README.md:3:5", "a note"],
    ]
    assert "4 findings in 2 of 2 subjects: 1 error, 2 warnings, 1 note; 0 unknown." in text
    for number in range(3):
        assert text.count(f"**{RULES[number].id} {RULES[number].name}**: {RULES[number].why}") == 1
        assert RULES[number].fix in text


def test_nothing_found() -> None:
    """Without findings there is no table, and the counts say so."""
    text = summary(audit(Judgement(rule(), "pass")))
    assert text == "## cardcheck lint of `model`\n\nno errors, no warnings, no notes; 1 rules passed, 0 do not apply, 0 unknown.\n"
    assert "no findings in 2 subjects; 0 unknown." in summary(audit(), audit())


def test_what_does_not_count_and_what_is_unknown_is_told() -> None:
    """Silenced findings are counted; unknown outcomes and useless comments are listed."""
    remark = Remark(Location("README.md", 4, 2), "it silences nothing")
    text = summary(audit(silenced(), Judgement(rule(), "unknown", "weights: damaged"), remarks=(remark,)), hub())
    assert "1 unknown; 1 silenced by comments, 1 silenced by the settings, 1 known to the baseline." in text
    assert f"- {RULES[0].id} {RULES[0].name}: `weights: damaged` (1 subject: `model`)" in text
    assert "- `model/README.md:4:2`: `it silences nothing`" in text


@pytest.mark.parametrize("verdict", VERDICTS)
def test_the_verdict_is_told(verdict: str) -> None:
    """The verdict of the spot check comes with its numbers, where it was measured."""
    text = summary(hub(spotcheck=VERDICTS[verdict]))
    assert f"**{verdict}**: `" in text
    assert ("measured 66.3" in text) == (verdict != "inconclusive")


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_every_test_of_a_spot_check_is_a_row(check: SpotCheck) -> None:
    """The tests are a table of their own; what was not run is told with its reason."""
    text = summary(hub(spotcheck=check))
    assert cells(text) == ([list(words.TEST_HEADS), *(list(words.test_cells(test)) for test in check.tests)] if check.tests else [])
    assert not [line for line in words.left_out(check) if line not in text]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_stay_in_code_spans(text: str) -> None:
    """Whatever a subject says, the summary has the same parts, and nothing of it is a link, a mention or HTML."""
    rendered = render(everything(text))
    plain = render(everything("plain"))
    assert [len(row) for row in cells(rendered)] == [len(row) for row in cells(plain)]
    assert [token.type for token in PARSER.parse(rendered)] == [token.type for token in PARSER.parse(plain)]
    assert {part.type for part in parts(rendered)} <= {"text", "code_inline", "strong_open", "strong_close"}
    assert not [part.content for part in parts(rendered) if part.type == "text" and AUTOMATIC.search(part.content)]
    assert not harmful(rendered, "\n")
    assert "##[" not in rendered
    assert not [line for line in rendered.split("\n") if line.lstrip().startswith("::")]


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.strip() and text.isprintable() and len(text) < 300 and "##" not in text])
def test_code_spans_hold_the_text(text: str) -> None:
    """A code span says what the text says, whatever backticks are in it."""
    (part,) = parts(code(text))
    assert (part.type, part.content) == ("code_inline", text)


@pytest.mark.parametrize("text", ["\\", "\\\\", "a\\|b", "\\\\|", "|\\", "`|`", "||"])
def test_no_pipe_ends_a_cell(text: str) -> None:
    """Pipes and backslashes in a message leave the table as it is, and the message readable."""
    rows = cells(summary(audit(failed(finding(text)))))
    assert len(rows[1]) == 4
    assert rows[1][3].replace(" ", "") == text


def test_no_service_is_given_more_than_it_takes() -> None:
    """Of very many long findings as many are listed as a comment can hold, and the others are counted."""
    found = [failed(finding("🤗" * 1000, Location(f"{number}.md")), more=3) for number in range(1000)]
    reasons = [Judgement(rule(number % len(RULES)), "unknown", f"{number} " + "x" * 900) for number in range(300)]
    text = summary(audit(*found), audit(*reasons), hub())
    assert MAX_LENGTH * 0.9 < len(text.encode("utf-16-le")) / 2 <= MAX_LENGTH
    beyond = re.search(r"^… and (\d+) more\.$", text, re.MULTILINE)
    assert beyond
    assert int(beyond[1]) == 4000 - (len(cells(text)) - 1)
    assert re.search(r"^- … and \d+ more$", text, re.MULTILINE)


def test_subjects_are_told_apart() -> None:
    """The heading of a single subject names it as a code span; standard input is called so."""
    assert summary(hub()).startswith("## cardcheck lint of `acme/ours`\n")
    assert summary(audit(subject=Subject("-", "card", Path("meanwhile/README.md")))).startswith("## cardcheck lint of `standard input`\n")
