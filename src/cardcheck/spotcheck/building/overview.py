"""What is in a set, in numbers and by a few samples."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cardcheck.spotcheck.heldout import HeldOutSet


@dataclass(frozen=True, slots=True)
class Sample:
    """A query with the passages that serve it: grade and text."""

    query: str
    passages: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Overview:
    """What `heldout show` prints; `domains` counts queries, `grades` judgements."""

    name: str
    edition: int
    date: str
    language: str
    license: str
    sha256: str
    passages: int
    queries: int
    grades: dict[int, int]
    domains: dict[str, int]
    samples: list[Sample]


def overview(held_out: HeldOutSet, samples: int, seed: int) -> Overview:
    """Return what is in a set, with a few queries drawn by the seed."""
    grades = Counter(grade for query in held_out.queries for grade in held_out.qrels[query].values())
    drawn = held_out.sample(samples, seed).queries if samples else {}
    return Overview(
        held_out.name, held_out.edition, held_out.date, held_out.language, held_out.license, held_out.sha256,
        passages=len(held_out.corpus), queries=len(held_out.queries), grades=dict(sorted(grades.items())),
        domains=dict(Counter(held_out.domains.get(query, "") for query in held_out.queries).most_common()),
        samples=[
            Sample(text, [(grade, held_out.corpus[key]) for key, grade in held_out.qrels[query].items() if grade > 0])
            for query, text in drawn.items()
        ],
    )  # fmt: skip
