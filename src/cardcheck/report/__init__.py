"""Reporters: one file each, all of the same shape, a Run in and text out."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardcheck.pipeline import Run

FORMATS = {
    "text": "cardcheck.report.text",
    "json": "cardcheck.report.json",
    "html": "cardcheck.report.html",
    "markdown": "cardcheck.report.markdown",
    "sarif": "cardcheck.report.sarif",
    "github": "cardcheck.report.github",
    "gitlab": "cardcheck.report.gitlab",
    "junit": "cardcheck.report.junit",
}


def reporter(name: str) -> Callable[[Run], str]:
    """Return the function `render` of a format.

    Raises CardcheckError for an unknown format.
    """
    if name not in FORMATS:
        raise CardcheckError(f"there is no format {name!r}", hint=f"choose {', '.join(FORMATS)}")
    render: Callable[[Run], str] = import_module(FORMATS[name]).render
    return render


def write(path: Path, text: str) -> None:
    """Write a report so that an interruption leaves the old file or the new one; raises CardcheckError where it cannot be written."""
    import tempfile  # with what it loads as much as three other modules, and most runs write no file

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
            half = Path(folder) / "report"
            half.write_text(text, encoding="utf-8")
            half.replace(path)
    except OSError as error:
        raise CardcheckError(f"cannot write {path}: {error.strerror}") from None
