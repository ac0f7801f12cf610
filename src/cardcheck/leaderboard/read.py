"""From files to rows: who a folder's results are of, and a table of what stands in its files; in several processes where it pays."""

from __future__ import annotations

import gc
import json
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from cardcheck.leaderboard.layout import UNREADABLE, BadFileError
from cardcheck.leaderboard.parse import MAX_TEXT, is_name, parse
from cardcheck.leaderboard.store import METRICS, schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from cardcheck.leaderboard.sources import Source

PAYS = 6000  # files; to start a second process takes as long as reading 3,000
FILES = ("path", "task", "dataset_revision", "mteb_version", "time", "date")
SCORES = ("split", "subset", "languages", "main_score", *METRICS)
NOTHING = (None,) * len(SCORES)


class Identity(NamedTuple):
    """Whose results a folder holds. `described` says that the folder says so itself; mteb leaves out those that do not."""

    model: str
    revision: str | None
    experiment: str | None
    described: bool


class Share(NamedTuple):
    """What was read of some files: a row for each, the scores with the number of their file, and what could not be read."""

    files: pa.RecordBatch
    scores: pa.RecordBatch
    bad: dict[str, str]


def by_path(folder: str) -> Identity:
    """Return what the names of the folders say."""
    parts = folder.split("/")
    experiment = parts[4] if len(parts) > 4 else None
    return Identity(parts[1].replace("__", "/"), parts[2], experiment, described=False)


def identities(source: Source, metas: set[str]) -> tuple[dict[str, Identity], dict[str, str]]:
    """Return whose results the folders hold, by their descriptions, and the descriptions that could not be read."""
    found: dict[str, Identity] = {}
    bad: dict[str, str] = {}
    for path, text in source.read(sorted(metas)) if metas else ():
        folder = path.rpartition("/")[0]
        try:
            found[folder] = _described(folder, text)
        except BadFileError as error:
            bad[path] = str(error)
    return found, bad


def _described(folder: str, text: bytes | None) -> Identity:
    if text is None:
        raise BadFileError(UNREADABLE)
    try:
        about = json.loads(text)
    except (ValueError, RecursionError):
        raise BadFileError("it is no JSON") from None
    name, revision = (about.get("name"), about.get("revision")) if isinstance(about, dict) else (None, None)
    if not isinstance(name, str) or not isinstance(revision, str | None):
        raise BadFileError("it does not name the model and its revision")
    if not (name and is_name(name) and is_name(revision or "")):
        raise BadFileError("the model's name or revision is none")
    asked = about.get("experiment_kwargs")
    given = "__".join(f"{key}_{value}" for key, value in sorted(asked.items())) if isinstance(asked, dict) else ""
    named = by_path(folder).experiment
    return Identity(name, revision, ((named or given) if given else None), described=True)


def read(
    source: Source, paths: Sequence[str], stamps: dict[str, str], who: dict[str, Identity], jobs: int
) -> tuple[list[pa.Table], dict[str, str]]:
    """Return the rows of files, and the files that could not be read."""
    from cardcheck.leaderboard.shares import in_processes

    many = (jobs or cores()) if len(paths) >= PAYS else 1
    shares = in_processes(source, paths, many) if source.splits else [share(source, paths)]
    bad = {path: why for one in shares for path, why in one.bad.items()}
    return [_table(one, stamps, who) for one in shares], bad


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def share(source: Source, paths: Sequence[str]) -> Share:
    """Read some files. What is no name takes its file with it."""
    bad: dict[str, str] = {}
    left = paths
    with no_cycles():
        while True:
            made = _share(source, left, bad)
            wrong = _wrong(made)
            if not wrong:
                return made
            bad |= dict.fromkeys(wrong, "a name in it is too long or cannot be printed")
            left = [path for path in left if path not in bad]


@contextmanager
def no_cycles() -> Iterator[None]:
    """Look for no garbage in cycles: among millions of tuples that took half of the time, and there is none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _share(source: Source, paths: Sequence[str], bad: dict[str, str]) -> Share:
    import pyarrow as pa

    files: list[tuple[Any, ...]] = []
    parts: list[tuple[Any, ...]] = []
    lengths: list[int] = []
    for path, text in source.read(paths) if paths else ():
        try:
            file = parse(text)
        except BadFileError as error:
            bad[path] = str(error)
            continue
        scores = file.parts or [NOTHING]  # a run without scores still hides others from mteb
        parts += scores
        lengths.append(len(scores))
        files.append((path, *file[:-1]))
    held = zip(*parts, strict=True) if parts else [()] * len(NOTHING)
    columns = [_array(name, values) for name, values in zip(SCORES, held, strict=True)]
    number = _numbers(lengths)
    whole = zip(*files, strict=True) if files else [()] * len(FILES)
    return Share(
        pa.RecordBatch.from_arrays([_array(name, values) for name, values in zip(FILES, whole, strict=True)], names=list(FILES)),
        pa.RecordBatch.from_arrays([number, *columns], names=["file", *SCORES]),
        bad,
    )


def _numbers(lengths: list[int]) -> pa.Array:
    """Return the number of the file of each row."""
    import numpy as np
    import pyarrow as pa

    return pa.array(np.repeat(np.arange(len(lengths), dtype=np.int32), lengths))


def _array(name: str, values: Any) -> pa.Array:
    """Return a column of the store's type. A text that is none becomes one that no name has, and is found by that."""
    import pyarrow as pa

    kind = schema().field(name).type
    if not pa.types.is_dictionary(kind):
        return pa.array(values, kind)
    try:
        return pa.array(values, pa.string()).dictionary_encode()
    except (UnicodeEncodeError, pa.ArrowInvalid):
        return pa.array([text if text is None or text.isprintable() else "\n" for text in values], pa.string()).dictionary_encode()


def _wrong(made: Share) -> set[str]:
    """Return the files in which a text is no name."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found: set[str] = set()
    for batch in (made.files, made.scores):
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if name == "path" or not pa.types.is_dictionary(column.type):
                continue
            texts = column.dictionary.to_pylist()
            if "".join(texts).isprintable() and len(max(texts, key=len, default="")) <= MAX_TEXT:
                continue  # all at once, as they nearly always are: there are ten thousand
            if wrong := [text for text in texts if not is_name(text)]:
                rows = pc.is_in(column.cast(pa.string()), value_set=pa.array(wrong, pa.string()))
                files = made.files["path"] if batch is made.files else made.files["path"].take(made.scores["file"])
                found |= set(files.filter(rows).to_pylist())
    return found


def _table(share: Share, stamps: dict[str, str], who: dict[str, Identity]) -> pa.Table:
    """Return the scores with what is said of their files."""
    import pyarrow as pa

    paths = share.files["path"].to_pylist()
    whose = [who.get(folder) or by_path(folder) for folder in (path.rpartition("/")[0] for path in paths)]
    columns = list(zip(*whose, strict=True)) or [()] * len(Identity._fields)
    made = {name: _array(name, values) for name, values in zip(Identity._fields, columns, strict=True)}
    made |= {"stamp": _array("stamp", [stamps[path] for path in paths]), "run": pa.array([-1] * len(paths), pa.int32())}
    made |= {name: share.files[name] for name in FILES}
    number = share.scores["file"]
    whole = [made[one.name].take(number) if one.name in made else share.scores[one.name] for one in schema()]
    return pa.table(whole, schema=schema())
