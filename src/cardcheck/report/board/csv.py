"""The report as a table for spreadsheets, a row a model. Text that a spreadsheet would take for a formula gets an apostrophe before it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from cardcheck.report.board.records import SEVERITIES
from cardcheck.report.escape import visible

if TYPE_CHECKING:
    from cardcheck.report.board.records import Model, Report

PLAIN = (
    "credible_place", "model", "score", "low", "high", "place", "group", "mean", "tasks", "results", "retrieval", "private", "memory",
    "parameters", "dimension", "max_tokens", "license", "revision",
)  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # the last four are their wide forms


def render(report: Report) -> bytes:
    """Return the table as CSV in UTF-8."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([*PLAIN, *(f"{severity}s" for severity in SEVERITIES), "not_checked", "findings", "why"])
    for model in report.models:
        writer.writerow([_safe(value) for value in _values(model)])
    return out.getvalue().encode("utf-8")


def _values(model: Model) -> list[Any]:
    return [
        *(getattr(model, field) for field in PLAIN),
        *(model.count(severity) for severity in SEVERITIES),
        len(model.unknown),
        " | ".join(f"{one.rule} {one.name}: {one.message}" for one in model.findings),
        " | ".join(model.why),
    ]


def _safe(value: Any) -> Any:
    """Return a cell that no spreadsheet calculates (OWASP, CSV Injection): a text that begins as a formula does is quoted."""
    if not isinstance(value, str):
        return value
    return "'" + visible(value) if value.lstrip(" ").startswith(FORMULA) else visible(value)
