"""Compare what the store could be: Parquet by pyarrow, by Polars, and DuckDB: size, writing, and reading one benchmark's rows.

`python benchmarks/leaderboard_store.py [--table SCORES.parquet]`, with polars and duckdb installed. All hold the same rows and columns.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardcheck.leaderboard import boards, store
from cardcheck.leaderboard.runs import COLUMNS
from cardcheck.leaderboard.tables import sync_table

if TYPE_CHECKING:
    from collections.abc import Callable

SHARED = Path(__file__).parents[2] / "shared" / "data" / "leaderboard" / "scores-2026-08-20.parquet"


def timed(name: str, work: Callable[[], Any], times: int = 3) -> Any:
    """Run some work, print the least processor and wall time, and return what came of the last run."""
    spent = []
    for _ in range(times):
        start, before = time.perf_counter(), time.process_time()
        found = work()
        spent.append((time.perf_counter() - start, time.process_time() - before))
    wall, cpu = min(spent)
    print(f"{name:40} {wall:7.3f} s  {cpu:7.3f} s of processor")
    return found


def main() -> None:
    """Run it."""
    import duckdb
    import polars as pl

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", type=Path, default=SHARED)
    table = parser.parse_args().table
    tasks = sorted(boards.board("MTEB(eng, v2)").scopes)
    with tempfile.TemporaryDirectory() as folder:
        kept, other, data = (Path(folder) / name for name in ("ours.parquet", "polars.parquet", "store.duckdb"))
        sync_table(table, kept)
        opened = store.open_store(kept)
        rows = opened.rows(store.schema().names)
        frame = pl.DataFrame(rows)
        timed("write, pyarrow", lambda: store.write(Path(folder) / "again.parquet", rows, store.Head()))
        timed("write, Polars", lambda: frame.write_parquet(other, compression_level=1))

        def written() -> None:
            data.unlink(missing_ok=True)
            with duckdb.connect(str(data)) as connection:
                connection.register("given", rows)
                connection.execute("create table scores as select * from given")

        timed("write, DuckDB", written)
        one = timed("read a benchmark, pyarrow", lambda: store.open_store(kept).rows(COLUMNS, tasks))
        two = timed(
            "read a benchmark, Polars", lambda: pl.scan_parquet(other).filter(pl.col("task").is_in(tasks)).select(COLUMNS).collect()
        )
        query = f"select {', '.join(COLUMNS)} from scores where task in ({', '.join('?' * len(tasks))})"  # noqa: S608  # our own names

        def read() -> Any:
            with duckdb.connect(str(data), read_only=True) as connection:
                return connection.execute(query, tasks).to_arrow_table()

        three = timed("read a benchmark, DuckDB", read)
        print("rows:", one.num_rows, two.height, three.num_rows)
        print(
            "MB:", *(f"{name} {path.stat().st_size / 1e6:.1f}" for name, path in (("pyarrow", kept), ("Polars", other), ("DuckDB", data)))
        )


if __name__ == "__main__":
    main()
