"""The models that the subject was made from, as far as anybody says, and whether their training data is known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cardcheck.catalogue import training
from cardcheck.facts.declared import NEWS
from cardcheck.facts.families import CANONICAL, HUB, MODELS, PART
from cardcheck.facts.lineage import base_problem
from cardcheck.facts.located import Location
from cardcheck.facts.prose import windows
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MAX_PARENTS = 100
# Encoders that were trained to fill gaps in plain text: they have seen no queries and labels, and nobody lists data sets for them.
PLAIN = Pattern(
    r"^(?:google-bert|FacebookAI|distilbert|hfl|klue|vinai|EuroBERT|dbmdz|almanach|HooshvareLab|indobenchmark|cl-tohoku|ku-nlp|jhu-clsp"
    r"|deepset/gbert|deepset/gelectra|xlm-roberta|nlpaueb/legal-bert|beomi/kcbert|monologg/koelectra|sberbank-ai/ru|ai-forever/ru(?:Bert|Roberta)"
    r"|google/(?:electra|canine|mt5|t5|bert_|mobilebert|muril|rembert)|google-t5|allenai/(?:scibert|longformer)|albert"
    r"|microsoft/(?:mpnet-base|MiniLM|Multilingual-MiniLM|deberta|mdeberta|BiomedNLP|xlm-align|infoxlm|codebert|graphcodebert|unixcoder)"
    r"|nreimers/(?:MiniLM|mMiniLM|BERT-(?:Tiny|Mini|Small))|answerdotai/ModernBERT-(?:base|large)$|dicta-il/|sdadas/polish-|dumitrescustefan/bert"
    r"|nomic-ai/nomic-bert|nomic-ai/nomic-xlm|KBLab/bert|DeepPavlov/rubert-base-cased$|camembert|PORTULAN/albertina|neuralmind/bert"
    r"|Alibaba-NLP/(?:new-impl|gte-multilingual-mlm|gte-en-mlm)"
    r"|uer/chinese_|dccuchile/bert-base-spanish|colorfulscoop/bert-base-ja|jinaai/(?:jina-bert|xlm-roberta-flash)|BAAI/bge-m3-retromae|jina-bert)",
    re.IGNORECASE,
)
# What a name says that was made from such an encoder by training it on pairs.
TUNED = Pattern(
    r"nli|stsb?\b|sts-|msmarco|marco|squad|sentence|sbert|simcse|paraphrase|embed(?!ding-?dim)|retriev|rerank|qqp|mnli", re.IGNORECASE
)

# How a text names the model that this one was made from, where no other place does: with a link or in marks of code.
LINK = rf"\[[^\[\]\n]{{0,140}}\]\(\s{{0,3}}{HUB}(?P<link%d>{PART}/{PART})[^()\s]{{0,80}}\)"
NAMED = rf"[*_]{{0,3}}(?:{LINK}|`(?P<code%d>{PART}/{PART})`)[*_]{{0,3}}"
TUNING = r"(?:fine-?\s?tun(?:ed|e|ing)|train(?:ed|ing))"
ORIGIN = Pattern(
    r"(?:\bdistil(?:led|lation)\b[^.\n]{0,80}?\bfrom\s(?:the\s)?"
    rf"|\b{TUNING}\s(?:using|with)\s(?:the\s|an?\s)?pre-?trained\s(?:model\s)?|\bmodel\s(?:is\s|was\s)?fine-?tuned\s"
    r"|\bused\s(?:the\s|an?\s)pre-?trained\s(?:model\s)?|\bon the basis of\s(?:the\s|an?\s)?(?:pre-?trained\s)?(?:model\s)?"
    r"|(?:^|\n)\W{0,6}(?:base|backbone|pre-?trained)?\s?(?:model|encoder)[\s*_]{0,4}[:\uff1a][\s*_]{0,4}"
    rf"|基于\s?){NAMED % (1, 1)}"
    rf"|\bthis is (?:the|an?) {NAMED % (2, 2)}[^.\n]{{0,60}}{TUNING}"
    rf"|{NAMED % (3, 3)}\s?(?:모델)?을?를?\s?(?:기반|파인튜닝|미세)|{NAMED % (4, 4)}\s?(?:をベース|を基|をファイン|を微調)",
    re.IGNORECASE,
)
SIGNS = ("distil", "pretrained", "pre-trained", "tuned", "model", "encoder", "basis", "基于", "기반", "튜닝", "미세", "を")
OTHER = Pattern(r"\b(?:other|another|compar\w{1,5}|unlike|instead|see|also|teacher)\b|基线|对比", re.IGNORECASE)
MAX_TOLD = 3


class Parent(NamedTuple):
    """A model in the lineage: its id, who names it, how many steps away it is, and what is known of its data.

    `state` is listed (mteb lists it), empty (mteb lists none of its sets), silent (mteb knows the model and says nothing), plain (an
    encoder that was trained on plain text only) or unknown (mteb does not know the model).
    """

    id: str
    via: str
    depth: int
    state: str
    place: Location


def parents(facts: Facts, prose: Prose) -> list[Parent]:
    """Return the whole lineage, each model once; a circle ends where it closes."""
    mine = (facts["subject.id"] or "").lower()
    found: dict[str, Parent] = {}
    waiting = [(name, via, 1, place) for name, via, place in _named(facts)]
    waiting = waiting or [(name, "text", 1, place) for name, place in _told(facts, prose)]
    while waiting and len(found) < MAX_PARENTS:
        name, via, depth, place = waiting.pop(0)
        key = name.lower()
        if key in found or key == mine:
            continue
        found[key] = Parent(name, via, depth, _state(name), place)
        known = training.annotation(name)
        if known and known.adapted_from:
            waiting.append((known.adapted_from, f"mteb's entry of {name}", depth + 1, place))
    return list(found.values())


def _named(facts: Facts) -> Iterator[tuple[str, str, Location]]:
    """Yield the models that the card, its configuration and mteb name as parents."""
    for row in facts["lineage.bases"]:
        if not row["itself"] and row["problem"] in ("", "address", "owner"):
            yield _full(row["replacement"]), "base_model", Location(row["file"], row["line"], row["column"])
    for key, via in (("adapter.base", "adapter_config.json"), ("config.name_or_path", "config.json")):
        value = facts[key] or ""
        problem, replacement = base_problem(value)
        if problem in ("", "address") or replacement:
            yield _full(replacement or value), via, facts.place([key, "card"])
    for row in facts["lineage.stated"]:
        yield _full(row["id"]), "text", Location(row["file"], row["line"], row["column"])
    known = training.annotation(facts["subject.id"]) if facts["subject.id"] else None
    if known and known.adapted_from:
        yield known.adapted_from, "mteb", facts.place(["card.base_model", "lineage.opening", "card"])


def _told(facts: Facts, prose: Prose) -> Iterator[tuple[str, Location]]:
    """Yield the models of which the text says in other ways that this one was made from them."""
    found: dict[str, Location] = {}
    for start, end in windows(prose.words_lower, SIGNS, 260, 400):
        for origin in ORIGIN.finditer(prose.words, start, end):
            name = next((text for text in origin.groupdict().values() if text), "").rstrip(".")
            line = prose.words[prose.words.rfind("\n", 0, origin.start(0) + 1) + 1 : origin.end()][:400]
            if (
                len(found) < MAX_TOLD
                and not NEWS.search(line)
                and not OTHER.search(line.replace(origin[0], ""))
                and _is_mine(facts, line, name)
            ):
                found.setdefault(name, prose.at(origin.start()))
    yield from found.items()


def _is_mine(facts: Facts, line: str, name: str) -> bool:
    """Tell whether a line speaks of this model: it names no repository before the one that it is made from."""
    mine = (facts["subject.id"] or "").lower()
    before = [one.lower() for one in re.findall(rf"`({PART}/{PART})`", line) if one.lower() != name.lower()]
    return name.lower() != mine and not any(one != mine for one in before)


def _full(name: str) -> str:
    return name if "/" in name else MODELS.get(name.lower(), name)


def _state(name: str) -> str:
    known = training.annotation(name)
    if known is not None and known.data:
        return "listed"
    if (PLAIN.match(name) or CANONICAL.match(name)) and not TUNED.search(name):
        return "plain"
    if known is None:
        return "unknown"
    return "empty" if known.data is not None else "silent"
