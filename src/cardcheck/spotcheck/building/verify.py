"""Whether a set is what it says: its hash, ids, judgements, duplicates and canary."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.building.document import normal
from cardcheck.spotcheck.heldout import FILES, about, content_hash

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cardcheck.spotcheck.heldout import About

SHOWN = 20  # of one kind


def verify(name: str | Path) -> list[str]:
    """Return what is wrong with a set; empty where nothing is. Raises CardcheckError where there is no such set."""
    told = about(name)
    try:
        return list(islice(_problems(told), 1000))
    except OSError as error:
        return [f"it cannot be read: {error}"]


def _problems(told: About) -> Iterable[str]:
    missing = [name for name in FILES if not (told.folder / name).is_file()]
    if missing:
        yield f"{', '.join(missing)} is missing"
        return
    if (found := content_hash(told.folder)) != told.sha256:
        yield f"its hash is {found[:12]}…, set.json says {told.sha256[:12]}…: it was changed after it was written"
    if not told.canary.strip():
        yield "set.json has no canary"
    try:
        corpus, queries = (_rows(told.folder / name) for name in FILES[:2])
        qrels = _qrels(told.folder / FILES[2])
    except CardcheckError as error:
        yield error.message
        return
    for name, rows in zip(FILES[:2], (corpus, queries), strict=True):
        yield from _rows_problems(name, rows, told.canary)
    yield from _judgements(corpus, queries, qrels)


def _rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("_id"), str) or not isinstance(row.get("text"), str):
            raise CardcheckError(f"{path.name}:{number} is no row with an _id and a text")
        rows.append(row)
    return rows


def _qrels(path: Path) -> list[tuple[str, str, int]]:
    judgements = []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), 1):
        parts = line.split("\t")
        if number == 1 or not line:
            continue
        if len(parts) != 3 or not parts[2].lstrip("-").isdecimal():
            raise CardcheckError(f"{path.name}:{number} is no judgement: query, passage and grade, with tabs between")
        judgements.append((parts[0], parts[1], int(parts[2])))
    return judgements


def _rows_problems(name: str, rows: list[dict[str, Any]], canary: str) -> Iterable[str]:
    if not rows:
        yield f"{name} is empty"
    yield from _several(f"{name}: the id {{}} is there more than once", _twice(row["_id"] for row in rows))
    yield from _several(f"{name}: {{}} has no text", [row["_id"] for row in rows if not row["text"].strip()])
    texts: dict[str, list[str]] = {}
    for row in rows:
        texts.setdefault(normal(row["text"]) or row["_id"], []).append(row["_id"])
    yield from _several(f"{name}: the same text: {{}}", [", ".join(ids[:5]) for ids in texts.values() if len(ids) > 1])
    without = [row["_id"] for row in rows if not isinstance(row.get("metadata"), dict) or row["metadata"].get("canary") != canary]
    yield from _several(f"{name}: {{}} is without the set's canary", without)


def _judgements(corpus: list[dict[str, Any]], queries: list[dict[str, Any]], qrels: list[tuple[str, str, int]]) -> Iterable[str]:
    passages, asked = {row["_id"] for row in corpus}, {row["_id"] for row in queries}
    answered = {query for query, _, grade in qrels if grade > 0}
    yield from _several("qrels.tsv: there is no query {}", sorted({query for query, _, _ in qrels} - asked))
    yield from _several("qrels.tsv: there is no passage {}", sorted({document for _, document, _ in qrels} - passages))
    yield from _several("qrels.tsv: {} is judged more than once", _twice(f"{query} {document}" for query, document, _ in qrels))
    yield from _several("qrels.tsv: a grade is below zero for {}", sorted({query for query, _, grade in qrels if grade < 0}))
    yield from _several("no passage answers the query {}", sorted(asked - answered))


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, times in Counter(names).items() if times > 1]


def _several(text: str, found: list[str]) -> Iterable[str]:
    """Yield one problem a thing, and how many more there are."""
    for one in found[:SHOWN]:
        yield text.format(one)
    if len(found) > SHOWN:
        yield f"{text.format('…')} ({len(found) - SHOWN} more)"
