"""What the store says of one model, for its audit: official results, without a request, and what the audit of all models saw of it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cardcheck
from cardcheck.cache import made_of
from cardcheck.errors import CardcheckError, UnavailableError
from cardcheck.leaderboard.store import METRICS, default_path, is_there, open_store

if TYPE_CHECKING:
    import pyarrow as pa

    from cardcheck.facts.model import Facts
    from cardcheck.leaderboard.store import Head, Store
    from cardcheck.net.answers import Outside, Score

OLD = 30  # days, from which on the report says how to renew the store
MISSING = (
    "no store of the leaderboard is here; `cardcheck leaderboard sync hub` would add the official results of all tasks, without requests, "
    "and the checks of this model against all others"
)
COLUMNS = ("model", "experiment", "task", "dataset_revision", "mteb_version", "split", "subset", "path", "main_score", *METRICS)
MAX_FILES = 3000  # of a model that are read in full


class Evidence:
    """A store as evidence, or the reason why there is none. `note` says in one line what the audit had."""

    def __init__(self, store: Store | None, note: str) -> None:
        self.store = store
        self.note = note

    def before(self, outside: Outside) -> Outside:
        """Return an outside that asks the store for official results before it asks others."""
        return StoreFirst(self.store, self.note, outside) if self.store else outside

    def tell(self, facts: Facts) -> None:
        """Fill the group `board`."""
        from cardcheck.facts.board import PARTS, set_board
        from cardcheck.facts.model import Source

        try:
            record = seen(self.store).get((facts["subject.id"] or "").lower()) if self.store else None
        except CardcheckError as error:  # its head was whole, its rows are not: the audit goes on without it
            facts.sources |= dict.fromkeys(PARTS, Source("unavailable", str(error)))
            return
        if record is None:
            why = "the leaderboard's store has no results of it" if self.store else "no store of the leaderboard was used"
            facts.sources |= dict.fromkeys(PARTS, Source("absent", why))
        else:
            set_board(facts, record)


def find(file: Path | None = None, *, use: bool = True) -> Evidence:
    """Return the store as evidence, the one in the cache folder where no file is named.

    Raises CardcheckError where a named one is none, or cannot be read.
    """
    if not use:
        return Evidence(None, "the store of the leaderboard was not to be used")
    if file is None and not is_there():
        return Evidence(None, MISSING)
    try:
        store = open_store(file or default_path())
    except CardcheckError as error:
        if file is not None:
            raise
        return Evidence(None, f"the store of the leaderboard cannot be used: {error}")
    return Evidence(store, described(store.head, datetime.now(UTC)))


def described(head: Head, now: datetime) -> str:
    """Return which store it is: when it was made of what, in which state that was, and its age where that is large."""
    state = head.state if ":" in head.state else head.state[:12]  # size and time of a file, else a hash
    text = f"the leaderboard's store of {head.synced[:10]}, made from {head.source} (state {state})"
    try:
        days = (now - datetime.fromisoformat(head.synced)).days
    except (ValueError, TypeError):
        return text
    return f"{text}, which is {days} days old: `cardcheck leaderboard sync` renews it" if days > OLD else text


class StoreFirst:
    """An outside of which the store answers what it can; what it has nothing of, and all else, is asked of another."""

    def __init__(self, store: Store, origin: str, outside: Outside) -> None:
        self._store, self._outside = store, outside
        self.origin = origin

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outside, name)

    def results(self, hub_id: str, tasks: tuple[str, ...]) -> list[Score]:
        """Return all that the store has of a model for these tasks; where it has no results of the model at all, what others say."""
        try:
            found = _rows(self._store, hub_id)
        except CardcheckError as error:
            raise UnavailableError(str(error)) from None
        if found.num_rows:
            return _scores(self._store, found, frozenset(tasks))
        try:
            return self._outside.results(hub_id, tasks)
        except UnavailableError as error:
            raise UnavailableError(f"{self.origin}, has nothing of it; {error}") from None
        finally:
            self.origin = getattr(self._outside, "origin", "")


def _rows(store: Store, hub_id: str) -> pa.Table:
    """Return a model's rows; the Hub does not tell capitals apart, and experiments are no results of the model as it is."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = store.rows(COLUMNS)
    model = table["model"].combine_chunks()
    named = [name for name in model.dictionary.to_pylist() if name and name.lower() == hub_id.lower()]
    its = pc.take(pc.is_in(model.dictionary, value_set=pa.array(named, pa.string())), model.indices)
    return table.filter(pc.and_(its, pc.is_null(table["experiment"])))


def _scores(store: Store, table: pa.Table, tasks: frozenset[str]) -> list[Score]:
    """Return the scores: of files that are still at hand with all their metrics, of others with those that the store keeps."""
    from cardcheck.net.answers import Score, make
    from cardcheck.net.results import EXTERNAL, copied_score, read_scores

    rows = [row for row in table.to_pylist() if row["task"] in tasks]
    measured = {row["path"]: row["task"] for row in rows if row["path"].split("/")[2] != EXTERNAL}
    copied = {row["task"] for row in rows} - set(measured.values())
    files = {path: scores for path, text in _files(store, sorted(measured)[:MAX_FILES]).items() if (scores := read_scores(text, path))}
    found = [copied_score(task) for task in sorted(copied)]
    found += [make(Score, {"task": measured[path]} | _without_task(score)) for path, scores in files.items() for score in scores]
    for row in rows:
        if row["path"] in measured and row["path"] not in files and row["split"] is not None:
            metrics = {name: row[name] for name in ("main_score", *METRICS) if row[name] is not None}
            found.append(make(Score, row | {"run": row["path"].split("/")[2], "where": row["path"], "metrics": metrics}))
    return found


def _without_task(score: Score) -> dict[str, Any]:
    """Return a score's fields but for the task, which a file of long ago may have by an older name."""
    from dataclasses import asdict

    return {name: value for name, value in asdict(score).items() if name != "task"}


def _files(store: Store, paths: list[str]) -> dict[str, bytes]:
    """Return the contents of results files, where the store's source still lies here and can be read at any place."""
    from cardcheck.leaderboard.sources import find as source_of

    if not paths or store.head.source.endswith(".parquet"):
        return {}
    try:
        source = source_of(store.head.source, store.file.parent)
        return {path: text for path, text in source.read(paths) if text} if source.splits else {}
    except (CardcheckError, OSError):
        return {}


def seen(store: Store) -> dict[str, dict[str, Any]]:
    """Return what the checks of the whole board see of each model, by its name in small letters.

    Looking takes seconds, so it is kept beside the store, until the store, the code that looks or packaged facts change.
    """
    kept = store.file.with_name(f".{store.file.name}.seen")
    key = [made_of(sources()), store.head.source, store.head.state, store.head.synced, store.head.rows]
    try:
        found = json.loads(kept.read_bytes())
        if found["key"] == key:
            return dict(found["records"])
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        pass
    from cardcheck.leaderboard.checks.seen import see
    from cardcheck.leaderboard.judged import look

    records = {model.lower(): record for model, record in look(see(store)).items()}
    _keep(kept, json.dumps({"key": key, "records": records}))
    return records


def sources() -> list[Path]:
    """Return the files that what is seen is made of beside the store: the code of the leaderboard and the catalogue, and packaged facts."""
    package = Path(cardcheck.__file__).parent
    code = (path for part in ("leaderboard", "catalogue") for path in (package / part).rglob("*.py"))
    return sorted([*code, *(package / "data").glob("*.json")])


def _keep(file: Path, text: str) -> None:
    """Write a file whole or not at all; where that cannot be, it is made anew the next time."""
    half = file.with_name(f"{file.name}.{os.getpid()}")
    with suppress(OSError):
        try:
            half.write_text(text, encoding="utf-8")
            half.replace(file)
        finally:
            half.unlink(missing_ok=True)
