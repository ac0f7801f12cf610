"""Where the real data of ../shared lie, which do not come with the project, and how they are unpacked."""

from __future__ import annotations

import tarfile
from pathlib import Path

DATA = Path(__file__).parent.parent.parent / "shared" / "data"
CARDS = DATA / "cards" / "cards.tar.zst"
SCORES = DATA / "leaderboard" / "scores-2026-08-20.parquet"
RESULTS = DATA / "leaderboard" / "results-sample.tar.zst"


def unpack(archive: Path, folder: Path) -> Path:
    """Unpack an archive and return where it lies."""
    import zstandard

    with (
        archive.open("rb") as packed,
        zstandard.ZstdDecompressor().stream_reader(packed) as stream,
        tarfile.open(fileobj=stream, mode="r|") as tar,
    ):
        tar.extractall(folder, filter="data")
    return folder
