"""The report on a leaderboard, and what changed from one to the next: writers, one file a format, records in and bytes out."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardcheck.errors import CardcheckError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardcheck.report.board.records import Changes, Report

REPORTS = ("html", "markdown", "json", "csv", "parquet", "atom")
CHANGES = ("text", "html", "markdown", "json", "atom")
ENDINGS = {"html": "html", "markdown": "md", "json": "json", "csv": "csv", "parquet": "parquet", "atom": "atom", "text": "txt"}


def reporter(name: str) -> Callable[[Report], bytes]:
    """Return the function that writes a report in a format. Raises CardcheckError for an unknown one."""
    render: Callable[[Report], bytes] = _module(name, REPORTS).render
    return render


def changer(name: str) -> Callable[[Changes], bytes]:
    """Return the function that writes a difference in a format. Raises CardcheckError for an unknown one."""
    render: Callable[[Changes], bytes] = _module(name, CHANGES).changes
    return render


def _module(name: str, known: tuple[str, ...]) -> Any:
    if name not in known:
        raise CardcheckError(f"there is no format {name!r}", hint=f"choose {', '.join(known)}")
    return import_module(f"cardcheck.report.board.{name}")


def write(path: Path, content: bytes) -> None:
    """Write a file so that an interruption leaves the old one or the new one; raises CardcheckError where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            half = Path(folder) / "report"
            half.write_bytes(content)
            half.replace(path)
    except OSError as error:
        raise CardcheckError(f"cannot write {path}: {error.strerror}") from None
