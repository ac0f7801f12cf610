"""Models that the card's text says this one was made from."""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING

from cardcheck.facts.citations import heading_of
from cardcheck.facts.families import CANONICAL, HUB, MODELS, PART
from cardcheck.facts.names import plain
from cardcheck.facts.prose import windows
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MAX_LOOKED_AT = 300  # links or names of one card
MAX_SHOWN = 110
NO_OWNERS = frozenset({"datasets", "spaces", "papers", "docs", "blog", "collections", "models", "join", "transformers", "course"})

# How a text says that this model was made from another one, up to where that one is named.
MADE_FROM = Pattern(
    r"(?:\bfine-?\s?tun(?:ed|e|ing)(?:\s(?:version|variant|model|checkpoint))?\s(?:of|from|on top of)"
    r"|\b(?:based|built)\s(?:up)?on(?:\stop\sof)?|\btrained\son\stop\sof|\binitiali[sz]ed\s(?:from|with)|\b(?:derived|adapted|trained"
    r"|further trained)\sfrom"
    r"|\bstart(?:ing|ed|s)\s(?:from|with)|\b(?:quanti[sz]ed|distilled|pruned|converted|onnx|gguf|exported)\s(?:version|variant|copy)\sof"
    r"|\bsentence-?\s?transformers\s(?:version|variant|port)\sof|\b(?P<used>we|i)\s(?:have\s)?used?\s(?:the|a)\spre-?trained(?:\smodel)?"
    r"|\b(?:conversion|quanti[sz]ation|export|port)\sof|\b(?P<loose>version|variant|checkpoint)\sof"
    r"|\b(?:base|backbone|foundation|parent|underlying)[\s_-]model(?!s)(?:\sis|\swas)?|\bfinetuned?\sfrom(?:\smodel)?|\bbackbone(?:\sis"
    r"|\swas)?)"
    r"(?P<gap>[^.;!?\n]{0,45})$",
    re.IGNORECASE,
)
# "based on [a data set]", "a version of the tokenizer of [X]": something else was made from it.
NOT_THE_MODEL = Pattern(
    r"tokeni[sz]er|architecture|implementation|data ?set|corpus|method|paper|code\b|recipe|template|approach|idea|licen[cs]e|prompt"
    r"|\bcard\b"
    r"|benchmark|vocab|script|teacher|loss|leaderboard|evaluat|config|format|framework|librar|demo|space|api\b|post\b|repo|derivative"
    r"|showcase|distill(?:ing|ation)|tasks?\b|readme|pipeline|\bvision (?:transformer|encoder|tower)|\b(?:image|audio|text) encoder",
    re.IGNORECASE,
)
OTHER_MODEL = Pattern(
    r"\b(?:see|check|look|unlike|instead|compared?|than|also|previous|older|newer|updated|latest|original|alternatively|new|next|other"
    r"|another|for (?:an?|the)|there is|available|we also|like|similar|if you|were|each|both|models are|v\d)\b",
    re.IGNORECASE,
)
# "an improved version of [X]" may be made from it, "a multilingual version of [X]" is another model of the kind.
LOOSE_AFTER = Pattern(
    r"(?:^|\b(?:an?|the|this|own|our|\w{2,20}ed|[\w-]{0,20}tun\w{2,6}|[48]-?bit|fp16|light\w{0,8})\W{1,3})$", re.IGNORECASE
)
RELATIVE = Pattern(r"\]\([^()\s]{0,200}\)[^.;\n]{0,25}\b(?:which|that|who|itself)\b")  # what follows is said of the model before
# "based on the [X] architecture", "we used the pretrained [X] to mine negatives": nothing was made from the weights of X.
NAMED = r"^(?:\[[^\[\]\n]{0,140}\]\([^()\s]{0,200}\)|[\w./:`-]{1,200})(?![\w/-])[\s*_`'\")]{0,4}"
ARCHITECTURE = Pattern(NAMED + r"(?:model |encoder |transformer |base |large |\([^()\n]{0,40}\) ){0,3}architecture\b", re.IGNORECASE)
ALL_THE_SAME = Pattern(r"adapt|fine-?\s?tun|start|continu|further", re.IGNORECASE)
HELPED = Pattern(
    NAMED + r"(?:model |encoder )?(?:to|as (?:the |an? )?(?:teacher|baseline|reranker|retriever|judge|guide))\b",
    re.IGNORECASE,
)
CONVERTED = Pattern(
    r"quanti[sz]|conver|onnx|gguf|export|port\b|copy|mirror|sentence-?\s?transformers|bit\b|fp16|base[\s_-]model", re.IGNORECASE
)
AND_CHANGED = Pattern(r"fine-?\s?tun|train|quanti[sz]|adapt|convert|distil|prun", re.IGNORECASE)
# The same with a name behind it that is no link: only well-known names count then, "based on BERT/RoBERTa" names no repository.
NAMED_AFTER = (
    "based on",
    "built on",
    "tuned from",
    "top of",
    "version of",
    "initiali",
    "ase model",
    "tarting from",
    "adapter for",
    "lora of",
)
NAME_AFTER = Pattern(
    r"(?:based (?:up)?on|built (?:up)?on|tuned from|top of|version of|initiali[sz]ed (?:from|with)|ase model(?: is)?:?|tarting from"
    r"|adapter for"
    rf"|lora of)[\s*:_|]{{1,9}}(?:the\s)?[*_\"'`]{{0,3}}({PART}(?:/{PART})?)",
    re.IGNORECASE | re.ASCII,
)
KNOWN_OWNERS = frozenset(
    {"microsoft", "facebookai", "google-bert", "google-t5", "meta-llama", "mistralai", "distilbert"}
    | {name.lower().partition("/")[0] for name in MODELS.values()}
)
MAKER = Pattern(r"\b(?:this|is|was|has been|model|it|we|i|our)\b|^\W{0,9}(?:an? |the )?(?:[\w-]{1,20} )?$", re.IGNORECASE)
ITEM = Pattern(r"\n[ \t]{0,12}\n|\n[ \t]{0,12}(?:[-*+•]|\d{1,3}\.)\s")  # what begins a paragraph or an item of a list
LINK = Pattern(r"\[([^\[\]\n]{0,140})\]\([^()\s]{0,200}\)")
LINK_TEXT = Pattern(r"\[([^\[\]\n]{0,140})\]\(\s{0,3}$")


def collect_origin(facts: Facts, prose: Prose) -> None:
    """Note the models that the text says this one was made from."""
    me, own = (facts["subject.id"] or "").lower(), plain(facts["subject.id"] or facts["card.title"] or "")
    title = plain(facts["card.title"] or "")
    seen: set[str] = set()
    for start, name, text in islice(chain(_mentions(prose), _well_known(prose)), MAX_LOOKED_AT):
        if name.lower() in seen or name.lower() == me or plain(name) == own or NOT_THE_MODEL.search(text):
            continue
        line = prose.words[max(0, start - 200) : start]
        sentence = re.split(r"(?<=[.!?])\s|\s\|", ITEM.split(line)[-1].replace("\n", " "))[-1]
        made = MADE_FROM.search(sentence.rstrip("*_ :`|(['\""))
        if not made or NOT_THE_MODEL.search(sentence[max(0, made.start() - 45) :]):
            continue
        heading = plain(heading_of(facts, prose, start))
        if own and heading[:6] == own[:6] and heading != title and not own.startswith(heading):
            continue  # a section on a sister model
        after = prose.words[start : start + 300].partition("\n\n")[0]
        if not _is_of_this(sentence[: made.start()], made, after):
            continue
        if facts["lineage.is_conversion"] and not made["loose"] and not CONVERTED.search(sentence[made.start() :]):
            continue  # that is said of the original
        seen.add(name.lower())
        facts.add("lineage.stated", prose.at(start), id=name, words=_shown(sentence[made.start() :] + (text or after.split()[0])))


def _is_of_this(before: str, made: re.Match[str], after: str) -> bool:
    """Tell by what stands around words of origin whether they are on the weights of this model."""
    if made["loose"] and not (AND_CHANGED.search(after) and LOOSE_AFTER.search(before)):
        return False
    if (ARCHITECTURE.match(after) and not ALL_THE_SAME.search(after)) or (made["used"] and HELPED.match(after)):
        return False
    if RELATIVE.search(before) or re.search(r"\)\s?\(for\b", after[:200]):
        return False
    return bool(not OTHER_MODEL.search(before) and not OTHER_MODEL.search(made["gap"]) and MAKER.search(before))


def _shown(words: str) -> str:
    """Return words of the source as a reader of the page sees them."""
    shown = " ".join(LINK.sub(r"\1", words).replace("*", "").replace("`", "").split())
    shown = shown.rstrip(".,;:)|\"'(")
    return shown if len(shown) <= MAX_SHOWN else shown[:MAX_SHOWN].rpartition(" ")[0] + " …"


def _mentions(prose: Prose) -> Iterator[tuple[int, str, str]]:
    """Yield what names a repository in the prose: where the naming begins, the id, and the text of the link."""
    text = prose.words
    if "huggingface.co/" in text or "hf.co/" in text:
        for found in re.finditer(rf"{HUB}({PART}/{PART})(?=[)\s>\]/.,]|$)", text):
            link = LINK_TEXT.search(text, max(0, found.start() - 150), found.start())
            first = link.start() if link else found.start()
            if found[1].partition("/")[0] not in NO_OWNERS:
                yield first, found[1].rstrip("."), link[1] if link else ""
    if "`" in text:
        for found in re.finditer(rf"`({PART}/{PART})`", text):
            yield found.start(), found[1], ""


def _well_known(prose: Prose) -> Iterator[tuple[int, str, str]]:
    """Yield well-known models that stand in the prose behind words of origin, without a link or marks of code."""
    for start, end in windows(prose.words_lower, NAMED_AFTER, 0, 150):
        for found in NAME_AFTER.finditer(prose.words, start, end):
            name = found[1].rstrip(".")
            if name.lower() in MODELS or CANONICAL.match(name) or ("/" in name and name.partition("/")[0].lower() in KNOWN_OWNERS):
                yield found.start(1), name, ""
