"""The models that the subject was made from, as far as anybody says, and whether their training data is known."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from cardcheck.catalogue import training
from cardcheck.facts.families import CANONICAL, MODELS
from cardcheck.facts.lineage import base_problem
from cardcheck.facts.located import Location
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts

MAX_PARENTS = 100
# Encoders that were trained to fill gaps in plain text: they have seen no queries and labels, and nobody lists data sets for them.
PLAIN = Pattern(
    r"^(?:google-bert|FacebookAI|distilbert|hfl|klue|vinai|EuroBERT|dbmdz|almanach|HooshvareLab|indobenchmark|cl-tohoku|ku-nlp|jhu-clsp"
    r"|deepset/gbert|deepset/gelectra|xlm-roberta|nlpaueb/legal-bert|beomi/kcbert|monologg/koelectra|sberbank-ai/ru|ai-forever/ru(?:Bert|Roberta)"
    r"|google/(?:electra|canine|mt5|t5|bert_|mobilebert|muril|rembert)|google-t5|allenai/(?:scibert|longformer)|albert"
    r"|microsoft/(?:mpnet-base|MiniLM|Multilingual-MiniLM|deberta|mdeberta|BiomedNLP|xlm-align|infoxlm|codebert|graphcodebert|unixcoder)"
    r"|nreimers/(?:MiniLM|mMiniLM|BERT-(?:Tiny|Mini|Small))|answerdotai/ModernBERT-(?:base|large)$|dicta-il/|sdadas/polish-|dumitrescustefan/bert"
    r"|nomic-ai/nomic-bert|nomic-ai/nomic-xlm|KBLab/bert|DeepPavlov/rubert-base-cased$|camembert|PORTULAN/albertina|neuralmind/bert"
    r"|Alibaba-NLP/(?:new-impl|gte-multilingual-mlm|gte-en-mlm)|jinaai/(?:jina-bert|xlm-roberta-flash)|BAAI/bge-m3-retromae|jina-bert)",
    re.IGNORECASE,
)
# What a name says that was made from such an encoder by training it on pairs.
TUNED = Pattern(
    r"nli|stsb?\b|sts-|msmarco|marco|squad|sentence|sbert|simcse|paraphrase|embed(?!ding-?dim)|retriev|rerank|qqp|mnli", re.IGNORECASE
)


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


def parents(facts: Facts) -> list[Parent]:
    """Return the whole lineage, each model once; a circle ends where it closes."""
    mine = (facts["subject.id"] or "").lower()
    found: dict[str, Parent] = {}
    waiting = [(name, via, 1, place) for name, via, place in _named(facts)]
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
