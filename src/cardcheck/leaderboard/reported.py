"""The audit of a board as the records that reports are written from, and those records read back from a report's JSON."""

from __future__ import annotations

import codecs
import math
from dataclasses import replace
from typing import TYPE_CHECKING

import cardcheck
from cardcheck.catalogue import tasks as catalogue
from cardcheck.errors import CardcheckError
from cardcheck.leaderboard import boards
from cardcheck.leaderboard.shortlist_facts import Known, known
from cardcheck.leaderboard.table import of_board
from cardcheck.pattern import Pattern
from cardcheck.report.board.records import SCHEMA_VERSION, Model, Report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cardcheck.leaderboard.audited import AuditedModel, BoardAudit
    from cardcheck.leaderboard.store import Head, Store

MOST = 128 << 20  # bytes of a report; one of a thousand models and a hundred tasks has six million
WHOLE = "all results"
DAY = Pattern(r"\d{4}-\d{2}-\d{2}")
UNDATED = "1970-01-01"  # of a store that does not say when it was made
CELLS = 12  # of a model, the gravest


def report(store: Store, board: str | None = None, *, date: str | None = None) -> Report:
    """Audit a benchmark, or the whole store, and return the report, dated `date` (YYYY-MM-DD), or with the day of the results.

    Raises CardcheckError for a benchmark that mteb does not have.
    """
    from cardcheck.leaderboard.audit import audit

    found = audit(store, board)
    tasks, scores = _scores(store, board)
    return of_audit(found, tasks, scores, date=date or day(store.head))


def day(head: Head) -> str:
    """Return the day that results are of: the one in the name of a published table, else the one on which they were synced."""
    named = DAY.search(_named(head.source))
    day = named or DAY.match(head.synced)
    return day[0] if day else UNDATED


def _scores(store: Store, board: str | None) -> tuple[tuple[str, ...], dict[str, dict[str, float]]]:
    """Return the tasks and each model's scores of them, the mean of what it has of a task."""
    chosen = boards.board(board) if board else boards.of_tasks("", catalogue.names())
    table = of_board(store, replace(chosen, by_subset=False))
    scores = {
        model: {task: round(score, 6) for task, score in zip(table.tasks, row, strict=True) if math.isfinite(score)}
        for model, row in zip(table.models, table.partial.tolist(), strict=True)
    }
    return table.tasks, scores


def of_audit(audit: BoardAudit, tasks: Sequence[str], scores: Mapping[str, dict[str, float]], *, date: str) -> Report:
    """Return the records of an audit; `scores` are each model's of the tasks."""
    return Report(
        board=audit.board or WHOLE, date=date, source=_named(audit.head.source), synced=audit.head.synced,
        results=audit.head.rows, tasks=tuple(tasks), notes=audit.notes, cardcheck_version=cardcheck.__version__,
        models=tuple(_model(found, scores.get(found.model, {})) for found in audit.models),
    )  # fmt: skip


def _named(source: str) -> str:
    """Return a source without the folders that it lies in: a report is for others, to whom they say nothing."""
    return source if "://" in source else source.replace("\\", "/").rstrip("/").rpartition("/")[2]


def _finite(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)


def _model(found: AuditedModel, scores: dict[str, float]) -> Model:
    place, credible = found.place, found.credible
    about = known(found.model) or Known(found.model)
    return Model(
        model=found.model, revision=found.revision,
        place=place.place if place else None, group=place.group if place else None, mean=_finite(place.mean, 6) if place else None,
        tasks=place.tasks if place else 0,
        credible_place=found.credible_place,
        score=_finite(credible.score, 6), low=_finite(credible.low, 6), high=_finite(credible.high, 6),
        results=credible.cells, retrieval=credible.retrieval, private=credible.private,
        strongest=credible.strongest, why=credible.why,
        findings=found.findings, unknown=dict(found.unknown),
        cells=tuple(
            replace(
                cell, published=round(cell.published, 5), expected=round(cell.expected, 5), low=round(cell.low, 5),
                high=round(cell.high, 5), standard=round(cell.standard, 2),
            )
            for cell in found.cells[:CELLS]
        ),
        scores=scores,
        memory=about.memory, parameters=about.parameters, dimension=next(iter(about.dimensions), None),
        max_tokens=None if about.tokens is None else str(about.tokens), license=about.licence,
    )  # fmt: skip


def read(file: Path) -> Report:
    """Return the report in a JSON file. Raises CardcheckError where it holds none, or one of a later version."""
    import msgspec

    try:
        with file.open("rb") as opened:  # its size says nothing of a pipe or a device
            text = opened.read(MOST + 1)
        if len(text) > MOST:
            raise CardcheckError(f"{file} is larger than any report")
        found = msgspec.json.decode(text.removeprefix(codecs.BOM_UTF8), type=Report)
    except OSError as error:
        raise CardcheckError(f"cannot read {file}: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise CardcheckError(f"{file} is no report of cardcheck leaderboard: {str(error)[:200]}") from None
    if found.schema_version > SCHEMA_VERSION:
        raise CardcheckError(f"{file} was written by a later version of cardcheck", hint="install that one")
    if not DAY.fullmatch(found.date):  # it becomes a link and a folder's name
        raise CardcheckError(f"{file} is no report of cardcheck leaderboard: its date is no day")
    return found
