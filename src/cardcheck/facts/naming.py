"""Whether a text from outside names the model, and what the card says around a link."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardcheck.facts.families import cited_family
from cardcheck.facts.names import LANGUAGES, NOISE, SIZES, WEAK, plain
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts

MAX_TEXT = 400_000  # characters of a page
MAX_NAME = 120
MIN_SUMMARY = 100  # characters; a text that is shorter names nothing for want of room
BEFORE, AFTER = 160, 120  # characters of the line around a link
VERSION = Pattern(r"^v?\d+[bmk]?$|^[lh]\d+$")
SENTENCE_END = Pattern(r"[.!?][)\]*_]{0,3}\s|[。!?|]")
ENDING = Pattern(r"(?<=[a-z]{3})v?\d+$")
# Words in names that say what a model is for, how it is built or how it was made, not which one it is.
COMMON = frozenset(
    """
    albert bert deberta distilbert distilroberta electra gemma gpt llama longformer mbert minilm mistral modernbert mpnet phi qwen roberta
    t5 mt5 xlm xlmr answer ce cls code colbert contrastive cross data dataset datasets dense distil distilled distillation doc document
    documents domain dot en fine ft general instruct lm lora long loss marco matryoshka mean ms msmarco multi multilingual bilingual nli nlp
    pair paraphrase passage pooling pre pretrained qa query question ranker ranking rerank reranker retrieval retriever search semantic
    similarity splade sts sup supervised task tokens trained training transfer unsup unsupervised vector vectors word words
    about an are as at based best by card demo description details evaluation example features from high highlights how in info
    information introduction is it language languages license list model models new news note of on open our overview performance pro
    quality readme release results run source state summary table this to tool torch universal updates usage use using version we what with
    """.split()  # noqa: SIM905  # a hundred pairs of quotes would only be in the way
)
GENERIC = COMMON | NOISE | WEAK | SIZES.keys() | LANGUAGES.keys()


@dataclass(frozen=True, slots=True)
class Names:
    """What the model is called: its id's name, the parts of id and title that tell it from others, and the two as text."""

    whole: str
    parts: frozenset[str]
    text: str

    def in_text(self, text: str, title: str = "") -> str:
        """Return whether a text names the model or its family: `yes`, `no`, or `unsaid` where the name or the text tells too little.

        Beside the name itself that is a part of it (GTE for gte-large-en-v1.5), the first letters of the title's words, and a paper
        of which it is known that the family comes from it.
        """
        lower = folded(f"{title}\n{text}"[:MAX_TEXT])
        words = frozenset(re.split(r"[^a-z0-9]+", lower))
        initials = "".join(word[0] for word in re.split(r"[^a-z0-9]+", folded(title)) if word)
        family = cited_family("", title)
        if (
            (self.whole and len(self.whole) > 3 and self.whole in re.sub(r"[^a-z0-9]+", "", lower))
            or any(_holds(part, lower, words) or (len(part) > 2 and part in initials) for part in self.parts)
            or (family and family.words.search(self.text))
        ):
            return "yes"
        return "no" if self.parts and len(text.strip()) >= MIN_SUMMARY else "unsaid"


def names_of(facts: Facts) -> Names:
    """Return what the subject is called by its id and its title."""
    name, title = (facts["subject.name"] or "")[:MAX_NAME], (facts["card.title"] or "")[:MAX_NAME]
    parts = {ENDING.sub("", part) for part in re.split(r"[^a-z0-9]+", folded(f"{name} {title.rpartition('/')[2]}"))}
    telling = {part for part in parts if len(part) > 1 and part not in GENERIC and not VERSION.match(part)}
    return Names(plain(folded(name)), frozenset(telling), folded(f"{facts['subject.id'] or ''} {title}"))


def _holds(part: str, lower: str, words: frozenset[str]) -> bool:
    """Tell whether a text holds part of a name; a short one as a word, at most with two letters more, as mGTE for gte."""
    if len(part) > 3:
        return part in lower
    return part in words or any(part in word for word in words if len(word) <= len(part) + 2)


def folded(text: str) -> str:
    """Return a text in lower case without accents."""
    if text.isascii():
        return text.lower()
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter)).lower()


def card_lines(facts: Facts) -> list[str]:
    """Return the lines of the card's file."""
    place = facts.places.get("card.text")
    return facts.texts.get(place.file, "").split("\n") if place else []


def around(lines: list[str], row: dict[str, Any]) -> str:
    """Return the sentence that a row of the card stands in, as far as it reaches within its line."""
    if not 0 < row["line"] <= len(lines):
        return ""
    line, at = lines[row["line"] - 1], row["column"] - 1
    before: str = line[max(0, at - BEFORE) : at]
    after: str = line[at : at + AFTER]
    start = max((found.end() for found in SENTENCE_END.finditer(before)), default=0)
    end = SENTENCE_END.search(after)
    return before[start:] + (after[: end.start()] if end else after)


def owner_key(name: str) -> str:
    """Return an owner's name as it is compared: without marks, and without what says no more than that it is somebody in the field."""
    bare = re.sub(r"(?:[-_.](?:ai|hf|nlp|lab|labs|inc|org|team|research|tech|io|com|ml|llm)){1,3}$", "", folded(name)[:MAX_NAME])
    return re.sub(r"[^a-z0-9]+", "", bare)
