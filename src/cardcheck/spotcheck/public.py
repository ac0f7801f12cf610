"""Public tasks that the sharp tests run on: where their data lie, and what of them is packaged.

The data are not packaged. They are read from a folder that the user names, else fetched from the Hub, at a fixed commit, into its cache.
What is packaged: the SHA-256 of their content, other words for the test queries (written for this project), and
the scores of the reference models by query.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = Path(__file__).parent.parent / "data" / "public"


@dataclass(frozen=True, slots=True)
class Task:
    """A public task of MTEB: its data set on the Hub at a commit, the split that is evaluated and one that nobody evaluates."""

    name: str
    data: str
    revision: str
    test: str = "test"
    other: str = "train"


TASKS = (Task("SciFact", "mteb/scifact", "0228b52cf27578f30900b9e5271d331663a030d7"),)


@dataclass(frozen=True, slots=True)
class PublicSet:
    """A public task in memory. `queries` and `qrels` go by part: `test`, `other`, and `reworded`, which has the judgements of `test`."""

    task: Task
    sha256: str
    corpus: dict[str, str]
    queries: dict[str, dict[str, str]]
    qrels: dict[str, dict[str, dict[str, int]]]


def find(task: Task, folder: Path | None = None, *, offline: bool = False) -> Path:
    """Return where a task's data lie in BEIR layout: the user's folder, one below it with the task's name, or the Hub's cache.

    Raises CardcheckError with the reason where they cannot be had.
    """
    if folder is None:
        from cardcheck.net.hub import fetch_data

        return fetch_data(task.data, task.revision, ["*.jsonl", "qrels/*.tsv"], offline=offline)
    for place in (folder, folder / task.name, folder / task.name.lower()):
        if (place / "corpus.jsonl").is_file() and (place / "qrels").is_dir():
            return place
    raise CardcheckError(
        f"{folder} does not hold {task.name}", hint=f"put corpus.jsonl, queries.jsonl and qrels/ into {folder / task.name}"
    )


def load(task: Task, folder: Path) -> PublicSet:
    """Load a task's data from a folder in BEIR layout, with the packaged rewordings.

    Raises CardcheckError where a file is missing or damaged.
    """
    try:
        corpus = {row["_id"]: f"{row.get('title') or ''} {row['text']}".strip() for row in _rows(folder / "corpus.jsonl")}
        texts = {row["_id"]: row["text"] for file in sorted(folder.glob("queries*.jsonl")) for row in _rows(file)}
        qrels = {part: _qrels(folder / "qrels" / f"{split}.tsv") for part, split in (("test", task.test), ("other", task.other))}
        queries = {part: {query: texts[query] for query in judged} for part, judged in qrels.items()}
    except (OSError, ValueError, KeyError) as error:
        hint = f"it needs corpus.jsonl, queries.jsonl, qrels/{task.test}.tsv and qrels/{task.other}.tsv, as {task.data} has them"
        raise CardcheckError(f"{folder} does not hold {task.name} in BEIR layout: {type(error).__name__}: {error}", hint=hint) from None
    reworded = {row["_id"]: row["text"] for row in _rows(DATA / f"{task.name}.reworded.jsonl")}
    queries["reworded"] = {query: reworded[query] for query in queries["test"] if query in reworded}
    qrels["reworded"] = {query: qrels["test"][query] for query in queries["reworded"]}
    return PublicSet(task, content_hash(corpus, queries, qrels), corpus, queries, qrels)


def content_hash(corpus: dict[str, str], queries: dict[str, dict[str, str]], qrels: dict[str, dict[str, dict[str, int]]]) -> str:
    """Return the SHA-256 over all texts and judgements in the order of their ids, whatever files they came from."""
    digest = hashlib.sha256()
    for texts in (corpus, *(queries[part] for part in sorted(queries))):
        for key in sorted(texts):
            digest.update(f"{key}\t{texts[key]}\n".encode("utf-8", "surrogatepass"))
    for part in sorted(qrels):
        for query in sorted(qrels[part]):
            digest.update(f"{part}\t{query}\t{sorted(qrels[part][query].items())}\n".encode())
    return digest.hexdigest()


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def _qrels(path: Path) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        found.setdefault(query, {})[document] = int(grade)
    return found
