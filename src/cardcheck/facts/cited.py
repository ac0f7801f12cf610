"""What a card says that a paper is: its arXiv number, title and authors, and whether these can be the paper's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardcheck.facts.naming import folded
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.net.answers import Paper

MAX_ENTRY = 3000  # characters of a BibTeX entry
MAX_VALUE = 1500  # characters of a field
NUMBER = r"(\d{4}\.\d{4,5})(?![\d.]\d)"
IN_ADDRESS = Pattern(
    rf"(?:arxiv\.org/(?:abs|pdf|html)/|huggingface\.co/papers/|alphaxiv\.org/\w{{1,9}}/|doi\.org/10\.48550/arxiv\.){NUMBER}", re.IGNORECASE
)
BARE = Pattern(rf"(?<![\d./-]){NUMBER}")
FIELD = {name: Pattern(rf"(?<![a-z_-]){name}\s{{0,9}}=\s{{0,9}}[{{\"]", re.IGNORECASE) for name in ("title", "author")}
NEXT_FIELD = Pattern(r"[}\"]\s{0,9},?\s{0,40}[a-z_-]{2,30}\s{0,9}=", re.IGNORECASE)
ACCENT = Pattern(r"\\[\"'`^~=.cvuHk]\s{0,3}\{?\\?([A-Za-z])\}?")
# Authors that are no persons are not compared: a card may name the team, arXiv its members.
GROUP = Pattern(
    r"\b(?:team|research|labs?|inc|openai|google|deepmind|nvidia|microsoft|meta|cohere|mistral|technolog\w{1,5}|group|organi[sz]ation|company"
    r"|university|institute|consortium|collaboration|ai)\b",
    re.IGNORECASE,
)
SMALL = frozenset("the and for with from into via are can how not its our your this that using towards toward".split())  # noqa: SIM905
NO_TITLE = Pattern(
    r"\b(?:papers?|report|here|arxiv|preprint|article|see|our|code|link|github|repo\w{0,7}|blog|details?|method)\b|https?:", re.IGNORECASE
)
SPELT_OUT = Pattern(
    r"^\W{0,3}[\w.-]{2,20} \([^()]{1,200}\)\W{0,3}$|^[^()]{1,200}\([A-Z][\w.-]{1,15}\)\W{0,3}$"
)  # CLIP (Contrastive …), … (GTR)
TITLE_SHARE = 0.34  # of the words; papers keep more of a title than this when they change it
TEXT_SHARE = 0.4
END = Pattern(r"[}\"]\s{0,20},?\s{0,20}(?:\n|\}|$)")
AND = Pattern(r"\sand\s|;")


@dataclass(frozen=True, slots=True)
class Cited:
    """What a citation or the text of a link says."""

    where: str
    title: str
    authors: tuple[str, ...] = ()


def arxiv_numbers(text: str, *, bare: bool) -> list[str]:
    """Return the different numbers that arXiv can have given: in addresses of papers, or anywhere."""
    found = (BARE if bare else IN_ADDRESS).findall(text[:MAX_ENTRY])
    return list(dict.fromkeys(number for number in found if _is_possible(number)))


def _is_possible(number: str) -> bool:
    month, serial = number[:4], number[5:]
    return month >= "0704" and "01" <= month[2:] <= "12" and len(serial) == (4 if month < "1501" else 5) and bool(serial.strip("0"))


def read_entry(entry: str) -> Cited:
    """Return title and authors of a BibTeX entry."""
    people = AND.split(_value(entry, "author"))
    return Cited("citation", _value(entry, "title"), tuple(one.strip(" ,") for one in people[:100] if one.strip(" ,")))


def _value(entry: str, name: str) -> str:
    found = FIELD[name].search(entry)
    if not found:
        return ""
    text = entry[found.end() : found.end() + MAX_VALUE]
    end = NEXT_FIELD.search(text)
    text = ACCENT.sub(r"\1", text[: end.start()] if end else END.split(text)[0])
    return " ".join(re.sub(r"[{}\\\"]", "", text).split())


def looks_like_title(text: str) -> bool:
    """Tell whether the text of a link is the title of a work: four words or more, most of them with capitals, and no `our paper`.

    A name with what its letters stand for is the name of a model or method, whatever its paper is called.
    """
    words = [word for word in re.findall(r"[A-Za-z][A-Za-z-]{2,40}", text[:300]) if word.lower() not in SMALL]
    return (
        len(words) >= 4
        and sum(word[0].isupper() for word in words) * 3 >= len(words) * 2
        and not (NO_TITLE.search(text) or SPELT_OUT.search(text))
    )


def compare_titles(said: str, paper: Paper, authored: str) -> str:
    """Return whether the title is the paper's: `agrees`, `differs`, or `unsaid` where too little is told.

    Papers change their titles. One in other words is the same paper's where the authors are, or where the abstract has most of them.
    """
    stated, real = _stems(said), _stems(paper.title)
    if len(stated) < 3 or len(real) < 2:
        return "unsaid"
    if len(stated & real) / min(len(stated), len(real)) >= TITLE_SHARE:
        return "agrees"
    if authored == "agrees":
        return "unsaid"
    in_text = len(stated & _stems(f"{paper.title} {paper.summary}")) / len(stated)
    if authored == "differs":
        return "differs"
    return "differs" if in_text < TEXT_SHARE else "unsaid"


def _stems(text: str) -> frozenset[str]:
    """Return the beginnings of the words of a text: packed and packaged, embedding and embeddings are nearly one."""
    return frozenset(word[:4] for word in re.findall(r"[a-z0-9]{3,40}", folded(text)) if word not in SMALL)


def compare_authors(said: tuple[str, ...], real: list[str]) -> str:
    """Return whether any author is one of the paper's: `agrees`, `differs`, or `unsaid` where one side names no persons."""
    stated, actual = _persons(said), _persons(real)
    if stated & actual:
        return "agrees"
    return "differs" if len(stated) > 1 and len(actual) > 1 else "unsaid"


def _persons(names: tuple[str, ...] | list[str]) -> frozenset[str]:
    """Return the words of persons' names; none where one is no person's."""
    people = [name for name in names[:200] if name.lower() not in ("others", "et al", "et al.")]
    if any(GROUP.search(name) for name in people):
        return frozenset()
    return frozenset(word for name in people for word in re.findall(r"[a-z]{2,40}", folded(name[:100])))
