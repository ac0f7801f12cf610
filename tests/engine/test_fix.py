"""Safe fixes: what is mended, what is left, and that nothing else changes."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cardcheck.batch import fixes
from cardcheck.engine.evaluate import Finding
from cardcheck.engine.fix import Fixed, mend
from cardcheck.engine.library import load_rules
from cardcheck.facts.located import Location
from cardcheck.pipeline import judge, rules_of
from cardcheck.settings import Settings
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from conftest import MakeModel

RULE = load_rules()[0]


def finding(line: int | None, column: int | None, old: str, new: str) -> Finding:
    """Return a finding with an edit."""
    return Finding(RULE, "m", Location("README.md", line, column), edit=(old, new))


def card(front: str, body: str = "# m\n") -> str:
    """Return a card with this front matter."""
    return f"---\n{front}\n---\n{body}"


@pytest.mark.parametrize(
    ("front", "edits", "mended"),
    [
        ("license: MIT", [(2, 1, "MIT", "mit")], "license: mit"),
        ("license: 'MIT'  # ours", [(2, 1, "MIT", "mit")], "license: 'mit'  # ours"),
        ("licence:   mit # licence", [(2, 1, "licence", "license")], "license:   mit # licence"),
        ("language:\n- no\n- nb", [(3, 3, "no", '"no"')], 'language:\n- "no"\n- nb'),
        ("language: [no, NO]", [(2, 12, "no", '"no"'), (2, 16, "NO", '"NO"')], 'language: ["no", "NO"]'),
        ("a: 1\nlicence: MIT", [(3, 1, "licence", "license"), (3, 1, "MIT", "mit")], "a: 1\nlicense: mit"),
        ("tag: [tag]", [(2, 1, "tag", "tags")], "tags: [tag]"),
        ("tags: [tag-x, tag]", [(2, 7, "tag", "tags")], "tags: [tag-x, tags]"),
        ('"licence": mit', [(2, 1, "licence", "license")], '"license": mit'),
        ("x: {Licence: mit}", [(2, 5, "Licence", "license")], "x: {license: mit}"),
        ("licence : mit", [(2, 1, "licence", "license")], "license : mit"),
        ("a:\n- dataSet: {b: 1, c: [2]}", [(3, 3, "dataSet", "dataset")], "a:\n- dataset: {b: 1, c: [2]}"),
        ("- MIT", [(2, 1, "MIT", "mit")], "- mit"),
        ("n: ünï\nlicense: MIT ☃", [(3, 1, "MIT ☃", "mit")], "n: ünï\nlicense: mit"),
    ],
)
def test_edits(front: str, edits: list[tuple[int, int, str, str]], mended: str) -> None:
    """The first whole word at or after the place is replaced; quotes, comments and spacing stay."""
    fixed = mend("README.md", card(front), [finding(*edit) for edit in edits])
    assert fixed.text == card(mended)
    assert (len(fixed.mended), fixed.left) == (len(edits), [])


@pytest.mark.parametrize(
    ("front", "edit"),
    [
        ("license: &l MIT\nname: *l", (2, 1, "MIT", "mit")),
        ("a: x, y", (2, 1, "x", "x: z")),
        ("a: x\nb: y", (2, 1, "x", "x\nc: z")),
        ("a: x\nb: y", (2, 1, "a", "b")),
        ("a: x\nb: y", (2, 1, "a", "a: [")),
        ("licence: mit\nlicense: mit", (2, 1, "licence", "license")),
        ("a: x y", (2, 1, "x y", "[x, y]")),
        ("a: MITX", (2, 1, "MIT", "mit")),
        ("a: apache-MIT", (2, 1, "MIT", "mit")),
        ("a: MIT", (2, 5, "MIT", "mit")),
        ("a:\n  MIT", (2, 1, "MIT", "mit")),
        ("a: MIT", (9, 1, "MIT", "mit")),
        ("a: MIT", (2, 99, "MIT", "mit")),
        ("a: MIT", (None, None, "MIT", "mit")),
        ("a: MIT # why", (2, 1, "MIT # why", "mit\n---\n")),
        ("a: [MIT", (2, 1, "MIT", "mit")),
        ("a: {b: 1}", (2, 1, "{b: 1}", "{}")),
        ("a: x", (2, 1, "x", "{}")),
        ("a: [x, y]", (2, 1, "x, y", "x")),
        ("a: [[x], y]", (2, 1, "[x], y", "x, [y]")),
        ("a: {b: x, c: y}", (2, 1, "b: x, c: y", "d: x, e: y")),
        ("a: {b: x, c: y}", (2, 1, "b: x, c: y", "c: y, b: x")),
        ("a: {b: x, c: y}", (2, 1, "b", "c")),
        ("MIT", (2, 1, "MIT", "mit")),
    ],
)
def test_edits_that_would_say_something_else_are_left(front: str, edit: tuple[int | None, int | None, str, str]) -> None:
    """Where the file would say anything else than before but for one key, or the word does not stand there, nothing is changed."""
    text = card(front)
    assert mend("README.md", text, [finding(*edit)]) == Fixed(text, [], [finding(*edit)])


def test_no_edit_no_change() -> None:
    """A finding without an edit is left, and a text without findings stays."""
    plain = replace(finding(2, 1, "a", "b"), edit=None)
    assert mend("README.md", card("a: 1"), [plain]) == Fixed(card("a: 1"), [], [plain])
    assert mend("README.md", card("a: 1"), []) == Fixed(card("a: 1"), [], [])


def test_one_bad_edit_does_not_stop_the_others() -> None:
    """What can be mended is, beside what cannot."""
    good, bad = finding(2, 1, "MIT", "mit"), finding(3, 1, "x", "[")
    fixed = mend("README.md", card("license: MIT\na: x"), [bad, good])
    assert fixed == Fixed(card("license: mit\na: x"), [good], [bad])


def test_the_body_is_not_touched() -> None:
    """An edit that points below the front matter is left: what a text says is not for a program to change."""
    text = card("license: MIT", "# MIT\n\nMIT MIT\n")
    assert mend("README.md", text, [finding(4, 1, "MIT", "mit"), finding(6, 1, "MIT", "mit")]).text == text


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_line_endings_stay(ending: str) -> None:
    """Windows' line endings are kept."""
    text = card("a: 1\nlicense: MIT").replace("\n", ending)
    assert mend("README.md", text, [finding(3, 1, "MIT", "mit")]).text == text.replace("MIT", "mit")


def test_lines_that_yaml_counts_otherwise_are_left() -> None:
    """YAML takes a lone carriage return for a line break: the finding's line is another one in the file, so nothing is changed."""
    text = card("a: 1\rlicense: english\nname: english")
    assert mend("README.md", text, [finding(3, 1, "english", "en")]).text == text


def test_byte_order_mark() -> None:
    """A byte order mark before the front matter goes, though the front matter is read only then."""
    text = card("license: mit")
    assert mend("README.md", "\ufeff" + text, [finding(1, 1, "\ufeff", "")]).text == text


@pytest.mark.parametrize(
    ("text", "edit", "mended"),
    [
        ('{"a": 1,\n "b": 2}', (2, 2, '"b"', '"c"'), '{"a": 1,\n "c": 2}'),
        ('{"a": {"x": 1}, "x": 2}', (1, 17, '"x"', '"y"'), '{"a": {"x": 1}, "y": 2}'),
        ('{"a": "x"}', (1, 2, '"x"', '"y"'), '{"a": "y"}'),
        ('{"a": "x"}', (1, 2, '"x"', "y"), None),
        ('{"a": "x", "b": 1}', (1, 2, '"x"', '"x", "c": 2'), None),
        ('{"a": "x"', (1, 2, '"x"', '"y"'), None),
        ('["x"]', (1, 2, '"x"', '"y"'), '["y"]'),
        ('["x"]', (1, 2, '"x"', '{"y": 1}'), None),
    ],
)
def test_json(text: str, edit: tuple[int, int, str, str], mended: str | None) -> None:
    """JSON is patched in the same way, and left where it would not be JSON afterwards."""
    assert mend("config.json", text, [finding(*edit)]).text == (mended or text)


def test_json_without_places_is_left() -> None:
    """A half pair of a character's code keeps YAML from telling places: the finding is at 1:1, and the word there may be another's."""
    text = json.dumps({"emoji": "😀", "other": {"key": 1}, "key": 2})
    assert "\\ud83d" in text
    assert mend("config.json", text, [finding(1, 1, '"key"', '"name"')]).text == text


def test_yaml_files() -> None:
    """A YAML file is patched as a whole, comments and all."""
    text = "# one\na: MIT # two\n"
    assert mend("x.yaml", text, [finding(2, 1, "MIT", "mit")]).text == "# one\na: mit # two\n"


RESULTS = "model-index:\n- name: m\n  results:\n  - task: {{type: STS}}\n    {}: {{type: a/b, name: x}}\n    metrics: []"
SEEDED = {
    "CC102": ("\u200b\u200b---\nlicense: mit\n---\n# m\n", "---\nlicense: mit\n---\n# m\n"),
    "CC130": ("\ufeff---\nlicense: mit\n---\n# m\n", "---\nlicense: mit\n---\n# m\n"),
    "CC108": (card("license: mit\npipeline-tag: text-ranking # x"), card("license: mit\npipeline_tag: text-ranking # x")),
    "CC109": (card("license: mit\nlanguage: [en, no]"), card('license: mit\nlanguage: [en, "no"]')),
    "CC110": (card("license: Apache 2.0"), card("license: apache-2.0")),
    "CC115": (card("license: mit\nlanguage:\n- English\n- de"), card("license: mit\nlanguage:\n- en\n- de")),
    "CC208": (card("base_model: https://huggingface.co/acme/base # x"), card("base_model: acme/base # x")),
    "CC302": (card("datasets:\n- https://huggingface.co/datasets/acme/x\n- b/c"), card("datasets:\n- acme/x\n- b/c")),
    "CC406": (card(RESULTS.format("dataSet")), card(RESULTS.format("dataset"))),
    "CC116": (card("license: mit\npipeline_tag: sentence_similarity"), card("license: mit\npipeline_tag: sentence-similarity")),
}


@pytest.mark.parametrize("rule", SEEDED)
def test_packaged_rules_mend(make_model: MakeModel, rule: str) -> None:
    """The packaged rules with a fix mend what they find; judged again, they find nothing and have nothing more to mend."""
    before, after = SEEDED[rule]
    model = make_model({"README.md": before})
    chosen = rules_of(Settings(select=(rule,)))
    found = judge(Subject(str(model), "folder", model), chosen, Settings())
    assert [finding.rule.id for finding in found.findings] == [rule]
    fixed = fixes([found])
    assert [(fix.after, len(fix.mended), fix.left) for fix in fixed] == [(after, 1, [])]
    (model / "README.md").write_text(after, encoding="utf-8", newline="")
    assert judge(Subject(str(model), "folder", model), chosen, Settings()).findings == []


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        (".eval_results/a.yaml", "# ours\n- datasets: {id: a/b, task_id: c}\n", "# ours\n- dataset: {id: a/b, task_id: c}\n"),
        ("config_sentence_transformers.json", '{"prompts": {"q": "\\ud83d\\ude00"}, "similarity_function": "dot"}', None),
        ("config_sentence_transformers.json", '{\n\t"similarity_function": "dot"\n}', '{\n\t"similarity_fn_name": "dot"\n}'),
        ("config_sentence_transformers.json", '{\n  "similarity_function": "dot"\n}', '{\n  "similarity_fn_name": "dot"\n}'),
    ],
)
def test_packaged_rules_mend_other_files(make_model: MakeModel, name: str, before: str, after: str | None) -> None:
    """Files beside the card are mended too, those of which places are known."""
    model = make_model({name: before})
    found = judge(Subject(str(model), "folder", model), rules_of(Settings(select=("CC431", "CC540"))), Settings())
    assert len(found.findings) == 1
    assert [fix.after for fix in fixes([found])] == [after or before]


def test_files_of_the_hub_are_left_alone(make_model: MakeModel) -> None:
    """What lies in the Hub's cache is not ours to change, nor is standard input."""
    model = make_model({"README.md": card("license: MIT")})
    for kind, given in (("cache", "x"), ("hub", "x"), ("folder", "-")):
        subject = Subject(given, kind, model, "acme/ours")  # type: ignore[arg-type]  # one of the kinds
        assert fixes([judge(subject, rules_of(Settings(select=("CC110",))))]) == []


def test_files_in_another_encoding_are_left_alone(make_model: MakeModel) -> None:
    """A file that is not UTF-8 could not be written back as it was."""
    model = make_model({"README.md": card("license: MIT", "# caf\xe9\n").encode("latin-1")})
    found = judge(Subject(str(model), "folder", model), rules_of(Settings(select=("CC110",))))
    assert len(found.findings) == 1
    assert fixes([found]) == []


def test_many_edits_of_a_large_file_take_bounded_time() -> None:
    """Of more edits than can be looked at in time, the last ones are made and the others left; what is made is right."""
    text = card("language:\n" + "- english\n" * 20_000)
    findings = [finding(line, 3, "english", "en") for line in range(3, 1003)]
    start = time.process_time()
    fixed = mend("README.md", text, findings)
    assert time.process_time() - start < 30
    assert 10 < len(fixed.mended) < 1000
    assert len(fixed.mended) + len(fixed.left) == 1000
    assert fixed.text.count("- en\n") == len(fixed.mended)


@pytest.mark.parametrize(
    ("name", "text", "mended"),
    [
        ("a.py", 'm = load("BAAI/bge-m4")  # why\n', 'm = load("BAAI/bge-m3")  # why\n'),
        ("a.py", 'm = "BAAI/bge-m4" if', None),
        ("a.toml", 'model = "BAAI/bge-m4" # why\n', 'model = "BAAI/bge-m3" # why\n'),
        ("a.toml", 'model = "BAAI/bge-m4', None),
        ("a.sh", "run BAAI/bge-m4\n", None),
        ("a.ipynb", '{"cells": ["BAAI/bge-m4"]}', '{"cells": ["BAAI/bge-m3"]}'),
    ],
)
def test_files_of_an_application(name: str, text: str, mended: str | None) -> None:
    """Code and settings are patched where they say the same afterwards but for one value; what cannot be read is left."""
    assert mend(name, text, [finding(1, 1, "BAAI/bge-m4", "BAAI/bge-m3")]).text == (mended or text)
