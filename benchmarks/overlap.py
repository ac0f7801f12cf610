"""Compare the overlap that is found with a truth made by hand, and mteb's zero-shot shares with their reimplementation.

`python benchmarks/overlap.py` needs the real cards (../shared/data, unpacked into a folder of its own or where --cards says).
`--mteb PYTHON` names an interpreter with the same version of mteb, and compares every model on every benchmark with mteb itself.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import yaml
from real import CARDS, unpack

from cardcheck.catalogue import tasks, training
from cardcheck.facts import Facts, collect
from cardcheck.facts.outside import Offline
from cardcheck.subject import Subject

HERE = Path(__file__).parent
JUDGED = ("MTEB(eng, v1)", "MTEB(eng, v2)", "MTEB(cmn, v1)")
BOARD = "MTEB(eng, v2)"
ASK_MTEB = """
import json, mteb
boards = {board.name: [task.metadata.name for task in board.tasks] for board in mteb.get_benchmarks()}
print(json.dumps({meta.name: {name: meta.zero_shot_percentage(held) for name, held in boards.items()} for meta in mteb.get_model_metas()}))
"""


def facts_of(folder: Path, hub_id: str) -> Facts:
    """Return the facts of a real card, those on overlap too; nobody is asked for anything."""
    return collect(Subject(str(folder), "folder", folder, id=hub_id), embedding=True, outside=Offline())


def compare(cards: Path, models: str) -> None:
    """Print precision and recall of the matched tasks, and each disagreement."""
    truth = yaml.safe_load((HERE / "overlap.yaml").read_text(encoding="utf-8"))
    judged = frozenset[str]().union(*(tasks.tasks_of(board) for board in JUDGED))
    right = found = wanted = verdicts = 0
    for hub_id, model in truth[models].items():
        facts = facts_of(cards / model["card"], hub_id)
        expected = {task for name in model["covers"] for task in truth["groups"].get(name, {"tasks": [name]})["tasks"]} & judged
        got = {row["task"]: row["path"] for row in facts["overlap.tasks"] if row["relation"] != "source" and row["task"] in judged}
        right, found, wanted = right + len(expected & got.keys()), found + len(got), wanted + len(expected)
        verdict = next(row["verdict"] for row in facts["overlap.benchmarks"] if row["benchmark"] == BOARD)
        verdicts += verdict == model["verdict"]
        for task in sorted(got.keys() - expected):
            print(f"  too many  {hub_id}: {task}, by {got[task]}")
        for task in sorted(expected - got.keys()):
            print(f"  missed    {hub_id}: {task}")
        if verdict != model["verdict"]:
            print(f"  verdict   {hub_id}: {verdict}, not {model['verdict']}")
    count = len(truth[models])
    print(f"{models}: {count} models, {wanted} tasks in their declared data; found {found}, right {right}")
    print(f"precision {right / found:.3f}, recall {right / wanted:.3f}; verdict on {BOARD} right for {verdicts} of {count}")


def misspelt() -> None:
    """Print the misspelt names in mteb's annotations."""
    named: dict[str, list[str]] = {}
    for model in training.models():
        known = training.annotation(model)
        for name in known.data or () if known else ():
            if training.misspelt(name):
                named.setdefault(name, []).append(model)
    released = {name: held for name, held in named.items() if not _is_beta(training.misspelt(name))}
    models = {model for held in released.values() for model in held}
    print(f"\n{tasks.source()}: {len(released)} misspelt names of released tasks, in the lists of {len(models)} models")
    for name, held in sorted(named.items()):
        remark = ", a task on trial" if name not in released else ", or another task" if training.is_ambiguous(name) else ""
        print(f"  {name} → {training.misspelt(name)}{remark}: {len(held)} models")


def _is_beta(name: str | None) -> bool:
    task = tasks.task(name or "")
    return task is not None and task.beta


def mended() -> None:
    """Print what mending these names changes in mteb's zero-shot shares."""
    for ambiguous in (False, True):
        changed: dict[str, list[str]] = {}
        fallen: set[str] = set()
        boards: Counter[str] = Counter()
        for model in training.models():
            for board in tasks.benchmarks():
                before, after = training.zero_shot(model, board), training.zero_shot(model, board, mended=True, ambiguous=ambiguous)
                if before != after:
                    boards[board] += 1
                    changed.setdefault(model, []).append(f"{board} {before} → {after}")
                    if before == 100:
                        fallen.add(model)
        print(f"\nmended{', STS-B read as STSB' if ambiguous else ', STS-B left out'}:")
        print(f"  the share of {len(changed)} models changes on some benchmark, {len(fallen)} fall from 100 % on one")
        print(f"  models by benchmark: {', '.join(f'{board} {count}' for board, count in boards.most_common(8))}")
    for model, lines in sorted(changed.items()):
        print(f"  {'100 % lost ' if model in fallen else ''}{model}: {'; '.join(lines)}")


def against_mteb(python: str) -> None:
    """Print the largest difference between mteb's own shares and ours."""
    answer = subprocess.run([python, "-c", ASK_MTEB], capture_output=True, text=True, check=True)
    theirs: dict[str, dict[str, Any]] = json.loads(answer.stdout.splitlines()[-1])
    pairs = [(share, training.zero_shot(model, board)) for model, boards in theirs.items() for board, share in boards.items()]
    unlike = sum(1 for a, b in pairs if (a is None) != (b is None))
    most = max((abs(a - b) for a, b in pairs if a is not None and b is not None), default=0)
    print(f"\nzero-shot share, mteb's and ours: {len(theirs)} models on {len(theirs and next(iter(theirs.values())))} benchmarks")
    print(f"  {len(pairs)} pairs, {unlike} that one side alone has; largest difference {most}")


def main() -> int:
    """Run all parts that can run here."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--cards", type=Path, help="where the real cards are unpacked")
    options.add_argument("--mteb", metavar="PYTHON", help="an interpreter with mteb")
    given = options.parse_args()
    if given.cards or CARDS.exists():
        with tempfile.TemporaryDirectory() as folder:
            cards = given.cards or unpack(CARDS, Path(folder))
            for models in ("models", "unseen-1", "unseen-2"):
                compare(cards, models)
    else:
        print(f"skipped: no real cards in {CARDS}")
    misspelt()
    mended()
    if given.mteb:
        against_mteb(given.mteb)
    return 0


if __name__ == "__main__":
    sys.exit(main())
