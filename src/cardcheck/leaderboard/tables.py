"""A published table of scores as the store: Parquet with a row a score, and at least the columns that are NEEDED."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cardcheck.errors import CardcheckError
from cardcheck.leaderboard import boards
from cardcheck.leaderboard.parse import is_name
from cardcheck.leaderboard.store import TEXTS, Head, Synced, lock, opened, schema, write
from cardcheck.report.words import count

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

NEEDED = ("model", "revision", "task", "split", "subset", "main_score")


def sync_table(table: Path, file: Path, *, again: bool = False) -> Synced:
    """Make the store from a table of scores. Raises CardcheckError where it is none, and leaves the store that was there."""
    state = _state(table)
    with lock(file):
        old = None if again else opened(file, str(table.absolute()))
        if old and old.head.state == state:
            return Synced(old.head, 0, old.head.files, 0, unchanged=True)
        rows, bad = _converted(table)
        head = Head(source=str(table.absolute()), state=state, synced=_now(), files=len(rows["path"].chunk(0).dictionary), bad=bad)
        write(file, rows, head)
    return Synced(head, head.files, 0, 0)


def _state(table: Path) -> str:
    try:
        about = table.stat()
    except OSError:
        raise CardcheckError(f"{table} does not exist or cannot be read") from None
    return f"{about.st_size}:{about.st_mtime_ns}"


def _converted(table: Path) -> tuple[pa.Table, dict[str, str]]:
    """Return the rows as the store has them, and why rows were left out."""
    import pyarrow as pa

    try:
        named, bad = _named(_read(table))
        if not named.num_rows:
            raise CardcheckError(f"{table} holds no scores")
        return _rows(named), bad
    except pa.ArrowException as error:
        raise CardcheckError(f"{table} is no table of scores: {str(error)[:200]}") from None


def _named(given: pa.Table) -> tuple[pa.Table, dict[str, str]]:
    """Leave out the rows in which a name is missing or is none, as reading files does; return why, by the column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    bad: dict[str, str] = {}
    for column in ("model", "task", "split", "subset", "revision"):
        texts = pc.cast(given[column], pa.string()).combine_chunks().dictionary_encode()
        fine = [name for name in texts.dictionary.to_pylist() if is_name(name) and (name or column == "revision")]
        kept = pc.is_in(texts, value_set=pa.array(fine, pa.string()))
        if column == "revision":  # which may be missing
            kept = pc.or_(kept, pc.is_null(texts))
        if left := given.num_rows - (pc.sum(kept).as_py() or 0):
            bad[f"column {column}"] = f"{count(left, 'row')} without a name, or with one that is too long or cannot be printed"
            given = given.filter(kept)
    return given, bad


def _rows(given: pa.Table) -> pa.Table:
    """Return a table of scores as the store has it; each run gets the path that it has in the results repository."""
    import pyarrow as pa
    import pyarrow.compute as pc

    large = pa.large_string()
    path = pc.binary_join_element_wise(
        pa.scalar("results", large), pc.replace_substring(given["model"].cast(large), "/", "__"),
        pc.fill_null(given["revision"].cast(large), ""),
        pc.binary_join_element_wise(given["task"].cast(large), pa.scalar(".json", large), pa.scalar("", large)), pa.scalar("/", large),
    )  # fmt: skip
    made: dict[str, Any] = {
        "path": path,
        "languages": _languages(given),
        "described": pa.array([True] * given.num_rows),
        "run": pa.array([-1] * given.num_rows, pa.int32()),
    }
    held = {name: given[name] for name in given.column_names} | made
    return pa.table([_as(held.get(one.name), one, given.num_rows) for one in schema()], schema=schema())


def _read(table: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        given = pq.read_table(table)
    except (OSError, pa.ArrowException) as error:
        raise CardcheckError(f"{table} is no table in Parquet: {error}") from None
    if lacks := [name for name in NEEDED if name not in given.column_names]:
        raise CardcheckError(f"{table} has no column {', '.join(lacks)}", hint=f"it needs {', '.join(NEEDED)}")
    return given


def _as(column: Any, wanted: pa.Field, length: int) -> Any:
    """Return a column as the store has it; nulls where the table lacks it."""
    import pyarrow as pa

    if column is None:
        return pa.nulls(length, wanted.type)
    if wanted.name not in TEXTS:
        return column.cast(wanted.type) if isinstance(column, pa.ChunkedArray) else column
    whole = pa.chunked_array(column.cast(pa.string()).chunks, pa.string()).combine_chunks()
    return whole.dictionary_encode()


def _languages(given: pa.Table) -> pa.ChunkedArray:
    """Return the languages of each row's subset as mteb knows them."""
    import pyarrow as pa

    known: dict[tuple[str, str], str | None] = {}
    for task, subset in zip(given["task"].to_pylist(), given["subset"].to_pylist(), strict=True):
        if (task, subset) not in known:
            known[task, subset] = boards.subsets(task).get(subset)
    pairs = zip(given["task"].to_pylist(), given["subset"].to_pylist(), strict=True)
    return pa.chunked_array([[known[pair] for pair in pairs]], pa.string())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
