"""arXiv: abstracts of papers that were first submitted after a date, from answers of its API (Atom)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.building.answers import Asking, is_address, kept
from cardcheck.spotcheck.building.document import Digest, Document, Section, Source, decode, iso_date, soup_of

if TYPE_CHECKING:
    from collections.abc import Iterator

API = "https://export.arxiv.org/api/query"
PAGE = 200  # entries in an answer, some 400 KB
LICENSE = "CC0-1.0"  # arXiv's terms for descriptive metadata, abstracts among it


def read_arxiv(where: str, asking: Asking) -> Source:
    """Read abstracts from kept answers, or ask for those of a search such as `cat:cs.CL`. Raises CardcheckError."""
    digest = Digest()
    source = Source("arxiv", where, [], "", license=LICENSE)
    answers = kept(where, (".xml", ".atom"), digest) if Path(where).exists() else _asked(where, asking, digest)
    seen: set[str] = set()
    for name, data in answers:
        for document in _entries(data, name):
            if document.where not in seen:  # a page of the answer may repeat what the last one ended with
                seen.add(document.where)
                source.documents.append(document)
        asking.progress(len(source.documents), asking.most)
    if not source.documents:
        raise CardcheckError(f"arxiv:{where} has no entry", hint="a search looks like arxiv:cat:cs.CL, kept answers are Atom files")
    source.documents = source.documents[: asking.most]
    source.sha256 = digest.hex()
    return source


def _asked(where: str, asking: Asking, digest: Digest) -> Iterator[tuple[str, bytes]]:
    base, search = (where.partition("?")[0], where.partition("?")[2].removeprefix("search_query=")) if is_address(where) else (API, where)
    if asking.after:
        search = f"({search}) AND submittedDate:[{asking.first.replace('-', '')}0000 TO 299912312359]"
    for start in range(0, asking.most, PAGE):
        size = min(PAGE, asking.most - start)
        query = {"search_query": search, "sortBy": "submittedDate", "sortOrder": "ascending", "start": start, "max_results": size}
        data = asking.get(f"{base}?{urlencode(query)}")
        digest.add(f"{start}", data)
        yield str(start), data
        if data.count(b"<entry") < size:
            return


def _entries(data: bytes, name: str) -> Iterator[Document]:
    """Yield the papers of an Atom answer."""
    for entry in soup_of(decode(data, name)).find_all("entry"):
        title, summary = _text(entry, "title"), _text(entry, "summary")
        if not title or not summary:
            continue
        category = entry.find("arxiv:primary_category") or entry.find("category")
        domain = str(category.get("term") or "") if category else ""
        where = _text(entry, "id") or f"{name}: {title}"
        yield Document(title, (Section("", (summary,)),), where, iso_date(_text(entry, "published")), domain, LICENSE)


def _text(entry: Any, name: str) -> str:
    found = entry.find(name)
    return " ".join(found.get_text().split()) if found else ""
