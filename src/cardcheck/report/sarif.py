"""The report in SARIF 2.1.0, as GitHub's code scanning and other viewers take it.

GitHub refuses a whole file for one `https:` location, so what lies at the Hub is named below the Hub's address: other viewers put the
two together, and GitHub shows a path that no checkout has and that says where the file is. Silenced findings are left out: GitHub pays
no heed to SARIF's `suppressions` and would show each as an open alert.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cardcheck
from cardcheck.report import words
from cardcheck.report.escape import visible
from cardcheck.report.json import dumps
from cardcheck.report.place import hub, hub_file, in_checkout, uri

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardcheck.engine.evaluate import Finding
    from cardcheck.engine.rule import Rule
    from cardcheck.facts.located import Location
    from cardcheck.pipeline import Audit, Run

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
MAX_RESULTS = 25_000  # GitHub refuses a run with more
MAX_TAGS = 20  # of a rule, likewise
MAX_NAME, MAX_TEXT = 255, 1024  # characters; GitHub cuts the rest
PROBLEM = {"error": "error", "warning": "warning", "note": "recommendation"}
VERDICT = {"unexplained": "error", "inconclusive": "warning", "consistent": "note"}


def render(run: Run) -> str:
    """Return the run as a SARIF log, the gravest findings first."""
    rules = {judged.rule.id: judged.rule for audit in run.audits for judged in audit.judgements}
    index = {rule_id: number for number, rule_id in enumerate(rules)}
    results = [_result(audit, finding, index) for audit, finding in words.gravest_first(run)]
    driver = {"name": "cardcheck", "semanticVersion": cardcheck.__version__, "rules": [_rule(rule) for rule in rules.values()]}
    notifications = [*_notifications(run, index), *_left_out(len(results))]
    bases: dict[str, dict[str, Any]] = {"%SRCROOT%": {"description": {"text": "The root of the checkout."}}}
    if any(audit.subject.kind in ("hub", "cache") for audit in run.audits):
        bases["HUB"] = {"uri": hub(), "description": {"text": "The Hugging Face Hub; files there are in no checkout."}}
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": bases,
                "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
                "results": results[:MAX_RESULTS],
            }
        ],
    }
    return dumps(log)


def _rule(rule: Rule) -> dict[str, Any]:
    why, fix, explain = visible(rule.why), visible(rule.fix), f"cardcheck rules explain {rule.id}"
    links = [visible(reference) for reference in rule.references]
    plain = "".join(f"\n{link}" for link in links)
    listed = "".join(f"\n- <{link}>" for link in links if link.startswith(("https://", "http://")))
    entry = {
        "id": rule.id,
        "name": rule.name[:MAX_NAME],
        "shortDescription": {"text": rule.name.replace("-", " ").capitalize()[:MAX_TEXT]},
        "fullDescription": {"text": why[:MAX_TEXT]},
        "help": {
            "text": f"{why}\n\nHow to fix it: {fix}\n\nMore: {explain}{plain}",
            "markdown": f"**Why:** {why}\n\n**How to fix it:** {fix}\n\n**More:** `{explain}`\n{listed}".rstrip(),
        },
        "defaultConfiguration": {"level": rule.severity},
        "properties": {
            "tags": ["model-card", rule.category, rule.profile][:MAX_TAGS],
            "precision": rule.confidence,
            "problem.severity": PROBLEM[rule.severity],
        },
    }
    return entry | ({"helpUri": rule.page} if rule.page.startswith("https://") else {})


def _result(audit: Audit, finding: Finding, index: dict[str, int]) -> dict[str, Any]:
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": index[finding.rule.id],
        "level": finding.rule.severity,
        "message": {"text": _text(finding.message)},
        "locations": [_location(audit, finding.location)],
        # Under our own name: GitHub's action calculates its own from the file, and warns of each that it finds to be another.
        "partialFingerprints": {"cardcheck/v1": audit.fingerprint(finding)},
    }


def _location(audit: Audit, location: Location) -> dict[str, Any]:
    below = hub_file(audit, location)
    artifact = {"uri": below, "uriBaseId": "HUB"} if below else _artifact(in_checkout(audit, location))
    region = {"startLine": location.line or 1, "startColumn": location.column or 1}
    place: dict[str, Any] = {"physicalLocation": {"artifactLocation": artifact, "region": region}}
    return place | ({"message": {"text": f"{hub()}{below}"}} if below else {})


def _artifact(path: str) -> dict[str, str]:
    reference = uri(path)
    return {"uri": reference} if reference.startswith("file:") else {"uri": reference, "uriBaseId": "%SRCROOT%"}


def _text(message: str) -> str:
    """Return the text of a message in which nothing is a link; SARIF has `[text](target)` even in plain text."""
    return visible(message).replace("](", "] (")


def _notifications(run: Run, index: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Yield what is to be said of the run beside its results: what was not checked, not listed or not measured."""
    for rule, reason, labels in words.unchecked(run):
        where = f"{words.count(len(labels), 'subject')} ({words.few(labels, 10)})"
        text = _text(f"{rule.id} {rule.name} was not checked in {where}: {reason}")
        yield _notification("warning", text) | {"associatedRule": {"id": rule.id, "index": index[rule.id]}}
    for audit in run.audits:
        for judged in audit.judgements:
            if judged.more:
                text = f"{judged.rule.id} {judged.rule.name}: {judged.more} more in {words.label(audit)} are not listed"
                associated = {"id": judged.rule.id, "index": index[judged.rule.id]}
                yield _notification("note", _text(text)) | {"associatedRule": associated}
        for remark in audit.remarks:
            yield _notification("note", _text(remark.message)) | {"locations": [_location(audit, remark.location)]}
        if check := audit.spotcheck:
            text = f"spot check of {words.label(audit)}: {check.verdict}: {words.verdict(check)}"
            yield _notification(VERDICT[check.verdict], _text(text))
            for line in (*map(words.tested, check.tests), *words.left_out(check)):
                yield _notification("note", _text(f"spot check of {words.label(audit)}: {line}"))


def _left_out(number: int) -> Iterable[dict[str, Any]]:
    if number > MAX_RESULTS:
        yield _notification("warning", f"{number - MAX_RESULTS} of {number} results are left out: services take no more than {MAX_RESULTS}")


def _notification(level: str, text: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": text}}
