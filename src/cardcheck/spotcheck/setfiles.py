"""The files of a held-out set: how they are read, and what must hold of them before anything is measured on them."""

from __future__ import annotations

import json
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

MAX_GRADE = 100  # trec_eval takes memory for every grade up to the highest there is, and dies where it gets none
SHOWN = 20  # of one kind of problem

Rows = list[dict[str, Any]]
Judgements = list[tuple[str, str, int]]


def rows(path: Path) -> Rows:
    """Return the rows of a file of texts. Raises ValueError with the line of the first that is none."""
    found = []
    for number, line in _lines(path):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            (row["_id"] + row["text"]).encode()  # half a surrogate pair is no text, and cannot be written or encoded
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            row = {}
        kinds = (("_id", str), ("text", str), ("metadata", (dict, type(None))))
        if not all(isinstance(row.get(key), kind) for key, kind in kinds):
            raise ValueError(f"{path.name}:{number} is no row with an _id and a text")
        found.append(row)
    return found


def judgements(path: Path) -> Judgements:
    """Return query, passage and grade of each line. Raises ValueError with the line of the first that is none."""
    found = []
    for number, line in _lines(path):
        if number == 1 or not line:
            continue
        parts = line.split("\t")
        if len(parts) != 3:
            raise ValueError(f"{path.name}:{number} is no judgement: query, passage and grade, with tabs between")
        query, passage, grade = parts
        if not (grade.isascii() and grade.isdecimal() and len(grade) < 10 and int(grade) <= MAX_GRADE):
            said = f"the grade {grade[:20]} of the query {query[:20]} is no whole number from 0 to {MAX_GRADE}"
            raise ValueError(f"{path.name}:{number} is no judgement: {said}")
        found.append((query, passage, int(grade)))
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield lines with their numbers; other characters that end lines for some readers may stand in ids."""
    try:
        return enumerate(path.read_text(encoding="utf-8").split("\n"), 1)
    except UnicodeDecodeError:
        raise ValueError(f"{path.name} is not in UTF-8") from None


def problems(corpus: Rows, queries: Rows, judged: Judgements) -> Iterator[str]:
    """Yield why nothing can be measured: ids that do not fit together, or queries that nothing answers."""
    passages, asked = ({row["_id"] for row in some} for some in (corpus, queries))
    for name, some in (("corpus.jsonl", corpus), ("queries.jsonl", queries)):
        if not some:
            yield f"{name} is empty"
        yield from several(f"{name}: the id {{}} is there more than once", twice(row["_id"] for row in some))
    yield from several("qrels.tsv: there is no query {}", sorted({query for query, _, _ in judged} - asked))
    yield from several("qrels.tsv: there is no passage {}", sorted({passage for _, passage, _ in judged} - passages))
    yield from several("qrels.tsv: {} is judged more than once", twice(f"{query} {passage}" for query, passage, _ in judged))
    yield from several("no passage answers the query {}", sorted(asked - {query for query, _, grade in judged if grade > 0}))


def twice(names: Iterable[str]) -> list[str]:
    """Return the names that are there more than once."""
    return [name for name, times in Counter(names).items() if times > 1]


def several(text: str, found: list[str]) -> Iterator[str]:
    """Yield one problem a thing, and how many more there are."""
    more = [f"{text.format('…')} ({len(found) - SHOWN} more)"] if len(found) > SHOWN else []
    return chain((text.format(one) for one in found[:SHOWN]), more)
