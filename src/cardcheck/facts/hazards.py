"""What in the card works on a browser or on an AI that reads it, what it hides, and files that have no place beside a model."""

from __future__ import annotations

import itertools
import re
from itertools import islice
from typing import TYPE_CHECKING

from cardcheck.facts.addresses import collect_addresses, collect_lookalikes
from cardcheck.facts.commands import collect_commands
from cardcheck.facts.located import Location
from cardcheck.facts.prose import Prose, windows
from cardcheck.facts.remotecode import collect_remote_code, collect_usage
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.files import Listing
    from cardcheck.facts.model import Facts

MAX_EACH = 100
MAX_SHOWN = 100  # characters of a quotation in a message
MAX_COMMENT = 4000

# Marks without width between two Latin letters or digits: joiners and hyphens that other scripts and long words need stand elsewhere.
SPLIT_WORD = Pattern(
    r"(?P<before>[A-Za-z0-9_./-]{0,60}[A-Za-z0-9_./-])(?P<mark>[\u200b-\u200d\u2060-\u2064\ufeff\u180e]{1,50})(?P<after>[A-Za-z0-9_./-]{1,60})"
)

ACTIVE = Pattern(
    r"<(?P<script>script)\b(?![^<>]{0,300}type\s{0,3}=\s{0,3}[\"']?(?:application/ld\+json|math/tex|text/template))"
    r"|<[a-z][\w-]{0,20}\s(?:[^<>]{0,400}?\s)?(?P<event>on[a-z]{3,20})\s{0,3}=\s{0,3}[\"']"
    r"|<(?P<frame>iframe|object|embed|form|applet|base)\s{1,9}[a-z-]{1,20}\s{0,3}=|<(?P<refresh>meta)\s[^<>]{0,200}http-equiv\s{0,3}=\s{0,3}[\"']?refresh",
    re.IGNORECASE,
)
INLINE_CODE = Pattern(r"(`{1,3})[^`\n]{1,500}\1")

# In front matter, one at the end of a value makes it another value.
TRAILING_MARK = Pattern(r"(?P<before>[A-Za-z0-9_./-]{1,60})(?P<mark>[\u200b\u2060\ufeff]{1,50})(?P<after>(?=[\s\"',\]]|$))")

# Words that are aimed at an AI which reads the card, not at its users.
OVERRIDE = (
    r"\b(?:ignore|disregard|forget|override|bypass)\s{1,3}(?:(?:all|any|every|the|your|of|these|those|my)\s{1,3}){0,3}"
    r"(?:previous|prior|above|earlier|preceding|foregoing|existing|original|system)\s{1,3}(?:\w{1,20}\s{1,3}){0,2}"
    r"(?:instructions?|prompts?|directions?|directives?|guidelines|rules|commands|context|messages?)\b[^\n]{0,80}"
)
READER = (
    r"(?:AIs?|LLMs?|large language models?|language models?|chatbots?|ChatGPT|Claude|Gemini|Copilot"
    r"|(?:AI|LLM|coding) (?:assistants?|agents?|reviewers?|readers?|systems?|models?|tools?))"
)
ADDRESSED = (
    rf"\b(?:if|as|since|because) you(?: a|['\u2019]?)re (?:an? )?(?:\w{{1,20}} )?{READER}\b[^.\n]{{0,80}}"
    r"\b(?:read|review|summar|evaluat|pars|process|crawl|index|assess|compar|rank|audit|recommend|analy[sz])\w{0,10}[^\n]{0,80}"
    rf"|\b(?:note|notice|message|instructions?|attention|important)(?: (?:to|for))? (?:all |any |every |the ){{0,2}}{READER}\b"
    r"[^\n.]{0,60}(?:[:,!—-]|\breading\b)[^\n]{0,80}"
    rf"|\b{READER} (?:reading|reviewing|processing|evaluating|summari[sz]ing|parsing|assessing) (?:this|the)\b[^.\n]{{0,80}}"
    r"\b(?:must|should|shall|are (?:instructed|required|asked)|please)\b[^\n]{0,80}"
)
APPEAL = Pattern(f"{OVERRIDE}|{ADDRESSED}", re.IGNORECASE)
# In text that no reader sees, plainer words are enough.
HIDDEN_APPEAL = Pattern(
    rf"{OVERRIDE}|{ADDRESSED}"
    rf"|(?<!a )(?<!an )\b{READER}\b[,:]?\s(?:\w{{1,20}}\s){{0,3}}"
    r"(?:must|should|please|recommend|rate|rank|prefer|do not|don't|ignore)\b[^\n]{0,80}"
    rf"|^\s{{0,9}}(?:\[?(?:SYSTEM|ASSISTANT|INST)\]?|{READER})\s{{0,3}}:[^\n]{{0,100}}"
    rf"|\b(?:to|for) (?:all|any|every) {READER}\b[^\n]{{0,80}}"
    r"|\bwhen (?:summari[sz]|review|evaluat|describ|compar|assess|recommend)ing\b[^.\n]{0,80}"
    r"\b(?:always|say|state|claim|rate|rank|mention|conclude)\b[^\n]{0,80}"
    r"|\b(?:recommend|rate|rank|prefer|describe) this (?:model|repository|card)\b[^\n]{0,100}",
    re.IGNORECASE,
)
TRIGGERS = (
    "ignore", "disregard", "forget", "overrid", "bypass", "re an ai", "re an llm", "re a l", "re a chatbot", "re a coding", "re an auto",
    "re chatgpt", "re claude", "ing this", "to ai", "for ai", " all ai", "to llm", "for llm", " all llm", "to language", "for language",
    "attention",
)  # fmt: skip
ABOUT_IT = ("injection", "jailbreak", "adversarial", "red team", "red-team")  # cards of models that detect it quote it
HIDDEN_STYLE = Pattern(
    r"<(?P<tag>[a-z]{1,10})\b(?:[^<>\"']{0,200}\bhidden(?=[\s>])|[^<>]{0,300}?style\s{0,3}=\s{0,3}[\"'][^\"'<>]{0,300}?(?<![\w-])"
    r"(?:display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|opacity\s{0,3}:\s{0,3}0(?:\.0{1,3})?(?![.\d])"
    r"|font-size\s{0,3}:\s{0,3}0(?:\.0{1,3})?(?![.\d])))[^<>]{0,300}>(?P<text>[^<]{1,2000})",
    re.IGNORECASE,
)
TAG_CHARACTERS = Pattern("(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007e]{3,2000}")

FILE_KINDS = (
    ("executable", (".exe", ".dll", ".scr", ".msi", ".com", ".bat", ".cmd", ".ps1", ".vbs", ".vbe", ".wsf", ".hta", ".lnk", ".jar", ".apk",
                    ".dmg", ".pkg", ".deb", ".rpm", ".appimage", ".so", ".dylib", ".pyd", ".pyc", ".class", ".elf", ".scpt")),
    ("archive", (".zip", ".rar", ".7z", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".gz", ".bz2", ".xz", ".iso", ".cab",
                 ".whl", ".egg")),
)  # fmt: skip
CREDENTIALS = Pattern(
    r"(?:^|/)(?:\.env(?:\.(?!example|sample|template|dist)[\w-]{1,30})?|\.netrc|_netrc|\.pypirc|\.npmrc|\.git-credentials|\.aws/credentials|\.ssh/[^/]{1,80}"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)|\.huggingface/token|\.cache/huggingface/token|\.kaggle/kaggle\.json|kaggle\.json|\.?htpasswd|credentials\.json"
    r"|service[_-]account[\w-]{0,40}\.json|client_secrets?[\w.-]{0,80}\.json|[^/]{1,80}\.(?:pem|p12|pfx|ppk|kdbx|jks|keystore))$",
    re.IGNORECASE,
)


def collect_hazards(facts: Facts, listing: Listing, prose: Prose) -> None:
    """Fill the group `hazards`, but for secrets, which come last."""
    if facts.sources["card"].state == "known":
        collect_commands(facts, prose)
        _active(facts, prose)
        _appeals(facts, prose)
        _hidden(facts, prose)
        collect_addresses(facts)
        collect_lookalikes(facts, prose)
        collect_usage(facts)
        _split_words(facts)
    collect_remote_code(facts, listing)
    for path in facts["files.paths"]:
        low = path.lower()
        kind = "credentials" if CREDENTIALS.search(path) else next((kind for kind, ends in FILE_KINDS if low.endswith(ends)), "")
        if kind:
            facts.add("hazards.files", Location(path), path=path[:300], kind=kind)


def _split_words(facts: Facts) -> None:
    """Note words that an invisible mark splits, in the front matter too."""
    card = facts.places["card"].file
    text = facts.texts[card]
    if text.isascii() or not any(mark in text for mark in "\u200b\u200c\u200d\u2060\ufeff\u180e"):
        return
    front = len(text) - len(facts["card.text"])
    matches = itertools.chain(SPLIT_WORD.finditer(text), TRAILING_MARK.finditer(text, 0, front))
    for found in islice(matches, MAX_EACH):
        offset = found.start("mark")
        place = Location(card, text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset))
        facts.add("hazards.split_words", place, word=found["before"] + found["after"], name=f"U+{ord(found['mark'][0]):04X}")


def _active(facts: Facts, prose: Prose) -> None:
    """Note HTML that runs scripts or shows other pages, outside code."""
    if "<" not in prose.words:
        return
    text = INLINE_CODE.sub(lambda found: " " * len(found[0]), prose.words) if "`" in prose.words else prose.words
    for found in islice(ACTIVE.finditer(text), MAX_EACH):
        place = prose.at(found.start())
        if place.line not in _code_lines(facts):
            what = found["script"] or found["event"] or found["frame"] or found["refresh"]
            kind = "script" if found["script"] or found["event"] else "page"
            shown = f"the event handler {what.lower()}" if found["event"] else f"<{what.lower()}>"
            facts.add("hazards.markup", place, kind=kind, what=shown)


def _appeals(facts: Facts, prose: Prose) -> None:
    """Note words to an AI in the text that readers see; quotations, tables and code are examples."""
    lower, text = prose.words_lower, prose.words
    matches = (found for start, end in windows(lower, TRIGGERS, before=120, after=400) for found in APPEAL.finditer(text, start, end))
    for found in islice(matches, MAX_EACH):
        if any(word in lower for word in ABOUT_IT):
            return
        place = prose.at(found.start())
        if not _is_quoted(text[text.rfind("\n", 0, found.start()) + 1 : found.start()]) and place.line not in _code_lines(facts):
            facts.add("hazards.appeals", place, text=_shown(found[0]), hidden=False)


def _is_quoted(before: str) -> bool:
    """Tell from what stands before it in its line whether text is a quotation, code, or part of a table."""
    last, first = before.rstrip()[-1:], before.lstrip()[:1]
    return before.count('"') % 2 == 1 or before.count("`") % 2 == 1 or last in tuple("'\u201c\u00ab\u2018") or first in ("|", ">")


def _code_lines(facts: Facts) -> set[int]:
    return {row["line"] + at for row in facts["card.code"] for at in range(row["text"].count("\n") + 1)}


def _hidden(facts: Facts, prose: Prose) -> None:
    """Note text that readers do not see: all of it where it is hidden by its style or its letters, comments where they speak to an AI."""
    for text, how, offset in _unseen(prose):
        appeal = HIDDEN_APPEAL.search(text)
        if appeal:
            facts.add("hazards.appeals", prose.at(offset), text=_shown(appeal[0]), hidden=True)
        elif how != "a comment" and len(text.split()) > 3:
            facts.add("hazards.hidden", prose.at(offset), text=_shown(text), how=how)


def _unseen(prose: Prose) -> Iterator[tuple[str, str, int]]:
    raw, done = prose.raw, 0
    for _ in range(MAX_EACH):
        if (start := raw.find("<!--", done)) < 0:
            break
        end = raw.find("-->", start)
        end = len(raw) if end < 0 else end
        yield raw[start + 4 : min(end, start + MAX_COMMENT)], "a comment", start
        done = end + 3
    if "style" in prose.words_lower or "hidden" in prose.words_lower:
        for found in islice(HIDDEN_STYLE.finditer(prose.words), MAX_EACH):
            yield found["text"], "its style", found.start()
    if not raw.isascii() and b"\xf3\xa0" in raw.encode("utf-8", "replace"):
        for found in islice(TAG_CHARACTERS.finditer(raw), MAX_EACH):
            yield "".join(chr(ord(letter) - 0xE0000) for letter in found[0]), "invisible letters", found.start()


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MAX_SHOWN else line[: MAX_SHOWN - 1] + "…"
