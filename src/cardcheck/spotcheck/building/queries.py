"""Queries: from titles and headings, or as a source gives them; and which of them cannot serve."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cardcheck.spotcheck.building.document import length, normal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardcheck.spotcheck.building.document import Source
    from cardcheck.spotcheck.building.passages import Passage

ANSWERS, HELPS = 2, 1
SHORT = 4  # words; a shorter heading (`Options`) says little without the title of its document
OFTEN = 3  # sections of one heading
TELLING = 3  # words; a query of so many that stands in its passage as it is only finds itself


@dataclass(slots=True)
class Query:
    """A query and its grades by the number of the passage; `kind` is where it came from, `heading` the section's that it is from."""

    text: str
    grades: dict[int, int]
    kind: Literal["heading", "command", "given"]
    domain: str = ""
    heading: str = ""


@dataclass(slots=True)
class Dropped:
    """Queries that were left out, counted by the reason."""

    counts: Counter[str] = field(default_factory=Counter)


def from_headings(passages: Sequence[Passage], stays: Mapping[int, int | None], dropped: Dropped) -> list[Query]:
    """Return a query for each section with a heading, and for each document with a title; `stays` is what `as_given` takes.

    A heading that many sections have (`Usage`) asks for nothing; one that is short gets its document's title before it. A section's
    first passage answers, the others help: also where it was removed, since another stays that says the same. A copied section asks once.
    """
    sections: dict[tuple[int, int, int], list[int]] = {}
    for one in stays:
        sections.setdefault(passages[one].section, []).append(one)
    queries: dict[tuple[str, int], Query] = {}
    for parts in sections.values():
        first, answer = passages[parts[0]], stays[parts[0]]
        text = asks = first.heading or first.title
        if not text:
            dropped.counts["has no title or heading"] += 1
        elif answer is None:
            dropped.counts["has no passage left that answers"] += 1
        else:
            if first.heading and first.title and length(text) < SHORT and normal(text) != normal(first.title):
                text = f"{first.title}: {text}"
            query = queries.setdefault((normal(asks), answer), Query(text, {}, "heading", first.domain, first.heading))
            query.grades[answer] = ANSWERS
            for number in (stays[one] for one in parts):
                if number is not None:
                    query.grades.setdefault(number, HELPS)
    often = Counter(normal(query.heading) for query in queries.values() if query.heading)
    telling = [query for query in queries.values() if often[normal(query.heading)] < OFTEN]
    dropped.counts["stands over several sections"] += len(queries) - len(telling)
    return telling


def as_given(source: Source, passages: Sequence[Passage], stays: Mapping[int, int | None]) -> list[Query]:
    """Return a source's own queries.

    `stays` has all its passages by their numbers, each with that of the passage that stays for it: itself, or the one for which it was
    removed as a near duplicate, which may be another source's; None where none does.
    """
    by_key: dict[str, list[int]] = {}
    queries = []
    for one, number in stays.items():
        if number is not None:
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
    """Return the queries that can serve; those of the same words become one.

    What is not the source's own and stands for two sections asks for neither: headings, and what a command says of every passage.
    """
    asked = _asked(queries, passages)
    merged: dict[str, Query] = {}
    for query in queries:
        words = normal(query.text)
        if words in known:
            dropped.counts["stands in a known set"] += 1
        elif not any(grade > 0 for grade in query.grades.values()):
            dropped.counts["has no passage left that answers"] += 1
        elif query.kind != "given" and length(query.text) < 2:
            dropped.counts["is a single word"] += 1
        elif query.kind != "given" and len(asked[words]) > 1:
            dropped.counts["stands over several sections" if query.kind == "heading" else "was given for several sections"] += 1
        elif query.kind == "heading" and _holds(query, passages):
            dropped.counts["stands in its passage as it is"] += 1
        elif words in merged:
            dropped.counts["is there already"] += 1
            for number, grade in query.grades.items():
                merged[words].grades[number] = max(grade, merged[words].grades.get(number, grade))
        else:
            merged[words] = query
    return list(merged.values())


def _asked(queries: Sequence[Query], passages: Sequence[Passage]) -> dict[str, set[tuple[int, int, int]]]:
    """Return which sections answer to the same words, but for a source's own queries."""
    asked: dict[str, set[tuple[int, int, int]]] = {}
    for query in queries:
        if query.kind != "given":
            best = (number for number, grade in query.grades.items() if grade >= ANSWERS)
            asked.setdefault(normal(query.text), set()).update(passages[number].section for number in best)
    return asked


def _holds(query: Query, passages: Sequence[Passage]) -> bool:
    """Tell whether a query's text, or the heading in it, stands in a passage that answers."""
    texts = [f" {normal(passages[number].text)} " for number, grade in query.grades.items() if grade >= ANSWERS]
    asked = {normal(query.text), *([normal(query.heading)] if length(query.heading) >= TELLING else [])}
    return any(f" {one} " in text for one in asked for text in texts)
