"""Where the card's text puts the model under another licence than the front matter."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from cardcheck.facts.licences import WORDS
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MAX_SECTION = 600  # characters of a section about the licence that are looked at
MAX_STATEMENTS = 60

# Applied to single lines that hold the word, in lower case.
LICENCE = Pattern(r"licen[cs]")
HEADING = Pattern(r" {0,3}(?:#{1,6}[^\n#]{0,20}?|\*{2,3})(?:model |weights )?licen[cs](?:e|ing)\b[^\n]{0,40}$")
LABEL = Pattern(r"[ \t>*+|#-]{0,9}(?:model )?licen[cs]e\b[\s*_|`]{0,9}[:\uff1a][\s*_|`]{0,9}([^\s*_|`][^\n]{0,200})")
UNDER = Pattern(r" under\b")
GRANTED = Pattern(r"\b(?:licen[cs]ed|released|distributed|available|published|provided|covered|governed|shared)\b[^\n.]{0,30}$")
MAX_LINE = 240
MAX_FOUND = 300  # places of a text that are looked at
NEXT = Pattern(r"^ {0,3}(?:#{1,6} |\*\*[^*\n]{1,60}\*\*:?\s*$)", re.MULTILINE)
SENTENCE = Pattern(r"(?<=[a-z)\]\w]{2})[.!?。;](?=\s|$)|\n[ \t]{0,9}\n|\n[ \t]{0,9}[-*+|] |。")
SUBJECT = Pattern(
    r"\b(?:code|codebase|scripts?|software|repo|repository|repositories|data|datasets?|corpus|corpora|base|original|foundation|backbone|parent"
    r"|upstream|tokenizer|library|package|framework|toolkit|images?|figures?|documentation|docs|demo|app|paper|article|content|teacher"
    r"|adapters?|lora|built|derived|derivatives?|based|trained|finetuned|fine-tuned|pretrained|merged?|mix|quanti[sz]\w*|previous|older"
    r"|earlier|other|some|dependenc\w*|third|website|card|outputs?|vae|text|component|except|unless|was|were|same|either|dual|each|multiple)\b|代码|数据"
)
TERMS = Pattern(r"licen[cs]|\bunder\b|\breleased\b|\bterms\b|commercial|许可|协议|非商用")
MAX_LABEL = 7  # words of a licence's name that stands alone
SURELY = Pattern(r"models?\s{0,3}(?:也)?是非商用|\bmodel is (?:only )?for non-?commercial")
MENTIONS: dict[str, Pattern] = {
    family: Pattern(pattern)
    for family, pattern in (
        ("mit", r"\bmit\b"),
        ("apache", r"\bapache\b"),
        ("bsd", r"\bbsd\b"),
        ("agpl", r"\bagpl|affero"),
        ("lgpl", r"\blgpl|lesser general public"),
        ("gpl", r"\bgpl|(?<!lesser )(?<!affero )general public"),
        ("mpl", r"\bmpl\b|mozilla public"),
        ("llama", r"\bllama[\s-]?\d?[\d.]{0,2}[^\n.]{0,30}\blicen[cs]e|^\W{0,9}llama[\s-]?[\d.]{0,3}\W{0,9}$"),
        ("gemma", r"\bgemma\b[^\n.]{0,20}\b(?:licen[cs]e|terms)|^\W{0,9}gemma\W{0,9}$"),
        ("rail", r"rail\b|rail-m|rail\+\+|creativeml"),
        ("cc0", r"\bcc-?0\b|\bcc zero|publicdomain/zero|public domain"),
        ("unlicense", r"\bunlicense"),
        ("wtfpl", r"\bwtfpl"),
        ("custom", r"\b(?:custom|proprietary|bespoke) licen"),
        ("non-commercial", r"\bnon-?\s?commercial|非商用|非商业|research (?:use|purposes?) only"),
    )
}
CC = Pattern(r"(?:\bcc|licenses/)[\s_/-]{0,3}(by(?:[\s_/-]{0,3}(?:nc|nd|sa)\b){0,3})|\bby[\s_-]cc((?:[\s_-](?:nc|nd|sa)\b){0,3})")
OPEN = frozenset({"mit", "apache", "bsd", "cc0", "cc-by", "unlicense", "wtfpl"})


def families(text: str) -> set[str]:
    """Return the families of licences that a short text names; it is in lower case."""
    text = text.replace("_", " ")
    found = {family for family, pattern in MENTIONS.items() if pattern.search(text)} | _commons(text)
    if any("-nc" in family for family in found):
        found.discard("non-commercial")
    return found


def _commons(text: str) -> set[str]:
    """Return the Creative Commons licences that a text names, without their versions; `cc` where it does not say which."""
    if "cc" not in text and "creative" not in text:
        return set()
    for pattern, word in WORDS:
        text = pattern.sub(word, text)
    parts = [re.findall("nc|nd|sa", found[1] or found[2] or "") for found in CC.finditer(text)]
    named = {"-".join(["cc-by", *(part for part in ("nc", "nd", "sa") if part in some)]) for some in parts}
    return named or ({"cc"} if re.search(r"\bcc\b", text) else set())


def _names(text: str, family: str) -> bool:
    """Tell whether a text names a family of licences anywhere, however loosely."""
    if family in ("llama", "gemma"):
        return family in text
    if family in MENTIONS:
        return bool(MENTIONS[family].search(text))
    commons = _commons(text.replace("_", " "))
    return family in commons or "cc" in commons or (family == "cc" and bool(commons))


def family_of(licence: str) -> str:
    """Return the family of an identifier of the Hub, or an empty text where texts have no common name for it."""
    if licence.startswith("cc-by"):
        return re.sub(r"-\d.*$", "", licence)
    head = re.sub(r"[\d.+-].*$", "", licence)
    if "rail" in licence:
        return "rail"
    names = MENTIONS.keys() - {"custom", "non-commercial"}
    return licence if licence == "cc" else "cc0" if licence.startswith("cc0") else head if head in names else ""


def collect_stated(facts: Facts, prose: Prose) -> None:
    """Note where the text puts the model under a licence of another family than the front matter, which it names nowhere."""
    if facts["metadata.stricter_bases"]:
        lower = prose.words_lower
        rows = [row for row in facts["metadata.stricter_bases"] if not _explained(row["licence"], lower)]
        facts.set("metadata.stricter_bases", rows)
    declared = [row["right"] for row in facts["metadata.licenses"]]
    wanted = {family_of(licence) for licence in declared}
    if not declared or "" in wanted or not ("licen" in prose.lower or " under " in prose.lower):
        return
    text = prose.words_lower
    if any(_names(text, family) for family in wanted):
        return
    for number, (start, statement) in enumerate(_statements(text)):
        if number >= MAX_STATEMENTS:
            return
        named = families(statement)
        if len(named) != 1 or not _is_grant(statement):
            continue
        (stated,) = named
        if stated in ("llama", "gemma") and len(statement.split()) > MAX_LABEL and "this model" not in statement:
            continue  # many cards quote the terms of the model that they build on
        if stated in ("custom", "non-commercial") and not wanted <= OPEN:
            continue
        facts.add("metadata.contradicted", prose.at(start), declared=", ".join(declared), stated=NAMES.get(stated, stated.upper()))
        return


def _is_grant(statement: str) -> bool:
    """Tell whether a sentence puts this model, and nothing else, under a licence."""
    if SURELY.search(statement):
        return True
    return not SUBJECT.search(statement) and (len(statement.split()) <= MAX_LABEL or bool(TERMS.search(statement)))


def _explained(licence: str, text: str) -> bool:
    """Tell whether the text speaks of the base model's licence."""
    if "-nc" in licence:
        return bool(re.search(r"non-?\s?commercial|\bby-nc|非商用", text))
    name = re.escape(re.sub(r"[\d.]+$", "", licence).partition("-")[0])
    return bool(re.search(rf"\b{name}\b[^\n]{{0,60}}\b(?:licen[cs]e|terms)|\blicen[cs]e[^\n]{{0,60}}\b{name}", text))


NAMES = {
    "mit": "the MIT licence", "apache": "the Apache licence", "bsd": "a BSD licence", "llama": "a Llama licence",
    "gemma": "the Gemma terms", "rail": "a RAIL licence", "custom": "a custom licence", "non-commercial": "non-commercial use only",
    "cc": "a Creative Commons licence", "unlicense": "the Unlicense",
}  # fmt: skip


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield sentences that say under which licence something is, with their offsets."""
    for found in islice(LICENCE.finditer(text), MAX_FOUND):
        start = text.rfind("\n", max(0, found.start() - 80), found.start()) + 1
        if not start and found.start() > 80:
            continue
        end = text.find("\n", found.end(), start + MAX_LINE)
        line = text[start : end if end >= 0 else start + MAX_LINE]
        if label := LABEL.match(line):
            yield start + label.start(1), label[1]
        elif HEADING.match(line):
            later = NEXT.search(text, start + len(line) + 1, start + len(line) + MAX_SECTION)
            section = text[start + len(line) : later.start() if later else start + len(line) + MAX_SECTION]
            yield from _sentences(section, start + len(line))
    for found in islice(UNDER.finditer(text), MAX_FOUND):
        before = text[max(0, found.start() - MAX_LINE) : found.start()]
        if GRANTED.search(before[-60:]):
            cut = max(before.rfind("\n"), before.rfind(". ")) + 1
            end = text.find("\n", found.end(), found.end() + MAX_LINE)
            sentence = before[cut:] + text[found.start() : end if end >= 0 else found.end() + MAX_LINE]
            yield found.start() - len(before) + cut, SENTENCE.split(sentence)[0]


def _sentences(section: str, offset: int) -> Iterator[tuple[int, str]]:
    done = 0
    for stop in [*SENTENCE.finditer(section), None]:
        sentence = section[done : stop.start() if stop else len(section)]
        if sentence.strip():
            yield offset + done + len(sentence) - len(sentence.lstrip()), sentence
        done = stop.end() if stop else done
