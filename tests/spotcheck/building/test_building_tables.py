"""Rows as documents, and BEIR folders."""

from __future__ import annotations

import gzip
import json
import os
import re
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.building.tables import read_beir, read_table, table_kind

if TYPE_CHECKING:
    from pathlib import Path

ROWS: list[dict[str, Any]] = [
    {"id": "a", "title": "Herons", "text": "They stand.", "question": "who stands?", "date": "2026-01-02T03:04:05Z", "topic": "birds"},
    {"id": "b", "title": "", "text": "", "question": "", "date": "", "topic": ""},
]


def _written(folder: Path, form: str) -> Path:
    path = folder / f"rows.{form}"
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    if form == "parquet":
        parquet.write_table(pa.Table.from_pylist(ROWS), path)
    elif form == "jsonl.gz":
        path.write_bytes(gzip.compress(lines.encode()))
    elif form == "jsonl":
        path.write_text(lines, encoding="utf-8")
    else:
        between = "\t" if form == "tsv" else ","
        table = [list(ROWS[0]), *(list(row.values()) for row in ROWS)]
        path.write_text("".join(between.join(row) + "\n" for row in table), encoding="utf-8")
    return path


@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "csv", "tsv", "parquet"])
def test_rows_of_every_form_give_the_same_document(tmp_path: Path, form: str) -> None:
    """Usual names of columns are found, a row with a query stays whole, and a row without a text is told."""
    source = read_table(_written(tmp_path, form), {})
    (document,) = source.documents
    assert (document.title, document.date, document.domain, document.key) == ("Herons", "2026-01-02", "birds", "a")
    assert document.sections[0].paragraphs == ("They stand.",)
    assert document.queries == ("who stands?",)
    assert document.whole
    assert [where for where, _ in source.skipped] == [f"rows.{form}:2"]


def test_a_named_column_is_taken(tmp_path: Path) -> None:
    """With --field the column is the user's choice, and a missing one is an error that names the way out."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"corps": "un", "text": "no"}\n', encoding="utf-8")
    assert read_table(path, {"text": "corps"}).documents[0].sections[0].paragraphs == ("un",)
    with pytest.raises(CardcheckError, match="no row") as error:
        read_table(path, {"text": "nothere"})
    assert "--field text=COLUMN" in (error.value.hint or "")


@pytest.mark.parametrize("field", ["query", "domain", "title"])
def test_a_named_column_that_no_row_has_is_told(tmp_path: Path, field: str) -> None:
    """Else queries would come from titles, and nobody would know; a column that some rows have is there."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "eins", "frage": "was?"}\n{"text": "zwei", "rest": 1}\n', encoding="utf-8")
    with pytest.raises(CardcheckError, match="has a column 'fragen'") as error:
        read_table(path, {field: "fragen"})
    assert error.value.hint == f"its columns are text, frage; name one with --field {field}=COLUMN"
    assert len(read_table(path, {field: "rest"}).documents) == 2


@pytest.mark.parametrize("data", [b"{", b"[1]\n", b"\xff\n", b"[" * 100_000])
def test_a_line_that_is_no_object_is_named(tmp_path: Path, data: bytes) -> None:
    """The error has file and line."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(b'{"text": "a"}\n' + data)
    with pytest.raises(CardcheckError, match=r"x\.jsonl:2 is no JSON object"):
        read_table(path, {})


@pytest.mark.parametrize("name", ["x.parquet", "x.jsonl.gz", "x.jsonl.xz"])
def test_files_that_are_not_what_they_are_called(tmp_path: Path, name: str) -> None:
    """A broken file is an error of ours."""
    (tmp_path / name).write_bytes(b"PAR1 not really")
    with pytest.raises(CardcheckError, match="can"):
        read_table(tmp_path / name, {})


def test_kinds_are_told_by_names(tmp_path: Path) -> None:
    """Packed tables are tables, and documents are none."""
    names = ("a.jsonl", "a.jsonl.gz", "a.csv", "a.parquet", "a.md", "a")
    assert [table_kind(tmp_path / name) for name in names] == ["jsonl", "jsonl", "csv", "parquet", None, None]


def _beir(folder: Path, judgements: str) -> Path:
    (folder / "qrels").mkdir()
    (folder / "corpus.jsonl").write_text('{"_id": "d1", "title": "T", "text": "one"}\n{"_id": "d2", "text": "two"}\n', encoding="utf-8")
    (folder / "queries.jsonl").write_text('{"_id": "q1", "text": "who?"}\n{"_id": "q2", "text": "unjudged"}\n', encoding="utf-8")
    (folder / "qrels" / "test.tsv").write_text(judgements, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    "judgements", ["query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n", "q1 0 d1 2\nq1 0 d2 0\n", "q1\td1\t2\nq1\td2\t-2\n"]
)
def test_a_beir_folder_is_read_with_its_judgements(tmp_path: Path, judgements: str) -> None:
    """Titles join their texts, queries without judgements are left out, trec_eval's form of judgements is read, grades of spam are 0."""
    source = read_beir(_beir(tmp_path, judgements))
    assert [document.sections[0].paragraphs for document in source.documents] == [("T one",), ("two",)]
    assert source.queries == {"q1": "who?"}
    assert source.judged["q1"] == {"d1": 2, "d2": 0}


def test_a_broken_judgement_is_named(tmp_path: Path) -> None:
    """The error has the line."""
    with pytest.raises(CardcheckError, match=r"test\.tsv:2 is no judgement"):
        read_beir(_beir(tmp_path, "query-id\tcorpus-id\tscore\nq1\td1\tmuch\n"))


@pytest.mark.parametrize("grade", ["0.6", "2.9", "-0.5", "-101", "1e999", "nan", "101", str(2**61), "9" * 5000])
@pytest.mark.parametrize("before", ["", "query-id\tcorpus-id\tscore\n"])
def test_a_grade_that_is_none_is_named(tmp_path: Path, grade: str, before: str) -> None:
    """Nothing is cut off or left out in silence, also in a first line, and none is so high that trec_eval dies of it."""
    line = 1 + before.count("\n")
    with pytest.raises(CardcheckError, match=rf"test\.tsv:{line}: the grade {re.escape(grade[:20])} of the query q1 is no whole number"):
        read_beir(_beir(tmp_path, f"{before}q1\td1\t{grade}\n"))


def test_a_grade_may_be_written_with_a_point(tmp_path: Path) -> None:
    """Some tools write all numbers so; and the same judgement may stand there twice, not another one."""
    folder = _beir(tmp_path, "q1\td1\t2.0\nq1\td1\t2\n")
    assert read_beir(folder).judged == {"q1": {"d1": 2}}
    (folder / "qrels" / "train.tsv").write_text("q1\td1\t1\n", encoding="utf-8")
    with pytest.raises(CardcheckError, match=r"train\.tsv:1: d1 has another grade for the query q1 before"):
        read_beir(folder)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
@pytest.mark.parametrize(
    ("row", "said"),
    [('{"_id": "x", "text": "b"}', "has the _id x of another row"), ('{"text": "b"}', "has no _id"), ('{"_id": null}', "has no _id")],
)
def test_an_id_of_two_rows_is_named(tmp_path: Path, name: str, row: str, said: str) -> None:
    """Which of them the judgements mean cannot be told."""
    folder = _beir(tmp_path, "q1\td1\t2\n")
    (folder / name).write_text('{"_id": "x", "text": "a"}\n{"_id": 0, "text": "c"}\n' + row, encoding="utf-8")
    with pytest.raises(CardcheckError, match=rf"{name}:3 {said}"):
        read_beir(folder)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_pipe_is_no_file_of_a_beir_folder(tmp_path: Path, name: str) -> None:
    """Reading it would never end."""
    folder = _beir(tmp_path, "q1\td1\t2\n")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(CardcheckError, match=r"is no BEIR folder|has no judgements"):
        read_beir(folder)
