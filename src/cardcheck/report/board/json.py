"""The report for machines: the records as they are, in ASCII, a model a line, so that a version control system shows what changed."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from cardcheck.report.json import dumps

if TYPE_CHECKING:
    from cardcheck.report.board.records import Changes, Report


def render(report: Report) -> bytes:
    """Return the report as JSON."""
    fields = asdict(report)
    models = ",\n".join(dumps(model, indent=None).rstrip() for model in fields.pop("models"))
    return f'{dumps(fields, indent=None).rstrip()[:-1]}, "models": [\n{models}\n]}}\n'.encode("ascii")


def changes(found: Changes) -> bytes:
    """Return a difference as JSON."""
    return dumps(asdict(found) | {"counts": found.counts}).encode("ascii")
