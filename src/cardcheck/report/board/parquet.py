"""The report as a table for programs, a row a model, with its findings and its furthest results as lists of records."""

from __future__ import annotations

import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cardcheck.errors import CardcheckError

if TYPE_CHECKING:
    from cardcheck.report.board.records import Model, Report


def render(report: Report) -> bytes:
    """Return the table as Parquet. Raises CardcheckError where pyarrow is not installed."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise CardcheckError(f"Parquet needs {error.name}", hint="pip install 'cardcheck[leaderboard]'") from error
    text, number, whole = pa.string(), pa.float64(), pa.int64()
    finding = pa.struct([*((name, text) for name in ("rule", "name", "severity", "confidence", "message")), ("evidence", pa.list_(text)),
                         ("task", text), ("key", text)])  # fmt: skip
    cell = pa.struct([("task", text), *((name, number) for name in ("published", "expected", "low", "high", "standard"))])
    types = {
        **dict.fromkeys(("model", "revision", "license", "max_tokens"), text),
        **dict.fromkeys(("mean", "score", "low", "high", "memory"), number),
        **dict.fromkeys(("place", "group", "tasks", "credible_place", "results", "retrieval", "private", "parameters", "dimension"), whole),
        **dict.fromkeys(("strongest", "why"), pa.list_(text)),
        "findings": pa.list_(finding), "unknown": pa.map_(text, text), "cells": pa.list_(cell), "scores": pa.map_(text, number),
    }  # fmt: skip
    about = {b"board": report.board.encode("utf-8", "replace"), b"date": report.date.encode("utf-8", "replace")}
    table = pa.Table.from_pylist([_row(model) for model in report.models], pa.schema(list(types.items()), about))
    out = io.BytesIO()
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def _row(model: Model) -> dict[str, Any]:
    row: dict[str, Any] = _whole(asdict(model))
    return row | {"unknown": list(row["unknown"].items()), "scores": list(row["scores"].items())}


def _whole(value: Any) -> Any:
    """Replace lone surrogates, which UTF-8 cannot say, by question marks."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, (list, tuple)) else value
