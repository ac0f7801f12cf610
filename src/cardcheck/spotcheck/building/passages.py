"""From documents to passages: long ones are split at headings and paragraphs, then at sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardcheck.pattern import Pattern
from cardcheck.spotcheck.building.document import length, normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardcheck.spotcheck.building.document import Document

SENTENCE = Pattern(r"(?<=[.!?])\s{1,9}(?=\S)|(?<=[。!?])")  # the full stop of Chinese and Japanese
MAX_HEADING = 300  # characters; what is longer is no heading


@dataclass(slots=True)
class Passage:
    """A passage. `title` is its document's, `heading` its section's; `section` tells passages of one section from others.

    `where` is the place in the source, `key` the document's id in the source's judgements, `source` which source it is of.
    """

    text: str
    title: str
    heading: str
    section: tuple[int, int, int]
    where: str
    date: str = ""
    domain: str = ""
    key: str = ""
    source: int = 0
    queries: tuple[str, ...] = ()
    id: str = field(default="")


def split(document: Document, most: int, source: int = 0, place: int = 0) -> Iterator[Passage]:
    """Yield a document's passages of at most `most` words; a heading or title that a text begins with is taken out of it.

    A document that must stay whole is one passage, however long. `source` and `place` are the numbers of both, to tell sections apart.
    """
    for number, section in enumerate(document.sections):
        heading = section.heading[:MAX_HEADING].strip()
        texts = [text for text in section.paragraphs if normal(text) not in ("", normal(heading), normal(document.title))]
        if texts:
            texts[0] = without_start(texts[0], heading or document.title)
        pieces = [" ".join(texts)] if document.whole else list(_packed(texts, most))
        for part, text in enumerate(piece for piece in pieces if piece.strip()):
            # the ordinal tells two sections of the same heading apart
            where = f"{document.where}#{number + 1}.{part + 1}" if len(document.sections) > 1 or len(pieces) > 1 else document.where
            yield Passage(
                text, document.title[:MAX_HEADING].strip(), heading, (source, place, number), where,
                document.date, document.domain, document.key, source, document.queries,
            )  # fmt: skip


def without_start(text: str, title: str) -> str:
    """Return a text without the title that it begins with, as an article's first sentence and many a first line do.

    A title may end in brackets, which tell it from others of its name and do not stand in the text.
    """
    for words in (normal(title).split(), normal(title.partition(" (")[0]).split()):
        if words and normal(text).startswith(" ".join(words) + " "):
            pattern = r"\W{0,9}" + r"[\W_]{0,9}".join(map(re.escape, words)) + r"(?!\w)[\s:.,;*_–—-]{0,9}"
            found = re.match(pattern, text, re.IGNORECASE)
            rest = text[found.end() :] if found else ""
            return rest if rest.strip() else text
    return text


def _packed(texts: Iterable[str], most: int) -> Iterator[str]:
    """Yield paragraphs together as long as they fit."""
    held: list[str] = []
    count = 0
    for piece in (piece for text in texts for piece in _fitting(text, most)):
        words = length(piece)
        if held and count + words > most:
            yield "\n".join(held)
            held, count = [], 0
        held.append(piece)
        count += words
    if held:
        yield "\n".join(held)


def _fitting(text: str, most: int) -> Iterator[str]:
    """Yield a paragraph in pieces that fit: whole, else sentence by sentence, else cut between words."""
    if length(text) <= most:
        yield text
        return
    held, count = "", 0
    for sentence in _cut(SENTENCE.split(text), most):
        words = length(sentence)
        if held and count + words > most:
            yield held
            held, count = "", 0
        held = f"{held} {sentence}".strip()
        count += words
    if held:
        yield held


def _cut(sentences: Iterable[str], most: int) -> Iterator[str]:
    for sentence in sentences:
        if length(sentence) <= most:
            yield sentence
            continue
        words = sentence.split()
        if len(words) > most // 2:
            yield from (" ".join(words[at : at + most]) for at in range(0, len(words), most))
        else:  # a script without blanks: two characters count as a word
            yield from (sentence[at : at + 2 * most] for at in range(0, len(sentence), 2 * most))
