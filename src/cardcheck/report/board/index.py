"""The list of reports in a folder, the newest first, as a page and as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.report.board.html import page
from cardcheck.report.board.records import KINDS
from cardcheck.report.markdown import code

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardcheck.report.board.records import Report


def changed(report: Report) -> str:
    """Return in a few words what changed since the report before."""
    if report.changes is None:
        return "the first report"
    counts = ", ".join(f"{KINDS[kind].lower()}: {number}" for kind, number in report.changes.counts.items())
    return f"since {report.changes.old}: {counts or 'nothing changed'}"


def html(reports: Sequence[Report]) -> bytes:
    """Return the list as a page."""
    return page("index.html.j2", reports=reports, changed=changed)


def markdown(reports: Sequence[Report]) -> bytes:
    """Return the list as Markdown."""
    lines = ["# Leaderboard reports", "", "| day | board | models | findings | what changed |", "| --- | --- | ---: | ---: | --- |"]
    for report in reports:
        numbers = report.numbers
        found = numbers["errors"] + numbers["warnings"] + numbers["notes"]
        links = " ".join(f"[{name}]({report.date}/{report.slug}.{name})" for name in ("html", "md", "json"))
        lines.append(f"| {report.date} | {_cell(report.board)} {links} | {numbers['models']} | {found} | {_cell(changed(report))} |")
    return ("\n".join([*lines, "", "[Feed of news](feed.atom)"]) + "\n").encode("utf-8")


def _cell(text: str) -> str:
    return code(text).replace("\\|", "\\ |").replace("|", "\\|")
