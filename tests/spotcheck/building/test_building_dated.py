"""Dated public sources in recorded shapes: from files, and over loopback through the guarded client."""

from __future__ import annotations

import bz2
import io
import json
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from cardcheck.errors import CardcheckError
from cardcheck.net import client as net
from cardcheck.spotcheck.building.answers import Asking
from cardcheck.spotcheck.building.arxiv import read_arxiv
from cardcheck.spotcheck.building.debian import read_debian
from cardcheck.spotcheck.building.rustsec import read_rustsec
from cardcheck.spotcheck.building.wikipedia import read_wikipedia

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from werkzeug import Request

ENTRY = """<entry><id>http://arxiv.org/abs/2611.0000{n}v1</id><published>2026-11-0{n}T17:59:59Z</published><updated>2027-01-01T00:00:00Z</updated>
<title>Herons &amp; weirs,
  part {n}</title><summary>  We watch herons {n}.
They stand.</summary><author><name>A</name></author><link href="x"/>
<arxiv:primary_category xmlns:arxiv="http://arxiv.org/schemas/atom" term="q-bio.PE"/><category term="stat.AP"/></entry>"""
FEED = '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>ArXiv Query</title>{}</feed>'
TRANSLATION = """Package: heron-tools
Description-md5: 0123456789abcdef0123456789abcdef
Description-de: Werkzeuge für Reiher
 Zählt Reiher an
 Wehren.
 .
 Auch nachts.

Package: old-tool
Description-de: Altes
 War schon da.

Package: heron-tools
Description-de: Doppelt
 Steht schon da.
"""
ADVISORY = """```toml
[advisory]
id = "RUSTSEC-2026-000{n}"
package = "heron"
date = "2026-10-0{n}"
categories = ["memory-corruption"]
{more}
```

# Use after free in `heron`

The nest is read after it was left.

Affected are all.
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """Give a server on loopback, and a client that does not wait."""
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(net, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(net, "JITTER", 0)
    with HTTPServer() as double:
        yield double


def asking(**more: Any) -> Asking:
    """Return an asking that may reach loopback and does not wait."""
    settings: dict[str, Any] = {"allow": ("localhost",), "pause": 0.0, "after": "2026-10-31"}
    return Asking(**(settings | more))


def test_arxiv_answers_are_read(tmp_path: Path) -> None:
    """Title, summary, first date and primary category come out of an Atom answer; an entry that is there twice counts once."""
    (tmp_path / "a.xml").write_text(FEED.format(ENTRY.format(n=1) + ENTRY.format(n=2)), encoding="utf-8")
    (tmp_path / "b.xml").write_text(FEED.format(ENTRY.format(n=2)), encoding="utf-8")
    source = read_arxiv(str(tmp_path), asking())
    first, _second = source.documents
    assert (first.title, first.date, first.domain) == ("Herons & weirs, part 1", "2026-11-01", "q-bio.PE")
    assert first.sections[0].paragraphs == ("We watch herons 1. They stand.",)
    assert source.license == "CC0-1.0"


def test_arxiv_is_asked_page_by_page(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are asked for from the day after the date until one is not full."""
    monkeypatch.setattr("cardcheck.spotcheck.building.arxiv.PAGE", 2)
    asked: list[dict[str, str]] = []

    def answer(request: Request) -> Response:
        asked.append(request.args.to_dict())
        start = int(request.args["start"])
        return Response(
            FEED.format("".join(ENTRY.format(n=n) for n in range(start + 1, min(start + 3, 4)))), mimetype="application/atom+xml"
        )

    server.expect_request("/api/query").respond_with_handler(answer)
    source = read_arxiv(server.url_for("/api/query") + "?search_query=cat:q-bio.PE", asking())
    assert [document.date for document in source.documents] == ["2026-11-01", "2026-11-02", "2026-11-03"]
    assert [one["start"] for one in asked] == ["0", "2"]
    assert asked[0]["search_query"] == "(cat:q-bio.PE) AND submittedDate:[202611010000 TO 299912312359]"


def test_an_entity_that_stands_for_many_is_not_followed(tmp_path: Path) -> None:
    """An answer with nested entities is read as text, and quickly."""
    bomb = "<!DOCTYPE x [" + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12)) + "]>"
    (tmp_path / "a.xml").write_text(bomb + FEED.format(ENTRY.format(n=1).replace("herons 1", "&a11;")), encoding="utf-8")
    (document,) = read_arxiv(str(tmp_path), asking()).documents
    assert len(document.sections[0].paragraphs[0]) < 100


EVENTS = {"logevents": [{"pageid": n, "title": f"P{n}", "timestamp": f"2026-11-0{n}T01:02:03Z"} for n in (1, 2, 3)]}
LEADS = {
    "pages": [
        {"pageid": 1, "title": "Heron Weir", "extract": "Heron Weir is a weir.\n\nIt has herons."},
        {"pageid": 2, "title": "Empty", "extract": ""},
        {"pageid": 3, "title": "Gone", "missing": True},
    ]
}


def test_wikipedia_answers_are_read(tmp_path: Path) -> None:
    """Leads are dated by the log of created pages; pages without a lead are left out."""
    (tmp_path / "log.json").write_text(json.dumps({"query": EVENTS}), encoding="utf-8")
    (tmp_path / "pages.json").write_text(json.dumps({"query": LEADS}), encoding="utf-8")
    source = read_wikipedia(str(tmp_path), asking())
    (document,) = source.documents
    assert (document.title, document.date, document.license) == ("Heron Weir", "2026-11-01", "CC-BY-SA-4.0")
    assert document.sections[0].paragraphs == ("Heron Weir is a weir.", "It has herons.")


def test_wikipedia_is_asked_for_the_log_and_then_for_leads(server: HTTPServer) -> None:
    """The log is followed to its end, from the day after the date, and the pages it names are asked for."""
    asked: list[dict[str, str]] = []

    def answer(request: Request) -> Response:
        asked.append(request.args.to_dict())
        if request.args.get("list"):
            more = {} if "lecontinue" in request.args else {"continue": {"lecontinue": "x|1", "continue": "-||"}}
            return Response(json.dumps({"query": EVENTS} | more), mimetype="application/json")
        return Response(json.dumps({"query": LEADS}), mimetype="application/json")

    server.expect_request("/w/api.php").respond_with_handler(answer)
    source = read_wikipedia(server.url_for("/w/api.php"), asking(most=1000))
    assert [document.title for document in source.documents] == ["Heron Weir"]
    assert [one.get("list") for one in asked] == ["logevents", "logevents", None]
    assert asked[0]["lestart"] == "2026-11-01T00:00:00Z"
    assert asked[2]["pageids"] == "1|2|3"


@pytest.mark.parametrize(
    "answer", ["<html>", "[]", '{"error": {"info": "no"}}', '{"query": []}', '{"query": {"pages": [1, null], "logevents": 3}}', "[" * 99999]
)
def test_other_answers_are_an_error_of_ours(tmp_path: Path, answer: str) -> None:
    """What is no answer of the API is told, and never a traceback."""
    (tmp_path / "a.json").write_text(answer, encoding="utf-8")
    with pytest.raises(CardcheckError, match=r"(?i)wikipedia"):
        read_wikipedia(str(tmp_path), asking())


@pytest.mark.parametrize(("status", "reason"), [(404, "does not exist"), (403, "answered 403"), (503, "answered 503")])
def test_a_source_that_refuses_is_told(server: HTTPServer, status: int, reason: str) -> None:
    """The reason and the way around stand in the error."""
    server.expect_request("/w/api.php").respond_with_data("", status=status)
    with pytest.raises(CardcheckError, match=reason) as error:
        read_wikipedia(server.url_for("/w/api.php"), asking())
    assert "save the answers" in (error.value.hint or "")


def test_a_private_address_is_not_asked(server: HTTPServer) -> None:
    """Loopback is refused unless the user allows it by name."""
    with pytest.raises(CardcheckError, match="not of the open internet"):
        read_wikipedia(server.url_for("/w/api.php"), asking(allow=()))


def test_debian_descriptions_are_read(tmp_path: Path, server: HTTPServer) -> None:
    """Synopsis and long description of what an older list has not, from a file, a folder and an address, packed too."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "Packages").write_text("Package: old-tool\nVersion: 1\n", encoding="utf-8")
    (tmp_path / "new").mkdir()
    file = tmp_path / "new" / "Translation-de.bz2"
    file.write_bytes(bz2.compress(TRANSLATION.encode()))
    server.expect_request("/i18n/Translation-de.bz2").respond_with_data(file.read_bytes())
    for where in (str(file), str(tmp_path / "new"), server.url_for("/i18n/Translation-de.bz2")):
        source = read_debian(where, asking(), (tmp_path / "old" / "Packages",))
        (document,) = source.documents
        assert document.title == "Werkzeuge für Reiher"
        assert document.sections[0].paragraphs == ("Zählt Reiher an Wehren.", "Auch nachts.")
        assert source.skipped == [("1 packages", "an older release has them")]


def test_debian_packages_have_sections(tmp_path: Path) -> None:
    """A list of packages that holds descriptions gives them with the section as domain."""
    (tmp_path / "Packages").write_text("Package: a\nSection: science\nDescription: counts\n Counts all.\n", encoding="utf-8")
    (document,) = read_debian(str(tmp_path), asking()).documents
    assert (document.title, document.domain) == ("counts", "science")


def _archive(form: str, files: dict[str, str]) -> bytes:
    out = io.BytesIO()
    if form == "zip":
        with zipfile.ZipFile(out, "w") as zipped:
            for name, text in files.items():
                zipped.writestr(name, text)
    else:
        with tarfile.open(fileobj=out, mode="w:gz") as tarred:
            for name, text in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(text.encode())
                tarred.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


@pytest.mark.parametrize("form", ["folder", "zip", "tar.gz", "address"])
def test_rustsec_advisories_are_read(tmp_path: Path, server: HTTPServer, form: str) -> None:
    """Title, date, category and licence of advisories; withdrawn and broken ones are told and left out."""
    files = {
        "db/crates/heron/RUSTSEC-2026-0001.md": ADVISORY.format(n=1, more='license = "CC-BY-4.0"'),
        "db/crates/heron/RUSTSEC-2026-0002.md": ADVISORY.format(n=2, more='withdrawn = "2026-10-05"'),
        "db/crates/heron/RUSTSEC-2026-0003.md": "```toml\n[advisory\n```\n",
        "db/README.md": "# no advisory",
    }
    where = str(tmp_path)
    if form == "folder":
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    elif form == "address":
        server.expect_request("/main.tar.gz").respond_with_data(_archive("tar.gz", files))
        where = server.url_for("/main.tar.gz")
    else:
        (tmp_path / f"db.{form}").write_bytes(_archive(form, files))
        where = str(tmp_path / f"db.{form}")
    source = read_rustsec(where, asking())
    (document,) = source.documents
    assert (document.title, document.date, document.domain) == ("Use after free in `heron`", "2026-10-01", "memory-corruption")
    assert document.license == "CC-BY-4.0"
    assert document.sections[0].paragraphs == ("The nest is read after it was left.", "Affected are all.")
    assert sorted(reason for _, reason in source.skipped) == ["it is no advisory", "it was withdrawn"]


def test_a_broken_archive_is_an_error_of_ours(tmp_path: Path) -> None:
    """What is no archive is told."""
    (tmp_path / "db.zip").write_bytes(b"PK\x03\x04 no")
    with pytest.raises(CardcheckError, match="no archive that can be read"):
        read_rustsec(str(tmp_path / "db.zip"), asking())


@pytest.mark.parametrize("form", ["zip", "xz"])
def test_an_archive_that_is_damaged_inside_is_an_error_of_ours(tmp_path: Path, form: str) -> None:
    """What its packing cannot be undone from is told, whichever library says so."""
    text, out = "".join(f"{number * 7919 % 1009} herons\n" for number in range(900)), io.BytesIO()
    if form == "zip":
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as zipped:
            zipped.writestr("RUSTSEC-2026-0001.md", text)
    else:
        with tarfile.open(fileobj=out, mode="w:xz") as tarred:
            info = tarfile.TarInfo("RUSTSEC-2026-0001.md")
            info.size = len(text)
            tarred.addfile(info, io.BytesIO(text.encode()))
    data = bytearray(out.getvalue())
    data[60:600] = bytes(255 - byte for byte in data[60:600])
    (tmp_path / "db").write_bytes(data)
    with pytest.raises(CardcheckError, match="no archive that can be read"):
        read_rustsec(str(tmp_path / "db"), asking())


def test_an_advisory_with_a_number_too_long_is_told(tmp_path: Path) -> None:
    """Python refuses to read so many digits, and the other advisories are read."""
    (tmp_path / "RUSTSEC-2026-0001.md").write_text(ADVISORY.format(n=1, more=""), encoding="utf-8")
    (tmp_path / "RUSTSEC-2026-0002.md").write_text(ADVISORY.format(n=2, more="many = " + "9" * 5000), encoding="utf-8")
    source = read_rustsec(str(tmp_path), asking())
    assert len(source.documents) == 1
    assert source.skipped == [("RUSTSEC-2026-0002.md", "it is no advisory")]
