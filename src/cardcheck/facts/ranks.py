"""Sentences that put this model before all others, and whether anything stands with them to show for it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cardcheck.facts.names import plain
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

# Where to look: patterns are slow and words are fast to find.
TRIGGERS = {
    "rank": (
        "no.1", "no. 1", "#1", "number one", "rank", "1st ", "first place", "first on", "first in ", "first among", "top spot",
        "leaderboard", "mteb", "第一", "榜首", "登顶",
    ),
    "best": (" best ", "outperform", "surpass", " beat", "exceed", "最佳", "最强"),
    "art": ("state-of", "state of", "sota"),
}  # fmt: skip
GAP = r"\s{1,3}"
WORDS = r"(?:[\w()'-]{1,20}\s{1,3})"
BOARDS = r"(?:leader ?boards?|rankings?|c?-?m?mteb)\b"
FIELD = rf"(?:{BOARDS}|r?mmteb\b|rteb\b|beir\b|miracl\b|air-?bench|benchmarks?|open[- ]source|all (?:open|embedding|models)|models\b)"
TOP = r"(?:no\.?\s?1\b|number[ -](?:one|1)\b|#\s?1\b|(?:first|1st|top)[ -](?:place|position|rank|spot)\b)"
KINDS = r"(?:models?|encoders?|embeddings?|rerankers?|retrievers?)\b"
HOLDS = (
    r"\b(?:scor(?:es|ed)|stands?|sits?|is|are|was|at|holds?|achiev\w{1,4}|takes?|took|reach\w{0,3}|secur\w{1,4}|won|with|became|the|as|now)"
)
RANK = Pattern(
    # "ranks first on the MTEB leaderboard", "is currently No. 1 among open models"
    rf"(?:\b(?:rank(?:s|ed|ing)?|placed?|places|finish\w{{0,3}}|came){GAP}{WORDS}{{0,2}}?(?:{TOP}|first\b|1st\b)"
    rf"|{HOLDS}{GAP}{WORDS}{{0,2}}?{TOP})[^.\n!?]{{0,60}}?\b{FIELD}"
    # "the No.1 embedding model", "the top-ranked multilingual model"
    r"|(?:\bno\.?\s?1|\bnumber[ -](?:one|1)|#\s?1|\btop[- ]ranked|\btop[- ]1|\bhighest[- ]rank(?:ed|ing)|\btop[- ]scoring)"
    rf"{GAP}{WORDS}{{0,4}}?model\b"
    # "tops the leaderboard", "at the top of MTEB"
    rf"|\b(?:(?:tops|topped|topping|leads|leading|heads)|(?:at|on){GAP}(?:the{GAP})?top{GAP}of){GAP}(?:the{GAP})?{WORDS}{{0,4}}?{BOARDS}"
    r"|(?:排名|位列|位居|荣获|取得|获得)[^。\n]{0,20}第一|第一名|榜首|登顶",
    re.IGNORECASE,
)
ART = Pattern(r"\b(?:state[- ]of[- ]the[- ]art|sota)\b", re.IGNORECASE)
BEST = Pattern(
    # "is the best open embedding model"
    rf"\b(?:is|are|as|currently|remains){GAP}(?:\w{{1,12}}\s{{1,3}}){{0,2}}?the{GAP}(?:world'?s{GAP})?(?:(?:single|very){GAP})?"
    rf"best(?:[- ]performing)?{GAP}"
    r"(?:(?:open|embedding|multilingual|text|sentence|small|retrieval|reranking|dense|english|chinese|german|french|general|publicly"
    r"|available)"
    rf"[\w-]{{0,12}}\s{{1,3}}){{0,4}}{KINDS}"
    # "outperforms all other open models"
    rf"|\b(?:outperform|surpass|beat|exceed)\w{{0,3}}{GAP}(?:all|every|any){GAP}{WORDS}{{0,4}}?(?:{KINDS}|systems?\b|competitors?\b)"
    r"|(?:最佳|最强)[^。\n]{0,12}模型",
    re.IGNORECASE,
)
SELF = Pattern(
    r"(?:\b(?:this|our|the (?:proposed|resulting|present))\s(?:[\w.-]{1,30}\s){0,4}?(?:models?|encoders?|embeddings?|rerankers?|retrievers?"
    r"|series|family|system)\b|\bit\b|\bwe\b|\bthe models?\b|本模型|该模型|我们)",
    re.IGNORECASE,
)
DOES = Pattern(
    r"\b(?:is|are|was|achiev\w{1,4}|attain\w{0,3}|reach\w{0,3}|sets?|obtain\w{0,3}|deliver\w{0,3}|establish\w{0,3}|provid\w{1,4}"
    r"|offer\w{0,3}|yield\w{0,3}|has|have|show\w{0,3}|exhibit\w{0,3}|demonstrat\w{1,4}|outperform\w{0,3}|surpass\w{0,3}|beat\w{0,3}|exceed\w{0,3}|gives?"
    r"|gets?|represents?|pushes|with|got|hits?|boasts?)\b",
    re.IGNORECASE,
)
# Before the claim: no claim, or one about another model. Behind it: an adjective of something that is no model.
DENIES = Pattern(
    "n['’]t\\b|"  # noqa: RUF001
    r"\b(?:not|never|nearly|almost|near|compar\w{0,8}|competitive|close to|compet\w{1,4} with|rival\w{0,4}|approach(?:es|ing)|against"
    r"|based on|built (?:on|with)|powered by|us(?:es|ing|ed)|utili[sz]\w{1,4}|leverag\w{1,4}|inspired|aim\w{0,4}|goal|should|could|might"
    r"|may|can be|if|without|access to|than (?:the )?(?:current )?|one of the|among the|second|third|in our experiments?"
    r"|(?:fine-?tuned|trained) (?:from|on)|initiali[sz]ed|was)\b",
    re.IGNORECASE,
)
THING = Pattern(
    r"\W{0,3}(?:\w{1,20}\s){0,2}?(?:techniques?|methods?|methodolog\w{1,4}|approach\w{0,2}|technolog\w{1,4}|frameworks?|librar\w{1,4}"
    r"|language models?|llms?|pre-?trained|transformers?|baselines?|architectures?|loss|recipes?|training|datasets?|data|corpus|ai)\b",
    re.IGNORECASE,
)
MARKUP = Pattern(r"\[([^\[\]]{0,200})\]\([^()\s]{0,300}\)?|[*`]")
NUMBER = Pattern(r"(?<![\w.])\d{1,2}\.\d{1,4}(?![\w.])")
LINK = Pattern(
    r"\]\([^()\s]{1,300}\)|https?://|<a\s[^<>]{0,300}href|!\[|<img\b|<table\b|^\s{0,3}\|.{0,200}\|", re.IGNORECASE | re.MULTILINE
)
DATE = Pattern(
    r"\b(?:19|20)\d\d\b|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?\s{1,2}\d{1,2}\b|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}"
    r"|at the time of|at release|\d{1,2}月",
    re.IGNORECASE,
)
PUBLIC = Pattern(r"\b(?:leader ?boards?|c?-?r?mm?teb)\b|榜", re.IGNORECASE)
NAMES_A_MODEL = Pattern(rf"[\w\s-]{{0,60}}\b{KINDS}", re.IGNORECASE)
CUT = Pattern("(?:#{1,6} [^\\n]{1,200}\\n|[.!?](?=\\s)|[。！？]|\\n\\s{0,3}(?:[-*#>|]|\\d\\.))")  # noqa: RUF001
END = Pattern("[.!?](?:\\s|$)|[。！？]|\\n\\s{0,9}\\n|\\n\\s{0,3}(?:[-*#>|]|\\d\\.)")  # noqa: RUF001
HEADING = Pattern(r"^#{1,6}\s", re.MULTILINE)
NEAR = 400
PATTERNS = {"rank": RANK, "best": BEST, "art": ART}
BEFORE, AFTER = 110, 130  # around a word; no pattern reaches further
MAX_CLAIMS = 50
MAX_MATCHES = 500  # of real cards none has 30


def collect_ranks(facts: Facts, prose: Prose) -> None:
    """Fill `claims.ranks`; `claims.scores` is known by now."""
    lower = facts["card.text"].lower()
    ascii_only = lower.isascii()
    here = {kind: [word for word in words if (not ascii_only or word.isascii()) and word in lower] for kind, words in TRIGGERS.items()}
    if not any(here.values()):
        return
    text = prose.words
    names = _names(facts)
    found: set[int] = set()
    for kind, start, end in _claims(prose, here, names):
        line = text.count("\n", 0, start)
        if line in found or len(found) >= MAX_CLAIMS:
            continue
        found.add(line)
        near = _near(text, start, end)
        shown = bool(LINK.search(near) or NUMBER.search(near))
        words = " ".join(MARKUP.sub(r"\1", text[start:end]).split()).strip("*_>#-• ")
        facts.add(
            "claims.ranks",
            prose.at(start),
            text=words[:120],
            kind=kind,
            shown=shown,
            dated=bool(DATE.search(near)),
            board=bool(PUBLIC.search(text, start, end)),
        )


def _names(facts: Facts) -> list[str]:
    """Return the names that the model goes by."""
    names = [
        facts["subject.name"] or "",
        facts["card.title"] or "",
        *(row["name"].rpartition("/")[2] for row in facts["results.models"][:3]),
    ]
    return [name.lower() for name in names if 3 < len(plain(name)) < 60 and " " not in name.strip()]


def _matches(prose: Prose, pattern: Pattern, triggers: list[str]) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern around its words."""
    text, lower, seen = prose.words, prose.lower, set()
    for word in triggers:
        at = lower.find(word)
        for _ in range(MAX_MATCHES):
            if at < 0:
                break
            for match in pattern.finditer(text, max(0, at - BEFORE), at + AFTER):
                if match.end() not in seen:
                    seen.add(match.end())
                    yield match
            at = lower.find(word, at + len(word))


def _claims(prose: Prose, here: dict[str, list[str]], names: list[str]) -> Iterator[tuple[str, int, int]]:
    """Yield (kind, start, end) of what is claimed of this model."""
    text = prose.words
    for kind, pattern in PATTERNS.items():
        for match in _matches(prose, pattern, here[kind]):
            start, end = _sentence(text, match.start(), match.end())
            sentence, before = text[start:end], text[start : match.start()]
            after = text[match.end() : end]
            if DENIES.search(before) or (kind == "art" and THING.match(after)) or _quoted(text, match.start(), match.end()):
                continue
            subject = _subject(before + match[0], names)
            says = _opens(before, after, kind) if subject < 0 else kind != "art" or DOES.search(sentence, subject)
            if says:
                yield kind, max(start, match.start() - 80), end


def _subject(words: str, names: list[str]) -> int:
    """Return where the words that mean this model end; -1 where there are none."""
    found = SELF.search(words)
    lower = words.lower()
    ends = [lower.find(name) + len(name) for name in names if name in lower]
    return found.end() if found else min(ends, default=-1)


def _opens(before: str, after: str, kind: str) -> bool:
    """Tell whether a claim without a subject opens its paragraph: then it speaks of the model as well."""
    article = re.sub(r"^[\s*_>•#-]{0,9}(?:(?:the|a|an)\b)?", "", before[:40], flags=re.IGNORECASE) + before[40:]
    if kind == "best" or re.search(r"[\w)]", article):
        return False
    return kind == "rank" or bool(NAMES_A_MODEL.match(after))


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where the sentence around a match begins and ends, within its paragraph and 300 characters."""
    head = text[max(0, start - 300) : start]
    paragraph = head.rfind("\n\n")
    cut = max([paragraph + 1 if paragraph >= 0 else -1, *(found.end() - 1 for found in CUT.finditer(head))])
    tail = END.search(text[end : end + 300])
    return start - len(head) + cut + 1, end + (tail.start() if tail else min(300, len(text) - end))


def _quoted(text: str, start: int, end: int) -> bool:
    """Tell whether a match stands in a link's text or in quotation marks: the title of a paper, mostly."""
    line_start, line_end = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    before, after = text[max(line_start, start - 300) : start], text[end : line_end if line_end >= 0 else len(text)][:300]
    if before.count("[") > before.count("]") and "](" in after:
        return True
    return any(before.count(mark) % 2 == 1 and mark in after for mark in ('"', "“")) or (
        "“" in before and "”" in after and "”" not in before
    )


def _near(text: str, start: int, end: int) -> str:
    """Return the claim's surroundings: 400 characters either side, within its section."""
    before = text[max(0, start - NEAR) : start]
    heading = [found.start() for found in HEADING.finditer(before)]
    after = text[end : end + NEAR]
    following = HEADING.search(after)
    return (before[heading[-1] :] if heading else before) + text[start:end] + (after[: following.start()] if following else after)
