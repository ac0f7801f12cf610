"""What the card says about training data: declared data sets, links, and sentences that bear on whether a benchmark was seen."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from cardcheck.facts.exposure import EVALUATED, NOT, kinds, sentences
from cardcheck.facts.families import HUB, PART
from cardcheck.facts.located import Location
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MAX_SENTENCES = 400  # that speak of training; no real card has more
MAX_LINKS = 400
ENOUGH = 40  # words on training, after which no rule asks for more

DATASET_ID = Pattern(rf"^{PART}(?:/{PART})?$")
DATASET_ADDRESS = Pattern(rf"^(?:{HUB}|(?:huggingface\.co|hf\.co)/)datasets/({PART}(?:/{PART})?)/?(?:[?#]\S{{0,100}})?$", re.IGNORECASE)
DATASET_LINK = Pattern(rf"^{HUB}datasets/({PART}(?:/{PART})?)(?:/(?:tree|viewer|blob|resolve)/\S{{0,200}})?/?(?:[?#]\S{{0,200}})?$")
NOTHING = frozenset(
    {"none", "null", "n/a", "na", "-", "unknown", "tbd", "todo", "?", "dataset", "datasets", "data", "your_dataset", "your-dataset"}
)
PRIVATE = frozenset({"private", "custom", "proprietary", "internal", "in-house", "inhouse", "confidential", "closed", "own", "synthetic"})
REMARK = Pattern(r"\(.{0,60}\b(?:private|internal|proprietary|custom|own|closed)\b.{0,60}\)", re.IGNORECASE)

# Data sets that hold test data only (BEIR, MTEB and C-MTEB evaluate on them, and there is nothing in them to train on).
TESTS_ONLY = Pattern(
    r"(?:^|/|beir[-_/])(?:arguana|scidocs|trec-?covid|(?:webis-)?touche-?2020(?:-v\d)?|climate-?fever|robust04|trec-?news|signal-?1m|bioasq"
    r"|cqadupstack(?:-[\w-]{1,30})?|dbpedia-entity|nano-?(?:beir|arguana|climatefever|dbpedia|fever|fiqa2018|hotpotqa|msmarco|nfcorpus|nq"
    r"|quoraretrieval|scidocs|scifact|touche2020)[\w-]{0,30}|sts1[2-6]-sts|sts22(?:-crosslingual-sts)?|biosses-sts"
    r"|askubuntudupquestions-reranking"
    r"|stackoverflowdupquestions-reranking|scidocs-reranking|twentynewsgroups-clustering|(?:arxiv|biorxiv|medrxiv|reddit|stackexchange)"
    r"-clustering(?:-[ps]2[ps])?|summeval|LegalBench\w{0,60}|sprintduplicatequestions-pairclassification"
    r"|twittersemeval2015-pairclassification|twitterurlcorpus-pairclassification)(?:-qrels|_test_collection|-generated-queries)?$",
    re.IGNORECASE,
)
BENCHMARK_OWNERS = {"mteb": "MTEB", "c-mteb": "C-MTEB", "beir": "BEIR", "nanobeir": "NanoBEIR"}

# Headings of sections on training, and of sections on data that may be on training as well.
TRAINING = Pattern(
    r"^(?:[\W\d_]{0,9}|(?:stage|step|phase) \d\W{0,3})(?:(?:pre-?|post-?|fine-?\s?)?train(?:ing|ed)?|fine-?\s?tun(?:ing|e|ed))\W{0,3}"
    r"(?:\W?(?:data ?sets?|data|details?|corpus|corpora|procedure|process|setup|recipe|and|on|sources?|stages?|information|mix(?:ture)?"
    r"|sets?)\W{0,3}){0,4}$",
    re.IGNORECASE,
)
# An item of a list of training data that names its test part: "SciFact (train + test)".
LISTED_TEST = Pattern(
    r"\btrain(?:ing)? ?(?:\+|&|and|,) ?(?:(?:dev|val(?:idation)?) ?(?:\+|&|and|, and|,) ?)?(?P<what>test)\b(?!\s?[:=(]?\s?\d)"
    r"|\b(?P<what2>test (?:split|set|queries)) (?:included|as well|too)\b",
    re.IGNORECASE,
)
DATA = Pattern(
    r"^[\W\d_]{0,9}(?:data ?sets?|data|(?:stage|phase) \d[^\n]{0,80})\W{0,3}(?:used)?\W{0,3}(?:for (?:the )?(?:fine-?\s?tun"
    r"|train)ing)?\W{0,3}$",
    re.IGNORECASE,
)
EVALUATION = Pattern(r"evaluat|result|benchmark|quality|performance|test|score|metric", re.IGNORECASE)
IDEOGRAMS = Pattern(r"[\u3040-\u30ff\u4e00-\u9fff]")  # about two of them make a word
NOT_TRAINED_ON = Pattern(
    r"evaluat|benchmark|instead|not used|unlike|compar|similar|test set|scores?\b|exclud|no longer|future|upcoming", re.IGNORECASE
)


def collect_training(facts: Facts, prose: Prose) -> None:
    """Fill the group `training`; the card must have been read, and `model` be filled."""
    if facts.sources["card"].state != "known":
        return
    _datasets(facts)
    if facts["model.is_embedding"]:  # looking for them is a sixth of the work on a card, and only rules on embedding models ask
        _statements(facts, prose)
    if sections := _sections(facts, prose):
        _undeclared(facts, prose, sections)
        _listed_tests(facts, prose, sections)


def _datasets(facts: Facts) -> None:
    seen: dict[str, int] = {}
    for row in facts["card.datasets"]:
        value = row["value"].strip()
        problem, replacement = dataset_problem(value)
        name = (replacement or value).lower()
        owner = name.partition("/")[0] if "/" in name else ""
        tests_only = not problem and bool(TESTS_ONLY.search(name))
        benchmark = "MTEB" if tests_only else ""
        if owner in BENCHMARK_OWNERS and not re.search(r"msmarco|generated-queries", name):
            benchmark = BENCHMARK_OWNERS[owner]
        facts.values["training.datasets"].append(
            {
                "value": value[:160], "problem": problem, "replacement": replacement or value[:160], "first": seen.get(name, 0),
                "benchmark": benchmark, "tests_only": tests_only, "file": row["file"], "line": row["line"], "column": row["column"],
            }
        )  # fmt: skip
        seen.setdefault(name, row["line"])


def dataset_problem(value: str) -> tuple[str, str]:
    """Say what keeps a text from being a data set's id (empty where nothing does), and the id that it must mean (empty if not sure)."""
    if found := DATASET_ADDRESS.match(value):
        return "address", found[1]
    if re.match(r"\w{2,10}://|www\.|(?:huggingface\.co|hf\.co|github\.com|kaggle\.com)/", value, re.IGNORECASE):
        return "elsewhere", ""
    if value.lower() in NOTHING:
        return "nothing", ""
    if value.lower() in PRIVATE or REMARK.search(value):
        return "private", ""
    if re.match(r"[./~\\]|[A-Za-z]:[\\/]", value) or re.search(
        r"^\S+\.(?:csv|tsv|jsonl?|parquet|txt|zip|gz|xlsx|pkl)$", value, re.IGNORECASE
    ):
        return "path", ""
    return ("", "") if DATASET_ID.match(value) else ("text", "")


def _sections(facts: Facts, prose: Prose) -> list[tuple[int, int]]:
    """Note the sections on training; return the first line of each, of those on data as well, and the line after its last."""
    heads, lines = facts["card.headings"], prose.visible.split("\n")
    first = prose.place.line or 1
    found = []
    for at, head in enumerate(heads):
        text = head["text"].strip()[:120]
        is_training = bool(TRAINING.match(text))
        if not is_training and not (DATA.match(text) and not _is_below(heads, at, EVALUATION)):
            continue
        end = next((later["line"] for later in heads[at + 1 : at + 40] if later["level"] <= head["level"]), first + len(lines))
        found.append((head["line"], end))
        if is_training:
            body = "\n".join(lines[head["line"] - first + 1 : end - first])
            facts.add(
                "training.sections",
                Location(head["file"], head["line"], head["column"]),
                heading=text,
                words=len(body.split()),
                numbers=bool(re.search(r"\d", body)),
            )
    return found


def _listed_tests(facts: Facts, prose: Prose, sections: list[tuple[int, int]]) -> None:
    """Note items of lists in sections on training that name test data."""
    if "test" not in prose.words_lower:
        return
    training = {row["line"] for row in facts["training.sections"]}
    first = prose.place.line or 1
    offset = 0
    for number, line in enumerate(prose.words.split("\n"), first):
        if (
            "test" in line.lower()
            and line.lstrip()[:1] in ("-", "*", "+", "|")
            and any(a in training and a < number < b for a, b in sections)
        ):
            found = LISTED_TEST.search(line[:600])
            if found and not EVALUATED.search(line[:600]) and not NOT.search(line[:600]) and "|---" not in line:
                what = found["what"] or found["what2"]
                text = " ".join(line.strip(" -*+|").split())[:120]
                facts.add("training.statements", prose.at(offset + found.start()), kind="test", what=what, text=text)
        offset += len(line) + 1


def _is_below(heads: list[dict[str, Any]], at: int, what: Pattern) -> bool:
    """Tell whether a heading stands below one that matches."""
    level = heads[at]["level"]
    for head in reversed(heads[max(0, at - 60) : at]):
        if head["level"] < level:
            level = head["level"]
            if what.search(head["text"]):
                return True
    return bool(what.search(heads[at]["text"]))


def _undeclared(facts: Facts, prose: Prose, sections: list[tuple[int, int]]) -> None:
    """Note data sets that a section on training data links and the front matter lacks: all of them at the place of the first."""
    declared = {row["replacement"].lower().rpartition("/")[2].replace("_", "-") for row in facts["training.datasets"]}
    lines = prose.visible.split("\n")
    first = prose.place.line or 1
    names: dict[str, str] = {}
    place = None
    for link in islice(facts["card.links"], MAX_LINKS):
        found = DATASET_LINK.match(link["url"])
        if not found or not any(start < link["line"] < end for start, end in sections):
            continue
        name = found[1].lower().replace("_", "-")
        short = name.rpartition("/")[2]
        if name in names or any(
            short == other or (len(min(short, other, key=len)) > 5 and (short in other or other in short)) for other in declared
        ):
            continue
        if not NOT_TRAINED_ON.search("".join(lines[link["line"] - first : link["line"] - first + 1])):
            place = place or Location(link["file"], link["line"], link["column"])
            names[name] = found[1]
    if place:
        ids = list(names.values())
        facts.add("training.undeclared", place, ids=", ".join(ids[:3]) + (", …" if len(ids) > 3 else ""), count=len(ids))


def _statements(facts: Facts, prose: Prose) -> None:
    words, numbers = 0, False
    for start, sentence in islice(sentences(prose), MAX_SENTENCES):
        for kind, found in kinds(sentence, enough=words >= ENOUGH and numbers):
            what = next((text for name, text in found.groupdict().items() if name.startswith("what") and text), found[0])
            shown = " ".join(found[0].split())[:120]
            facts.add("training.statements", prose.at(start + found.start()), kind=kind, what=" ".join(what.split())[:80], text=shown)
            if kind == "told":
                words += len(sentence.split()) + len(IDEOGRAMS.findall(sentence)) // 2
                numbers = numbers or any(letter.isdigit() for letter in sentence)
    facts.set("training.words", words)
    facts.set("training.numbers", numbers)
