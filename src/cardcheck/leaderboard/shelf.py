"""A folder of reports: a folder a day, in it a board's report in several formats, with what changed since the last; an index and a feed.

Everything but the new day is read from the reports' own JSON, so that nothing else has to be kept and a day that is deleted is gone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.leaderboard.diff import diff
from cardcheck.leaderboard.reported import read
from cardcheck.pattern import Pattern
from cardcheck.report import board as writers
from cardcheck.report.board import atom, index

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cardcheck.report.board.records import Report

FORMATS = ("html", "markdown", "json")
DAY = Pattern(r"\d{4}-\d{2}-\d{2}")
KEPT = 60  # reports in the index and in the feed, the newest


@dataclass(frozen=True, slots=True)
class Put:
    """What was written: the report with its changes, the files, and the reports in the folder that could not be read."""

    report: Report
    files: tuple[Path, ...]
    unread: tuple[str, ...]


def put(report: Report, folder: Path, more: Sequence[str] = ()) -> Put:
    """Write a report into its day's folder, with what changed since the board's last before that day, and renew index and feed.

    `more` are formats beside FORMATS. Raises CardcheckError where something cannot be written.
    """
    held, unread = _held(folder, before=report)
    earlier = [other for other in held if other.board == report.board and other.date < report.date]
    if report.changes is None and earlier:
        report = replace(report, changes=diff(earlier[0], report))
    base = folder / report.date / report.slug
    files = []
    for name in dict.fromkeys((*FORMATS, *more)):
        files.append(base.with_name(f"{base.name}.{writers.ENDINGS[name]}"))
        writers.write(files[-1], writers.reporter(name)(report))
    newest = sorted([report, *held], key=lambda one: one.date, reverse=True)[:KEPT]
    for name, content in (("index.html", index.html(newest)), ("index.md", index.markdown(newest)), ("feed.atom", atom.feed(newest))):
        files.append(folder / name)
        writers.write(files[-1], content)
    return Put(report, tuple(files), tuple(unread))


def _held(folder: Path, *, before: Report) -> tuple[list[Report], list[str]]:
    """Return the newest other reports in a folder, and what could not be read of it."""
    found, unread = [], []
    days = sorted((path for path in folder.glob("*-*-*") if DAY.fullmatch(path.name)), key=lambda path: path.name, reverse=True)
    files = [file for path in days for file in sorted(path.glob("*.json"))]
    for file in files[: 2 * KEPT]:
        if (file.parent.name, file.stem) == (before.date, before.slug):
            continue
        try:
            one = read(file)
        except CardcheckError as error:
            unread.append(error.message)
            continue
        if (file.parent.name, file.stem) == (one.date, one.slug):  # links are made of these
            found.append(one)
        else:
            unread.append(f"{file}, which is the report on {one.board} of {one.date} and belongs elsewhere")
    return found, unread
