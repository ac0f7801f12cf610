"""Where a card says what the model was trained on, and what the data sets that it names mean to the catalogue."""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from cardcheck.catalogue import aliases, tasks
from cardcheck.facts.exposure import ADVICE, EVALUATED, TOLD, sentences, split
from cardcheck.facts.families import PART
from cardcheck.facts.located import Location
from cardcheck.facts.sense import Sense
from cardcheck.facts.training import DATA, DATASET_LINK, EVALUATION, NOT_TRAINED_ON
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

FRONT_MATTER, TEXT, PAPER = "front matter", "text", "paper"
MAX_DECLARED = 500  # names of one card; the longest list of a real one has about 400
MAX_LINE = 2000
MAX_SENTENCES = 400  # that speak of training
ADDRESS = Pattern(r"https?://[^\s)>\]\"'|]{1,300}")
NOT_IT = Pattern(
    r"\b(?:not|never|no|nor|without|exclud\w{0,5}|except|other models?|baselines?|they|their|should|could|would)\b"
    r"|n['\u2019]t\b|没有|不使用",
    re.IGNORECASE,
)
CHINESE_DATA = Pattern(r"^.{0,40}数据集\W{0,9}$")
ON_TRAINING = Pattern(r"\btrain|tuning|tuned\b|训练|微调", re.IGNORECASE)
LOGS = Pattern(r"\blogs?\b|hyper-?\s?param|framework|environment|citation", re.IGNORECASE)
REPOSITORY = Pattern(rf"`({PART}/{PART})`")
NEWS = Pattern(r"^[\W_]{0,9}\d{1,4}[-/.]\d{1,2}[-/.]")  # an entry of a list of news: often on another model of the family


# In a paper's summary, whose training a sentence is on: most are on those of others.
OURS = Pattern(
    r"\b(?:we|our|ours)\b|\b(?:this|the|each|resulting) (?:[\w-]{1,20} ){0,2}(?:models?|encoders?) (?:is|are|was|were)\b", re.IGNORECASE
)
THEIRS = Pattern(
    r"\b(?:existing|previous\w{0,2}|prior|most|many|typical\w{0,2}|recent\w{0,2}|conventional\w{0,2}|traditional\w{0,2}|common\w{0,2}|usual\w{0,2}"
    r"|compet\w{1,6}|(?:pre-?)?trained models|when|zero-shot)\b",
    re.IGNORECASE,
)
# A benchmark as a whole by the words for it, and the benchmarks that such a name stands for.
ALL = Pattern(
    r"\b(?:all|whole|entire|full|complete|every)\b(?:\s[\w()-]{1,20}){0,4}?\s\[?(?:c-?mteb|mmteb|mteb|rteb|beir|nanobeir)\b", re.IGNORECASE
)
KIND = Pattern(r"classif|cluster|retriev|rerank|\bsts\b|similarity|summar|bitext", re.IGNORECASE)
BOARDS = {
    "MTEB": ("MTEB(eng, v1)", "MTEB(eng, v2)"),
    "MMTEB": ("MTEB(Multilingual, v2)",),
    "BEIR": ("BEIR",),
    "NANOBEIR": ("NanoBEIR",),
    "RTEB": ("RTEB(beta)",),
    "C-MTEB": ("MTEB(cmn, v1)",),
    "CMTEB": ("MTEB(cmn, v1)",),
}
# "Datasets: X" says what the model was trained on wherever it stands, but under results.
LABEL = Pattern(
    r"^\W{0,6}(?:train(?:ing)?\s|fine-?tuning\s)?(?:data\s?sets?|data|corpus|corpora)(?:\sused)?[\s*_]{0,4}[:\uff1a]", re.IGNORECASE
)


class Declaration(NamedTuple):
    """A data set that the card says was trained on: where it is named and as what, and what that means, if anything.

    `problem` says why it can mean nothing: `private`, `whole` for a benchmark of which no set is named, or `prose` for a sentence that
    tells of data and names no set. `tests`: its test part was trained on.
    """

    origin: str
    name: str
    place: Location
    match: aliases.Match | None
    problem: str = ""
    tests: bool = False
    way: str = ""  # the origin more closely, where there is more to tell


def declarations(facts: Facts, prose: Prose) -> list[Declaration]:
    """Return what the card declares, in the order in which it is to be believed; the same data is named once for each place."""
    found: dict[tuple[str, object], Declaration] = {}
    named = chain(_front_matter(facts), _stated(facts), _sections(facts, prose), _linked(facts, prose), _told(facts, prose), _papers(facts))
    for one in _in_context(facts, prose, list(islice(named, MAX_DECLARED))):
        key = (one.origin, one.match.tasks if one.match and one.match.tasks else one.match or one.name.lower())
        if key not in found or (one.tests and not found[key].tests):
            found[key] = one
    return [one for one in found.values() if one.problem != "prose" or len(found) == 1]


def _in_context(facts: Facts, prose: Prose, named: list[Declaration]) -> list[Declaration]:
    """Return what is declared, each name as the card means it."""
    sense = Sense(facts, prose, (one.name for one in named))
    return [one._replace(match=sense.of(one.match, one.name)) for one in named]


def _front_matter(facts: Facts) -> Iterator[Declaration]:
    for row in facts["training.datasets"]:
        if row["problem"] == "nothing" or row["first"]:
            continue
        match = None if row["problem"] == "private" else aliases.data_set(row["replacement"])
        problem = "private" if row["problem"] == "private" else ""
        place = Location(row["file"], row["line"], row["column"])
        yield Declaration(FRONT_MATTER, row["value"], place, match, problem, tests=match is not None and match.tests)


def _stated(facts: Facts) -> Iterator[Declaration]:
    """Yield what single sentences admit: test data, private data, a benchmark as a whole."""
    for row in facts["training.statements"]:
        place = Location(row["file"], row["line"], row["column"])
        if row["kind"] == "test":
            yield from (Declaration(TEXT, words, place, match, tests=True) for _, words, match in aliases.in_text(row["text"]))
        elif row["kind"] == "private":
            yield Declaration(TEXT, row["what"], place, None, "private")
        elif row["kind"] in ("benchmark", "splits"):
            yield _whole(row, place)


def _whole(row: dict[str, Any], place: Location) -> Declaration:
    """Return what a sentence on a benchmark as a whole declares.

    "All of MTEB" names every task whose data is to be had, as far as there is anything to train on; "MTEB data" does not say which, and
    neither does "all classification sets of MTEB".
    """
    boards = BOARDS.get(row["what"].upper(), ()) if ALL.search(row["text"]) and not KIND.search(row["text"]) else ()
    held = {name for board in boards for name in tasks.tasks_of(board)}
    inside = sorted(name for name in held if (it := tasks.task(name)) and it.public and not aliases.is_test_only(name))
    match = aliases.Match("same", tuple(inside), f"the text says all of {row['what']}") if inside else None
    return Declaration(TEXT, row["text"] if match else row["what"], place, match, "" if match else "whole")


def _sections(facts: Facts, prose: Prose) -> Iterator[Declaration]:
    """Yield what sections on training and on data name and link, and lines that are headed so; evaluation is passed over."""
    heads = {head["line"]: head for head in facts["card.headings"]}
    training = {row["line"] for row in facts["training.sections"]}
    offset, inside, skipping = 0, 0, 0
    for number, line in enumerate(prose.words.split("\n"), prose.place.line or 1):
        if head := heads.get(number):
            level, text = head["level"], head["text"][:120]
            inside, skipping = (0 if level <= inside else inside), (0 if level <= skipping else skipping)
            if EVALUATION.search(text) or LOGS.search(text):
                skipping = skipping or level
            elif number in training or DATA.match(text) or CHINESE_DATA.match(text):
                inside = inside or level
        elif (inside or LABEL.match(line)) and not skipping and line and not line.isspace():
            yield from _line(prose, line[:MAX_LINE], offset)
        offset += len(line) + 1


def _line(prose: Prose, line: str, offset: int) -> Iterator[Declaration]:
    text = _without_addresses(line)
    if NOT_TRAINED_ON.search(text) or NOT_IT.search(text):
        return
    named = [Declaration(TEXT, words, prose.at(offset + at), match) for at, words, match in aliases.in_text(text)]
    meant = {task for one in named if one.match for task in one.match.tasks}
    yield from named
    for link in _links(prose, line, offset):
        held = set(link.match.tasks) if link.match else set()
        if not (meant & held and len(held) > len(meant)):  # a collection of which the words name one part
            yield link


def _links(prose: Prose, line: str, offset: int) -> Iterator[Declaration]:
    """Yield the data sets that a line links, on the Hub or at their own address."""
    if "://" not in line:
        return
    for found in ADDRESS.finditer(line):
        place = prose.at(offset + found.start())
        if link := DATASET_LINK.match(found[0]):
            yield Declaration(TEXT, link[1], place, aliases.data_set(link[1]))
        elif match := aliases.by_address(found[0]):
            yield Declaration(TEXT, found[0], place, match)


def _linked(facts: Facts, prose: Prose) -> Iterator[Declaration]:
    """Yield the data sets of lines outside such sections that link one and speak of training."""
    if not any("/datasets/" in row["url"] for row in facts["card.links"]):
        return
    offset = 0
    for line in prose.words.split("\n"):
        if "/datasets/" in line:
            text = _without_addresses(line[:MAX_LINE])
            if (
                ON_TRAINING.search(text)
                and not any(it.search(text) for it in (NOT_TRAINED_ON, NOT_IT, NEWS, ADVICE))
                and _is_own(facts, text)
            ):
                yield from _line(prose, line[:MAX_LINE], offset)
        offset += len(line) + 1


def _is_own(facts: Facts, line: str) -> bool:
    """Tell whether a line names no other repository, of whose training it would then speak."""
    other = REPOSITORY.search(line)
    return other is None or not facts["subject.id"] or other[1].lower() == facts["subject.id"].lower()


def _papers(facts: Facts) -> Iterator[Declaration]:
    """Yield what the model's own papers say that it was trained on, in their summaries, of which most are silent, and in a table."""
    for row in facts["overlap.papers"]:
        place = Location(row["file"], row["line"], row["column"])
        way = f"{PAPER} arXiv:{row['number']}"
        for _, sentence in islice(split(row["summary"], 0), MAX_SENTENCES):
            told = TOLD.search(sentence)
            if told and OURS.search(sentence) and not any(it.search(sentence) for it in (NOT_IT, THEIRS)):
                scored = EVALUATED.search(sentence)
                for _, words, match in aliases.in_text(sentence[: scored.start() if scored else len(sentence)]):
                    yield Declaration(PAPER, words, place, match, way=way)
        for _, words, match in aliases.in_text(row["table"]):
            yield Declaration(PAPER, words, place, match, way=f"{way}, table")


def _without_addresses(line: str) -> str:
    return ADDRESS.sub(lambda found: " " * len(found[0]), line)


def _told(facts: Facts, prose: Prose) -> Iterator[Declaration]:
    """Yield what sentences on training name, up to where they come to speak of results; that none is named is told as well."""
    if not facts["training.words"]:
        return
    named = False
    for start, sentence in islice(sentences(prose), MAX_SENTENCES):
        told = TOLD.search(sentence)
        if not told or any(it.search(sentence) for it in (NOT_IT, ADVICE, NEWS)) or not _is_own(facts, sentence):
            continue
        scored = EVALUATED.search(sentence)
        end = scored.start() if scored else len(sentence)
        if end > told.start():
            for at, words, match in aliases.in_text(_without_addresses(sentence[:end])):
                named = True
                yield Declaration(TEXT, words, prose.at(start + at), match)
            yield from _links(prose, sentence[:end], start)
    if not named and (row := next((row for row in facts["training.statements"] if row["kind"] == "told"), None)):
        yield Declaration(TEXT, row["text"], Location(row["file"], row["line"], row["column"]), None, "prose")
