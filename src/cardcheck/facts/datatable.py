"""The table of training data in a paper's HTML version, where the card links that: arXiv's pages hold tables as figures with a caption."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from cardcheck.errors import AbsentError, UnavailableError
from cardcheck.facts.html import MAX_HTML, read_html
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts
    from cardcheck.net.answers import Outside

MAX_PAGE, MAX_FIGURES, MAX_TABLE, MAX_LINKS = 2_000_000, 100, 6000, 400
LINKED = Pattern(r"^https?://(?:www\.)?arxiv\.org/html/(\d{4}\.\d{4,5})(?:v\d{1,2})?/?(?:[?#]\S{0,100})?$", re.IGNORECASE)
TAG = Pattern(r"<[^<>]{0,2000}>")
ON_TRAINING = Pattern(r"\b(?:(?:pre-?|fine-?\s?)?train(?:ing|ed)?|fine-?\s?tun(?:ing|ed))\b", re.IGNORECASE)
ON_DATA = Pattern(r"\b(?:data|data ?sets?|corpus|corpora|mixture)\b", re.IGNORECASE)
ON_RESULTS = Pattern(
    r"evaluat|result|score|performance|benchmark|ablation|compar|accuracy|ndcg|effect|hyper-?param|zero-?shot", re.IGNORECASE
)


def table_of(facts: Facts, outside: Outside, number: str) -> str:
    """Return the rows of a paper's tables on training data; empty where the card does not link its HTML version, or it has none."""
    links = (row["url"] for row in facts["card.links"][:MAX_LINKS])
    url = next((url for url in links if (found := LINKED.match(url)) and found[1] == number), None)
    if url is None:
        return ""
    try:
        return read_tables(outside.page(url).text)
    except (AbsentError, UnavailableError):
        return ""


def read_tables(page: str) -> str:
    """Return a line for each row of the tables whose caption speaks of training data and not of results."""
    page = page[:MAX_PAGE]
    lines: list[str] = []
    at = 0
    for _ in range(MAX_FIGURES):
        start = page.find("<figure", at)
        end = page.find("</figure>", start)
        if start < 0 or end < 0:
            break
        at = end
        figure = page[start:end]
        _, _, caption = figure.partition("<figcaption")
        words = html.unescape(TAG.sub(" ", f"<p{caption[:3000]}"))
        if ON_TRAINING.search(words) and ON_DATA.search(words) and not ON_RESULTS.search(words):
            table = figure[max(0, figure.find("<table")) :][:MAX_HTML]
            lines += [" | ".join(cells) for rows in read_html(table).tables for cells in rows if cells]
    return "\n".join(lines)[:MAX_TABLE]
