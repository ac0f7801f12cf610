"""Held-out retrieval sets: corpus, queries and relevance judgements (qrels) that the subject cannot have been trained on."""

from __future__ import annotations

import hashlib
import json
import random
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cardcheck.errors import CardcheckError

DEFAULT = "quellmark-en-1"
FILES = ("corpus.jsonl", "queries.jsonl", "qrels.tsv")


@dataclass(frozen=True, slots=True)
class HeldOutSet:
    """A retrieval set in memory; ids in file order. Grades: 2 answers the query, 1 helps, 0 judged and not relevant."""

    name: str
    date: str
    language: str
    canary: str
    sha256: str
    corpus: dict[str, str]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]

    def sample(self, count: int, seed: int) -> HeldOutSet:
        """Return the set with `count` of its queries, drawn by `seed`; all of them where `count` is larger."""
        if count >= len(self.queries):
            return self
        drawn = set(random.Random(seed).sample(list(self.queries), count))  # noqa: S311  # reproducible, not secret
        return replace(self, queries={key: text for key, text in self.queries.items() if key in drawn})


def content_hash(folder: Path) -> str:
    """Return the SHA-256 over the three files of a set, each preceded by its name and length."""
    digest = hashlib.sha256()
    for name in FILES:
        data = (folder / name).read_bytes()
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def load(name: str = DEFAULT) -> HeldOutSet:
    """Load a packaged set.

    Raises CardcheckError where there is no such set, or its files differ from the hash they were published with.
    """
    folder = Path(__file__).parent.parent / "data" / "heldout" / name
    if not (folder / "set.json").is_file():
        raise CardcheckError(f"there is no held-out set {name!r}")
    about = json.loads((folder / "set.json").read_text(encoding="utf-8"))
    found = content_hash(folder)
    if found != about["sha256"]:
        raise CardcheckError(
            f"the held-out set {name} was changed: its hash is {found[:12]}…, published as {about['sha256'][:12]}…",
            hint="reinstall cardcheck; a changed set cannot be compared with the reference models",
        )
    corpus = {row["_id"]: row["text"] for row in _rows(folder / "corpus.jsonl")}
    queries = {row["_id"]: row["text"] for row in _rows(folder / "queries.jsonl")}
    qrels: dict[str, dict[str, int]] = {query: {} for query in queries}
    for line in (folder / "qrels.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        qrels[query][document] = int(grade)
    about_fields = {key: about[key] for key in ("name", "date", "language", "canary", "sha256")}
    return HeldOutSet(corpus=corpus, queries=queries, qrels=qrels, **about_fields)


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
