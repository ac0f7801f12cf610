"""How often the rules on organisations and papers speak up on real embedding cards, and how often wrongly.

`python benchmarks/outside.py --mteb PYTHON` needs the real cards (../shared/data, unpacked into a folder of its own or where --cards says)
and an interpreter with mteb, whose bibliography of tasks, benchmarks and models says what a paper on arXiv is called and who wrote it;
beside it stand the citations in cards of other owners. Nobody is asked over the network. What only the Hub and the papers' pages could
tell (profiles, lists of models, abstracts, whether a number exists) is unknown here, and no rule that needs it is counted.
Each finding was read: outside.yaml says which are wrong, and why.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING

import yaml
from real import CARDS, DATA, unpack

from cardcheck.catalogue import training
from cardcheck.engine.evaluate import evaluate
from cardcheck.errors import AbsentError, UnavailableError
from cardcheck.facts import collect
from cardcheck.facts.cited import arxiv_numbers, read_entry
from cardcheck.facts.outside import Offline
from cardcheck.net.answers import Commit, Dataset, Discussion, File, Model, Owner, Page, Paper, Scan, Score
from cardcheck.net.results import MAX_FETCHED
from cardcheck.pipeline import rules_of
from cardcheck.settings import Settings
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from cardcheck.engine.evaluate import Judgement
    from cardcheck.facts.model import Facts

HERE = Path(__file__).parent
# Those that the files, mteb's bibliography and mteb's days of release can decide.
ORGANISATION = ("CC202", "CC206", "CC212", "CC213", "CC230", "CC231")
PAPERS = ("CC201", "CC204", "CC205", "CC216", "CC241", "CC242", "CC244", "CC245")
BIBLIOGRAPHY = """
import json, mteb
held = [task.metadata.bibtex_citation for task in mteb.get_tasks(exclude_superseded=False)]
held += [board.citation for board in mteb.get_benchmarks()] + [meta.citation for meta in mteb.get_model_metas()]
print(json.dumps(sorted({text for text in held if text})))
"""
BUDGET = 25
MADE = ("synthetic", "mteb-tests")  # owners of cards that are no real model's
FEED = "<feed></feed>"  # what arXiv answers of a number that it does not know


class Known(Offline):
    """An outside that knows titles, authors and months of papers, and when models came out."""

    def __init__(self, papers: dict[str, Paper]) -> None:
        self.papers = papers

    def paper(self, arxiv_id: str) -> Paper:
        """Return a paper; of one that is not known nothing but its number, so that it is compared with nothing."""
        return self.papers.get(arxiv_id) or Paper(arxiv_id)

    def page(self, url: str) -> Page:
        """Return arXiv's list without entries, and no other page."""
        if "export.arxiv.org" in url:
            return Page(url, "application/atom+xml", FEED)
        raise UnavailableError("nobody is asked")

    def model(self, hub_id: str) -> Model:
        """Return the day on which mteb says that a model came out."""
        known = training.annotation(hub_id)
        if known is None or known.released is None:
            raise AbsentError("mteb does not know it")
        return Model(hub_id, created=known.released)


class Counting(Offline):
    """An outside in which everything exists, and that counts what it would take to ask."""

    def __init__(self) -> None:
        self.asked: set[tuple[str, str]] = set()

    def model(self, hub_id: str) -> Model:
        """Return a model."""
        self.asked.add(("model", hub_id))
        return Model(hub_id, created="2024-01-01")

    def scan(self, hub_id: str) -> Scan:
        """Return a clean scan."""
        self.asked.add(("scan", hub_id))
        return Scan(done=True)

    def files(self, hub_id: str, revision: str | None = None) -> list[File]:
        """Return the same weights for all models, so that copies are followed up."""
        self.asked.add((f"files {revision}", hub_id))
        return [File("model.safetensors", 9, "0" * 64)]

    def commits(self, hub_id: str) -> list[Commit]:
        """Return no commits."""
        self.asked.add(("commits", hub_id))
        return []

    def discussions(self, hub_id: str) -> list[Discussion]:
        """Return no discussions."""
        self.asked.add(("discussions", hub_id))
        return []

    def owner(self, name: str) -> Owner:
        """Return an organisation."""
        self.asked.add(("owner", name))
        return Owner(name)

    def models_of(self, owner: str) -> list[str]:
        """Return no models."""
        self.asked.add(("models", owner))
        return []

    def paper(self, arxiv_id: str) -> Paper:
        """Return a paper."""
        self.asked.add(("paper", arxiv_id))
        return Paper(arxiv_id, "A title")

    def dataset(self, hub_id: str) -> Dataset:
        """Return a data set."""
        self.asked.add(("data", hub_id))
        return Dataset(hub_id)

    def page(self, url: str) -> Page:
        """Return a page."""
        self.asked.add(("page", url))
        return Page(url, text="word " * 300)

    def results(self, hub_id: str, tasks: tuple[str, ...]) -> list[Score]:
        """Return nothing; it takes a list and a file for each of the first tasks."""
        self.asked |= {("results", f"{hub_id} {at}") for at in range(1 + min(MAX_FETCHED, len(tasks)))}
        return []


def bibliography(python: str) -> dict[str, Paper]:
    """Return what mteb's citations say of papers on arXiv, by their numbers; the first title of each, for they agree."""
    answer = subprocess.run([python, "-c", BIBLIOGRAPHY], capture_output=True, text=True, check=True)
    papers: dict[str, Paper] = {}
    for text in json.loads(answer.stdout.splitlines()[-1]):
        for entry in re.split(r"(?=@\w+\s*\{)", text):
            numbers = arxiv_numbers(entry, bare="arxiv" in entry.lower())
            cited = read_entry(entry)
            if len(numbers) == 1 and cited and cited.title:
                month = f"20{numbers[0][:2]}-{numbers[0][2:4]}-15"
                papers.setdefault(numbers[0], Paper(numbers[0], cited.title, "", list(cited.authors), month))
    return papers


def real_cards(cards: Path) -> list[tuple[str, Path]]:
    """Return the embedding cards, one of each model, with their folders."""
    with (CARDS.parent / "INDEX.tsv").open(encoding="utf-8") as file:
        index = {row["org_model"]: row["folder"] for row in csv.DictReader(file, delimiter="\t") if row["embedding"] == "1"}
    return [(model, cards / folder) for model, folder in sorted(index.items()) if model.partition("/")[0] not in MADE]


def requests(cards: Path) -> None:
    """Print how many requests an online audit of each card would take, files of the model's own not counted."""
    numbers = []
    for hub_id, path in real_cards(cards):
        outside = Counting()
        collect(Subject(str(path), "folder", path, id=hub_id), embedding=True, outside=outside)
        numbers.append(len(outside.asked))
    numbers.sort()
    tenths = quantiles(numbers, n=10, method="inclusive")
    over = f"over {BUDGET}: {sum(number > BUDGET for number in numbers)} of {len(numbers)}"
    print(f"requests: median {median(numbers):.0f}, nine in ten at most {tenths[-1]:.0f}, most {numbers[-1]}, {over}")


def judge(cards: Path, papers: dict[str, Paper]) -> tuple[dict[str, list[Judgement]], Counter[str]]:
    """Judge every embedding card once; return the judgements by model, and what there was to be judged."""
    rules = [rule for rule in rules_of(Settings(profile="strict")) if rule.id in ORGANISATION + PAPERS]
    seen: Counter[str] = Counter()
    judged = {}
    for hub_id, path in real_cards(cards):
        facts = collect(Subject(str(path), "folder", path, id=hub_id), embedding=True, outside=Known(papers))
        judged[hub_id] = evaluate(facts, rules)
        count(facts, seen)
    return judged, seen


def count(facts: Facts, seen: Counter[str]) -> None:
    """Count what the rules had to go by."""
    seen["cards"] += 1
    seen["cards that name a paper on arXiv"] += bool(facts["papers.looked_up"])
    seen["cards with a citation that mteb's bibliography has"] += any(row["titled"] != "unsaid" for row in facts["papers.said"])
    seen["titles compared"] += sum(row["titled"] != "unsaid" for row in facts["papers.said"])
    seen["first authors compared"] += sum(row["authored"] != "unsaid" for row in facts["papers.said"])
    seen["days compared"] += any(row["how"] == "words" and (row["before_model"] or row["before_base"]) for row in facts["papers.looked_up"])


def report(judged: dict[str, list[Judgement]], seen: Counter[str], *, rows: bool) -> None:
    """Print the findings by rule, and how many were read and found wrong."""
    read: dict[str, dict[str, str]] = yaml.safe_load((HERE / "outside.yaml").read_text(encoding="utf-8"))
    print(", ".join(f"{what}: {number}" for what, number in seen.items()))
    total = 0
    wrong_cards: set[str] = set()
    unread = 0
    for rule in ORGANISATION + PAPERS:
        fired = {model: done for model, found in judged.items() for done in found if done.rule.id == rule and done.outcome == "fail"}
        name = next(done.rule.name for found in judged.values() for done in found if done.rule.id == rule)
        verdicts = Counter(read.get(rule, {}).get(model, "unread").partition(":")[0] for model in fired)
        print(f"  {rule} {name}: {len(fired)} cards, {dict(verdicts)}")
        total += len(fired)
        unread += verdicts["unread"]
        wrong_cards |= {model for model in fired if read.get(rule, {}).get(model, "").startswith("wrong")}
        for model, done in fired.items() if rows else ():
            print(f"    {model}: {read.get(rule, {}).get(model, 'unread')}: {'; '.join(found.message for found in done.findings)}"[:400])
    share = len(wrong_cards) / len(judged)
    print(f"{total} findings, {unread} of them not read; false alarms on {len(wrong_cards)} of {len(judged)} cards ({share:.1%})")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=Path, help="where the real cards are unpacked")
    parser.add_argument("--mteb", required=True, help="an interpreter with mteb")
    parser.add_argument("--rows", action="store_true", help="print every finding")
    given = parser.parse_args()
    if not CARDS.is_file():
        sys.exit(f"skipped: {DATA} is not there; it does not come with the project")
    papers = bibliography(given.mteb)
    print(f"mteb's bibliography: {len(papers)} papers on arXiv")
    with tempfile.TemporaryDirectory() as folder:
        cards = given.cards or unpack(CARDS, Path(folder))
        report(*judge(cards, papers), rows=given.rows)
        requests(cards)


if __name__ == "__main__":
    main()
