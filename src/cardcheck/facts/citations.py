"""What the card asks readers to cite: its BibTeX entries, and whether they are of this model."""

from __future__ import annotations

import bisect
import re
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from cardcheck.facts.families import cited_family
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MAX_ENTRIES = 60
MAX_ENTRY = 3000  # characters
ENTRY = Pattern(
    r"@(?:article|inproceedings|proceedings|misc|techreport|conference|phdthesis|mastersthesis|software|online|unpublished|book"
    r"|incollection|dataset|manual|preprint)\s{0,9}\{\s{0,99}([^,\s{}]{0,200})",
    re.IGNORECASE,
)
FIELD = r"\b%s\s{0,9}=\s{0,9}[{\"]{1,3}\s{0,20}([^}\"]{0,300})"
TITLE = Pattern(r"(?<!book)" + FIELD % "title", re.IGNORECASE)
AUTHOR = Pattern(FIELD % "author", re.IGNORECASE)
NUMBERS = Pattern(r"\b(?:year|eprint|journal|doi|url|howpublished)\s{0,9}=\s{0,9}[{\"]{0,3}\s{0,20}([^},\"]{0,200})", re.IGNORECASE)
# What templates put where the key, the title, the author or a number should stand.
BLANK_KEY = Pattern(
    r"^(?:(?:your|my|the)[-_]?(?:model|paper|key|name|citation|bibtex|work)\w{0,40}|(?:cite|citation|bibtex|entry|paper|ref)?[-_]?key"
    r"|citekey|key\d{0,4}|placeholder\w{0,20}|todo|xxx+|author(?:_?name)?_?(?:year|20\d\d|20xx)\w{0,20}|lastname\w{0,20}|example\w{0,20}"
    r"|model_?name|\w{0,40}(?:20xx|yyyy|xxxx)\w{0,20})$",
    re.IGNORECASE,
)
BLANK_TITLE = Pattern(
    r"^(?:[\[<(]?(?:your|the|my|insert|paper|model|full)[ _-](?:[\w-]{1,20}[ _-]){0,3}(?:title|name|here)[\]>)]?|title|paper title"
    r"|todo.{0,40}|tbd|tba|\[.{1,60}\]|<.{1,60}>|model name|x{3,}|\.{3}|…)$",
    re.IGNORECASE,
)
BLANK_AUTHOR = Pattern(
    r"\b(?:your|my) (?:full )?names?\b|\byour[_ -](?:team|organi[sz]ation|org|company|last|first)|\bauthors?[ _]?names?\b"
    r"|^(?:authors?|names?|todo|tbd|tba|x{3,}|\.{3}|…|anonymous authors? ?\d?)$"
    r"|\b(?:first|last)[ _-]?name\b|\bauthor ?(?:[12]|one|two|a)\b|\bauthor, ?[ab]\b|\bdoe, ?j(?:ohn|ane)\b|\bj(?:ohn|ane) doe\b"
    r"|^[\[<].{1,60}[\]>]$",
    re.IGNORECASE,
)
BLANK_NUMBER = Pattern(
    r"\b20xx\b|\bx{4}\.x{4,5}\b|\byyyy\b|\b1234\.56789?\b|\b0000\.00000\b|xxxxx|^year$|^your[-_ ]"
    r"|/(?:your|my)[-_](?:username|name|org(?:ani[sz]ation)?|model|repo)\w{0,20}",
    re.IGNORECASE,
)
LOSS = Pattern(r"loss(?:es)?\b|framework|librar|\bbase model|acknowledg", re.IGNORECASE)


class Entry(NamedTuple):
    """One BibTeX entry: where it stands, its key and its text."""

    start: int
    end: int
    key: str
    text: str


def collect_citations(facts: Facts, prose: Prose) -> None:
    """Note the BibTeX entries; `blank` is what a template left in one, `family` whose paper it is, `named` that the card names those."""
    entries = list(islice(_entries(prose.raw), MAX_ENTRIES))
    others = ""
    for entry in entries:
        found = TITLE.search(entry.text)
        title = " ".join(re.sub(r"[{}\\]", "", found[1]).split()) if found else ""
        family = cited_family(entry.key, title)
        if family and not others:
            others = _elsewhere(facts, prose, entries)
        # generated cards cite the papers of losses and libraries under headings of their own
        named = not family or bool(family.words.search(others)) or bool(LOSS.search(heading_of(facts, prose, entry.start)))
        facts.add(
            "lineage.citations",
            prose.at(entry.start),
            key=entry.key,
            title=title[:120],
            blank=_blank(entry, title),
            family=family.name if family else "",
            named=named,
        )


def _entries(text: str) -> Iterator[Entry]:
    if "@" not in text:
        return
    found = ENTRY.search(text)
    while found:
        later = ENTRY.search(text, found.end(), found.start() + MAX_ENTRY)
        end = min(later.start() if later else len(text), found.start() + MAX_ENTRY)
        body = text[found.start() : end]
        stop = re.search(r"\n\s{0,9}\}|\}\s{0,9}\}|```|~~~", body)
        end = found.start() + stop.end() if stop else end
        yield Entry(found.start(), end, found[1], text[found.start() : end])
        found = later or ENTRY.search(text, end)


def _blank(entry: Entry, title: str) -> str:
    """Return what a template left in an entry, as it is quoted; empty where nothing is."""
    if BLANK_KEY.match(entry.key):
        return entry.key
    if title and BLANK_TITLE.match(title):
        return title[:80]
    if (author := AUTHOR.search(entry.text)) and BLANK_AUTHOR.search(" ".join(author[1].split())):
        return " ".join(author[1].split())[:80]
    for number in NUMBERS.finditer(entry.text):
        if BLANK_NUMBER.search(number[1].strip()):
            return number[1].strip()[:80]
    return ""


def _elsewhere(facts: Facts, prose: Prose, entries: list[Entry]) -> str:
    """Return, in lower case, all that names models outside of citations, code and tables, where cards compare themselves with others."""
    text = list(prose.words)
    for entry in entries:
        text[entry.start : entry.end] = " " * (entry.end - entry.start)
    lines = [line for line in "".join(text).split("\n") if not line.lstrip().startswith("|") and "<td" not in line]
    named = [facts["subject.id"], facts["card.title"], *facts["card.base_model"], facts["config.name_or_path"], facts["adapter.base"]]
    named += [*facts["card.tags"], *(row["value"] for row in facts["card.datasets"]), *(row["name"] for row in facts["results.models"])]
    return "\n".join([*lines, *(str(name) for name in named if name)]).lower()


def heading_of(facts: Facts, prose: Prose, offset: int) -> str:
    """Return the heading above a place of the text, or an empty text."""
    return heading_above(facts, prose.at(offset).line or 1)


def heading_above(facts: Facts, line: int) -> str:
    """Return the heading above a line of the file, or an empty text."""
    headings = facts["card.headings"]
    at = bisect.bisect_right(headings, line, key=lambda row: row["line"])
    return str(headings[at - 1]["text"]) if at else ""
