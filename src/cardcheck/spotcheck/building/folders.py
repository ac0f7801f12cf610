"""A folder of documents: Markdown, plain text, HTML and PDF."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardcheck.errors import CardcheckError
from cardcheck.pattern import Pattern
from cardcheck.spotcheck.building.document import (
    MAX_DOCUMENTS,
    Digest,
    Document,
    Section,
    Source,
    decode,
    iso_date,
    paragraphs,
    read,
    soup_of,
)

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

MARKDOWN, TEXT, HTML, PDF = (".md", ".markdown", ".mdx"), (".txt", ".text", ".rst"), (".html", ".htm", ".xhtml"), (".pdf",)
OTHER = "a file of another kind"
KNOWN = (*MARKDOWN, *TEXT, *HTML, *PDF)
SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})
BLOCKS = frozenset((
    "address", "article", "blockquote", "body", "caption", "dd", "div", "dl", "dt", "figcaption", "footer", "form", "h1", "h2", "h3", "h4",
    "h5", "h6", "header", "html", "li", "main", "ol", "p", "pre", "section", "table", "td", "th", "tr", "ul",
))  # fmt: skip
HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
UNREAD = frozenset({"script", "style", "nav", "template", "noscript", "svg", "head", "iframe", "button", "select"})
RAW = ("title", "textarea", "style", "xmp", "iframe", "noembed", "noframes", "script", "plaintext")
MENTIONED = Pattern(rf"(^[ ]{{0,3}})?<({'|'.join(RAW)})(?![\w-])", 2 | 8)  # re.IGNORECASE | re.MULTILINE
MAX_HTML = 5_000_000  # characters
MAX_PAGES = 5_000
FRONT_MATTER = Pattern(r"\A---[ \t]{0,9}\n(.{0,20000}?)\n---[ \t]{0,9}(?:\n|\Z)", 16)  # re.DOTALL
FIELD = Pattern(r"^(title|date|published|domain|license):[ \t]{0,9}(\S.{0,300})$", 8)  # re.MULTILINE


def read_folder(folder: Path) -> Source:
    """Read a folder of documents, or one; what cannot be read is told in `skipped`. The first folder below is the domain.

    Raises CardcheckError where there is none that can be read.
    """
    digest = Digest()
    source = Source("folder", str(folder), [], "")
    for path in _files(folder):
        where = path.relative_to(folder).as_posix() if path != folder else path.name
        if path.suffix.lower() not in KNOWN:
            source.skipped.append((where, OTHER))
            continue
        try:
            data = read(path)
            document = _document(path.suffix.lower(), data, where)
        except CardcheckError as error:
            source.skipped.append((where, str(error)))
            continue
        digest.add(where, data)
        source.documents.append(document)
        if len(source.documents) > MAX_DOCUMENTS:
            raise CardcheckError(f"{folder} holds more than {MAX_DOCUMENTS:,} documents", hint="take a part of it")
    if not source.documents:
        reason = f": {source.skipped[0][0]}: {source.skipped[0][1]}" if source.skipped else ""
        raise CardcheckError(f"there is no document to read in {folder}{reason}", hint=f"read are {', '.join(KNOWN)}")
    source.sha256 = digest.hex()
    return source


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder in the order of their names; hidden folders, and links, are not followed, pipes not read."""
    if folder.is_file():
        yield folder
        return
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in SKIPPED)
        for name in sorted(files):
            path = Path(parent, name)
            if not name.startswith(".") and not path.is_symlink() and path.is_file():
                yield path


def _document(suffix: str, data: bytes, where: str) -> Document:
    domain = where.split("/", 1)[0] if "/" in where else ""
    if suffix in PDF:
        return _pdf(data, where, domain)
    text = decode(data)
    if suffix in HTML:
        return _html(text, where, domain, {})
    about, text = _front_matter(text)
    if suffix in MARKDOWN:
        return _html(_rendered(text[:MAX_HTML]), where, domain, about)
    return _text(text, where, domain, about)


def _rendered(text: str) -> str:
    from pyromark import Options, html

    try:
        return _filtered(str(html(text, options=Options.ENABLE_TABLES)))
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # a fault in the parser
            raise
        raise CardcheckError("it cannot be parsed as Markdown") from None


def _filtered(page: str) -> str:
    """Return rendered Markdown in which no tag that is only mentioned takes the rest of the page for its own.

    Such tags are those that GitHub's Markdown lets nobody write (its tagfilter). One that begins a line and is closed is meant.
    """
    low = page.lower()
    ends = {name: low.rfind(f"</{name}") for name in RAW}

    def replaced(tag: re.Match[str]) -> str:
        start, name = tag[1], tag[2]
        return tag[0] if start is not None and tag.end() < ends[name.lower()] else f"{start or ''}&lt;{name}"

    return MENTIONED.sub(replaced, page)


def _front_matter(text: str) -> tuple[dict[str, str], str]:
    """Return the plain fields of a front matter that are of use, and the text after it."""
    found = FRONT_MATTER.match(text)
    if not found:
        return {}, text
    fields = {field[1]: field[2].strip().strip("\"'") for field in FIELD.finditer(found[1])}
    return fields, text[found.end() :]


def _html(text: str, where: str, domain: str, about: dict[str, str]) -> Document:
    """Read HTML: text of one block after the other, under the heading that stands before it. The first h1 alone is the title."""
    from bs4.element import NavigableString, PreformattedString

    soup = soup_of(text[:MAX_HTML])
    title = about.get("title") or (soup.title.get_text(" ", strip=True) if soup.title else "")
    date = next((found for meta in soup.find_all("meta")[:200] if (found := _meta_date(meta))), "")
    blocks: list[tuple[str, int, list[str]]] = []  # name of the block, which one it is, its text
    known: dict[int, tuple[str, int]] = {}
    for part in soup.descendants:
        if part.name != "br" and (not isinstance(part, NavigableString) or isinstance(part, PreformattedString)):
            continue
        name, which = _block(part.parent, known)
        if name in UNREAD:
            continue
        if not blocks or blocks[-1][1] != which:
            blocks.append((name, which, []))
        blocks[-1][2].append("\n" if part.name == "br" else str(part))
    texts = [(name, text) for name, _, parts in blocks if (text := " ".join("".join(parts).split()))]
    heads = [text for name, text in texts if name == "h1"]
    title = heads[0] if len(heads) == 1 else title
    return Document(
        title, _sections((text, name in HEADINGS) for name, text in texts), where, about_date(about) or date,
        about.get("domain", domain), about.get("license", ""),
    )  # fmt: skip


def _block(tag: Any, known: dict[int, tuple[str, int]]) -> tuple[str, int]:
    """Return name and number of the block that a tag is or lies in, or of what is not read.

    `known` has those of the tags that were asked for: else every text would climb through all that is open around it, and a page of tags
    that nobody closes would take hours.
    """
    path = []
    while tag is not None and id(tag) not in known:
        path.append(tag)
        tag = tag.parent
    name, which = known[id(tag)] if tag is not None else ("", 0)
    for one in reversed(path):
        if name not in UNREAD and (one.name in BLOCKS or one.name in UNREAD):
            name, which = one.name, id(one)
        known[id(one)] = name, which
    return name, which


def about_date(about: dict[str, str]) -> str:
    """Return the date of a front matter."""
    return iso_date(about.get("date") or about.get("published"))


def _meta_date(meta: Any) -> str:
    name = str(meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
    dated = name in ("article:published_time", "date", "dc.date", "dcterms.created", "datepublished", "citation_publication_date")
    return iso_date(meta.get("content")) if dated else ""


def _sections(parts: Iterator[tuple[str, bool]]) -> tuple[Section, ...]:
    """Gather paragraphs under their headings; each part says whether it is a heading."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for text, is_heading in parts:
        if is_heading:
            found.append((text, []))
        elif text:
            found[-1][1].append(text)
    return tuple(Section(heading, tuple(texts)) for heading, texts in found if texts)


def _text(text: str, where: str, domain: str, about: dict[str, str]) -> Document:
    """Read plain text: a first paragraph of one short line, without a full stop, is the title."""
    parts = paragraphs(text)
    first = text.strip().split("\n", 2)
    title = about.get("title", "")
    if not title and len(parts) > 1 and len(first) > 1 and not first[1].strip() and len(parts[0]) <= 120 and parts[0][-1] not in ".。!?":
        title, parts = parts[0], parts[1:]
    sections = (Section("", parts),) if parts else ()
    return Document(title, sections, where, about_date(about), about.get("domain", domain), about.get("license", ""))


def _pdf(data: bytes, where: str, domain: str) -> Document:
    """Read a PDF: lines that stand in its outline are headings; where it has none, it has no headings."""
    try:
        from pypdf import PdfReader
    except ImportError:
        raise CardcheckError("reading PDF needs pypdf", hint="pip install 'cardcheck[heldout]'") from None
    try:
        reader = PdfReader(io.BytesIO(data))
        pages = [page.extract_text() for _, page in zip(range(MAX_PAGES), reader.pages, strict=False)]
        outline = {_plain(title) for title in _outline(reader.outline)}
        about = reader.metadata
        title, date = str((about and about.title) or "").strip(), str((about and about.get("/CreationDate")) or "")
    except Exception as error:  # noqa: BLE001  # whatever a parser that is not ours makes of a stranger's file, the others are read
        raise CardcheckError(f"it is no PDF that can be read: {str(error)[:100] or type(error).__name__}") from None
    parts: list[tuple[str, bool]] = []
    for page in pages:
        lines: list[str] = []
        for line in [*page.split("\n"), ""]:
            if line.strip() and _plain(line) not in outline:
                lines.append(line)
                continue
            parts.append((_joined(lines), False))
            lines = []
            if line.strip():
                parts.append((" ".join(line.split()), True))
    day = f"{date[2:6]}-{date[6:8]}-{date[8:10]}" if date.startswith("D:") and date[2:10].isdecimal() else ""
    return Document(title, _sections(iter(parts)), where, day, domain)


def _outline(items: Any, depth: int = 0) -> Iterator[str]:
    for item in items if depth < 20 else ():
        if isinstance(item, list):
            yield from _outline(item, depth + 1)
        elif title := getattr(item, "title", None):
            yield str(title)


def _plain(line: str) -> str:
    return " ".join(line.split()).casefold()


def _joined(lines: list[str]) -> str:
    """Return lines as one paragraph; a word that was broken at the end of a line is one again."""
    text = ""
    for line in (" ".join(line.split()) for line in lines):
        broken = text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower()
        text = text[:-1] + line if broken else f"{text} {line}".strip()
    return text
