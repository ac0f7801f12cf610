"""Documents in a folder: Markdown, text, HTML and PDF."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.building.answers import Asking
from cardcheck.spotcheck.building.document import Document, Section
from cardcheck.spotcheck.building.folders import OTHER, read_folder
from cardcheck.spotcheck.building.sources import read_source

MARKDOWN = """---
title: "The pump"
date: 2026-03-04
license: CC0-1.0
---
# Pump P7

Intro *here*.

## Starting it cold

Turn the valve.  Wait.

- one
- two

| a | b |
| --- | --- |
| c | d |

## Nothing under this one
"""


def _one(folder: Path, name: str, data: str | bytes) -> Document:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    (document,) = read_folder(folder).documents
    return document


def test_markdown_is_read_by_headings(tmp_path: Path) -> None:
    """Text stands under its heading, the one h1 is the title, and the front matter gives date and licence."""
    document = _one(tmp_path, "machines/pump.md", MARKDOWN)
    assert (document.title, document.date, document.license, document.domain) == ("Pump P7", "2026-03-04", "CC0-1.0", "machines")
    assert document.sections == (
        Section("Pump P7", ("Intro here.",)),
        Section("Starting it cold", ("Turn the valve. Wait.", "one", "two", "a", "b", "c", "d")),
    )


def test_html_is_read_without_what_is_no_text(tmp_path: Path) -> None:
    """Scripts, navigation, comments and styles are left out; inline marks do not cut words; a line break does."""
    page = """<!doctype html><html><head><title>Site – Page</title><meta property="article:published_time" content="2026-05-06T07:08:09Z">
      <style>p{}</style></head><body><nav>Home</nav><!-- hidden --><h2>What it co<b>st</b>s</h2><p><b>Ten</b> <i>cro</i>wns<br>a day.
      <script>alert(1)</script></p><p>More.</p></body></html>"""
    document = _one(tmp_path, "page.html", page)
    assert (document.title, document.date) == ("Site – Page", "2026-05-06")
    assert document.sections == (Section("What it costs", ("Ten crowns a day.", "More.")),)


def test_text_has_a_title_where_one_short_line_stands_alone(tmp_path: Path) -> None:
    """A first line with an empty one below is the title; a sentence is not."""
    assert _one(tmp_path, "a.txt", "On herons\n\nThey stand.\nStill.\n\nLong.\n").title == "On herons"
    (tmp_path / "a.txt").unlink()
    assert _one(tmp_path, "b.txt", "They stand still.\n\nLong.\n") == Document("", (Section("", ("They stand still.", "Long.")),), "b.txt")


LINES = ("Berths in winter", "A berth is let from the first frost to the thaw by the harbour", "master, who keeps the regis-", "ter.")


def _pdf() -> bytes:
    """Return a PDF of one page with an outline, as the standard describes one (ISO 32000-1, annex H)."""
    text = "BT /F 12 Tf 14 TL 50 700 Td " + " ".join(f"({line}) Tj T*" for line in LINES) + " ET"
    objects = (
        "<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        f"<< /Length {len(text)} >>\nstream\n{text}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        "<< /Type /Outlines /First 7 0 R /Last 7 0 R /Count 1 >>",
        "<< /Title (Berths in winter) /Parent 6 0 R /Dest [3 0 R /XYZ 0 700 0] >>",
        "<< /Title (Harbour rules) /CreationDate (D:20260304101112Z) >>",
    )
    out, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    trailer = f"trailer\n<< /Size {size} /Root 1 0 R /Info 8 0 R >>\nstartxref\n{len(out)}\n%%EOF\n"
    return f"{out}xref\n0 {size}\n0000000000 65535 f \n{table}{trailer}".encode("latin-1")


def test_pdf_is_read_with_its_outline_as_headings(tmp_path: Path) -> None:
    """A line that the outline names is a heading, and a word that was broken at a line's end is whole again."""
    document = _one(tmp_path, "rules.pdf", _pdf())
    assert (document.title, document.date) == ("Harbour rules", "2026-03-04")
    assert document.sections == (Section(LINES[0], (f"{LINES[1]} master, who keeps the register.",)),)


def test_what_cannot_be_read_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    """A broken PDF is skipped with the reason; hidden folders and links are not followed."""
    (tmp_path / "good.md").write_text("# A\n\nb", encoding="utf-8")
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7\nnothing")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.md").write_text("# no", encoding="utf-8")
    (tmp_path / "link.md").symlink_to("/etc/passwd")
    source = read_folder(tmp_path)
    assert [document.where for document in source.documents] == ["good.md"]
    ((where, reason),) = source.skipped
    assert where == "bad.pdf"
    assert "no PDF that can be read" in reason


def test_a_pdf_that_is_locked_in_another_way_is_told(tmp_path: Path) -> None:
    """Another handler's encryption is no fault of ours, and the rest is read."""
    (tmp_path / "locked.pdf").write_bytes(_pdf().replace(b"/Root 1 0 R", b"/Encrypt << /Filter /Other /V 1 >> /Root 1 0 R"))
    (tmp_path / "good.txt").write_text("word", encoding="utf-8")
    ((where, reason),) = read_folder(tmp_path).skipped
    assert where == "locked.pdf"
    assert "no PDF that can be read" in reason


@pytest.mark.parametrize("error", [ZeroDivisionError(), NotImplementedError("AES"), RuntimeError("x"), MemoryError()])
def test_whatever_the_parser_raises_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """One odd file does not end the build."""

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("pypdf.PdfReader", fail)
    (tmp_path / "odd.pdf").write_bytes(_pdf())
    (tmp_path / "good.txt").write_text("word", encoding="utf-8")
    ((where, reason),) = read_folder(tmp_path).skipped
    assert (where, reason) == ("odd.pdf", f"it is no PDF that can be read: {str(error) or type(error).__name__}")


@pytest.mark.parametrize("tag", ["style", "SCRIPT", "title", "textarea", "xmp", "iframe", "plaintext"])
def test_a_tag_that_markdown_mentions_takes_nothing(tmp_path: Path, tag: str) -> None:
    """A browser would take the rest of the page for a style sheet; a block of one that is closed is none of the text."""
    block = "<style>\np {}\n</style>\n"
    document = _one(tmp_path, "a.md", f"# One\n\n{block}\nWrite it into <{tag}> at the top.\n\nMore.\n\n## Two\n\nRest.\n")
    assert document.sections == (
        Section("One", (f"Write it into <{tag}> at the top.", "More.")),
        Section("Two", ("Rest.",)),
    )


def test_files_of_other_kinds_are_counted(tmp_path: Path) -> None:
    """What nobody would miss otherwise is listed; hidden files are not."""
    for name in ("a.md", "b.docx", "sub/c.adoc", "sub/.hidden.docx", ".git/d.docx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("# A\n\nb", encoding="utf-8")
    source = read_folder(tmp_path)
    assert [document.where for document in source.documents] == ["a.md"]
    assert source.skipped == [("b.docx", OTHER), ("sub/c.adoc", OTHER)]


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    """Reading it would never end."""
    os.mkfifo(tmp_path / "x.md")
    (tmp_path / "good.txt").write_text("word", encoding="utf-8")
    assert [document.where for document in read_folder(tmp_path).documents] == ["good.txt"]


@pytest.mark.parametrize("unit", ["<i>x y ", "x<br>", "x<nav>a</nav>", "<i>x<br>"])
@pytest.mark.parametrize("name", ["a.html", "a.md"])
def test_tags_that_nobody_closes_take_no_longer(tmp_path: Path, name: str, unit: str) -> None:
    """The time grows as the page does: it grew with its square, and 40 KB took 35 s."""

    def seconds(count: int) -> float:
        (tmp_path / name).write_text("<p>" + unit * count, encoding="utf-8")
        before = time.process_time()
        (document,) = read_folder(tmp_path).documents
        assert sum(text.count("x") for section in document.sections for text in section.paragraphs) == count
        return time.process_time() - before

    allowed = 10 * max(seconds(2000), 0.05)
    assert any(seconds(8000) < allowed for _ in range(3))  # the collector of the tests' other objects may come between


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"<" * 5000, b"<div>" * 3000, b"# " + b"[" * 20000, b"---\ntitle: x\n" * 500, b"<!["])
@pytest.mark.parametrize("name", ["a.md", "a.html", "a.txt"])
def test_odd_bytes_are_read_or_skipped(tmp_path: Path, name: str, data: bytes) -> None:
    """No contents make the reader fail in another way than by saying that there is nothing to read."""
    (tmp_path / name).write_bytes(data)
    (tmp_path / "good.txt").write_text("word", encoding="utf-8")
    assert any(document.where == "good.txt" for document in read_folder(tmp_path).documents)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    """Where nothing can be read the error says what can."""
    with pytest.raises(CardcheckError, match="no document to read") as error:
        read_folder(tmp_path)
    assert ".md" in (error.value.hint or "")


def test_the_hash_follows_contents_and_names(tmp_path: Path) -> None:
    """The same files give the same hash, another name or byte another one."""
    path = tmp_path / "a.txt"
    path.write_text("one", encoding="utf-8")
    first = read_folder(tmp_path).sha256
    assert read_folder(tmp_path).sha256 == first
    path.write_text("two", encoding="utf-8")
    assert read_folder(tmp_path).sha256 != first


GERMAN = "Größere Beträge überweist die Genossenschaft."


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", GERMAN.encode("utf-8-sig")),
        ("a.txt", GERMAN.encode("utf-16")),
        ("a.txt", GERMAN.encode("utf-32")),
        ("a.html", f'<html><meta charset="iso-8859-1"><p>{GERMAN}</p>'.encode("latin-1")),
        ("a.html", f'<meta http-equiv="Content-Type" content="text/html; charset=cp850"><p>{GERMAN}</p>'.encode("cp850")),
    ],
)
def test_text_is_read_as_what_it_says_it_is(tmp_path: Path, name: str, data: bytes) -> None:
    """Marks of byte order and what HTML declares are heeded."""
    assert _one(tmp_path, name, data).sections == (Section("", (GERMAN,)),)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.txt", GERMAN.encode("latin-1")),
        ("a.txt", b"\xff\xfe\x00\xd8\x00"),
        ("a.html", f"<p>{GERMAN}</p>".encode("latin-1")),
        *(
            ("a.html", f'<meta charset="{name}"><p>{GERMAN}</p>'.encode("latin-1"))
            for name in ("utf-8", "utf-16", "punycode", "rot13", "x")
        ),
    ],
)
def test_text_of_an_unknown_encoding_is_told(tmp_path: Path, name: str, data: bytes) -> None:
    """Accents are not replaced by what says nothing: the file is left out, and the reason says what to do."""
    (tmp_path / name).write_bytes(data)
    (tmp_path / "good.txt").write_text(GERMAN, encoding="utf-8")
    source = read_folder(tmp_path)
    assert [document.where for document in source.documents] == ["good.txt"]
    ((where, reason),) = source.skipped
    assert where == name
    assert "not UTF-8" in reason
    assert "iconv" in reason


def test_half_characters_are_replaced(tmp_path: Path) -> None:
    """A name may hold bytes that are no character, and JSON half of one; no model takes them, and no file can be written with them."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md")).write_text(f"# Title\n\n{GERMAN}", encoding="utf-8")
    (document,) = read_source(str(tmp_path), Asking(), {}).documents
    assert document.where == "caf?.md"
    row = {"text": f"{GERMAN} \ud83d", "query": "who \udce9?", "title": "\ud83d"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row), encoding="utf-8")
    (document,) = read_source(str(tmp_path / "rows.jsonl"), Asking(), {}).documents
    assert (document.title, document.sections[0].paragraphs, document.queries) == ("?", (f"{GERMAN} ?",), ("who ??",))
