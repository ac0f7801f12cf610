"""The SARIF report."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin

import jsonschema
import pytest
from made import CHECKS, HOSTILE, RULES, VERDICTS, all_texts, audit, everything, failed, finding, harmful, hub, rule, silenced

import cardcheck
from cardcheck.engine.evaluate import Judgement
from cardcheck.engine.suppress import Remark
from cardcheck.facts.located import Location
from cardcheck.pipeline import Audit, Run, lint
from cardcheck.report import sarif, words
from cardcheck.report.escape import visible
from cardcheck.report.place import uri
from cardcheck.report.sarif import render
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import MakeModel

    from cardcheck.spotcheck.result import SpotCheck

OURS = Path(__file__).with_name("sarif.schema.json")


@pytest.fixture(scope="module")
def schema() -> Callable[[Any], None]:
    """Give the check of a log against our schema, and against the official one where the environment names a copy."""
    validators: list[Any] = [jsonschema.Draft202012Validator]
    files = [OURS]
    if given := os.environ.get("CARDCHECK_SARIF_SCHEMA"):
        validators.append(jsonschema.Draft4Validator)
        files.append(Path(given))
    checks = [
        validator(json.loads(file.read_text(encoding="utf-8")), format_checker=jsonschema.FormatChecker())
        for validator, file in zip(validators, files, strict=True)
    ]

    def check(document: Any) -> None:
        for one in checks:
            one.check_schema(one.schema)
            one.validate(document)

    return check


def log(*audits: Audit) -> Any:
    """Return the one run of the SARIF log about these audits."""
    return json.loads(render(Run("lint", list(audits))))["runs"][0]


def results(*audits: Audit) -> Any:
    """Return the results in the log about these audits."""
    return log(*audits)["results"]


def artifact(result: Any) -> Any:
    """Return the artifact location of a result."""
    return result["locations"][0]["physicalLocation"]["artifactLocation"]


def told(*audits: Audit) -> list[Any]:
    """Return the notifications in the log about these audits."""
    notifications: list[Any] = log(*audits)["invocations"][0]["toolExecutionNotifications"]
    return notifications


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_strings_stay_text(schema: Callable[[Any], None], text: str) -> None:
    """Whatever a subject says, the log is valid, ASCII, has no control character and no link of the subject's making."""
    rendered = render(everything(text))
    assert rendered.isascii()
    assert "##[" not in rendered
    assert "##vso[" not in rendered
    document = json.loads(rendered)
    schema(document)
    run = document["runs"][0]
    messages = [result["message"]["text"] for result in run["results"]]
    messages += [notification["message"]["text"] for notification in run["invocations"][0]["toolExecutionNotifications"]]
    assert not [message for message in messages if "](" in message]
    assert not [message for message in messages if harmful(message)]
    if text and len(text) < 1000:
        assert visible(text).replace("](", "] (") in messages
    assert max(map(len, messages)) <= 1500


def test_real_reports_are_valid(schema: Callable[[Any], None], make_model: MakeModel, good_model: Path) -> None:
    """The logs about a good model, a bad one, an empty one and all at once are valid."""
    bad = make_model(
        {"README.md": "---\nlicense: [\n---\n# m\n\n{MODEL_NAME}\n", "config.json": "{", "modules.json": "[", "p.bin": "x"}, name="b a%d"
    )
    found = [lint(path) for path in (good_model, bad, make_model(name="empty"), bad / "README.md")]
    for audits in (*([one] for one in found), found, []):
        schema(json.loads(render(Run("lint", audits))))


def test_what_github_asks_for() -> None:
    """Tool, rules and results have the properties that GitHub's code scanning requires or advises, none of them empty."""
    run = log(audit(failed(finding("a message")), Judgement(rule(1, "note"), "pass")))
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["semanticVersion"]) == ("cardcheck", cardcheck.__version__)
    assert [entry["id"] for entry in driver["rules"]] == [RULES[0].id, RULES[1].id]
    for entry, severity in zip(driver["rules"], ("warning", "recommendation"), strict=True):
        for key in ("shortDescription", "fullDescription"):
            assert 0 < len(entry[key]["text"]) <= 1024
        assert entry["help"]["text"]
        assert entry["help"]["markdown"]
        assert 0 < len(entry["name"]) <= 255
        assert 0 < len(entry["properties"]["tags"]) <= 20
        assert entry["properties"]["precision"] in ("high", "medium", "low")
        assert entry["properties"]["problem.severity"] == severity
        assert "helpUri" not in entry
    assert [entry["defaultConfiguration"]["level"] for entry in driver["rules"]] == ["warning", "note"]
    (result,) = run["results"]
    assert (result["ruleId"], result["ruleIndex"], result["level"]) == (RULES[0].id, 0, "warning")
    assert result["message"]["text"] == "a message"
    assert artifact(result) == {"uri": "model/README.md", "uriBaseId": "%SRCROOT%"}
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 5}
    assert list(result["partialFingerprints"]) == ["cardcheck/v1"]


def test_help_says_why_and_how() -> None:
    """The help of a rule has its reason, its remedy, the command that tells more and its references."""
    entry = log(audit(Judgement(rule(references=("https://a.example/b", "javascript:alert(1)")), "pass")))["tool"]["driver"]["rules"][0]
    for part in (RULES[0].why, RULES[0].fix, f"cardcheck rules explain {RULES[0].id}", "https://a.example/b"):
        assert part in entry["help"]["text"]
        assert part in entry["help"]["markdown"]
    assert "javascript" not in entry["help"]["markdown"]


def test_long_rules_keep_to_the_limits() -> None:
    """A rule with endless texts has descriptions and a name that GitHub takes whole."""
    entry = log(audit(Judgement(rule(name="n" * 3000, why="w" * 3000, fix="f" * 3000), "pass")))["tool"]["driver"]["rules"][0]
    assert [len(entry["name"]), len(entry["shortDescription"]["text"])] == [255, 1024]
    assert len(entry["fullDescription"]["text"]) <= 1024


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("README.md", "model/README.md"),
        ("a b/c%d#e?f.md", "model/a%20b/c%25d%23e%3Ff.md"),
        ("日.md", "model/%E6%97%A5.md"),
        ("\x1b\n.md", "model/%1B%0A.md"),
        ("\udcff.md", "model/%FF.md"),
        ("\ud800.md", "model/%3F.md"),
        ("a:b+c@1.md", "model/a%3Ab+c@1.md"),
        (".", "model/README.md"),
    ],
)
def test_paths_are_uri_references(file: str, uri: str) -> None:
    """A file is named by its path from the working directory, percent-encoded; the subject as a whole by its card."""
    assert artifact(results(audit(failed(finding(location=Location(file)))))[0]) == {"uri": uri, "uriBaseId": "%SRCROOT%"}


def test_a_colon_in_the_first_folder_is_no_scheme() -> None:
    """A folder whose name looks like a scheme is a folder."""
    subject = Subject("javascript:x", "folder", Path("javascript:x"))
    assert artifact(results(audit(failed(finding()), subject=subject))[0])["uri"] == "javascript%3Ax/README.md"


def test_paths_start_at_the_root_of_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that works in a folder of the checkout names files from the root; files outside are absolute."""
    (tmp_path / "repo" / "job").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repo" / "job")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path / "repo"))
    inside = audit(failed(finding()))
    outside = audit(failed(finding()), subject=Subject("x", "folder", tmp_path / "a b"))
    assert [artifact(result) for result in results(inside, outside)] == [
        {"uri": "job/model/README.md", "uriBaseId": "%SRCROOT%"},
        {"uri": f"file://{tmp_path}/a%20b/README.md"},
    ]
    monkeypatch.delenv("GITHUB_WORKSPACE")
    assert artifact(results(inside)[0])["uri"] == "model/README.md"


def test_windows_paths_with_a_drive() -> None:
    """The drive of an absolute path on Windows belongs to the URI."""
    assert uri("C:/a b/README.md") == "file:///C:/a%20b/README.md"


def test_files_at_the_hub_are_named_below_its_address() -> None:
    """A file at the Hub is in no checkout: it is named with repository and revision, and no location is an https URI."""
    run = log(hub(failed(finding(location=Location("a b.md", 3)))))
    found = artifact(run["results"][0])
    assert found == {"uri": "acme/ours/blob/0123abc/a%20b.md", "uriBaseId": "HUB"}
    whole = urljoin(run["originalUriBaseIds"]["HUB"]["uri"], found["uri"])
    assert whole == "https://huggingface.co/acme/ours/blob/0123abc/a%20b.md"
    assert run["results"][0]["locations"][0]["message"]["text"] == whole
    assert "HUB" not in log(audit(failed(finding())))["originalUriBaseIds"]


@pytest.mark.parametrize("location", [Location("README.md"), Location("README.md", 1), Location("."), Location("x.md", 9, 9)])
def test_every_result_has_a_line(location: Location) -> None:
    """GitHub asks for a line: a finding without one is shown at the first."""
    region = results(audit(failed(finding(location=location))))[0]["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": location.line or 1, "startColumn": location.column or 1}


def test_columns_are_code_points(make_model: MakeModel) -> None:
    """The log says what its columns count, and a character outside the basic plane before the place counts once."""
    run = log(lint(make_model({"README.md": "# m\n\n🤗🤗 {MODEL_NAME}\n"}) / "README.md"))
    assert run["columnKind"] == "unicodeCodePoints"
    found = next(result for result in run["results"] if result["ruleId"] == "CC104")
    assert found["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "startColumn": 4}


def test_fingerprints_outlive_new_lines_above(make_model: MakeModel) -> None:
    """The same findings one line further down have the same fingerprints, all of them different."""
    text = "# m\n\n{MODEL_NAME}\n{MODEL_NAME}\n"
    before = results(lint(make_model({"README.md": text})))
    after = results(lint(make_model({"README.md": f"\n{text}"})))
    prints = [
        [result["partialFingerprints"]["cardcheck/v1"] for result in found if result["ruleId"] == "CC104"] for found in (before, after)
    ]
    assert prints[0] == prints[1]
    assert len(set(prints[0])) == 2


def test_silenced_findings_are_left_out() -> None:
    """What a comment, the settings or the baseline silence is no result: code scanning would show it as an open alert."""
    assert results(audit(silenced())) == []


def test_what_was_not_checked_is_notified() -> None:
    """A rule that could not be checked is a warning of the run with the reason and the subjects, and no result."""
    unknown = Judgement(rule(1), "unknown", "weights: damaged")
    run = log(audit(Judgement(rule(0), "pass"), unknown), hub(unknown))
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert notification["level"] == "warning"
    assert notification["associatedRule"] == {"id": RULES[1].id, "index": 1}
    assert notification["message"]["text"].endswith("was not checked in 2 subjects (model, acme/ours): weights: damaged")
    assert run["invocations"][0]["executionSuccessful"] is True
    assert run["results"] == []


@pytest.mark.parametrize(("verdict", "level"), [("unexplained", "error"), ("inconclusive", "warning"), ("consistent", "note")])
def test_the_verdict_is_notified(verdict: str, level: str) -> None:
    """The verdict of the spot check is told with its reason."""
    notification = told(hub(spotcheck=VERDICTS[verdict]))[0]
    assert notification["level"] == level
    assert notification["message"]["text"].startswith(f"spot check of acme/ours: {verdict}: ")


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_every_test_of_a_spot_check_is_notified(check: SpotCheck) -> None:
    """After the verdict comes a note for each test that was run, and for what was not."""
    notes = told(hub(spotcheck=check))[1:]
    assert {note["level"] for note in notes} <= {"note"}
    lines = [*map(words.tested, check.tests), *words.left_out(check)]
    assert [note["message"]["text"] for note in notes] == [f"spot check of acme/ours: {line}" for line in lines]


def test_findings_beyond_the_listed_ones_are_notified() -> None:
    """What an audit counts and does not list is said."""
    (notification,) = told(audit(failed(finding(), more=30)))
    assert "30 more in model are not listed" in notification["message"]["text"]


def test_remarks_are_notified_at_their_place() -> None:
    """A comment that silences nothing is told with its place."""
    (notification,) = told(audit(remarks=(Remark(Location("README.md", 4, 2), "it silences nothing"),)))
    assert (notification["level"], notification["message"]["text"]) == ("note", "it silences nothing")
    assert notification["locations"][0]["physicalLocation"]["region"]["startLine"] == 4


def test_too_many_results_lose_the_least_grave(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub refuses a run with over 25,000 results: the gravest are kept, and what is left out is counted."""
    assert sarif.MAX_RESULTS == 25_000
    monkeypatch.setattr(sarif, "MAX_RESULTS", 4)
    grave = [failed(finding(f"m{number}", rule=rule(2, "error"))) for number in range(3)]
    light = [failed(finding(f"n{number}", rule=rule(3, "note"))) for number in range(3)]
    run = log(audit(*light, silenced()), audit(*grave))
    assert [result["level"] for result in run["results"]] == ["error"] * 3 + ["note"]
    assert "2 of 6 results are left out" in run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"]


def test_nothing_of_the_machine_is_told(make_model: MakeModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """For files below the working directory the log holds no absolute path."""
    model = make_model({"README.md": "# m\n\n{MODEL_NAME}\n"})
    monkeypatch.chdir(model.parent)
    document = json.loads(render(Run("lint", [lint("model")])))
    assert not [text for text in all_texts(document) if str(model.parent) in unquote(text)]
