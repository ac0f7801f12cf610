"""Hold the scores that real cards state against MTEB's results: how many pairs, which traps explain a difference, what remains.

`python benchmarks/claims.py` reads ../shared/data: the cards, the raw results of 50 models (all metrics), and the main scores of all
models. `--rows` prints every pair whose difference no trap explains; `--write` makes the table of usual differences anew.
"""

from __future__ import annotations

import argparse
import csv
import math
import sys
import tempfile
from collections import Counter
from pathlib import Path
from statistics import fmean, median, quantiles
from typing import TYPE_CHECKING, Any

from real import CARDS, DATA, RESULTS, SCORES, unpack

from cardcheck.catalogue.shifts import FILE
from cardcheck.engine.evaluate import evaluate
from cardcheck.facts import collect
from cardcheck.facts.official import AGREES, MOST
from cardcheck.facts.outside import Offline
from cardcheck.net.answers import Score
from cardcheck.net.results import read_checkout
from cardcheck.pipeline import rules_of
from cardcheck.settings import Settings
from cardcheck.subject import Subject

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts

USUAL, LARGE = 1.0, 5.0
COPIED = 0.02
LEAST_MODELS = 6


class Results(Offline):
    """An outside that knows MTEB's results and nothing else: raw files of some models, main scores of the others."""

    def __init__(self, raw: Path, scores: dict[str, list[Score]]) -> None:
        self.raw, self.scores = raw, scores

    def results(self, hub_id: str, tasks: tuple[str, ...]) -> list[Score]:
        """Return what is known of a model."""
        if (self.raw / "results" / hub_id.replace("/", "__")).is_dir():
            return read_checkout(self.raw, hub_id, tasks)
        return [score for score in self.scores.get(hub_id, []) if score.task in tasks]


def main_scores(models: set[str]) -> dict[str, list[Score]]:
    """Return the main scores of these models from the table of all scores."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found: dict[str, list[Score]] = {}
    table = pq.read_table(SCORES)
    for row in table.filter(pc.is_in(table["model"], pa.array(sorted(models)))).to_pylist():
        if not math.isfinite(row["main_score"] if row["main_score"] is not None else math.nan):
            continue
        score = Score(
            row["task"], row["revision"], row["split"], row["subset"], {"main_score": row["main_score"]}, row["dataset_revision"] or "",
            row["mteb_version"] or "",
        )  # fmt: skip
        found.setdefault(row["model"], []).append(score)
    return found


def facts_of(folder: Path, hub_id: str, outside: Results) -> Facts:
    """Return the facts of a real card."""
    return collect(Subject(str(folder), "folder", folder, id=hub_id), embedding=True, outside=outside)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cards", type=Path)
    parser.add_argument("--raw", type=Path)
    parser.add_argument("--rows", action="store_true")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    if not (CARDS.is_file() and SCORES.is_file() and RESULTS.is_file()):
        sys.exit(f"skipped: {DATA} is not there; it does not come with the project")
    with tempfile.TemporaryDirectory() as folder:
        cards = given.cards or unpack(CARDS, Path(folder) / "cards")
        raw = given.raw or unpack(RESULTS, Path(folder) / "raw")
        pairs = compare(cards, raw)
        if given.write:
            write(pairs)
        report(pairs, rows=given.rows)


def compare(cards: Path, raw: Path) -> list[dict[str, Any]]:
    """Compare every embedding card once, print what became of them, and return the pairs."""
    with (CARDS.parent / "INDEX.tsv").open(encoding="utf-8") as file:
        index = {row["org_model"]: row["folder"] for row in csv.DictReader(file, delimiter="\t") if row["embedding"] == "1"}
    outside = Results(raw, main_scores(set(index)))
    rules = [rule for rule in rules_of(Settings(profile="strict")) if "official" in rule.needs]
    pairs: list[dict[str, Any]] = []
    fired: Counter[str] = Counter()
    states: Counter[str] = Counter()
    copied = spread = 0
    for hub_id, folder in sorted(index.items()):
        facts = facts_of(cards / folder, hub_id, outside)
        states[
            "nothing stated" if not facts["official.claimed"] else "compared" if facts["official.compared"] else "no official score"
        ] += 1
        copied += bool(facts["official.copied"])
        spread += bool(facts["official.spread"])
        pairs += [row | {"model": hub_id} for row in facts["official.entries"]]
        fired.update(f"{done.rule.id} {done.rule.name}" for done in evaluate(facts, rules) if done.outcome == "fail")
    print(f"{len(index)} embedding cards: {dict(states)}; {copied} with numbers copied from the card, {spread} with runs that disagree")
    for rule, times in sorted(fired.items()):
        print(f"  {rule}: {times} cards")
    return pairs


def usual(pairs: list[dict[str, Any]], without: str = "") -> dict[str, list[float]]:
    """Return for each task that enough models state: how many, the share that differs, and the tenth and ninetieth hundredth.

    `without` leaves out the models of one owner. Models whose card copies the repository, or the other way round, agree to 0.02 points
    on most tasks: they say that nothing was measured anew, and not that a task stayed as it was, and are left out as well.
    """
    of_model: dict[str, list[float]] = {}
    for row in pairs:
        of_model.setdefault(row["model"], []).append(abs(row["difference"]))
    held: dict[str, dict[str, list[float]]] = {}
    for row in pairs:
        own = without and row["model"].partition("/")[0] == without
        copied = median(of_model[row["model"]]) <= COPIED
        if row["origin"] == "model-index" and row["trap"] not in ("scale", "metric", "split") and not own and not copied:
            held.setdefault(row["task"], {}).setdefault(row["model"], []).append(row["difference"])
    table = {}
    for task, models in held.items():
        middles = [median(found) for found in models.values()]
        if len(middles) >= LEAST_MODELS:
            tenths = quantiles(middles, n=10, method="inclusive")
            share = sum(abs(one) > USUAL for one in middles) / len(middles)
            table[task] = [len(middles), *(round(one, 2) for one in (share, tenths[0], tenths[8]))]
    return dict(sorted(table.items()))


def write(pairs: list[dict[str, Any]]) -> None:
    """Write the packaged table."""
    rows = ",\n".join(f'  "{task}": {row}' for task, row in usual(pairs).items())
    text = f'{{"source": "real model cards (2022 to 2025) against MTEB\'s results of 2026-08-20 (CC0)",\n"tasks": {{\n{rows}\n}}}}\n'
    FILE.write_text(text, encoding="utf-8")


def report(pairs: list[dict[str, Any]], *, rows: bool) -> None:
    """Print what the pairs come to."""
    for origin in ("model-index", ".eval_results", "table"):
        of = [row for row in pairs if row["origin"] == origin]
        print(f"{origin}: {len(of)} pairs of {len({row['model'] for row in of})} models")
    size = [abs(row["difference"]) for row in pairs]
    over = [sum(one > limit for one in size) for limit in (USUAL, LARGE)]
    print(f"median difference {median(size):.2f} points; over {USUAL:.0f}: {over[0]}, over {LARGE:.0f}: {over[1]}")
    wide = [row for row in pairs if abs(row["difference"]) > USUAL]
    print("of those over 1 point:", dict(Counter(row["trap"] or "no trap explains it" for row in wide).most_common()))
    left = [row for row in wide if not row["trap"]]
    if left:
        higher = sum(row["difference"] > 0 for row in left)
        print(f"left: {len(left)}, the card is higher in {higher}, on average by {fmean(row['difference'] for row in left):.1f} points")
    owners = {row["model"].partition("/")[0] for row in pairs}
    tables = {owner: usual(pairs, without=owner) for owner in owners}
    alike = [row for row in wide if row["trap"] == "task"]
    kept = sum(_is_usual(row["difference"], tables[row["model"].partition("/")[0]].get(row["task"])) for row in alike)
    print(f"task, by a table made without the models of the same owner: {kept} instead of {len(alike)}")
    for row in left if rows else []:
        print(
            *(
                row[key]
                for key in ("model", "task", "split", "subset", "metric", "stated", "official", "difference", "origin", "run", "version")
            )
        )


def _is_usual(difference: float, row: list[float] | None) -> bool:
    return row is not None and row[1] >= MOST and row[2] - AGREES <= difference <= row[3] + AGREES


if __name__ == "__main__":
    main()
