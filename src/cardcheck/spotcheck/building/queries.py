"""Queries: from titles and headings, or as a source gives them; and which of them cannot serve."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cardcheck.spotcheck.building.document import length, normal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardcheck.spotcheck.building.document import Source
    from cardcheck.spotcheck.building.passages import Passage

ANSWERS, HELPS = 2, 1
SHORT = 4  # words; a shorter heading (`Options`) says little without the title of its document
OFTEN = 3  # sections of one heading
TELLING = 3  # words; a query of so many that stands in its passage as it is only finds itself


@dataclass(slots=True)
class Query:
    """A query and its grades by the number of the passage; `kind` is where it came from."""

    text: str
    grades: dict[int, int]
    kind: Literal["heading", "command", "given"]
    domain: str = ""


@dataclass(slots=True)
class Dropped:
    """Queries that were left out, counted by the reason."""

    counts: Counter[str] = field(default_factory=Counter)


def from_headings(passages: Sequence[Passage], numbers: Iterable[int], dropped: Dropped) -> list[Query]:
    """Return a query for each section with a heading, and for each document with a title.

    A heading that many sections have (`Usage`) asks for nothing; one that is short gets its document's title before it. A section's
    first passage answers, the others help.
    """
    sections: dict[tuple[int, int, int], list[int]] = {}
    for number in numbers:
        sections.setdefault(passages[number].section, []).append(number)
    often = Counter(normal(passages[parts[0]].heading) for parts in sections.values())
    queries = []
    for parts in sections.values():
        first = passages[parts[0]]
        text = first.heading or first.title
        if not text:
            dropped.counts["has no title or heading"] += 1
        elif first.heading and often[normal(text)] >= OFTEN:
            dropped.counts["stands over several sections"] += 1
        else:
            if first.heading and first.title and length(text) < SHORT and normal(text) != normal(first.title):
                text = f"{first.title}: {text}"
            grades = {number: ANSWERS if at == 0 else HELPS for at, number in enumerate(parts)}
            queries.append(Query(text, grades, "heading", first.domain))
    return _unambiguous(queries, dropped)


def _unambiguous(queries: list[Query], dropped: Dropped) -> list[Query]:
    times = Counter(normal(query.text) for query in queries)
    kept = [query for query in queries if times[normal(query.text)] == 1]
    dropped.counts["stands over several sections"] += len(queries) - len(kept)
    return kept


def as_given(source: Source, passages: Sequence[Passage], numbers: dict[int, list[int]]) -> list[Query]:
    """Return a source's own queries; `numbers` are its passages, each with the numbers of those that were removed as like it."""
    by_key: dict[str, list[int]] = {}
    queries = []
    for number, gone in numbers.items():
        for one in (number, *gone):
            by_key.setdefault(passages[one].key, []).append(number)
            queries += [Query(text, {number: ANSWERS}, "given", passages[one].domain) for text in passages[one].queries]
    for key, text in source.queries.items():
        grades: dict[int, int] = {}
        for document, grade in source.judged[key].items():
            for number in by_key.get(document, ()) if document else ():
                grades[number] = max(grade, grades.get(number, grade))
        best = max(grades, key=lambda number: grades[number], default=None)
        queries.append(Query(text, grades, "given", passages[best].domain if best is not None else ""))
    return queries


def usable(queries: Sequence[Query], passages: Sequence[Passage], known: set[str], dropped: Dropped) -> list[Query]:
    """Return the queries that can serve; those of the same words become one."""
    merged: dict[str, Query] = {}
    for query in queries:
        words = normal(query.text)
        if words in known:
            dropped.counts["stands in a known set"] += 1
        elif not any(grade > 0 for grade in query.grades.values()):
            dropped.counts["has no passage left that answers"] += 1
        elif query.kind != "given" and length(query.text) < 2:
            dropped.counts["is a single word"] += 1
        elif query.kind == "heading" and _holds(query, passages):
            dropped.counts["stands in its passage as it is"] += 1
        elif words in merged:
            dropped.counts["is there already"] += 1
            for number, grade in query.grades.items():
                merged[words].grades[number] = max(grade, merged[words].grades.get(number, grade))
        else:
            merged[words] = query
    return list(merged.values())


def _holds(query: Query, passages: Sequence[Passage]) -> bool:
    """Tell whether a query's text, or the heading in it, stands in a passage that answers."""
    texts = [f" {normal(passages[number].text)} " for number, grade in query.grades.items() if grade >= ANSWERS]
    headings = [normal(passages[number].heading) for number in query.grades]
    asked = {normal(query.text), *(heading for heading in headings if length(heading) >= TELLING)}
    return any(f" {one} " in text for one in asked for text in texts)
