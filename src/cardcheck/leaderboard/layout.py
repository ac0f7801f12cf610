"""A results file as json reads it, brought into today's layout: where reading begins for all who want every metric of it.

Only what Python itself has is imported here, so that a model is audited by the results on the Hub without what the store needs.
"""

from __future__ import annotations

import json
from typing import Any

from cardcheck.leaderboard.older import convert

MAX_PARTS = 200_000  # in a file; the task with most has 41,412
UNREADABLE = "it is too large or cannot be opened"
POINTER = b"version https://git-lfs"


class BadFileError(Exception):
    """A file that cannot be used; the text says why."""


def opened(text: bytes | None) -> dict[str, Any]:
    """Return a file of either layout in that of today. Raises BadFileError for what is no JSON object."""
    if text is None:
        raise BadFileError(UNREADABLE)
    if not text.strip():
        raise BadFileError("it is empty")
    if text.startswith(POINTER):
        raise BadFileError("it is a pointer of Git LFS, not the file")
    try:
        found = json.loads(text)
    except RecursionError:
        raise BadFileError("it is nested too deeply") from None
    except ValueError as error:
        raise BadFileError(f"it is no JSON: {str(error)[:100]}") from None
    if not isinstance(found, dict):
        raise BadFileError("it is no JSON object")
    return found if "scores" in found else convert(found)


def rows(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return each split with the metrics of one of its subsets, which may be of any type. Raises BadFileError where there are none."""
    scores = found["scores"]
    if not isinstance(scores, dict):
        raise BadFileError("its scores are no object")
    held: list[tuple[str, dict[str, Any]]] = []
    for split, of_split in scores.items():
        if not isinstance(of_split, list):
            raise BadFileError(f"the scores of split {split[:50]} are no list")
        if not all(isinstance(row, dict) for row in of_split):
            raise BadFileError(f"a score of split {split[:50]} is no object")
        held += [(split, row) for row in of_split]
    if len(held) > MAX_PARTS:
        raise BadFileError(f"it has over {MAX_PARTS} scores")
    return held
