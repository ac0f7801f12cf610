"""The report for machines, in the shape of data/report.schema.json."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import cardcheck
from cardcheck.engine.rule import SEVERITIES
from cardcheck.report import overlap, words

if TYPE_CHECKING:
    from cardcheck.engine.evaluate import Finding
    from cardcheck.pipeline import Audit, Run
    from cardcheck.spotcheck.result import SpotCheck

OUTCOMES = ("pass", "fail", "not_applicable", "unknown")
SCHEMA_VERSION = 1  # raised when a field goes away or changes its meaning; new fields do not raise it


def render(run: Run) -> str:
    """Return the report as JSON text, ending in a line break; only ASCII, so that no terminal is steered by it.

    An audit is of one subject, and its document is that subject's; linting gives a list of such documents.
    """
    if run.command == "audit":
        return dumps(
            {
                **document(run.audits[0]),
                "requests": [asdict(one) for one in run.asked],
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
            }
        )
    # one after the other, a line each: thousands of documents at once would fill the memory, and be slow to set out
    documents = (dumps(document(audit, brief=True), indent=None).rstrip() for audit in run.audits)
    requests = dumps([asdict(one) for one in run.asked], indent=None).rstrip()
    return '{"audits": [' + ",\n".join(documents) + f'],\n"requests": {requests}}}\n'


def dumps(value: Any, *, indent: int | None = 2) -> str:
    """Return plain values as JSON text in ASCII, ending in a line break.

    Two number signs would begin a command in the logs of some services, so the second is written as its code.
    """
    try:
        text = json.dumps(value, indent=indent, allow_nan=False)
    except ValueError:
        text = "\\ud"
    if "\\ud" in text:  # half of a character perhaps; looking at every value first takes as long as writing them
        text = json.dumps(_finite(value), indent=indent, allow_nan=False)
    return text.replace("##", "#\\u0023") + "\n"


def document(audit: Audit, *, brief: bool = False) -> dict[str, Any]:
    """Return the report as plain values; a brief one lists the rules that failed or are unknown, and counts the others."""
    subject = audit.subject
    return {
        "schema_version": SCHEMA_VERSION,
        "cardcheck_version": cardcheck.__version__,
        "subject": {
            "given": subject.given, "kind": subject.kind, "id": subject.id, "revision": subject.revision, "path": str(subject.path),
        },
        "counts": {severity: audit.count(severity) for severity in SEVERITIES},
        "sources": {name: asdict(source) for name, source in audit.facts.sources.items()},
        "leaderboard": audit.leaderboard or None,
        "findings": [_finding(audit, finding) for finding in audit.findings],
        "silenced": [
            {**_finding(audit, silenced.finding), "by": silenced.by, "reason": silenced.reason}
            for judged in audit.judgements
            for silenced in judged.silenced
        ],
        "remarks": [
            {"message": remark.message, **asdict(remark.location), "path": audit.path_of(remark.location)} for remark in audit.remarks
        ],
        "rules": [
            {"id": judged.rule.id, "outcome": judged.outcome, "reason": judged.reason, "findings": len(judged.findings) + judged.more}
            for judged in audit.judgements
            if not brief or judged.outcome in ("fail", "unknown")
        ],
        "outcomes": {outcome: len(audit.outcomes(outcome)) for outcome in OUTCOMES},
        "overlap": overlap.document(audit.facts, brief=brief),
        "spotcheck": _spotcheck(audit.spotcheck) if audit.spotcheck else None,
    }  # fmt: skip


def _finding(audit: Audit, finding: Finding) -> dict[str, Any]:
    rule = finding.rule
    return {
        "rule": rule.id, "name": rule.name, "category": rule.category, "severity": rule.severity, "confidence": rule.confidence,
        "message": finding.message, **asdict(finding.location), "path": audit.path_of(finding.location),
        "fingerprint": audit.fingerprint(finding), "edit": {"old": finding.edit[0], "new": finding.edit[1]} if finding.edit else None,
        "source_line": finding.source_line, "why": rule.why, "fix": rule.fix,
        "references": list(rule.references), "page": rule.page,
    }  # fmt: skip


def _spotcheck(check: SpotCheck) -> dict[str, Any]:
    fields = asdict(check)
    residual = fields.pop("residual")
    if residual:
        del residual["verdict"], residual["settle"]
    return {
        "status": fields["status"],
        "reason": fields["reason"],
        "verdict": fields["verdict"],
        "settle": fields["settle"],
        "heldout": {
            "name": check.set_name,
            "sha256": check.set_hash,
            "queries": check.queries,
            "documents": check.documents,
        },
        "measured": {"ndcg_at_10": check.measured, "interval": fields["measured_interval"]} if check.status == "done" else None,
        "panel": fields["panel"],
        "not_judged": check.not_judged,
        "off_panel": check.beside,
        "results_unread": check.unread,
        "could_have_seen": check.seen,
        "residual": residual,
        "tests": fields["tests"],
        "not_run": [{"tests": kinds, "reason": reason} for kinds, reason in words.not_run(check)],
        "public": fields["public"] and {**fields["public"], "queries": check.public_queries},
        "references": fields["references"],
        "same_weights_as": check.same_weights_as,
        "encoding": {**check.encoding, "search_s": check.search_s, "texts_per_second": check.texts_per_second} if check.encoding else None,
        "isolation": check.isolation,
        "per_query": check.per_query,
    }


def _finite(value: Any) -> Any:
    """Replace what JSON cannot say: numbers that are not finite become null, lone surrogates question marks."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
