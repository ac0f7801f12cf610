"""Whether the card is of the repository that it lies in: its title, what its code loads, the owner's spelling, papers that cannot be."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from cardcheck.facts.citations import heading_above
from cardcheck.facts.families import ID, MODELS, PART
from cardcheck.facts.located import Location
from cardcheck.facts.names import plain
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MAX_LOOKED_AT = 300  # names or loads of one card

TITLE_WORDS = Pattern(r"^(?:model ?card(?: for| of)?|model(?: name| id)?|name|readme|the)\b[\s:–-]{0,5}", re.IGNORECASE)
QUOTED = Pattern(rf"[\"']({PART}/{PART})[\"']", re.ASCII)
# What stands before a quoted id that is loaded as a model; tokenizers do not count, they are often another model's.
LOADED = Pattern(
    r"(?:(?:\b(?:SentenceTransformer|CrossEncoder|SparseEncoder|FlagModel|BGEM3FlagModel|FlagReranker|FlagLLMReranker|INSTRUCTOR|AnglE|LLM"
    r"|HuggingFaceEmbeddings?|HuggingFaceBgeEmbeddings|StaticModel|SetFitModel|ColBERT|Checkpoint)(?:\.from_pretrained)?"
    r"|(?:Model|ForCausalLM|ForMaskedLM|Classification|Encoder|Reranker|Retrieval|ForFeatureExtraction|ForCustomTasks|Generation|Seq2SeqLM)"
    r"\w{0,40}\.from_pretrained|\bpipeline)\s{0,9}\(\s{0,99}(?:[\"'][a-z-]{3,40}[\"']\s{0,3},\s{0,40})?(?:[\w-]{1,60}\s{0,9}=\s{0,9})?"
    r"|(?<![\w-])(?:model_?(?:name(?:_or_path)?|id|path|checkpoint)?|MODEL_?(?:NAME|ID|PATH)?)\s{0,9}=\s{0,9})$"
)
RERANKS = Pattern(r"\b(?:CrossEncoder|FlagReranker|FlagLLMReranker|\w{0,40}(?:Reranker|ForSequenceClassification))\b[^\n]{0,100}$")
A_RERANKER = Pattern(r"rerank|cross-?encoder", re.IGNORECASE)
# Code that trains or converts loads what it starts from.
MAKES = Pattern(r"Trainer\(|\.fit\(|\blosses\.|\.save_pretrained\(|\.push_to_hub\(|\bquantize\w{0,30}\(|\bexport=True")
MAKING = Pattern(
    r"\b(?:training|fine-?\s?tun(?:e|ing)|distill(?:ing|ation)|convert(?:ing)?|conversion|quanti[sz](?:e|ing|ation)|export(?:ing)?"
    r"|reproduc\w{1,6}|merg(?:e|ing))\b",
    re.IGNORECASE,
)
LOCAL_OWNERS = frozenset({"path", "model", "models", "output", "outputs", "checkpoints", "results", "saved_models", "local"})
# A card that sends its readers to a newer model shows, rightly, how to load that one.
ADVISED = Pattern(
    r"\b(?:switch\w{0,4}|upgrad\w{0,4}|mov\w{0,4}|migrat\w{0,4}) to\b|\b(?:superseded|succeeded|replaced) by\b|\brenamed to\b"
)
OWNER = Pattern(rf"(?:(?<![\w./@-])|(?<=huggingface\.co/)|(?<=hf\.co/))({PART})$")
FOLDER = Pattern(r"[\"'](?:[./~][^\"'\n]{0,200}/)?$")
ARXIV = Pattern(r"arxiv(?:\.org/(?:abs|pdf|html)/|[:\s]\s{0,3})\s{0,3}(\d{4,5}\.\d{4,6})(?!\d)")  # for text in lower case


def collect_identity(facts: Facts, prose: Prose) -> None:
    """Fill what the group `lineage` says of names; base models must have been noted."""
    _papers(facts, prose)
    if facts["subject.id"]:
        _names(facts, prose)


def _names(facts: Facts, prose: Prose) -> None:
    """Note an owner that is spelled in two ways, whether the code names the model, and a title that is another model's name."""
    me: str = facts["subject.id"] or ""
    if not me:
        return
    owner, _, name = me.partition("/")
    _loads(facts, prose, me)
    seen = {owner.lower()}
    for start, end in islice(_occurrences(prose.lower, f"/{name.lower()}"), MAX_LOOKED_AT):
        found = OWNER.search(prose.visible, max(0, start - 110), start)
        if found and found[1].lower() not in seen and is_near(found[1].lower(), owner.lower()):
            seen.add(found[1].lower())
            facts.add("lineage.near_owners", prose.at(found.start()), id=prose.visible[found.start() : end])
    title = TITLE_WORDS.sub("", (facts["card.title"] or "").strip(" *`#\t")).strip(" *`[]()")
    other = title if ID.match(title) and re.search(r"[\d_-]", title) else MODELS.get(title.lower(), "")
    if other and not _is_mine(other, name, facts):
        facts.set("lineage.other_title", title, facts.places["card.title"])


def _occurrences(text: str, name: str) -> Iterator[tuple[int, int]]:
    """Yield where a name stands that does not go on behind."""
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        after = text[end : end + 2]
        if not after or not (after[0].isalnum() or after[0] in "_-" or (after[0] == "." and after[1:].isalnum())):
            yield start, end
        start = text.find(name, start + 1)


def _is_folder(code: str, name: str) -> bool:
    """Tell whether code gives a model's name without an owner, or as the last part of a path."""
    places = islice(_occurrences(code, name), MAX_LOOKED_AT)
    return any(code[end : end + 1] in ("'", '"', "/") and bool(FOLDER.search(code, max(0, start - 210), start)) for start, end in places)


def _loads(facts: Facts, prose: Prose, me: str) -> None:
    """Note whether the code names this model, by its id or as a folder of its name, and which other models it loads.

    Of a reranker's card the loads of rerankers come first: the retriever before it is another model by right.
    """
    name = me.partition("/")[2]
    rows: list[tuple[bool, Location, str]] = []
    for block in facts["card.code"]:
        code: str = block["text"]
        lower = code.lower()
        if any(_occurrences(lower, me.lower())) or _is_folder(lower, name.lower()):
            facts.set("lineage.code_names_it", value=True)
        # FastEmbed takes the original's name for its own copy
        if "TextEmbedding(" in code or MAKES.search(code) or MAKING.search(heading_above(facts, block["line"])[:200]):
            continue
        for found in islice(QUOTED.finditer(code), MAX_LOOKED_AT):
            line = code.rfind("\n", 0, found.start()) + 1
            before = code[line : found.start()]
            if (
                "#" in before
                or "//" in before
                or "distill(" in before
                or found[1].partition("/")[0].lower() in LOCAL_OWNERS
                or not LOADED.search(code, max(0, found.start() - 250), found.start())
            ):
                continue
            place = Location(block["file"], block["line"] + code.count("\n", 0, line), found.start(1) - line + 1)
            rows.append((bool(RERANKS.search(before)), place, found[1]))
    if A_RERANKER.search(me):
        rows.sort(key=lambda row: not row[0])
    for _, place, other in rows:
        renamed, advised = _is_former_name(facts, me, other), _is_advised(facts, prose, other)
        facts.add("lineage.loads", place, id=other, renamed=renamed, advised=advised)


def _is_former_name(facts: Facts, me: str, other: str) -> bool:
    """Tell whether a model that the code loads is this one by all that the card calls it: repositories are renamed, and cards are not."""
    owner, _, name = other.partition("/")
    title = TITLE_WORDS.sub("", (facts["card.title"] or "").strip(" *`#\t"))
    called = [row["name"] for row in facts["results.models"]] or [title]  # the first heading may be another one than the title
    return owner.lower() == me.partition("/")[0].lower() and all(plain(it) in (plain(name), plain(other)) for it in called)


def _is_advised(facts: Facts, prose: Prose, other: str) -> bool:
    """Tell whether the card sends its readers to a model, by `new_version` or in its text."""
    if (facts["lineage.new_version"] or "").lower() == other.lower():
        return True
    for start, _ in islice(_occurrences(prose.words_lower, other.lower()), 20):
        line = prose.words_lower[max(0, start - 120) : start].rpartition("\n")[2]
        if ADVISED.search(line):
            return True
    return False


def is_near(first: str, second: str) -> bool:
    """Tell whether two different names are one slip of the pen apart; longer names may differ by two letters."""
    if first == second or min(len(first), len(second)) < 4 or abs(len(first) - len(second)) > 2:
        return False
    if plain(first) == plain(second):
        return True
    most = 1 if min(len(first), len(second)) < 8 else 2
    row = list(range(len(second) + 1))
    for i, a in enumerate(first[:96], 1):
        before, row = row, [i]
        for j, b in enumerate(second[:96], 1):
            row.append(min(before[j] + 1, row[-1] + 1, before[j - 1] + (a != b)))
    return row[-1] <= most and first[0] == second[0]


def _is_mine(title: str, name: str, facts: Facts) -> bool:
    """Tell whether a title can be this repository's, or the base or original that the card declares."""
    left, right = plain(title), plain(name)
    bases = {plain(base) for base in facts["card.base_model"]} | {plain(row["id"]) for row in facts["lineage.stated"]}
    return not left or left in right or right in left or left in bases


def _papers(facts: Facts, prose: Prose) -> None:
    """Note arXiv numbers that no paper can have: their first four digits are a year and a month, from April 2007 on."""
    if "arxiv" not in prose.lower:
        return
    seen: set[str] = set()
    for found in islice(ARXIV.finditer(prose.lower), MAX_LOOKED_AT):
        number = found[1]
        year, month, serial = number[:2], number[2:4], number.partition(".")[2]
        wanted = 4 if number[:4] < "1501" else 5
        good = number[4] == "." and "01" <= month <= "12" and number[:4] >= "0704" and len(serial) == wanted and serial.strip("0")
        if not good and year and number not in seen:
            seen.add(number)
            facts.add("lineage.impossible_papers", prose.at(found.start(1)), number=number)
