"""MTEB's results repository: which files of a model to fetch, where a checkout lies on this machine, and the scores in a file.

The repository is github.com/embeddings-benchmark/results; the Hub has the same files as the data set mteb/results. A file is
`results/OWNER__NAME/REVISION/TASK.json`. Revisions called `external` hold numbers that were copied from model cards.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cardcheck.errors import AbsentError
from cardcheck.leaderboard.layout import BadFileError, opened, rows
from cardcheck.net.answers import Score, make

if TYPE_CHECKING:
    from collections.abc import Iterable

COMMIT = re.compile(r"[0-9a-f]{40}")
REPOSITORY = "mteb/results"
EXTERNAL = "external"
MAX_FETCHED = 8  # files of an audit, within its budget of requests; with a checkout all are read
MAX_BYTES = 2_000_000  # of a file; only tasks of thousands of language pairs have larger ones
MAX_FILES = 3000
MAX_PARTS = 3000


def folder_of(hub_id: str) -> str:
    """Return the folder of a model in the repository."""
    return f"results/{hub_id.replace('/', '__')}"


def choose(paths: Iterable[str], tasks: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Return the files to fetch and the tasks of which there are only numbers from the card; runs of a known commit come first.

    Every task gets one file before any gets a second.
    """
    held: dict[str, list[tuple[bool, str]]] = {}
    copied: set[str] = set()
    wanted = set(tasks)
    for path in paths:
        run, _, name = path.rpartition("/")
        task = name.removesuffix(".json")
        if task not in wanted or task == name:
            continue
        run = run.rpartition("/")[2]
        if run == EXTERNAL:
            copied.add(task)
        else:
            held.setdefault(task, []).append((not _is_commit(run), path))
    ranked = [(turn, at, path) for at, task in enumerate(tasks) for turn, (_, path) in enumerate(sorted(held.get(task, ())))]
    return [path for _, _, path in sorted(ranked)], sorted(copied - set(held))


def copied_score(task: str) -> Score:
    """Return what stands for a task of which there are only numbers that were copied from the model's card."""
    return Score(task, run=EXTERNAL)


def checkout() -> Path | None:
    """Return the checkout that `mteb.ResultCache.download_from_remote` keeps on this machine, if there is one."""
    cache = Path(os.environ.get("MTEB_CACHE") or Path.home() / ".cache" / "mteb")
    folder = cache / "remote" / "results"
    return folder.parent if folder.is_dir() else None


def read_checkout(root: Path, hub_id: str, tasks: tuple[str, ...]) -> list[Score]:
    """Return the scores of a model from a checkout. Raises AbsentError where it holds none of the model."""
    folder = root / folder_of(hub_id)
    if not folder.is_dir():
        raise AbsentError("MTEB's results repository has nothing of it")
    files = sorted(path.relative_to(root).as_posix() for path in folder.glob("*/*.json"))[:MAX_FILES]
    chosen, copied = choose(files, tasks)
    scores = [copied_score(task) for task in copied]
    for path in chosen:
        file = root / path
        if file.stat().st_size <= MAX_BYTES:
            scores += read_scores(file.read_bytes(), path)
    return scores


def read_scores(text: bytes, path: str) -> list[Score]:
    """Return what a results file says, part by part, with all its metrics; nothing where it is no such file."""
    try:
        found = opened(text)
        held = rows(found)
    except BadFileError:
        return []
    parts = path.split("/")
    about = {
        "task": parts[-1].removesuffix(".json"),
        "run": parts[-2],
        "where": path,
        "dataset_revision": found.get("dataset_revision"),
        "mteb_version": found.get("mteb_version"),
    }
    return [make(Score, about | {"split": split, "subset": row.get("hf_subset"), "metrics": row}) for split, row in held[:MAX_PARTS]]


def _is_commit(run: str) -> bool:
    return bool(COMMIT.fullmatch(run))
