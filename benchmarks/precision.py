"""How many findings are right: a sample over real embedding cards, stratified by rule, each judged by reading the card.

`make precision` prints the share from the judgements kept in precision.jsonl; `python benchmarks/precision.py draw FILE` draws a new
sample to be judged. The cards are not part of the project; a judgement names its card by folder, and its finding by rule and line.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import random
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from cardcheck.pipeline import judge, rules_of
from cardcheck.subject import HUB_ID, Subject

CARDS = Path(__file__).parent.parent.parent / "shared/data/cards"
JUDGED = Path(__file__).parent / "precision.jsonl"
FIXTURES = ("mteb_repo/", "synthetic_weird/")
SIZE = 300
SEED = 20261125


def subjects(folder: Path) -> list[Subject]:
    """Return the embedding cards, each text once, under the Hub id they were published with, beside the files of their repository.

    Fixtures (cards that mteb tests with, and hand-made broken ones) were published under no id; the index gives them one all the same.
    """
    with (CARDS / "INDEX.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["embedding"] == "1"]
    seen, found = set(), []
    for row in rows:
        path = folder / row["folder"]
        digest = hashlib.sha256((path / "README.md").read_bytes()).hexdigest()
        if digest not in seen:
            seen.add(digest)
            known = HUB_ID.match(row["org_model"]) and not row["folder"].startswith(FIXTURES)
            beside = path / "_siblings.json"
            listing = {file["path"]: file["size"] for file in json.loads(beside.read_bytes())} if beside.is_file() else {}
            found.append(Subject(row["folder"], "folder", path, id=row["org_model"] if known else None, listing=listing))
    return found


def findings(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the findings of the default profile by rule; of each card no more than two of one rule."""
    found = defaultdict(list)
    rules = rules_of(None)
    for subject in subjects(folder):
        for judged in judge(subject, rules).judgements:
            for finding in judged.findings[:2]:
                place = finding.location
                found[judged.rule.id].append({
                    "rule": judged.rule.id, "name": judged.rule.name, "card": subject.given, "id": subject.id, "file": place.file,
                    "line": place.line, "message": finding.message, "source_line": finding.source_line,
                })  # fmt: skip
    return found


def draw(folder: Path) -> list[dict[str, Any]]:
    """Return a sample in which every rule has as many findings as the others, as far as it has them."""
    generator = random.Random(SEED)  # noqa: S311  # a sample, not a secret
    piles = {rule: generator.sample(rows, len(rows)) for rule, rows in sorted(findings(folder).items())}
    sample: list[dict[str, Any]] = []
    while len(sample) < SIZE and any(piles.values()):
        for pile in piles.values():
            if pile and len(sample) < SIZE:
                sample.append(pile.pop())
    return sample


def wilson(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson, 1927)."""
    z = 1.96
    share, spread = right / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total)) / (1 + spread)
    return middle - half, middle + half


def main() -> None:
    """Draw a sample, or print what the judgements amount to."""
    if sys.argv[1:2] == ["draw"]:
        if not CARDS.is_dir():
            sys.exit(f"skipped: {CARDS} is not there; the real cards do not come with the project")
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(f"zstd -dc {CARDS}/cards.tar.zst | tar x -C {folder}", shell=True, check=True)  # noqa: S602  # our own path
            rows = draw(Path(folder))
        Path(sys.argv[2]).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        print(f"{len(rows)} findings of {len({row['rule'] for row in rows})} rules")
        return
    rows = [json.loads(line) for line in JUDGED.read_text(encoding="utf-8").splitlines()]
    right = sum(row["right"] for row in rows)
    low, high = wilson(right, len(rows))
    print(f"{right} of {len(rows)} findings right: {right / len(rows):.1%} (95 % {low:.1%} to {high:.1%})")
    wrong = Counter(f"{row['rule']} {row['name']}" for row in rows if not row["right"])
    total = Counter(f"{row['rule']} {row['name']}" for row in rows)
    for rule, count in wrong.most_common():
        print(f"  wrong: {rule}, {count} of {total[rule]}")


if __name__ == "__main__":
    main()
