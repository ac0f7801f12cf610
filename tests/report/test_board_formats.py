"""A board's report as Markdown, JSON, CSV, Parquet and Atom, and its changes: whole, and harmless whatever stands in it."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click
import pyarrow.parquet as pq
import pytest
from board_made import EVIL, finding, hostile, model, report
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt

from cardcheck.errors import CardcheckError
from cardcheck.report import board
from cardcheck.report.board import atom, index
from cardcheck.report.board.records import KINDS, Change, Changes
from cardcheck.report.escape import visible

if TYPE_CHECKING:
    from pathlib import Path

ATOM = "{http://www.w3.org/2005/Atom}"


def changes(many: int = 1) -> Changes:
    """Return so many changes of each kind."""
    found = [
        Change(kind, f"a/{at}", f"text {at}", severity="warning" if "finding" in kind else None) for kind in KINDS for at in range(many)
    ]
    return Changes("MTEB(eng, v2)", "2026-05-20", "2026-08-20", tuple(found), ("a note",))


@pytest.mark.parametrize("content", ["report", "changes", "index"])
def test_markdown_shows_hostile_names_and_nothing_else(content: str) -> None:
    """No name makes a link, an image, HTML or a mention: all of them stand in code, and tables keep their columns."""
    evil = hostile()
    made = {"report": board.reporter("markdown")(evil), "index": index.markdown([replace(evil, board=EVIL[4])])}
    text = (made | {"changes": board.changer("markdown")(evil.changes)})[content].decode()  # type: ignore[arg-type]  # it has some
    assert not [character for character in text if not character.isprintable() and character not in "\n\ufffe"]
    soup = BeautifulSoup(MarkdownIt("commonmark", {"html": True}).enable("table").render(text), "html.parser")
    links = {str(link["href"]) for link in soup.find_all("a")}
    assert not {link for link in links if link.startswith("javascript:")}
    assert content == "index" or not links
    assert not soup.find_all(["img", "script", "svg"])
    for table in soup.find_all("table"):
        assert len({len(row.find_all(["td", "th"])) for row in table.find_all("tr")}) == 1
    for code in soup.find_all("code"):
        code.decompose()
    assert "@someone" not in soup.get_text()


def test_markdown_counts_what_it_leaves_out() -> None:
    """Of many changes the first are shown and the others counted."""
    text = board.changer("markdown")(changes(150)).decode()
    assert text.count("- … and 50 more") == len(KINDS)
    assert "nothing changed" in board.changer("text")(Changes("b", "1", "2", (), ())).decode()


def test_json_is_the_records() -> None:
    """JSON holds every field, a line a model, in ASCII without what would begin a command in a log."""
    evil = hostile()
    text = board.reporter("json")(evil).decode("ascii")
    assert json.loads(text) == json.loads(json.dumps(asdict(evil)))
    assert "##" not in text
    assert "\x1b" not in text
    assert sum(line.startswith('{"model"') for line in text.splitlines()) == len(evil.models)
    assert json.loads(board.changer("json")(changes(2)))["counts"] == dict.fromkeys(KINDS, 2)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n@x", "\uff1d1"])
def test_csv_has_no_formula(text: str) -> None:
    """A text that a spreadsheet would calculate has an apostrophe before it; numbers stay numbers."""
    named = replace(model(text), why=(text,), license=text, score=-0.5)
    head, row = csv.reader(io.StringIO(board.reporter("csv")(report(named)).decode(), newline=""))
    found = dict(zip(head, row, strict=True))
    for field in ("model", "why", "license"):
        assert found[field] == "'" + visible(text)
    assert found["score"] == "-0.5"


def test_csv_of_hostile_names() -> None:
    """Every model is a row with all its cells, and no cell holds a control character or begins as a formula does."""
    head, *rows = csv.reader(io.StringIO(board.reporter("csv")(hostile()).decode(), newline=""))
    assert len(rows) == len(EVIL)
    for row in rows:
        assert len(row) == len(head)
        assert not [cell for cell in row if cell[:1] in tuple("=+-@") or not cell.replace("\ufffe", "").isprintable()]


def test_parquet_gives_everything_back() -> None:
    """Parquet has a row a model, with numbers as numbers and findings as records; half of a character becomes a question mark."""
    evil = replace(hostile(), models=(*hostile().models, replace(model("a/\ud800"), findings=(finding("\udfff"),))))
    table = pq.read_table(io.BytesIO(board.reporter("parquet")(evil)))
    rows = table.to_pylist()
    assert [row["model"] for row in rows] == [*(one.model for one in hostile().models), "a/?"]
    assert rows[0]["findings"][0] == {**asdict(hostile().models[0].findings[0]), "evidence": [EVIL[0]]}
    assert rows[-1]["findings"][0]["message"] == "?"
    assert rows[-1]["scores"] == [("SciFact", 0.95), ("ArguAna", 0.5)]
    assert table.schema.metadata[b"date"] == b"2026-08-20"


def test_atom_is_valid_and_tells_news_apart() -> None:
    """A feed has what RFC 4287 asks of it, an entry for each of the news with a name of its own that stays, and texts as texts."""
    feed = board.reporter("atom")(hostile())
    assert feed == board.reporter("atom")(hostile())
    root = ET.fromstring(feed)  # noqa: S314  # ours
    assert [root.find(f"{ATOM}{name}") is not None for name in ("title", "id", "updated", "author")] == [True] * 4
    entries = root.findall(f"{ATOM}entry")
    assert len(entries) == len(EVIL) + 1
    names = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(names)) == len(names)
    assert all(entry.findtext(f"{ATOM}{name}") for entry in entries for name in ("title", "updated", "summary"))
    assert not [tag for tag in root.iter() if not str(tag.tag).startswith(ATOM)]
    assert f"new model: {EVIL[0]}" in [entry.findtext(f"{ATOM}title") for entry in entries]


def test_atom_is_bounded() -> None:
    """Many reports with many news give at most so many entries."""
    reports = [replace(report(model("a/b"), date=f"2026-08-{day:02}"), changes=changes(60)) for day in range(1, 29)]
    assert len(ET.fromstring(atom.feed(reports)).findall(f"{ATOM}entry")) == atom.KEPT  # noqa: S314  # ours


def test_text_of_hostile_names_steers_no_terminal() -> None:
    """What is printed holds no escape but our colours, and no line that a workflow takes for a command."""
    text = click.unstyle(board.changer("text")(hostile().changes).decode())  # type: ignore[arg-type]  # it has some
    assert not [character for character in text if not character.isprintable() and character not in "\n\ufffe"]
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::") or "##[" in line]


def test_unknown_formats_are_named() -> None:
    """A format that there is not is an error that names those that there are; CSV is none for changes."""
    with pytest.raises(CardcheckError, match="no format 'pdf'"):
        board.reporter("pdf")
    with pytest.raises(CardcheckError, match="no format 'csv'"):
        board.changer("csv")


def test_writing_leaves_no_half(tmp_path: Path) -> None:
    """A file is replaced in one step, folders are made, and where that cannot be it is said."""
    board.write(tmp_path / "a/b.json", b"1")
    board.write(tmp_path / "a/b.json", b"2")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b.json"]
    assert (tmp_path / "a/b.json").read_bytes() == b"2"
    with pytest.raises(CardcheckError, match="cannot write"):
        board.write(tmp_path / "a/b.json/c", b"3")
