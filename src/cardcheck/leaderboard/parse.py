"""One results file of MTEB: what stands in it, in the layout of today or of before mteb 1.11.

Most files are read straight into the few fields that are kept, which skips the rest unseen (of 10,605 real files in 0.12 s; json takes
1.5 s, orjson 0.2 s and refuses the sixth of them that hold NaN). What that refuses, json reads, part by part.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import msgspec

from cardcheck.leaderboard.layout import MAX_PARTS, UNREADABLE, BadFileError, opened, rows
from cardcheck.leaderboard.store import METRICS

MAX_TEXT = 20_000  # letters; a task in 204 languages names them all
Part = tuple[Any, ...]  # split, subset, languages in one text, main_score, and the METRICS
SHORT = 4096  # bytes of a list of languages that is remembered
MARK, SIGN, MARKED = b"9e9", "9e9", 9e9  # what stands for NaN while a file is read; no score is so large


class File(NamedTuple):
    """A file: what is said of the whole run, and its parts."""

    task: str
    dataset_revision: str | None
    mteb_version: str | None
    time: float | None
    date: int | None
    parts: list[Part]


Row = msgspec.defstruct(
    "Row",
    [("hf_subset", str), ("languages", msgspec.Raw), ("main_score", float | None), *((name, float | None, None) for name in METRICS)],
    gc=False,
)


class Given(msgspec.Struct, gc=False):
    """The layout of today."""

    task_name: str
    scores: dict[str, list[Row]]  # type: ignore[valid-type]
    mteb_version: str | None
    dataset_revision: str
    evaluation_time: float | None = None
    date: Any = None


_DECODE = msgspec.json.Decoder(Given).decode
_TEXTS = msgspec.json.Decoder(list[str]).decode
_TUPLE = msgspec.structs.astuple


def parse(text: bytes | None) -> File:
    """Read a file. Raises BadFileError for one that holds no scores of a task."""
    if text is None:
        raise BadFileError(UNREADABLE)
    try:
        return _quick(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        pass
    return _slow(opened(text))


def _quick(text: bytes) -> File:
    """Read a file of today's layout with numbers that are numbers. Raises ValueError where it has to be looked at closely.

    Every sixth file holds NaN, which JSON does not have: a number as long as it takes its place, so that nothing has to move.
    """
    try:
        given, has_nan = _DECODE(text), False
    except msgspec.DecodeError:
        if b"NaN" not in text:
            raise
        given, has_nan = _DECODE(text.replace(b"NaN", MARK)), True
    parts: list[Part] = [
        (split, row[0], _spoken(bytes(row[1])), *row[2:]) for split, held in given.scores.items() for row in map(_TUPLE, held)
    ]
    seconds = given.evaluation_time
    if has_nan:
        if any(SIGN in part[0] or SIGN in part[1] or SIGN in part[2] for part in parts) or SIGN in given.task_name:
            raise ValueError("a name holds NaN")
        parts = [part if MARKED not in part else tuple(math.nan if value == MARKED else value for value in part) for part in parts]
        seconds = None if seconds == MARKED else seconds
    if len(parts) > MAX_PARTS:
        raise BadFileError(f"it has over {MAX_PARTS} scores")
    return File(
        given.task_name, given.dataset_revision, given.mteb_version, seconds, None if given.date is None else _date(given.date), parts
    )


def _spoken(written: bytes) -> str:
    """Return the languages of a JSON list. Raises MsgspecError where it is none of texts."""
    return _known_to_be(written) if len(written) <= SHORT else " ".join(_TEXTS(written))


@functools.lru_cache(maxsize=8192)
def _known_to_be(written: bytes) -> str:
    """Remember them: all results together have 5,000 different lists, which is most of what there would be to read."""
    return " ".join(_TEXTS(written))


def _slow(found: dict[str, Any]) -> File:
    """Read what json read. Every type may be wrong."""
    task = found.get("task_name")
    if not isinstance(task, str):
        raise BadFileError("it names no task")
    parts = [_part(split, row) for split, row in rows(found)]
    text = {key: value if isinstance(value := found.get(key), str) else None for key in ("dataset_revision", "mteb_version")}
    return File(
        task, text["dataset_revision"], text["mteb_version"], _number(found.get("evaluation_time")), _date(found.get("date")), parts
    )


def _part(split: str, row: dict[str, Any]) -> Part:
    subset, languages, score = row.get("hf_subset"), row.get("languages"), row.get("main_score")
    if not isinstance(subset, str) or not isinstance(languages, list) or not all(isinstance(one, str) for one in languages):
        raise BadFileError(f"a score of split {split[:50]} does not name its subset and languages")
    if "main_score" not in row:
        raise BadFileError(f"a score of split {split[:50]} has no main_score")
    number = _number(score)
    if number is None and score is not None:
        raise BadFileError(f"the main_score of split {split[:50]} is no number")
    return (split, subset, " ".join(languages), number, *(_number(row.get(name)) for name in METRICS))


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _date(value: Any) -> int | None:
    """Return a date in thousandths of a second, as Parquet keeps it: mteb writes seconds, and older files a text."""
    from datetime import UTC, datetime

    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value[:40])
            return 1000 * int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
        number = _number(value)
        return None if number is None or not 0 < number < 1e11 else 1000 * int(number)
    except (ValueError, OverflowError):
        return None


def is_name(text: str) -> bool:
    """Tell whether a text can be printed, kept and compared: no name has line ends or half characters in it."""
    return len(text) <= MAX_TEXT and text.isprintable()
