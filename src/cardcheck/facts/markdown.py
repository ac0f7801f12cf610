"""Facts from the card's text: headings, links, code blocks, tables and what they say."""

from __future__ import annotations

import bisect
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardcheck.facts.located import Location
from cardcheck.facts.model import Source
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts

MAX_PARSED = 500_000  # characters; the longest of 4,649 real texts has 123,000
MAX_TABLE_ROWS = 200

URL = Pattern(r"https?://[^\s<>\"'`\]|)]+")
PAPER_URL = Pattern(
    r"arxiv\.org/(?:abs|pdf|html)/|huggingface\.co/papers/|aclanthology\.org/|openreview\.net/|doi\.org/10\.|semanticscholar\.org/paper"
    r"|proceedings\.mlr\.press|papers\.nips\.cc|proceedings\.neurips\.cc|dl\.acm\.org/doi|ieeexplore\.ieee\.org|link\.springer\.com"
    r"|sciencedirect\.com/science|nature\.com/articles|ncbi\.nlm\.nih\.gov|biorxiv\.org|medrxiv\.org|jmlr\.org|ceur-ws\.org|hal\.science"
    r"|ojs\.aaai\.org|jstage\.jst\.go\.jp|anlp\.jp|alphaxiv\.org",
    re.IGNORECASE,
)
REPORT_URL = Pattern(
    r"(?:blog|/news/|/posts?/|medium\.com/|towardsdatascience|report|technical|\.pdf(?:$|\?)|substack\.com/|qiita\.com|zenn\.dev|note\.com/|habr\.com"
    r"|zhihu\.com|hackernoon|txt\.cohere|tfhub\.dev|/model-?cards?/)",
    re.IGNORECASE,
)
BIBTEX = Pattern(r"@(?:article|inproceedings|misc|techreport|conference|phdthesis)\s{0,9}\{\s{0,99}([^,\s]{0,200})", re.IGNORECASE)
TRAINING = Pattern(r"\b(?:pre-?|fine-?)?(?:train(?:ing|ed)?|tun(?:ing|ed))\b|\bdistill|how (?:it|this model) was made", re.IGNORECASE)
REPOSITORY = r"[\"']([A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})[\"']"
LOAD = Pattern(
    r"(?:SentenceTransformer|CrossEncoder|SparseEncoder|from_pretrained|FlagModel|BGEM3FlagModel|get_model|load_model|hf_hub_download"
    r"|pipeline|INSTRUCTOR)\s{0,9}\(\s{0,99}(?:[\w-]{1,60}\s{0,9}=\s{0,9})?"
    + REPOSITORY
    + r"|\b(?:model_name(?:_or_path)?|model_id|model_path|repo_id|model)\s{0,9}=\s{0,9}"
    + REPOSITORY
)


# The second line of a table. GitHub lets a table follow a line of text, the parser wants a blank line between.
DELIMITERS = re.compile(rb"\n[ >]{0,9}\|?[ \t]{0,99}:?-+:?[ \t]{0,99}\|[-:| \t]*$", re.MULTILINE)
ARXIV_TEXT = re.compile(rb"\barxiv[:\s]\s{0,3}(\d{4}\.\d{4,5})", re.IGNORECASE)
TABBED = re.compile(rb"^[ >|:-]{0,99}\t[ >|:\t-]{0,999}$", re.MULTILINE)

Span = tuple[int, int]  # from and to, in bytes of the text as UTF-8: so the parser counts


@dataclass(slots=True)
class _Part:
    """A heading, link or code block with its text; `detail` is its level, its address or its language."""

    detail: str
    span: Span
    text: str = ""


class _Page:
    """The card's text, and what the parser finds in it, in order."""

    def __init__(self, file: str, text: str, first_line: int) -> None:
        self.file, self.first_line = file, first_line
        self.data = text.encode("utf-8", "replace")
        self.starts = [0, *(found.end() for found in re.finditer(b"\n", self.data))]
        self.headings: list[_Part] = []
        self.codes: list[_Part] = []
        self.links: list[_Part] = []
        self.tables: list[tuple[list[list[str]], Span]] = []

    def line(self, offset: int) -> int:
        """Return the line of a byte, counted from 0."""
        return bisect.bisect_right(self.starts, offset) - 1

    def at(self, offset: int) -> Location:
        line = self.line(offset)
        return Location(self.file, line + self.first_line, len(self.data[self.starts[line] : offset].decode("utf-8", "replace")) + 1)

    def first(self, needle: str, span: Span) -> Location:
        """Return where the span first has the needle; where it does not, as after an escape, where the span begins."""
        return self.at(max(self.data.find(needle.encode("utf-8", "replace"), *span), span[0]))

    def last(self, needle: str, span: Span) -> Location:
        """Return where the span last has the needle, as that of a link has its address behind its text."""
        return self.at(max(self.data.rfind(needle.encode("utf-8", "replace"), *span), span[0]))


def collect_markdown(facts: Facts, file: str, text: str, first_line: int) -> None:
    """Fill the text facts of the group `card`; `first_line` is where the text starts in the file."""
    place = Location(file, first_line, 1)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    facts.set("card.text", text, place)
    facts.set("card.words", len(text.split()), place)
    if len(text) > MAX_PARSED:
        facts.set("card.truncated", value=True)
    page = _Page(file, text[:MAX_PARSED], first_line)
    try:
        _parse(page)
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # a fault in the parser is no reason not to judge the other cards
            raise
        facts.sources["card"] = Source("unavailable", f"{file} cannot be parsed as Markdown")
        return
    _headings(facts, page)
    _links(facts, page)
    _code(facts, page)
    for rows, span in page.tables:
        facts.add("card.tables", page.at(page.starts[page.line(span[0])]), header=rows[0], cells=rows[1:MAX_TABLE_ROWS])
    for found in ARXIV_TEXT.finditer(page.data):
        facts.add("card.papers", page.at(found.start()), kind="text", ref=found[1].decode())


def _parse(page: _Page) -> None:
    """Sort what the parser tells: each event is a word, or one kind with what belongs to it."""
    from pyromark import Options, events_with_range

    sort = _Sorter(page)
    # GitHub takes tabs between a table's delimiters, the parser does not
    data = TABBED.sub(lambda found: found[0].replace(b"\t", b" "), page.data)
    events: Any = events_with_range(data.decode("utf-8"), options=Options.ENABLE_TABLES, merge_text=True)
    for event, place in events:
        span = (place["start"], place["end"])
        if isinstance(event, str):  # a break of the line, or a rule
            sort.text(" ", span)
            continue
        ((kind, value),) = event.items()
        if kind in ("Start", "End"):
            name, detail = next(iter(value.items())) if isinstance(value, dict) else (value, None)
            (sort.start if kind == "Start" else sort.end)(name, detail, span)
        elif kind == "InlineHtml":
            sort.inline_html(value, span)
        elif kind in ("Text", "Code"):
            sort.text(value, span, is_code=kind == "Code")


class _Sorter:
    """What is open while the parser goes through the text."""

    def __init__(self, page: _Page) -> None:
        self.page = page
        self.open: dict[str, _Part] = {}  # the heading, link, anchor (a link in HTML), image or code block that the text belongs to
        self.rows: list[list[str]] = []

    def start(self, name: str, detail: Any, span: Span) -> None:
        page = self.page
        if name == "Heading":
            self.open[name] = _Part(detail["level"], span)
            page.headings.append(self.open[name])
        elif name in ("Link", "Image"):
            address = detail["dest_url"]
            self.open[name] = _Part(f"mailto:{address}" if detail["link_type"] == "Email" else address, span)
            if name == "Link":
                page.links.append(self.open[name])
        elif name == "CodeBlock":
            self.open[name] = _Part(detail["Fenced"].strip() if isinstance(detail, dict) else "", span)
            page.codes.append(self.open[name])
        elif name == "HtmlBlock":
            self.html(page.data[slice(*span)].decode("utf-8", "replace"), span)
        elif name == "Paragraph":
            self._table_within(span)
        elif name == "Table":
            self.rows = []
            page.tables.append((self.rows, span))
        elif name in ("TableHead", "TableRow"):
            self.rows.append([])
        elif name == "TableCell":
            self.rows[-1].append(page.data[slice(*span)].decode("utf-8", "replace").strip().replace("\\|", "|"))

    def _table_within(self, span: Span) -> None:
        delimiters = DELIMITERS.search(self.page.data, *span)
        header = self.page.data.rfind(b"\n", span[0], delimiters.start()) + 1 if delimiters else 0
        if header:
            inner = _Page(self.page.file, self.page.data[header : span[1]].decode("utf-8", "replace"), 1)
            _parse(inner)
            self.page.tables += [(rows, (start + header, end + header)) for rows, (start, end) in inner.tables]

    def end(self, name: str, _detail: Any, _span: Span) -> None:
        self.open.pop(name, None)
        if name in ("Paragraph", "Heading", "TableCell", "Item"):
            self.open.pop("anchor", None)

    def html(self, text: str, span: Span) -> None:
        lower = text.lower()
        if "<a" in lower or "<table" in lower:
            from cardcheck.facts.html import read_html  # most cards have no HTML

            found = read_html(text)
            self.page.links += [_Part(url, span, label) for url, label in found.links]
            self.page.tables += [(rows, span) for rows in found.tables]

    def inline_html(self, tag: str, span: Span) -> None:
        before = len(self.page.links)
        self.html(tag, span)
        if len(self.page.links) > before:
            self.open["anchor"] = self.page.links[-1]
        elif tag.lower().startswith("</a"):
            self.open.pop("anchor", None)

    def text(self, text: str, span: Span, *, is_code: bool = False) -> None:
        for part in self.open.values():
            part.text += text
        if not self.open.keys() & {"Link", "anchor", "Image", "CodeBlock"} and not is_code and "://" in text:
            self.page.links += [_Part(url, span, url) for url in _bare_addresses(text)]


def _bare_addresses(text: str) -> Iterator[str]:
    for found in URL.finditer(text):
        yield found[0].rstrip(".,;:!*_")


def _headings(facts: Facts, page: _Page) -> None:
    for part in page.headings:
        part.text = part.text.strip()
        facts.add("card.headings", page.at(part.span[0]), text=part.text, level=int(part.detail[1]))
    if page.headings:
        facts.set("card.title", page.headings[0].text, page.at(page.headings[0].span[0]))
    for at, part in enumerate(page.headings):
        if TRAINING.search(part.text):
            # a section reaches to the next heading of its own level or above
            end = next((later.span[0] for later in page.headings[at + 1 :] if later.detail <= part.detail), len(page.data))
            words = len(page.data[part.span[1] : end].decode("utf-8", "replace").split())
            facts.add("card.training_sections", page.at(part.span[0]), heading=part.text, words=words)


def _links(facts: Facts, page: _Page) -> None:
    for part in page.links:
        place, url = page.last(part.detail, part.span), part.detail
        facts.add("card.links", place, text=part.text.strip(), url=url)
        if PAPER_URL.search(url):
            facts.add("card.papers", place, kind="link", ref=url)
        elif REPORT_URL.search(url):
            facts.add("card.reports", place, url=url)


def _code(facts: Facts, page: _Page) -> None:
    for part in page.codes:
        fenced = page.data[part.span[0] : part.span[0] + 1] in (b"`", b"~")
        first = page.line(part.span[0]) + fenced
        facts.add("card.code", page.at(page.starts[min(first, len(page.starts) - 1)]), language=part.detail, text=part.text[:20_000])
        for found in LOAD.finditer(part.text):
            name = found[1] or found[2]
            facts.add("card.loads", page.first(name, part.span), id=name)
        for found in BIBTEX.finditer(part.text):
            facts.add("card.papers", page.first(found[0], part.span), kind="citation", ref=found[1])
