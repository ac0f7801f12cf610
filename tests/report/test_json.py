"""The report for machines."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from made import CHECKS, HOSTILE, all_texts, everything, failed, finding, hub, silenced
from made import audit as audit_of

import cardcheck
from cardcheck.engine.suppress import Remark
from cardcheck.facts.located import Location
from cardcheck.pipeline import Audit, lint
from cardcheck.pipeline import Run as RunOf
from cardcheck.report.json import render as render_run
from cardcheck.settings import Settings

if TYPE_CHECKING:
    from conftest import MakeModel, Run

    from cardcheck.spotcheck.result import SpotCheck

SCHEMA = Path(cardcheck.__file__).parent / "data" / "report.schema.json"
NAN_CARD = """\
---
model-index: [{name: m, results: [{metrics: [{type: ndcg_at_10, value: .nan}, {type: ndcg_at_10, value: .inf}]}]}]
---
# m \u202e\x1b[2J
"""


def render(audit: Audit) -> str:
    """Return the report of one audit."""
    return render_run(RunOf("audit", [audit]))


def strict(text: str) -> Any:
    """Read JSON as the standard has it, without NaN and infinity."""

    def refuse(name: str) -> None:
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


@pytest.fixture
def models(make_model: MakeModel, good_model: Path) -> list[Path]:
    """Give models of every kind: good, bad, hostile, empty, a single card."""
    bad = make_model({"README.md": NAN_CARD, "config.json": '{"hidden_size": NaN}', "modules.json": "[", "p.bin": "x"}, name="bad\x1b[2J")
    empty = make_model(name="empty")
    return [good_model, bad, empty, bad / "README.md"]


def test_reports_have_the_shape_of_the_schema(models: list[Path]) -> None:
    """Every report is valid against the published schema, and the schema is one."""
    schema = json.loads(SCHEMA.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    for model in models:
        jsonschema.validate(strict(render(lint(model, settings=Settings(profile="strict")))), schema)


def test_the_command_prints_the_same_shape(models: list[Path], run: Run) -> None:
    """What `lint --json` lists are reports of that shape, one a subject, in the order given."""
    schema = json.loads(SCHEMA.read_text())
    audits = strict(run("lint", "--json", *models).out)["audits"]
    assert [audit["subject"]["given"] for audit in audits] == [str(model) for model in models]
    for audit in audits:
        jsonschema.validate(audit, schema)


def test_output_is_ascii_without_nan(models: list[Path], run: Run) -> None:
    """JSON holds printable ASCII and line feeds alone, and no number that is none."""
    out = run("lint", "--json", *models).out
    assert out.replace("\n", "").isascii()
    assert out.replace("\n", "").isprintable()
    assert strict(out)


def test_findings_say_where_and_why(make_model: MakeModel) -> None:
    """A finding has rule, severity, message, place, source line, reason, remedy and page."""
    document = strict(render(lint(make_model({"README.md": "# m\n\nIt is {MODEL_NAME}.\n"}) / "README.md")))
    found = next(finding for finding in document["findings"] if finding["rule"] == "CC104")
    assert (found["file"], found["line"], found["column"], found["source_line"]) == ("README.md", 3, 7, "It is {MODEL_NAME}.")
    assert (found["severity"], found["category"], found["page"]) == ("warning", "card", "docs/rules/CC104.md")
    assert "{MODEL_NAME}" in found["message"]
    assert found["why"]
    assert found["fix"]
    assert document["counts"]["warning"] == sum(finding["severity"] == "warning" for finding in document["findings"])


def test_every_rule_has_an_outcome(good_model: Path) -> None:
    """Rules that passed, do not apply or are unknown are listed with those that failed."""
    document = strict(render(lint(good_model)))
    assert {rule["outcome"] for rule in document["rules"]} == {"pass", "not_applicable"}
    assert document["findings"] == []
    assert document["spotcheck"] is None


def test_findings_beyond_the_shown_ones_are_counted(make_model: MakeModel) -> None:
    """The counts include findings that are not listed."""
    document = strict(render(lint(make_model({"README.md": "{MODEL_NAME}\n" * 50}))))
    assert next(rule["findings"] for rule in document["rules"] if rule["id"] == "CC104") == 50
    assert sum(finding["rule"] == "CC104" for finding in document["findings"]) == 20
    assert document["counts"]["warning"] >= 50


def unpaired(make_model: MakeModel) -> Path:
    """Return a model in a folder whose name is no UTF-8."""
    return make_model({"README.md": "# m\n"}, name=os.fsdecode(b"m\xff"))


def test_names_that_are_no_utf8(make_model: MakeModel) -> None:
    """Half surrogate pairs, which many readers of JSON refuse, are replaced."""
    assert "\\ud" not in render(lint(unpaired(make_model)))


def test_names_that_are_no_utf8_on_the_command_line(make_model: MakeModel, run: Run) -> None:
    """The command replaces them as well."""
    assert "\\ud" not in run("lint", "--json", unpaired(make_model)).out


def test_findings_say_how_to_reach_and_recognise_them() -> None:
    """A finding has its path from the working directory, a fingerprint, and its edit where it can be mended."""
    edit = ("licence", "license")
    found = strict(render(audit_of(failed(finding(location=Location("a/b.md", 3), edit=edit), finding()))))["findings"]
    assert [one["path"] for one in found] == ["model/a/b.md", "model/README.md"]
    assert [one["file"] for one in found] == ["a/b.md", "README.md"]
    assert [one["edit"] for one in found] == [{"old": "licence", "new": "license"}, None]
    assert len({one["fingerprint"] for one in found}) == 2


def test_what_does_not_count_is_listed_apart() -> None:
    """Silenced findings have what silences them and why; comments that silence nothing have their place."""
    remark = Remark(Location("README.md", 4, 2), "it silences nothing")
    document = strict(render(audit_of(silenced(), remarks=(remark,))))
    assert [(one["by"], one["reason"]) for one in document["silenced"]] == [
        (way, f"reason of {way}") for way in ("comment", "settings", "baseline")
    ]
    assert document["findings"] == []
    assert document["counts"] == {"error": 0, "warning": 0, "note": 0}
    assert document["remarks"] == [
        {"message": "it silences nothing", "file": "README.md", "line": 4, "column": 2, "path": "model/README.md"}
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_stay_text(text: str) -> None:
    """Whatever a subject says, the report is ASCII, valid, holds the text as it is, and no command to the service that logs it."""
    schema = json.loads(SCHEMA.read_text())
    rendered = render_run(everything(text))
    assert rendered.isascii()
    assert "##" not in rendered
    documents = strict(rendered)["audits"]
    for document in documents:
        jsonschema.validate(document, schema)
    assert text.encode("utf-8", "replace").decode() in all_texts(documents)


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_every_shape_of_a_spot_check_has_the_shape_of_the_schema(check: SpotCheck) -> None:
    """Whatever became of the spot check, its report is valid, and of a measured model every test is listed once: as run, or as not run."""
    document = strict(render(hub(spotcheck=check)))
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    found = document["spotcheck"]
    ran = [test["kind"] for test in found["tests"]]
    left = [kind for group in found["not_run"] for kind in group["tests"]]
    assert sorted([*ran, *left]) == (["reproduction", "residual", "rewording", "split"] if check.status == "done" else [])
    assert all(group["reason"] for group in found["not_run"])
    assert (found["public"] is None) == (check.public is None)


def test_tests_are_told_in_full() -> None:
    """A test has statistic, interval, p, the level it was tested at, what it would have seen, and whether it is real."""
    found = strict(render(hub(spotcheck=CHECKS["unexplained by the split"])))["spotcheck"]
    split = found["tests"][1]
    assert (split["kind"], split["on"], split["statistic"], split["rejected"]) == ("split", "SciFact", 8.1, True)
    assert split["interval"]["low"] < 8.1 < split["interval"]["high"]
    assert 0 < split["p"] < split["rate"] < 0.05
    assert split["detectable"] == pytest.approx(3.9)
    assert found["public"]["published"] == pytest.approx(64.6)
    assert found["public"]["measured"] == {"test": 64.5, "other": 63.2, "reworded": 59.9}


@pytest.mark.parametrize(
    ("place", "value"), [("kind", "guess"), ("p", 1.5), ("rejected", "yes"), ("interval", {"low": 1.0}), ("detectable", None)]
)
def test_the_schema_is_no_formality(place: str, value: Any) -> None:
    """A test of another shape is not valid."""
    document = strict(render(hub(spotcheck=CHECKS["consistent"])))
    document["spotcheck"]["tests"][0][place] = value
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, json.loads(SCHEMA.read_text()))
