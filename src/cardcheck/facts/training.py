"""What the card says about training data: declared data sets, links, and sentences that bear on whether a benchmark was seen."""

from __future__ import annotations

import re
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from cardcheck.facts.citations import heading_of
from cardcheck.facts.exposure import EVALUATED, NOT, is_on_training, kinds, sentences
from cardcheck.facts.families import HUB, PART
from cardcheck.facts.located import Location
from cardcheck.facts.prose import windows
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

MAX_SENTENCES = 400  # that speak of training; no real card has more
MAX_LINKS = 400
MAX_LINE = 2000  # characters of one line
MAX_SHOWN = 11  # ids in one message
ENOUGH = 40  # words on training, after which no rule asks for more

DATASET_ID = Pattern(rf"^{PART}(?:/{PART})?$")
WITHIN = r"(?:/(?:tree|viewer|blob|resolve|raw|discussions|settings)(?:/[^\s?#]{0,200})?)"  # what an address may go on with behind the id
DATASET_ADDRESS = Pattern(
    rf"^(?:{HUB}|(?:huggingface\.co|hf\.co)/)datasets/({PART}(?:/{PART})?)({WITHIN}?)/?(?:[?#]\S{{0,100}})?$", re.IGNORECASE
)
DATASET_LINK = Pattern(rf"^{HUB}datasets/({PART}(?:/{PART})?){WITHIN}?/?(?:[?#]\S{{0,200}})?$")
WHOLE = Pattern(r"^(?:/(?:tree|blob|resolve|raw)/main/?|/viewer/?)?$")  # such an address means all of the data set
NOTHING = frozenset(
    {"none", "null", "n/a", "na", "-", "unknown", "tbd", "todo", "?", "dataset", "datasets", "data", "your_dataset", "your-dataset"}
)
PRIVATE = frozenset({"private", "custom", "proprietary", "internal", "in-house", "inhouse", "confidential", "closed", "own", "synthetic"})
REMARK = Pattern(r"\(.{0,60}\b(?:private|internal|proprietary|custom|own|closed)\b.{0,60}\)", re.IGNORECASE)

# Data sets that hold test data only (BEIR, MTEB and C-MTEB evaluate on them, and there is nothing in them to train on).
TESTS_ONLY = Pattern(
    r"(?:^|/|beir[-_/])(?:arguana|scidocs|trec-?covid|(?:webis-)?touche-?2020(?:-v\d)?|climate-?fever|robust04|trec-?news|signal-?1m"
    r"|cqadupstack(?:-[\w-]{1,30})?|dbpedia-entity|nano-?(?:beir|arguana|climatefever|dbpedia|fever|fiqa2018|hotpotqa|msmarco|nfcorpus|nq"
    r"|quoraretrieval|scidocs|scifact|touche2020)[\w-]{0,30}|sts1[2-6]-sts|sts22(?:-crosslingual-sts)?|biosses-sts"
    r"|askubuntudupquestions-reranking"
    r"|stackoverflowdupquestions-reranking|scidocs-reranking|twentynewsgroups-clustering|(?:arxiv|biorxiv|medrxiv|reddit|stackexchange)"
    r"-clustering(?:-[ps]2[ps])?|summeval|legalbench_(?:consumer|corporate)\w{0,60}|sprintduplicatequestions-pairclassification"
    r"|twittersemeval2015-pairclassification|twitterurlcorpus-pairclassification)(?:-qrels|_test_collection)?$",
    re.IGNORECASE,
)
BENCHMARK_OWNERS = {"mteb": "MTEB", "c-mteb": "C-MTEB", "beir": "BEIR", "nanobeir": "NanoBEIR"}

# Headings of sections on training, and of sections on data that may be on training as well.
TRAINING = Pattern(
    r"^(?:[\W\d_]{0,9}|(?:stage|step|phase) \d\W{0,3}|(?:model|methods? and|data and) )"
    r"(?:(?:pre-?|post-?|fine-?\s?)?train(?:ing|ed)?|fine-?\s?tun(?:ing|e|ed))\W{0,3}"
    r"(?:\W?(?:data ?sets?|data|details?|corpus|corpora|procedure|process|setup|recipe|and|on|sources?|stages?|information|mix(?:ture)?"
    r"|sets?|(?:pre-?)?training|fine-?\s?tuning|evaluation|strategy|pipeline|methods?)\W{0,3}){0,4}$"
    r"|^\W{0,9}(?:模型)?(?:训练|微调|訓練)(?:数据|資料|細節|细节|过程|方法|集){0,2}\W{0,9}$|^\W{0,9}学習(?:データ|方法|詳細|手順|の詳細)\W{0,9}$"
    r"|^\W{0,9}학습 ?(?:데이터|방법|과정|정보)\W{0,9}$|^\W{0,9}(?:Trainings?daten(?:satz)?|donn[ée]es d['\u2019]entra[iî]nement"
    r"|datos de entrenamiento|dados de treinamento|dati di addestramento|dữ liệu huấn luyện)\W{0,9}$",
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
REFERS = Pattern(
    r"\b(?:refer to|(?:describ|detail|explain|document)ed in|details?[^.\n]{0,40}\b(?:in|at|see|read)|(?:check|look)(?: out| at)?|see|read"
    r"|found in|head over to)\s(?:[\w'*-]{1,20}\s){0,3}?\[?(?:[\w'*-]{1,20}\s){0,3}?(?:paper|(?:tech(?:nical)? )?report|publication"
    r"|(?:announcement )?blog ?post)",
    re.IGNORECASE,
)
# What stands before a link to the source of a data set that the same line names before it: "our set, translated from [Theirs]".
DERIVED = Pattern(r"\bdatasets/[^\n]{1,300}\bfrom (?:the )?(?:\[[^\[\]\n]{0,140}\]\(\s{0,3})?$")
ADDRESS = Pattern(r"\[[^\[\]\n]{0,140}\]\([^()\s]{0,300}\)|https?://\S{1,300}")
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
        facts.set("training.in_paper", _is_in_paper(facts, prose))
    if sections := _sections(facts, prose):
        _undeclared(facts, prose, sections)
        _listed_tests(facts, prose, sections)
    _contradicted(facts)


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
        return "address" if WHOLE.match(found[2]) else "folder", found[1]
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


class Section(NamedTuple):
    """A section: the line of its heading, the line after its last, and the heading."""

    start: int
    end: int
    heading: str


def _sections(facts: Facts, prose: Prose) -> list[Section]:
    """Note the sections on training; return them, and those on data as well."""
    heads, lines = facts["card.headings"], prose.visible.split("\n")
    first = prose.place.line or 1
    found = []
    for at, head in enumerate(heads):
        text = head["text"].strip()[:120]
        is_training = bool(TRAINING.match(text))
        if not is_training and not (DATA.match(text) and not _is_below(heads, at, EVALUATION)):
            continue
        end = next((later["line"] for later in heads[at + 1 : at + 40] if later["level"] <= head["level"]), first + len(lines))
        found.append(Section(head["line"], end, text))
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


def _listed_tests(facts: Facts, prose: Prose, sections: list[Section]) -> None:
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
            and any(it.start in training and it.start < number < it.end for it in sections)
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


def _undeclared(facts: Facts, prose: Prose, sections: list[Section]) -> None:
    """Note data sets that a section on training data links and the front matter lacks: all of them at the place of the first."""
    declared = {row["replacement"].lower().rpartition("/")[2].replace("_", "-") for row in facts["training.datasets"]}
    lines = prose.visible.split("\n")
    first = prose.place.line or 1
    names: dict[str, str] = {}
    place, heading = None, ""
    for link in islice(facts["card.links"], MAX_LINKS):
        found = DATASET_LINK.match(link["url"])
        section = next((it for it in reversed(sections) if it.start < link["line"] < it.end), None) if found else None
        if not found or not section:
            continue
        name = found[1].lower().replace("_", "-")
        short = name.rpartition("/")[2]
        if name in names or any(
            short == other or (len(min(short, other, key=len)) > 5 and (short in other or other in short)) for other in declared
        ):
            continue
        line = "".join(lines[link["line"] - first : link["line"] - first + 1])[:MAX_LINE]
        at = max(0, line.find(link["url"]))
        if not NOT_TRAINED_ON.search(ADDRESS.sub(" ", line)) and not DERIVED.search(line, max(0, at - 500), at):
            place, heading = place or Location(link["file"], link["line"], link["column"]), heading or section.heading
            names[name] = found[1]
    if place:
        ids = list(names.values())
        shown = ", ".join(ids[:MAX_SHOWN]) + (", …" if len(ids) > MAX_SHOWN else "")
        facts.add("training.undeclared", place, ids=shown, count=len(ids), heading=heading)


def _statements(facts: Facts, prose: Prose) -> None:
    words, numbers, mentioned = 0, False, False
    for start, sentence in islice(sentences(prose), MAX_SENTENCES):
        mentioned = mentioned or is_on_training(sentence)
        for kind, found in kinds(sentence, enough=words >= ENOUGH and numbers):
            what = next((text for name, text in found.groupdict().items() if name.startswith("what") and text), found[0])
            shown = " ".join(found[0].split())[:120]
            facts.add("training.statements", prose.at(start + found.start()), kind=kind, what=" ".join(what.split())[:80], text=shown)
            if kind == "told":
                words += len(sentence.split()) + len(IDEOGRAMS.findall(sentence)) // 2
                numbers = numbers or any(letter.isdigit() for letter in sentence)
    facts.set("training.words", words)
    facts.set("training.numbers", numbers)
    facts.set("training.mentioned", mentioned)


def _is_in_paper(facts: Facts, prose: Prose) -> bool:
    """Tell whether the text sends readers who ask for the training to a paper or report."""
    around = windows(prose.words_lower, ("paper", "report", "publication", "blog"), 200, 20)
    for found in islice((found for start, end in around for found in REFERS.finditer(prose.words, start, end)), MAX_LINKS):
        sentence = prose.words_lower[max(0, found.start() - 100) : found.end() + 60]
        if "train" in sentence or "train" in heading_of(facts, prose, found.start()).lower():
            return True
    return False


def _contradicted(facts: Facts) -> None:
    """Note sentences by which a benchmark was not trained on, each with what says otherwise of the same benchmark."""
    statements = facts["training.statements"]
    for row in statements:
        if row["kind"] != "unseen":
            continue
        board = row["what"].upper()
        wider = {board} if board in ("C-MTEB", "CMTEB") else {board, "NANOBEIR"} if board == "BEIR" else {board, *BENCHMARK_OWNERS.values()}
        declared = (it["value"] for it in facts["training.datasets"] if it["benchmark"] in wider or (it["tests_only"] and board == "BEIR"))
        told = (it["text"] for it in statements if it["kind"] in ("benchmark", "splits") and it["what"].upper() == board)
        if by := next(chain((f"`datasets:` lists {it}" for it in declared), (f'the text also says "{it}"' for it in told)), ""):
            facts.add("training.contradicted", Location(row["file"], row["line"], row["column"]), text=row["text"], by=by)
