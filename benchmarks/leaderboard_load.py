"""Time `cardcheck leaderboard sync` against mteb's `ResultCache.load_results` on the same files, and compare every score.

`python benchmarks/leaderboard_load.py --mteb PYTHON [--results FOLDER] [--copies N] [--repeats N]`. FOLDER holds results/; without it the
sample in ../shared is unpacked. With copies, both also read so many times the files under other models' names: ten are as much as the
whole repository. Times are of the wall and of the processor, in processes of their own that take turns, with the files read once before,
so that no one waits for the disk; of repeats the median counts.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

SAMPLE = Path(__file__).parents[2] / "shared" / "data" / "leaderboard" / "results-sample.tar.zst"

MTEB = r"""
import json, logging, resource, sys, time, warnings
warnings.filterwarnings("ignore"); logging.disable(logging.CRITICAL)
import mteb
import mteb.results
mteb.get_model_metas()
start, spent = time.perf_counter(), time.process_time()
results = mteb.ResultCache(sys.argv[1]).load_results(include_remote=False)
took = time.perf_counter() - start, time.process_time() - spent
scores = [(m.model_name, m.model_revision, t.task_name, split, row["hf_subset"], row["main_score"])
          for m in results for t in m.task_results for split, rows in t.scores.items() for row in rows] if sys.argv[3] == "scores" else []
files = sum(len(m.task_results) for m in results)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
json.dump({"took": took, "files": files, "peak": peak, "scores": scores}, open(sys.argv[2], "w"))
"""

OURS = r"""
import json, resource, sys, time
from pathlib import Path
import numpy, msgspec, filelock, pyarrow.parquet, pyarrow.compute
from cardcheck.leaderboard import read, shares, store, sync  # as mteb is imported before it is timed
file = Path(sys.argv[3])
def peak():
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024
def timed():
    start, before = time.perf_counter(), sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) + time.process_time()
    done = sync.sync(sys.argv[1], file, jobs=int(sys.argv[4]))
    return time.perf_counter() - start, sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) + time.process_time() - before, done
wall, cpu, done = timed()
second = timed()
answer = {"took": (wall, cpu), "again": second[:2], "files": done.read, "rows": done.head.rows, "bad": done.head.bad,
          "size": file.stat().st_size, "unchanged": second[2].unchanged, "peak": peak()}
if sys.argv[5] == "scores":
    names = ("model", "revision", "experiment", "described", "task", "split", "subset", "main_score")
    rows = zip(*(store.open_store(file).rows(names)[name].to_pylist() for name in names))
    answer["scores"] = [(m, r, t, s, b, v) for m, r, e, d, t, s, b, v in rows if d and e is None and s is not None]
json.dump(answer, open(sys.argv[2], "w"))
"""


def child(python: str, code: str, *arguments: str) -> dict[str, Any]:
    """Run a program and return what it wrote."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "answer.json"
        subprocess.run([python, "-c", code, arguments[0], str(out), *arguments[1:]], check=True)
        found: dict[str, Any] = json.loads(out.read_text())
    return found


def differences(theirs: list[list[Any]], ours: list[list[Any]]) -> tuple[int, int, int]:
    """Return how many scores only mteb has, only cardcheck has, and how many are not the same."""
    first, second = ({tuple(row[:5]): row[5] for row in rows} for rows in (theirs, ours))
    same = {key for key in first.keys() & second.keys() if _equal(first[key], second[key])}
    return len(first.keys() - second.keys()), len(second.keys() - first.keys()), len(first.keys() & second.keys()) - len(same)


def _equal(a: float | None, b: float | None) -> bool:
    return a == b or (a is not None and b is not None and math.isnan(a) and math.isnan(b))


def replicate(results: Path, copies: int, folder: Path) -> None:
    """Make the tree so many times as large: hard links, which are files of their own to whoever reads them."""
    for number in range(copies):
        for model in (results / "results").iterdir():
            to = folder / "results" / (model.name if number == 0 else f"{model.name}-copy{number}")
            shutil.copytree(model, to, copy_function=os.link)


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mteb", metavar="PYTHON", help="an interpreter that has mteb")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--copies", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.results.parent if given.results else None) as name:
        work = Path(name)
        results = given.results or work / "sample"
        if not given.results:
            results.mkdir()
            subprocess.run(f"zstd -dc {SAMPLE} | tar x -C {results}", shell=True, check=True)  # noqa: S602  # a fixed command line
        for path in results.rglob("*.json"):
            path.read_bytes()
        ours, theirs = timed(results, work / "one.parquet", given, scores=True)
        print(f"  bad: {ours['bad']}")
        failed = 0
        if theirs:
            only_theirs, only_ours, other = differences(theirs["scores"], ours["scores"])
            print(f"  {len(theirs['scores']):,} scores; only mteb {only_theirs}, only cardcheck {only_ours}, not the same {other}")
            failed = only_theirs + only_ours + other
        if given.copies:
            many = work / "many"
            replicate(results, given.copies, many)
            timed(many, work / "many.parquet", given, scores=False)
    return int(failed > 0)


def timed(results: Path, store: Path, given: argparse.Namespace, *, scores: bool) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Let both read the same files in turn, print the times, and return the last answers of both."""
    ratios = []
    kept = "scores" if scores else ""
    for _ in range(given.repeats):
        store.unlink(missing_ok=True)
        ours = child(sys.executable, OURS, str(results), str(store), str(given.jobs), kept)
        show("cardcheck sync", ours)
        again(ours)
        theirs = child(given.mteb, MTEB, str(results), kept) if given.mteb else None
        if theirs:
            show("mteb load_results", theirs)
            ratios.append([first / second for first, second in zip(theirs["took"], ours["took"], strict=True)])
    if ratios:
        wall, cpu = (median(column) for column in zip(*ratios, strict=True))
        print(f"  {wall:.1f} × as fast by the wall, {cpu:.1f} × by the processor (median of {given.repeats})")
    return ours, theirs


def show(name: str, one: dict[str, Any]) -> None:
    """Print a line of figures."""
    wall, cpu = one["took"]
    print(f"{name:26} {one['files']:8,} files  {wall:8.2f} s  {cpu:8.2f} s of processor  peak {one['peak']:,.0f} MB")


def again(one: dict[str, Any]) -> None:
    """Print how long a sync takes that finds nothing changed."""
    print(f"  again, nothing changed ({one['unchanged']}): {one['again'][0]:.2f} s; {one['rows']:,} rows, store {one['size'] / 1e6:.1f} MB")


if __name__ == "__main__":
    sys.exit(main())
