"""Whether a set is what it says: its hash, ids, judgements, duplicates and canary."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck import setfiles
from cardcheck.spotcheck.building.document import normal
from cardcheck.spotcheck.heldout import FILES, about, content_hash, load
from cardcheck.spotcheck.setfiles import several

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cardcheck.spotcheck.heldout import About


def verify(name: str | Path) -> list[str]:
    """Return what is wrong with a set; empty where nothing is. Raises CardcheckError where there is no such set."""
    told = about(name)
    try:
        found = list(islice(_problems(told), 1000))
        if not found:
            load(name)
    except OSError as error:
        return [f"it cannot be read: {error}"]
    except CardcheckError as error:  # whatever else keeps a set from being used
        return [error.message]
    return found


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
        corpus, queries = (setfiles.rows(told.folder / name) for name in FILES[:2])
        judged = setfiles.judgements(told.folder / FILES[2])
    except ValueError as error:
        yield str(error)
        return
    yield from setfiles.problems(corpus, queries, judged)
    for name, rows in zip(FILES[:2], (corpus, queries), strict=True):
        yield from _rows_problems(name, rows, told.canary)


def _rows_problems(name: str, rows: setfiles.Rows, canary: str) -> Iterable[str]:
    yield from several(f"{name}: {{}} has no text", [row["_id"] for row in rows if not row["text"].strip()])
    texts: dict[str, list[str]] = {}
    for row in rows:
        texts.setdefault(normal(row["text"]) or row["_id"], []).append(row["_id"])
    yield from several(f"{name}: the same text: {{}}", [", ".join(ids[:5]) for ids in texts.values() if len(ids) > 1])
    without = [row["_id"] for row in rows if (row.get("metadata") or {}).get("canary") != canary]
    yield from several(f"{name}: {{}} is without the set's canary", without)
