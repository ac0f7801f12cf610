"""Links and tables of the HTML within a card's text."""

from __future__ import annotations

from contextlib import suppress
from html.parser import HTMLParser

MAX_HTML = 20_000  # characters of one piece; unclosed tags take the parser quadratic time
MAX_ROWS, MAX_CELLS = 200, 50


class _Found(HTMLParser):
    """What a piece of HTML holds.

    A cell ends where the next one begins, as in a browser; the rows of a table within a table are told as rows of the outer one.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tables: list[list[list[str]]] = []
        self._links: list[tuple[str, list[str]]] = []
        self._in_link = False
        self._depth = 0  # of tables
        self._cell: list[list[str]] = []  # the texts of the cell that is open, or none

    @property
    def tables(self) -> list[list[list[str]]]:
        """The rows of cells of each table that has a row."""
        return [rows for rows in self._tables if rows]

    @property
    def links(self) -> list[tuple[str, str]]:
        """Address and text of each link."""
        return [(url, " ".join(texts)) for url, texts in self._links]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a link, table, row or cell."""
        if tag == "a":
            url = dict(attrs).get("href")
            self._in_link = url is not None
            if url is not None:
                self._links.append((url, []))
        elif tag == "table":
            self._depth += 1
            if self._depth == 1:
                self._tables.append([])
        elif tag == "tr" and self._depth and len(self._tables[-1]) < MAX_ROWS:
            self._tables[-1].append([])
        elif tag in ("td", "th") and self._depth and self._tables[-1]:
            self._end_cell()
            self._cell.append([])

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        if tag == "a":
            self._in_link = False
        elif tag in ("td", "th", "tr", "table"):
            self._end_cell()
            self._depth = max(0, self._depth - (tag == "table"))

    def handle_data(self, data: str) -> None:
        """Add text to the link and the cell that are open."""
        if text := data.strip():
            if self._in_link:
                self._links[-1][1].append(text)
            if self._cell:
                self._cell[-1].append(text)

    def _end_cell(self) -> None:
        if self._cell and len(self._tables[-1][-1]) < MAX_CELLS:
            self._tables[-1][-1].append(" ".join(self._cell[-1]))
        self._cell.clear()

    def close(self) -> None:
        """Read to the end."""
        super().close()
        self._end_cell()


def read_html(text: str) -> _Found:
    """Return the links and the tables of a piece of HTML, however broken it is."""
    found = _Found()
    with suppress(AssertionError):  # what the parser raises where a declaration has no name; what stands before it was found
        found.feed(text[:MAX_HTML])
        found.close()
    return found
