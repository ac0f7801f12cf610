"""The store: one Parquet file with a row for each score, and what is known of where they came from in its head.

One file is what makes a sync whole or not at all: the new one takes the old one's place in one step. Every row names its file and the
file's state (`stamp`), which is all that the next sync needs in order to read only what changed.
"""

from __future__ import annotations

import json
import math
import os
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from cardcheck.cache import cache_folder
from cardcheck.errors import CardcheckError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import pyarrow as pa

FORMAT = 1
HEAD = b"cardcheck"
# What tells a wrong metric and a broken run from a low score, of the fifty that a file may hold; they cost nothing unless asked for.
METRICS = ("ndcg_at_10", "recall_at_100", "accuracy", "cosine_spearman")
TEXTS = ("model", "revision", "experiment", "task", "dataset_revision", "mteb_version", "split", "subset", "languages", "path", "stamp")
WAIT = 600  # seconds for another sync to end
LARGEST = 1e100  # a score beyond it is kept as infinity: sums and squares of such numbers overflow
TABLE = frozenset({"model", "task", "main_score"})  # what a published table of scores has, which is no store yet
AGAIN = "cardcheck leaderboard sync makes it again"
INSTALL = "pip install 'cardcheck[leaderboard]'"


@dataclass(slots=True)
class Head:
    """What the store is made of: its source, the source's state, when it was read, and the files that could not be read, with why.

    `silent` are files that were read and hold no scores, with their stamps: descriptions of models, mostly.
    """

    source: str = ""
    state: str = ""
    synced: str = ""
    files: int = 0
    rows: int = 0
    bad: dict[str, str] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Store:
    """An opened store. Its file stays readable when a sync puts another in its place meanwhile."""

    file: Path
    head: Head
    _parquet: Any

    def rows(self, columns: Sequence[str], tasks: Iterable[str] | None = None) -> pa.Table:
        """Return columns of all rows, or of the rows of some tasks; texts come as numbers into a dictionary."""
        import pyarrow as pa
        import pyarrow.compute as pc

        asked = list(columns) if tasks is None else list(dict.fromkeys(("task", *columns)))
        try:
            table = self._parquet.read(columns=asked)
        except (OSError, pa.ArrowException) as error:
            raise CardcheckError(f"{self.file} is damaged: {str(error)[:100]}", hint=AGAIN) from None
        if tasks is not None and table.num_rows:
            task = table["task"].combine_chunks()
            kept = pc.is_in(task.dictionary, value_set=pa.array(sorted(set(tasks)), pa.string()))
            table = table.filter(pc.take(kept, task.indices))
        return table.select(list(columns))


@dataclass(frozen=True, slots=True)
class Synced:
    """What a sync did: the store's head, and how many files were read, kept as they were, and gone."""

    head: Head
    read: int
    kept: int
    gone: int
    unchanged: bool = False


def schema() -> pa.Schema:
    """Return the columns of the store."""
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    numbers = [("main_score", pa.float64()), *((name, pa.float32()) for name in METRICS)]
    return pa.schema(
        [
            *((name, text) for name in TEXTS),
            ("run", pa.int32()),
            ("described", pa.bool_()),
            *numbers,
            ("time", pa.float64()),
            ("date", pa.timestamp("ms")),
        ]
    )


def default_path() -> Path:
    """Return where the store lies. Raises CardcheckError where the user wants no cache folder."""
    folder = cache_folder()
    if folder is None:
        raise CardcheckError("the store lies in the cache folder, and CARDCHECK_CACHE is empty", hint="name a file with --store")
    return folder / "leaderboard" / "scores.parquet"


def is_there(file: Path | None = None) -> bool:
    """Tell whether there is a store, without importing what reads it."""
    try:
        return (file or default_path()).is_file()
    except (CardcheckError, OSError):
        return False


def open_store(file: Path | None = None) -> Store:
    """Open the store. Raises CardcheckError where there is none, or it is of another version of cardcheck, or cannot be read."""
    file = file or default_path()
    if not file.exists():
        raise CardcheckError(f"there is no store of the leaderboard yet at {file}", hint="cardcheck leaderboard sync SOURCE makes it")
    if not file.is_file():
        raise CardcheckError(f"{file} is no file", hint="--store names the store itself, one file in Parquet")
    try:
        parquet, given = _opened(file)
    except PermissionError as error:
        raise CardcheckError(f"cannot read {file}: {error.strerror}") from None
    if parquet is None or given.pop("format", None) != FORMAT or set(parquet.schema_arrow.names) != set(schema().names):
        if _is_table(file):
            raise CardcheckError(f"{file} is a table of scores", hint=f"cardcheck leaderboard sync --table {file} makes a store of it")
        raise CardcheckError(f"{file} is no store of this version of cardcheck", hint=AGAIN)
    return Store(file, _head(given, file), parquet)


def _head(given: dict[str, Any], file: Path) -> Head:
    """Return what a store says of itself, which whoever made it wrote. Raises CardcheckError where it is of wrong types."""
    import msgspec

    try:
        return msgspec.convert(given, Head)
    except msgspec.ValidationError as error:
        raise CardcheckError(f"{file} is damaged: {str(error)[:100]}", hint=AGAIN) from None


def _is_table(file: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        found = pq.read_schema(file)
    except (OSError, pa.ArrowException):
        return False
    return set(found.names) >= TABLE and HEAD not in (found.metadata or {})


def opened(file: Path, source: str) -> Store | None:
    """Return the store that is there, if it was made from this source."""
    try:
        old = open_store(file)
    except CardcheckError:
        return None
    return old if old.head.source == source else None


def _opened(file: Path) -> tuple[Any, dict[str, Any]]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise CardcheckError(f"the leaderboard needs {error.name}", hint=INSTALL) from error
    try:
        parquet = pq.ParquetFile(pa.memory_map(str(file)), read_dictionary=list(TEXTS))
        given = json.loads((parquet.schema_arrow.metadata or {}).get(HEAD, b"{}"))
    except PermissionError:
        raise
    except (OSError, pa.ArrowException, ValueError, KeyError, RecursionError):  # KeyError: it lacks a column
        return None, {}
    return (parquet, given) if isinstance(given, dict) else (None, {})


def write(file: Path, table: pa.Table, head: Head) -> None:
    """Put a new store in the place of the old one, whole or not at all."""
    import pyarrow.parquet as pq

    head.rows = table.num_rows
    table = _bounded(numbered(table))
    about = json.dumps({"format": FORMAT, **asdict(head)}, separators=(",", ":")).encode()
    half = _half(file)
    table = table.replace_schema_metadata({HEAD: about})
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with half.open("wb") as out:
            pq.write_table(
                table, out, compression="zstd", compression_level=1, row_group_size=1 << 18, use_dictionary=list(TEXTS),
                write_statistics=False,
            )  # fmt: skip
            out.flush()
            os.fsync(out.fileno())
        half.replace(file)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise CardcheckError(f"cannot write {file}: {error.strerror or error}", hint="the old store, if any, is as it was") from None


def _bounded(table: pa.Table) -> pa.Table:
    """Return a table in which a score beyond LARGEST is infinity."""
    import pyarrow.compute as pc

    score = table["main_score"]
    beyond = pc.fill_null(pc.greater(pc.abs(score), LARGEST), False)  # noqa: FBT003  # a value
    bounded = pc.if_else(beyond, pc.multiply(pc.sign(score), math.inf), score)
    return table.set_column(table.schema.get_field_index("main_score"), "main_score", bounded)


@contextmanager
def lock(file: Path) -> Iterator[None]:
    """Hold the store for writing: a second sync waits for the first. A process that is killed lets go of it."""
    from filelock import FileLock, Timeout

    held = FileLock(file.with_name(f".{file.name}.lock"), timeout=WAIT)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        held.acquire()
    except OSError as error:
        if not isinstance(error, Timeout):
            raise CardcheckError(f"cannot write beside {file}: {error.strerror or error}") from None
        raise CardcheckError(f"another sync has held {file} for {WAIT} seconds", hint="try again when it has ended") from None
    try:
        _half(file).unlink(missing_ok=True)  # that a killed sync left
        yield
    finally:
        held.release()


def _half(file: Path) -> Path:
    return file.with_name(f".{file.name}.half")


def numbered(table: pa.Table) -> pa.Table:
    """Return a table with texts as numbers into one dictionary each, and runs numbered in the order of their paths."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    table = table.unify_dictionaries().combine_chunks()
    path = table["path"].combine_chunks()
    place = np.empty(len(path.dictionary), dtype=np.int32)
    place[pc.sort_indices(path.dictionary).to_numpy()] = np.arange(len(place))
    runs = pa.array(place[path.indices.to_numpy()]) if len(path) else pa.array([], pa.int32())
    return table.set_column(table.schema.get_field_index("run"), "run", runs)
