"""What the card says of how its vectors are made: token limit and dimension here, the rest in recipe.py.

A statement is only worth a finding where it speaks of this model, and cards speak of others too. So each statement has a degree of
firmness: 3 for a label or words that can only mean the card's own model, 2 for a sentence that most likely does, 1 for a number that is
only named. Rules flag firm statements and use the others to keep quiet. Every repetition has a bound: no text takes quadratic time.
"""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING, NamedTuple

from cardcheck.facts.located import Location
from cardcheck.facts.prose import without_comments
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts

MAX_LINES = 2000  # of one topic; a card that says more of it says nothing
NUMBER = r"(?<![\d,.\w])(\d{1,3}(?:,\d{3}){1,3}|\d{1,9})(?![\d%])"
THOUSANDS = r"(?:\s?k\b)?"
LABEL = r"^[ \t>*_|•-]{0,9}"  # where a bullet, a cell or a line of its own begins
GAP = r"[\s*_`|:=~≈]{1,30}"
PIECES = r"[\s-]{0,3}(?:\w{1,20}\s{1,3})?(?:tokens?|word ?pieces?|sub-?words?|sentencepieces?)\b"
TEXT = r"(?:(?:input|sequence|context|token|text)[\s-]{1,3})"
OTHER = r"(?:other|sister|base|larger?|smaller?|bigger|new|next|previous|original|teacher|long|second|first)\b"
TAKES = r"(?:supports?|handles?|process(?:es)?|accepts?|embeds?|encodes?|takes?|reads?)\b"


def _any(*branches: str) -> Pattern:
    return Pattern("|".join(branches), re.IGNORECASE | re.MULTILINE)


# Each branch has one group, the number; its words stand in the comment above it.
LABELLED_TOKENS = _any(
    # longer than 256 word pieces; truncated to at most 512 tokens; is limited to 512 tokens
    r"\b(?:longer than|(?:is|are) limited to(?: the first)?"
    r"|truncated (?:to|at|after)(?: (?:a )?(?:maximum(?: length)? of|at most|the first))?)"
    rf"\s{{1,3}}{NUMBER}{THOUSANDS}{PIECES}",
    # Maximum Sequence Length: 512 tokens, Max Input Tokens | 32k
    rf"\bmax(?:imum|\.)?[\s-]{{1,3}}(?:supported\s{{1,3}})?{TEXT}{{0,3}}(?:length|tokens?|size|limit|window|input)"
    rf"(?:\s{{1,3}}\((?:in )?tokens\))?{GAP}(?:(?:of|is)\s{{1,3}})?(?:up to\s{{1,3}})?[*_`]{{0,3}}{NUMBER}{THOUSANDS}",
    # Sequence length: 512, Context window | 8192, each under a label of its own
    rf"{LABEL}{TEXT}{{1,2}}(?:length|limit|window)[\s*_`]{{0,9}}[|:=][\s*_`|]{{0,9}}(?:up to\s{{1,3}})?{NUMBER}{THOUSANDS}",
)
SPOKEN_TOKENS = _any(
    # this model supports inputs of up to 8192 tokens; it handles up to 512 tokens
    rf"\b(?:(?:this|the|our) (?:(?!{OTHER})\w{{1,20}} )?model|it) (?:can |is able to )?{TAKES}[^.\n\d]{{0,60}}"
    rf"{NUMBER}{THOUSANDS}{PIECES}",
    rf"{LABEL}{TAKES}[^.\n\d]{{0,60}}{NUMBER}{THOUSANDS}{PIECES}",
    # a context length of 8192, a 512-token limit
    rf"\bcontext (?:length|window|size) of (?:up to )?{NUMBER}{THOUSANDS}",
    rf"{NUMBER}{THOUSANDS}[\s-]token (?:limit|window|context|maximum|input)\b",
    rf"{LABEL}(?:max_seq_length|model_max_length)[\s*_`]{{0,9}}[|:=][\s*_`|]{{0,9}}{NUMBER}",
)
LOOSE_TOKENS = _any(
    rf"{NUMBER}{THOUSANDS}{PIECES}",
    r"(?<![\"'\w])(?:(?P<sets>\w{1,30}\.max_seq_length)|max_(?:seq_|sequence_)?len(?:gth)?)\s{0,3}[=:]\s{0,3}(\d{1,7})\b",
)
# Sentences and sections about a training run, an evaluation or data have limits of their own.
ELSEWHERE = Pattern(
    r"\b(?:pre-?|fine-?)?train|\bgenerat|\bchunk|\bbatch(?:es)?\b|\bepochs?\b|learning rate|\bwe used?\b|data ?sets?\b|hyper[ -]?param"
    r"|\bwill (?:feature|have|support|come)\b|\b(?:was|were)\s*$",
    re.IGNORECASE,
)
FILTERED = Pattern(r"[\s,]{0,3}(?:were|was|are) (?:dropped|removed|filtered|excluded|discarded|skipped|split)", re.IGNORECASE)
DIM = r"[\s-]{0,3}dim(?:ension(?:al|s|ality)?|s)?\b"
FIRM_DIMENSION = _any(
    # maps sentences to a 384 dimensional dense vector space
    r"\b(?:maps?|mapping|encodes?|embeds?|produc\w{1,4}|outputs?|returns?|yields?|generat\w{1,4}|creates?|into|to an?)\b[^.\n\d]{0,80}?"
    rf"{NUMBER}{DIM}",
    # 384-dimensional embeddings, a 768-d vector
    rf"{NUMBER}(?:[\s-]{{0,3}}dim(?:ensional)?|-?d)[\s-]{{1,3}}(?:(?:dense|sentence|text|output|float|normali[sz]ed) ){{0,2}}"
    r"(?:embedding|vector|space|representation)",
    # vectors of size 768, embeddings with 768 dimensions, embeddings are 1024-dimensional
    rf"\b(?:embeddings?|vectors?) (?:of|with|have|has)(?: an?)? (?:fixed |output )?(?:size|dimension(?:ality)?|length)(?: of)? {NUMBER}",
    rf"\b(?:embeddings?|vectors?) (?:of|with|have|has|is|are) {NUMBER}{DIM}",
    # Output Dimensionality: 512, sentence embedding dim: 768, Embedding size | 1024
    rf"\b(?:output|embedding|vector)s?[\s_-]{{1,3}}(?:vector[\s_-]{{1,3}})?(?:dim(?:ension(?:s|ality)?|s)?|size|width)(?:\s{{1,3}}size)?"
    rf"{GAP}(?:(?:of|is)\s{{1,3}})?[*_`]{{0,3}}{NUMBER}",
    # Dimensions: 768, Dimensions | 768, each under a label of its own
    rf"{LABEL}dim(?:ension(?:s|ality)?|s)?[\s*_`]{{0,9}}[|:=][\s*_`|]{{0,9}}{NUMBER}[\s*_`|]{{0,9}}(?:{DIM}[\s*_`|]{{0,9}})?$",
)
LOOSE_DIMENSION = _any(rf"{NUMBER}(?:{DIM}|d\b)", r"\b(?:dim\w{0,12}|truncate_dim)[\"'\]]?\s{0,3}[=:]\s{0,3}(\d{1,6})\b")
MATRYOSHKA = ("matryoshka", "(mrl)", "truncate_dim")
EMBEDDING_TAGS = frozenset({"sentence-transformers", "sentence-similarity", "feature-extraction", "text-ranking", "mteb"})
EMBEDDING_WORDS = ("embedding", "Embedding", "entence-transformer", "entenceTransformer", "entence Transformer", "ooling", "dimensional")
LINE_END = Pattern("\n")
TOKEN_WORDS = ("token", "piece", "subword", "sub-word", "length", "context", "max_seq", "max_len")
SIZE_WORDS = ("dim", "vector", "embedding")
DIGIT = Pattern(r"\d")
DIGITS = Pattern(r"\d[\d,]{0,12}")
IN_THOUSANDS = Pattern(r"\d[\d,]{0,12}\s?k\b", re.IGNORECASE)
MARKUP = Pattern(r"[*`]|\s\|")


class Block(NamedTuple):
    """A code block: where it starts and ends in the card's text, what it says, and whether it may use this card's model.

    `own` is false where every model that it loads has another name.
    """

    start: int
    end: int
    text: str
    own: bool


class Lines:
    """The card's text by lines, with its headings and code blocks, and without its HTML comments."""

    def __init__(self, facts: Facts) -> None:
        place = facts.places["card.text"]
        self.file, self.first_line = place.file, place.line or 1
        self.text = without_comments(facts["card.text"])
        self.lower = self.text.replace("\u0130", "I").lower()  # of all letters, this one alone changes in length
        self.starts = [0, *(found.end() for found in LINE_END.finditer(self.text)), len(self.text) + 1]
        self.headings: list[tuple[int, str]] = [(row["line"], row["text"]) for row in facts["card.headings"]]
        self.blocks: list[Block] = []
        loads = [(load["line"], load["id"].rpartition("/")[2].lower()) for load in facts["card.loads"]]
        name = (facts["subject.name"] or "").lower()
        for row in facts["card.code"]:
            first = row["line"] - self.first_line
            last = min(first + row["text"].count("\n"), len(self.starts) - 1)
            if 0 <= first < len(self.starts) - 1:
                names = [model for line, model in loads if first <= line - self.first_line <= last]
                self.blocks.append(Block(self.starts[first], self.starts[last], row["text"], not name or not names or name in names))

    def lines(self, *words: str, code: bool = False) -> Iterator[tuple[int, int]]:
        """Yield where the lines start and end that hold one of these words in lower case; lines of code only where wanted."""
        found: set[int] = set()
        for word in words:
            at = self.lower.find(word)
            while at >= 0:
                line = bisect.bisect_right(self.starts, at) - 1
                found.add(line)
                at = self.lower.find(word, self.starts[line + 1])
        for line in sorted(found)[:MAX_LINES]:
            if code or self.block(self.starts[line]) is None:
                yield self.starts[line], self.starts[line + 1] - 1

    def block(self, offset: int) -> Block | None:
        """Return the code block that a character of the text stands in."""
        at = bisect.bisect_right(self.blocks, offset, key=lambda block: block.start) - 1
        return self.blocks[at] if at >= 0 and offset < self.blocks[at].end else None

    def heading(self, offset: int) -> str:
        """Return the heading above a character of the text, or nothing."""
        line = bisect.bisect_right(self.starts, offset) - 1 + self.first_line
        at = bisect.bisect_right(self.headings, line, key=lambda heading: heading[0]) - 1
        return self.headings[at][1] if at >= 0 else ""

    def in_table(self, offset: int) -> bool:
        """Tell whether a character stands in a row of a table, which may speak of other models."""
        line = bisect.bisect_right(self.starts, offset) - 1
        return self.text[self.starts[line] : self.starts[line] + 10].lstrip().startswith("|")

    def at(self, offset: int) -> Location:
        """Return the place of a character of the text."""
        line = bisect.bisect_right(self.starts, offset) - 1
        return Location(self.file, line + self.first_line, offset - self.starts[line] + 1)


def collect_statements(facts: Facts) -> None:
    """Fill the group `says`, and the card's token limits and dimensions; the card must have been read."""
    if not facts["card.text"] or not _is_about_vectors(facts):
        return
    from cardcheck.facts.recipe import collect_recipe

    source = Lines(facts)
    _tokens(facts, source)
    _dimensions(facts, source)
    facts.set("says.matryoshka", any(word in source.lower for word in MATRYOSHKA))
    collect_recipe(facts, source)


def _is_about_vectors(facts: Facts) -> bool:
    """Tell whether it is worth looking: most cards are of models that make no vectors."""
    tags = {*facts["card.tags"], facts["card.pipeline_tag"], facts["card.library_name"]}
    known = bool(tags & EMBEDDING_TAGS) or facts.sources["st"].state != "absent"
    return known or any(word in facts["card.text"] for word in EMBEDDING_WORDS)


def shown(text: str) -> str:
    """Return a statement as it is quoted in a message: on one line, without markup at its ends."""
    return " ".join(MARKUP.sub("", text[:200]).split()).strip(" |>-•_:")[:120]


def before(text: str, offset: int, reach: int = 120) -> str:
    """Return what stands before a place in its line and sentence."""
    start = max(0, offset - reach, text.rfind("\n", max(0, offset - reach), offset) + 1)
    return text[start:offset].rpartition(". ")[2]


def _number(text: str, start: int) -> int:
    """Return the whole number that stands there; it may have thousands separators, and absurd ones are cut."""
    return min(int(DIGITS.match(text, start)[0].replace(",", "")[:12]), 10**9)  # type: ignore[index]


def _numbers(pattern: Pattern, text: str, start: int, end: int) -> Iterator[tuple[re.Match[str], int]]:
    """Yield what a pattern of many branches finds in a line, and where the number in it stands."""
    for found in pattern.finditer(text, start, end):
        group = next(index for index in range(1, pattern.groups + 1) if found[index] and found[index][0].isdigit())
        yield found, found.start(group)


def _add_tokens(facts: Facts, source: Lines, match: re.Match[str], start: int, *, firm: int) -> None:
    value = _number(source.text, start)
    # "32k" may mean 32,000 or 32,768; special tokens make 510 of 512
    thousands = bool(IN_THOUSANDS.match(source.text, start))
    least, most = (value * 1000 - 2, value * 1024 + 2) if thousands else (value - 2, value + 2)
    tokens = value if not thousands else value * 1000 if value & (value - 1) else value * 1024
    if tokens >= 16:
        sets = firm == 1 and bool(match["sets"])
        row = {"tokens": tokens, "least": least, "most": most, "firm": firm, "sets": sets, "text": shown(match[0])}
        facts.add("card.max_tokens", source.at(start), **row)


def _tokens(facts: Facts, source: Lines) -> None:
    for first, last in source.lines(*TOKEN_WORDS, code=True):
        if not DIGIT.search(source.text, first, last):
            continue
        seen: set[int] = set()
        for pattern, firm in ((LABELLED_TOKENS, 3), (SPOKEN_TOKENS, 2)) if source.block(first) is None else ():
            for found, start in _numbers(pattern, source.text, first, last):
                if start not in seen and not _elsewhere(source, found):
                    seen.add(start)
                    _add_tokens(facts, source, found, start, firm=firm)
        for found, start in _numbers(LOOSE_TOKENS, source.text, first, last):
            if start not in seen:
                _add_tokens(facts, source, found, start, firm=1)


def _elsewhere(source: Lines, match: re.Match[str]) -> bool:
    """Tell whether a limit is that of a training run or of data, by its sentence and its heading."""
    after = source.text[match.end() : match.end() + 80].partition("\n")[0].partition(". ")[0]
    around = (before(source.text, match.start()), after, source.heading(match.start()))
    return any(map(ELSEWHERE.search, around)) or bool(FILTERED.match(after))


def _dimensions(facts: Facts, source: Lines) -> None:
    for first, last in source.lines(*SIZE_WORDS, code=True):
        if not DIGIT.search(source.text, first, last):
            continue
        seen: set[int] = set()
        patterns = ((FIRM_DIMENSION, 2), (LOOSE_DIMENSION, 1)) if source.block(first) is None else ((LOOSE_DIMENSION, 1),)
        for pattern, firm in patterns:
            for found, start in _numbers(pattern, source.text, first, last):
                value = _number(source.text, start)
                if value >= 8 and start not in seen:
                    seen.add(start)
                    facts.add("card.dimensions", source.at(start), dimension=value, firm=firm, text=shown(found[0]))
