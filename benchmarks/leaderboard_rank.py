"""Hold the official order of `cardcheck leaderboard rank` against mteb's own, benchmark by benchmark, on the same results.

`python benchmarks/leaderboard_rank.py --mteb PYTHON [--table SCORES.parquet | --results FOLDER] [BENCHMARK...]`: PYTHON has mteb. From a
table of scores its `TaskResult`s are made; from a checkout of the results repository mteb loads them itself.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SHARED = Path(__file__).parents[2] / "shared" / "data" / "leaderboard" / "scores-2026-08-20.parquet"
BOARDS = (
    "MTEB(eng, v1)", "MTEB(eng, v2)", "MTEB(Multilingual, v2)", "MTEB(Europe, v1)", "MTEB(Indic, v1)", "MTEB(cmn, v1)",
    "MTEB(deu, v1)", "MTEB(fra, v1)", "MTEB(pol, v1)", "MTEB(jpn, v1)", "MTEB(kor, v1)", "MTEB(Code, v1)", "MTEB(Scandinavian, v1)",
    "RTEB(beta)", "HUME(v1)", "MIEB(Multilingual)", "ViDoRe(v3)", "LongEmbed", "BRIGHT",
)  # fmt: skip

CHILD = r"""
import collections, json, logging, sys, warnings
warnings.filterwarnings("ignore"); logging.disable(logging.CRITICAL)
import mteb, polars as pl
from mteb.results import BenchmarkResults, ModelResult, TaskResult
source, out, wanted = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])

def of_table(path):
    held = {}
    columns = ["model", "revision", "task", "dataset_revision", "mteb_version", "time", "split", "subset", "main_score"]
    for model, revision, task, data, version, time, split, subset, score in pl.read_parquet(path).select(columns).iter_rows():
        run = held.setdefault((model, revision), {})
        if task not in run:
            about = dict(task_name=task, dataset_revision=data, mteb_version=version, evaluation_time=time)
            run[task] = TaskResult.model_construct(scores={}, **about)
        run[task].scores.setdefault(split, []).append({"hf_subset": subset, "languages": ["eng-Latn"], "main_score": score})
    return BenchmarkResults.model_construct(model_results=[
        ModelResult.model_construct(model_name=model, model_revision=revision, task_results=list(runs.values()))
        for (model, revision), runs in held.items()])

boards = {board.name: board for board in mteb.get_benchmarks()}
if source.endswith(".parquet"):
    everything = of_table(source)
else:
    everything = mteb.ResultCache(source).load_results(include_remote=False)
answer = {"mteb": mteb.__version__ if hasattr(mteb, "__version__") else "", "boards": {}}
for name in wanted or boards:
    if name not in boards:
        continue
    frame = everything._to_results_df(boards[name].tasks)
    table = boards[name]._create_summary_table(frame)
    answer["boards"][name] = {"rank": table.rank_col, "rows": [] if table.is_empty else table.df.to_dicts()}
json.dump(answer, open(out, "w"))
"""


def mtebs(python: str, source: Path, wanted: list[str]) -> dict[str, Any]:
    """Return mteb's summary tables."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "answer.json"
        subprocess.run([python, "-c", CHILD, str(source), str(out), json.dumps(wanted)], check=True, stderr=subprocess.DEVNULL)
        found: dict[str, Any] = json.loads(out.read_text())
    return found


def compare(theirs: dict[str, Any], official: Any) -> tuple[int, float, list[str]]:
    """Return how many numbers were compared, the greatest difference of any number of theirs to ours, and what else is not the same."""
    ours = {}
    for at, model in enumerate(official.models):
        ours[model] = {name: float(values[at]) for name, values in (official.means | official.types).items()}
        ours[model] |= {"Rank (Borda)": float(official.borda[at]), "place": float(official.place[at])}
    wrong, worst, compared = [], 0.0, 0
    models = [row["Model"] for row in theirs["rows"]]
    if set(models) != set(ours):
        wrong.append(f"only mteb: {sorted(set(models) - set(ours))[:5]}, only cardcheck: {sorted(set(ours) - set(models))[:5]}")
    for row in theirs["rows"]:
        mine = ours.get(row["Model"], {})
        for name, value in row.items():
            if name not in mine:
                continue
            compared += 1
            number = math.nan if value is None else float(value)
            if math.isnan(number) != math.isnan(mine[name]):
                wrong.append(f"{row['Model']} {name}: mteb {value}, cardcheck {mine[name]}")
            elif not math.isnan(number):
                worst = max(worst, abs(number - mine[name]))
    if theirs["rows"] and theirs["rank"] != "Rank (Borda)":  # equal means stand in any order
        place = [ours[model]["place"] for model in models if model in ours and not math.isnan(ours[model].get("Mean (Task)", 0.0))]
        if place != sorted(place):
            wrong.append("the order is another")
    return compared, worst, wrong


def main() -> int:
    """Run it."""
    from cardcheck.leaderboard import boards, rank, store, sync, tables

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mteb", required=True, metavar="PYTHON")
    parser.add_argument("--table", type=Path, default=SHARED)
    parser.add_argument("--results", type=Path, help="the folder that holds results/")
    parser.add_argument("boards", nargs="*", default=BOARDS)
    given = parser.parse_args()
    wanted = [] if given.boards == ["all"] else list(given.boards)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "scores.parquet"
        if given.results:
            sync.sync(str(given.results), file)
        else:
            tables.sync_table(given.table, file)
        opened = store.open_store(file)
        start = time.perf_counter()
        answer = mtebs(given.mteb, given.results or given.table, wanted)
        spent = time.perf_counter() - start
        print(f"{'benchmark':28} {'models':>6} {'tasks':>6} {'numbers':>8} {'largest difference':>19} {'seconds':>8}")
        failed, mine = 0, 0.0
        for name, theirs in answer["boards"].items():
            start = time.perf_counter()
            ours = rank.official(opened, boards.board(name))
            took = time.perf_counter() - start
            mine += took
            compared, worst, wrong = compare(theirs, ours)
            failed += bool(wrong or worst > 1e-9)
            many = f"{len(theirs['rows']):6} {len(ours.table.columns):6} {compared:8}"
            print(f"{name:28} {many} {worst:19.2e} {took:8.2f} {'; '.join(wrong[:3])}")
    print(f"{len(answer['boards'])} benchmarks, {failed} not equal to 1e-9; mteb {spent:.0f} s with loading, cardcheck {mine:.1f} s")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
