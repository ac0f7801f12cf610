"""Rebuild src/cardcheck/data/boards.json from an installed mteb: `MTEB_PYTHON benchmarks/leaderboard_boards.py`.

What ranking as mteb does takes and the catalogue does not hold: the subsets of each task with their languages, what a benchmark takes
of a task where that is not all of it, by which columns it is sorted, and the revision whose results are a model's own.
"""

from __future__ import annotations

import json
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "src" / "cardcheck" / "data" / "boards.json"
MOST_LISTED = 400  # subsets; of more, which are pairs of languages, only the languages are listed


def subsets_of(metadata: Any) -> dict[str, Any]:
    """Return the subsets of a task with their languages; of thousands of pairs of languages, the languages and which pairs lack."""
    held = {name: " ".join(languages) for name, languages in metadata.hf_subsets_to_langscripts.items()}
    if len(held) <= MOST_LISTED:
        return held
    single: dict[str, str] = {}
    for name, languages in held.items():
        first, _, second = name.partition("-")
        single |= dict(zip((first, second), languages.split(), strict=True))
    made = {f"{a}-{b}": f"{single[a]} {single[b]}" for a in single for b in single}
    if any(made.get(name) != languages for name, languages in held.items()):
        return held
    lacks = [name for name in made if name not in held]
    return {"*": single, "-": lacks} if len(lacks) < len(held) else held


def board_of(board: Any) -> dict[str, Any]:
    """Return how a benchmark is sorted, and what it takes of tasks of which it does not take all."""
    scopes: dict[str, Any] = {}
    for task in board.tasks:
        scope: dict[str, Any] = {}
        if set(task.eval_splits) != set(task.metadata.eval_splits):
            scope["splits"] = sorted(task.eval_splits)
        if set(task.hf_subsets) != set(task.metadata.hf_subsets):
            scope["subsets"] = sorted(task.hf_subsets)
        if scope:
            scopes[task.metadata.name] = scope
    sort = board.summary_sort_column or ()
    means = [str(getattr(item, "value", "")) for item in board.aggregations]
    found = {
        "sort": [sort] if isinstance(sort, str) else list(sort),
        "by_subset": "mean_subset" in means,
        "public": type(board).__name__ == "RtebBenchmark",
        "aliases": list(board.aliases),
        "scopes": scopes,
    }
    return {key: value for key, value in found.items() if value}


def lines(items: dict[str, Any]) -> str:
    """Return a JSON object with an item a line, so that a new version of mteb shows as a readable difference."""
    return "{\n" + ",\n".join(f"{json.dumps(key)}:{json.dumps(items[key], separators=(',', ':'))}" for key in sorted(items)) + "\n}"


def main() -> None:
    """Write the file."""
    import mteb

    every = import_module("mteb.get_tasks").TASK_LIST
    parts = {
        "models": {meta.name: meta.revision for meta in mteb.get_model_metas()},
        "subsets": {task.metadata.name: held for task in every if (held := subsets_of(task.metadata)) != {"default": "eng-Latn"}},
        "aggregates": {task.metadata.name: True for task in every if any("AbsTaskAggregate" in kind.__name__ for kind in task.__mro__)},
        "boards": {board.name: board_of(board) for board in mteb.get_benchmarks()},
    }
    head = json.dumps({"mteb": version("mteb"), "license": "Apache-2.0"})[:-1]
    FILE.write_text(head + ", " + ", ".join(f'"{key}": {lines(items)}' for key, items in parts.items()) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
