"""Stores that are none, or are spoilt, and what a store keeps of numbers and names that cannot be."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cardcheck.errors import CardcheckError
from cardcheck.leaderboard import store
from cardcheck.leaderboard.audit import audit
from cardcheck.leaderboard.sync import sync
from cardcheck.leaderboard.tables import sync_table

if TYPE_CHECKING:
    from pathlib import Path

ROW: dict[str, Any] = {"model": "a/one", "revision": "x", "task": "STS17", "split": "test", "subset": "en-de", "main_score": 0.5}


def made(folder: Path, *rows: dict[str, Any]) -> Path:
    """Return a store of rows."""
    pq.write_table(pa.Table.from_pylist([ROW, *rows]), folder / "table.parquet")
    sync_table(folder / "table.parquet", folder / "store.parquet")
    return folder / "store.parquet"


def test_a_store_without_scores_is_audited(tmp_path: Path) -> None:
    """Where no file of a source could be read, the audit says so of a board without models."""
    (tmp_path / "results" / "a__b" / "r").mkdir(parents=True)
    (tmp_path / "results" / "a__b" / "r" / "X.json").write_text("{", encoding="utf-8")
    sync(str(tmp_path / "results"), tmp_path / "store.parquet")
    found = audit(store.open_store(tmp_path / "store.parquet"))
    assert found.models == ()
    assert "1 files of the source could not be read." in found.notes


def test_what_is_no_store_is_said(tmp_path: Path) -> None:
    """Nothing, a folder, a pipe, a published table: each has an answer of its own, and a pipe is not waited for."""
    made(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for name, said in (
        ("none", "no store of the leaderboard yet at"),
        (".", "is no file"),
        ("pipe", "is no file"),
        ("table.parquet", "is a table of scores"),
    ):
        with pytest.raises(CardcheckError, match=said):
            store.open_store(tmp_path / name)


def test_a_spoilt_store_is_said(tmp_path: Path) -> None:
    """Where its beginning is another's, or its bytes are spoilt, reading it says so; it is not called a fault of the program."""
    file = made(tmp_path, *({**ROW, "model": f"a/{number}"} for number in range(1000)))
    whole = file.read_bytes()
    for spoilt in (whole[len(whole) // 2 :], whole[:100] + bytes(3000) + whole[3100:]):
        file.write_bytes(spoilt)
        with pytest.raises(CardcheckError, match=r"is damaged|is no store"):
            store.open_store(file).rows(store.TEXTS)


@pytest.mark.parametrize("change", [{"source": 5}, {"bad": []}, {"rows": "many"}])
def test_a_store_that_says_nonsense_of_itself(tmp_path: Path, change: dict[str, Any]) -> None:
    """What a stranger's store says of itself is looked at for its types."""
    file = made(tmp_path)
    about = json.dumps({"format": store.FORMAT, **asdict(store.open_store(file).head), **change})
    pq.write_table(pq.read_table(file, read_dictionary=list(store.TEXTS)).replace_schema_metadata({store.HEAD: about}), file)
    with pytest.raises(CardcheckError, match="is damaged"):
        store.open_store(file)


def test_numbers_beyond_any_scale_are_infinite(tmp_path: Path) -> None:
    """What no sum can hold is kept as infinity; what only is out of scale, and what is no number, as it is."""
    given = [1e308, -1e308, math.inf, 77.0, math.nan]
    file = made(tmp_path, *({**ROW, "model": f"b/{at}", "main_score": score} for at, score in enumerate(given)))
    held = store.open_store(file).rows(["main_score"])["main_score"].to_pylist()[1:]
    assert held[:4] == [math.inf, -math.inf, math.inf, 77.0]
    assert math.isnan(held[4])


def test_rows_without_a_name_are_left_out(tmp_path: Path) -> None:
    """A row whose model, task, split or subset is missing or cannot be printed is counted and left out; a revision may be missing."""
    evil = [{**ROW, "model": name} for name in (None, "", "a/\x1b[31m", "a/\u202eb", "a" * 30_000)]
    evil += [{**ROW, "task": None}, {**ROW, "split": "x\ny"}]
    file = made(tmp_path, *evil, {**ROW, "revision": None, "model": "a/two"})
    opened = store.open_store(file)
    assert opened.rows(["model"])["model"].to_pylist() == ["a/one", "a/two"]
    assert [why.split()[0] for why in opened.head.bad.values()] == ["5", "1", "1"]


def test_a_table_without_scores_leaves_the_store(tmp_path: Path) -> None:
    """A table with no row takes no store's place."""
    file = made(tmp_path)
    pq.write_table(pa.Table.from_pylist([ROW]).slice(0, 0), tmp_path / "none.parquet")
    with pytest.raises(CardcheckError, match="holds no scores"):
        sync_table(tmp_path / "none.parquet", file)
    assert store.open_store(file).head.rows == 1


def test_where_it_cannot_be_written_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk leaves the old store and nothing beside it; what lies where the folder should be is said."""
    file = made(tmp_path)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pq, "write_table", full)
    with pytest.raises(CardcheckError, match="No space left"):
        sync_table(tmp_path / "table.parquet", file, again=True)
    assert store.open_store(file).head.rows == 1
    assert not list(tmp_path.glob(".*.half"))
    with pytest.raises(CardcheckError, match="cannot write beside"):
        sync_table(tmp_path / "table.parquet", file / "below.parquet")
