"""Published tables of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cardcheck.errors import CardcheckError
from cardcheck.leaderboard import store
from cardcheck.leaderboard.tables import sync_table

if TYPE_CHECKING:
    from pathlib import Path

ROW: dict[str, Any] = {
    "model": "a/one",
    "revision": "x",
    "task": "STS17",
    "split": "test",
    "subset": "en-de",
    "main_score": 0.5,
    "time": 2.0,
}


def test_a_table_becomes_the_store(tmp_path: Path) -> None:
    """Its columns are kept, languages come from mteb, each run has its path, and the same table is not read twice."""
    given, file = tmp_path / "scores.parquet", tmp_path / "kept.parquet"
    pq.write_table(pa.Table.from_pylist([ROW, ROW | {"subset": "none", "model": "b/two"}]), given)
    done = sync_table(given, file)
    assert (done.head.rows, done.head.files) == (2, 2)
    first, second = store.open_store(file).rows(["languages", "path", "time", "main_score", "mteb_version"]).to_pylist()
    assert first == {
        "languages": "eng-Latn deu-Latn", "path": "results/a__one/x/STS17.json", "time": 2.0, "main_score": 0.5, "mteb_version": None,
    }  # fmt: skip
    assert second["languages"] is None
    assert sync_table(given, file).unchanged
    assert not sync_table(given, file, again=True).unchanged


@pytest.mark.parametrize("what", ["lacks", "text", "type", "nothing"])
def test_what_is_no_table_is_said(tmp_path: Path, what: str) -> None:
    """A table without the columns, with scores that are no numbers, another file, or none: one line each, and no store."""
    given, file = tmp_path / "scores.parquet", tmp_path / "kept.parquet"
    if what == "lacks":
        pq.write_table(pa.table({"model": ["a"]}), given)
    elif what == "text":
        given.write_text("no table")
    elif what == "type":
        pq.write_table(pa.Table.from_pylist([ROW | {"main_score": "high"}]), given)
    with pytest.raises(CardcheckError):
        sync_table(given, file)
    assert not file.exists()
