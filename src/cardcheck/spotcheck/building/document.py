"""What is read from a source, before it becomes a set."""

from __future__ import annotations

import bz2
import codecs
import functools
import gzip
import hashlib
import io
import lzma
import re
import unicodedata
import zlib
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from cardcheck.errors import CardcheckError
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

MAX_FILE = 500_000_000  # bytes, unpacked; what a source may hold in one file
MAX_DOCUMENTS = 1_000_000
OPEN: dict[str, Callable[[io.BytesIO], Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
# What a file begins with, where it is of UTF-16 or UTF-32; the longer first.
BYTE_ORDER = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
DECLARED = 2048  # bytes within which HTML says its encoding
# No page's: Python's own, some of which take quadratic time; and UTF in any form, which has been tried by then.
NO_PAGES = ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "utf")
EMPTY_LINE = Pattern(r"\n[ \t]{0,99}\n")
ISO_DATE = Pattern(r"\b\d{4}-\d{2}-\d{2}")
# Scripts without blanks between words: two characters count as a word, and pairs of characters stand for words. Chinese and Japanese, and
# the letters and marks of Thai, Lao, Burmese and Khmer.
IDEOGRAPHS = (
    r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    r"\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ebd\u0ec0-\u0ece\u0edc-\u0edf\u1000-\u103f\u1050-\u108f\u109a-\u109d\u1780-\u17d3"
)
WORD = Pattern(rf"[{IDEOGRAPHS}]+|[^\W{IDEOGRAPHS}]+")
IDEOGRAPH = Pattern(rf"[{IDEOGRAPHS}]")
JOINERS = frozenset("\u200c\u200d")  # stand within words of Persian and of Indic scripts


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, which may be empty, and the paragraphs under it."""

    heading: str
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One document. `where` is how to find it again in its source; `date` an ISO date or empty; `key` its id where judgements name it.

    A `whole` document stays one passage, since judgements or queries are about all of it.
    """

    title: str
    sections: tuple[Section, ...]
    where: str
    date: str = ""
    domain: str = ""
    license: str = ""
    key: str = ""
    queries: tuple[str, ...] = ()
    whole: bool = False

    def cleaned(self) -> Document:
        """Return it without half characters, of which JSON and names of files may hold some, and which no model takes."""
        sections = tuple(Section(_clean(one.heading), tuple(map(_clean, one.paragraphs))) for one in self.sections)
        return replace(
            self, title=_clean(self.title), sections=sections, where=_clean(self.where), domain=_clean(self.domain),
            license=_clean(self.license), queries=tuple(map(_clean, self.queries)),
        )  # fmt: skip


@dataclass(slots=True)
class Source:
    """What a source gave, and what is said of it in the manifest; `judged` are its own judgements by query and document key."""

    kind: str
    where: str
    documents: list[Document]
    sha256: str
    license: str = ""
    skipped: list[tuple[str, str]] = field(default_factory=list)
    queries: dict[str, str] = field(default_factory=dict)
    judged: dict[str, dict[str, int]] = field(default_factory=dict)

    def clean(self) -> None:
        """Replace half characters in its texts; keys stay, since they are only compared."""
        self.documents = [document.cleaned() for document in self.documents]
        self.queries = {key: _clean(text) for key, text in self.queries.items()}


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


class Digest:
    """The hash of a source: over the names and hashes of what was read, in the order of reading."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def add(self, name: str, data: bytes) -> None:
        """Add a file or an answer."""
        line = f"{name} {hashlib.sha256(data).hexdigest()}\n"
        self._hash.update(line.encode("utf-8", "surrogatepass"))  # a file's name may hold bytes that are no character

    def hex(self) -> str:
        """Return it."""
        return self._hash.hexdigest()


def read(path: Path) -> bytes:
    """Return a file's contents, unpacked where its name says that it is packed. Raises CardcheckError."""
    try:
        if path.stat().st_size > MAX_FILE:
            raise CardcheckError(f"{path} is larger than {MAX_FILE:,} bytes", hint="split it")
        return unpack(path.name, path.read_bytes())
    except OSError as error:
        raise CardcheckError(f"cannot read {path}: {error.strerror}") from None


def unpack(name: str, data: bytes) -> bytes:
    """Return data unpacked where a name ends in .gz, .bz2 or .xz. Raises CardcheckError."""
    opener = next((opener for end, opener in OPEN.items() if name.endswith(end)), None)
    if opener is None:
        return data
    try:
        with opener(io.BytesIO(data)) as file:
            unpacked: bytes = file.read(MAX_FILE + 1)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise CardcheckError(f"{name} cannot be unpacked: {error}") from None
    if len(unpacked) > MAX_FILE:
        raise CardcheckError(f"{name} is larger than {MAX_FILE:,} bytes when unpacked", hint="split it")
    return unpacked


def decode(data: bytes, name: str = "it") -> str:
    """Return text of one kind of line break and without what is no character.

    It is UTF-8, or what its first bytes or its own HTML or XML say. Raises CardcheckError with the name where it is not: read all the
    same, every accent would be a character that says nothing.
    """
    try:
        text = data.decode(next((encoding for mark, encoding in BYTE_ORDER if data.startswith(mark)), "utf-8-sig"))
    except UnicodeDecodeError:
        try:
            text = data.decode(_declared(data))
        except (LookupError, ValueError):
            hint = "convert it: iconv -f latin1 -t utf-8, or from what else it is in"
            raise CardcheckError(f"{name} is not UTF-8", hint=hint) from None
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def _declared(data: bytes) -> str:
    """Return the encoding that HTML or XML declares; raises LookupError where there is none."""
    from bs4.dammit import EncodingDetector

    if not data.lstrip().startswith(b"<"):
        raise LookupError
    encoding = codecs.lookup(EncodingDetector.find_declared_encoding(data[:DECLARED], is_html=True, search_entire_document=True) or "")
    if encoding.name.startswith(NO_PAGES):
        raise LookupError
    # as browsers do: pages that say Latin-1 have the quotation marks of Windows
    return "cp1252" if encoding.name in ("iso8859-1", "ascii") else encoding.name


def soup_of(text: str) -> Any:
    """Return parsed HTML, XML among it: read so, no entity stands for a million others. Raises CardcheckError where it cannot be read."""
    import warnings

    from bs4 import BeautifulSoup, ParserRejectedMarkup, XMLParsedAsHTMLWarning

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)
            return BeautifulSoup(text, "html.parser")
    except (ParserRejectedMarkup, RecursionError) as error:
        raise CardcheckError(f"it is no HTML that can be read: {str(error)[:100]}") from None


def paragraphs(text: str) -> tuple[str, ...]:
    """Return the parts of a text between empty lines, each on one line."""
    parts = (" ".join(part.split()) for part in EMPTY_LINE.split(text))
    return tuple(part for part in parts if part)


def iso_date(value: object) -> str:
    """Return the ISO date in a value; empty where there is none."""
    found = ISO_DATE.search(str(value or "")[:200])
    return found[0] if found else ""


@functools.cache
def _marks() -> frozenset[str]:
    """Return the characters that belong to the letter before them and that are no letters themselves: accents, and vowels of Indic scripts.

    Which these are this Python's Unicode says, as it does for letters. All lie in the first two planes, but for the selectors of variants:
    looking there takes 15 ms, everywhere 110.
    """
    numbers = (*range(0x20000), *range(0xE0100, 0xE01F0))
    return frozenset(chr(number) for number in numbers if unicodedata.category(chr(number)) in ("Mn", "Mc")) | JOINERS


@functools.cache
def _marked() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what finds a word in text that has marks, and a letter with its marks. It takes three times as long as without."""
    marks, letters = "".join(sorted(_marks())), rf"[^\W{IDEOGRAPHS}]"
    word = re.compile(rf"[{IDEOGRAPHS}][{IDEOGRAPHS}{marks}]*|{letters}+(?:[{marks}]+{letters}*)*")
    return word, re.compile(rf".[{marks}]*", re.DOTALL)


def _found(text: str) -> list[str]:
    """Return the words as they stand, but that a letter and its accent become one character, whichever way the text writes them."""
    text = unicodedata.normalize("NFC", text)
    return WORD.findall(text) if _marks().isdisjoint(text) else _marked()[0].findall(text)


def _letters(word: str) -> Sequence[str]:
    """Return the letters of a word, each with its marks."""
    return word if _marks().isdisjoint(word) else _marked()[1].findall(word)


def words(text: str) -> list[str]:
    """Return the words of a text in lower case; where a script has no blanks, its pairs of characters."""
    found: list[str] = []
    for word in _found(text.casefold()):
        if IDEOGRAPH.match(word):
            letters = _letters(word)
            found += [one + other for one, other in pairwise(letters)] or [word]
        else:
            found.append(word)
    return found


def length(text: str) -> int:
    """Return the number of words, where two characters of a script without blanks count as one."""
    return sum((len(_letters(word)) + 1) // 2 if IDEOGRAPH.match(word) else 1 for word in _found(text))


def normal(text: str) -> str:
    """Return a text such that two which differ in capitals, punctuation or blanks alone are the same."""
    return " ".join(_found(text.casefold()))
