"""The report as JUnit XML: a test suite a subject, a test case a rule.

Errors and warnings are failures; notes are told in the output of a test that passed. What does not apply and what could not be checked
is skipped, with the reason.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from cardcheck.report import words
from cardcheck.report.escape import visible
from cardcheck.report.place import shown, spot

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardcheck.engine.evaluate import Judgement
    from cardcheck.pipeline import Audit, Run
    from cardcheck.spotcheck.result import SpotCheck

FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML 1.0 cannot hold, however it is written


def render(run: Run) -> str:
    """Return the run as JUnit XML."""
    root = ET.Element("testsuites", name="cardcheck")
    for audit in run.audits:
        root.append(_suite(audit))
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(audit: Audit) -> ET.Element:
    name = words.label(audit)
    suite = ET.Element("testsuite", name=_clean(name))
    suite.extend(_case(audit, judged, name) for judged in audit.judgements)
    if audit.spotcheck:
        suite.append(_spotcheck(audit.spotcheck, name))
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", "0")
    suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
    if audit.remarks:
        _add(suite, "system-out", (f"- {spot(audit, remark.location)}: {remark.message}" for remark in audit.remarks))
    return suite


def _case(audit: Audit, judged: Judgement, name: str) -> ET.Element:
    rule = judged.rule
    # A service tells tests apart by class and name, so the class is the subject.
    case = ET.Element("testcase", classname=_clean(name), name=f"{rule.id} {rule.name}")
    if judged.findings:
        case.set("file", _clean(shown(audit, judged.findings[0].location)))
        lines = [*_places(audit, judged), f"why: {rule.why}", f"fix: {rule.fix}", f"more: cardcheck rules explain {rule.id}"]
        if rule.severity == "note":
            _add(case, "system-out", lines)
        else:
            _add(case, "failure", lines, type=rule.severity, message=_message(judged))
    elif judged.outcome == "unknown":
        _add(case, "skipped", message=f"unknown: {judged.reason}")
    elif judged.outcome == "not_applicable":
        _add(case, "skipped", message=f"does not apply: {judged.reason}")
    return case


def _message(judged: Judgement) -> str:
    more = len(judged.findings) + judged.more - 1
    return judged.findings[0].message + (f" (and {more} more)" if more else "")


def _places(audit: Audit, judged: Judgement) -> Iterable[str]:
    yield from (f"- {spot(audit, finding.location)}: {finding.message}" for finding in judged.findings)
    if judged.more:
        yield f"- and {judged.more} more"


def _spotcheck(check: SpotCheck, name: str) -> ET.Element:
    case = ET.Element("testcase", classname=_clean(name), name="spot check")
    said = f"{check.verdict}: {words.verdict(check)}"
    lines = [said, *(f"- {words.tested(test)}" for test in check.tests), *(f"- {line}" for line in words.left_out(check))]
    if check.verdict == "unexplained":
        _add(case, "failure", lines, type="error", message=said)
    elif check.verdict == "inconclusive":
        _add(case, "skipped", lines[1:], message=said)
    else:
        _add(case, "system-out", lines)
    return case


def _add(parent: ET.Element, tag: str, lines: Iterable[str] = (), **attributes: str) -> None:
    """Append an element with one line of text a line."""
    element = ET.SubElement(parent, tag, {key: _clean(value) for key, value in attributes.items()})
    element.text = "\n".join(map(_clean, lines)) or None


def _clean(text: str) -> str:
    """Return text that XML can hold; what hides or steers is written as its code before, so that hardly anything is left to remove."""
    return FORBIDDEN.sub("", visible(text))
