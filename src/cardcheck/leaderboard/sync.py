"""Bring the store up to date with a source: read what is new or changed, keep the rest, and put the result in place in one step."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.leaderboard.store import Head, Store, Synced, lock, opened, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import pyarrow as pa

    from cardcheck.leaderboard.sources import Source

META = "/model_meta.json"


def sync(source: str, file: Path, *, jobs: int = 0, again: bool = False, note: Callable[[str], None] = lambda _: None) -> Synced:
    """Bring the store up to date. Raises CardcheckError where the source cannot be read; the store then stays as it was.

    `jobs` are the processes that read, 0 for as many as there are cores; `again` reads everything anew.
    """
    from cardcheck.leaderboard.read import no_cycles
    from cardcheck.leaderboard.sources import find

    with lock(file), no_cycles():
        given = find(source, file.parent)
        old = None if again else opened(file, given.name)
        state = given.state()
        if old and state and old.head.state == state:
            return _same(old)
        stamps = given.stamps()
        if not stamps:
            raise CardcheckError(f"there are no results files in {source}", hint="they lie at results/OWNER__NAME/REVISION/TASK.json")
        state = state or _digest(stamps)
        if old and old.head.state == state:
            return _same(old)
        return _update(given, stamps, state, old, file, jobs=jobs, note=note)


def _same(old: Store) -> Synced:
    return Synced(old.head, 0, old.head.files, 0, unchanged=True)


def _digest(stamps: dict[str, str]) -> str:
    """Return a hash of all files' names and states, in whatever order they were listed."""
    return hashlib.sha256("\n".join(sorted(map("\0".join, stamps.items()))).encode(errors="surrogateescape")).hexdigest()


def _update(
    source: Source, stamps: dict[str, str], state: str, old: Store | None, file: Path, *, jobs: int, note: Callable[[str], None]
) -> Synced:
    import pyarrow as pa

    from cardcheck.leaderboard.read import identities, read

    before = known(old) if old else {}
    described = {path.removesuffix(META) for path in stamps if path.endswith(META) and before.get(path) != stamps[path]}
    described |= {path.removesuffix(META) for path in before.keys() - stamps.keys() if path.endswith(META)}
    changed = {path for path, stamp in stamps.items() if before.get(path) != stamp or path.rpartition("/")[0] in described}
    note(f"reading {len(changed):,} of {len(stamps):,} files")
    metas = {path for folder in {path.rpartition("/")[0] for path in changed} if (path := folder + META) in stamps}
    who, bad = identities(source, metas)
    tables, more = read(source, sorted(path for path in changed if not path.endswith(META)), stamps, who, jobs)
    bad |= more
    head = Head(source=source.name, state=state, synced=datetime.now(UTC).isoformat(timespec="seconds"), files=len(stamps))
    untouched = stamps.keys() - changed
    if old:
        tables = [_kept(old, untouched), *tables]
        bad = {path: why for path, why in old.head.bad.items() if path in untouched} | bad
    head.bad = dict(sorted(bad.items()))
    head.silent = {path: stamps[path] for path in sorted(bad.keys() | {path for path in stamps if path.endswith(META)})}
    write(file, pa.concat_tables(tables), head)
    return Synced(head, len(changed), len(untouched), len(before.keys() - stamps.keys()))


def known(old: Store) -> dict[str, str]:
    """Return the files of a store, each with the state in which it was read."""
    import numpy as np

    from cardcheck.leaderboard.runs import coded

    table = old.rows(("path", "stamp"))
    path, stamp = coded(table["path"]), coded(table["stamp"])
    at, first = np.unique(path.of, return_index=True)
    found = {path.names[code]: stamp.names[stamp.of[row]] for code, row in zip(at, first, strict=True) if code >= 0 and stamp.of[row] >= 0}
    return found | old.head.silent


def _kept(old: Store, untouched: Iterable[str]) -> pa.Table:
    """Return the rows of files that are as they were."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from cardcheck.leaderboard.store import schema

    table = old.rows(schema().names)
    path = table["path"].combine_chunks()
    stays = pc.is_in(path.dictionary, value_set=pa.array(untouched, pa.string()))
    return table.filter(pc.take(stays, path.indices))
