"""A feed of what changed, so that a reader of feeds tells when a board has news (RFC 4287).

Written with the standard library: the one kept library for feeds, feedgen, brings lxml and dateutil for what are eight elements here, and
would escape no better. Characters that XML does not know are written out as their codes first.
"""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from cardcheck.report.board.records import KINDS
from cardcheck.report.escape import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardcheck.report.board.records import Changes, Report

ATOM = "http://www.w3.org/2005/Atom"
NO_XML = re.compile("[\ufffe\uffff]")  # XML 1.0 has them not; nor control characters, which `visible` writes out
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
EACH = 100  # entries of a report
KEPT = 1000
NEWS = tuple(kind for kind in KINDS if kind not in ("changed score", "results"))  # too many, and too small, for entries of their own


def render(report: Report) -> bytes:
    """Return the feed of one report."""
    return feed([report])


def changes(found: Changes) -> bytes:
    """Return the feed of one difference."""
    return _feed(found.board, [(found.board, found.new, "", found)])


def feed(reports: Sequence[Report]) -> bytes:
    """Return the feed of several reports, the newest first: an entry for each, and one for each of its news."""
    about = [(report.board, report.date, _summary(report), report.changes) for report in reports]
    return _feed(reports[0].board if len({report.board for report in reports}) == 1 else "leaderboard reports", about)


def _summary(report: Report) -> str:
    numbers = report.numbers
    counts = ", ".join(f"{number} {name}" for name, number in numbers.items())
    changed = ", ".join(f"{number} {KINDS[kind].lower()}" for kind, number in (report.changes.counts if report.changes else {}).items())
    return f"{counts}. " + (f"Since {report.changes.old}: {changed or 'nothing changed'}." if report.changes else "")


def _feed(title: str, about: list[tuple[str, str, str, Changes | None]]) -> bytes:
    root = ET.Element(f"{{{ATOM}}}feed")
    _add(root, "title", f"cardcheck: {title}")
    _add(root, "id", _id(title))
    _add(root, "updated", _moment(max((date for _, date, _, _ in about), default="")))
    _add(ET.SubElement(root, f"{{{ATOM}}}author"), "name", "cardcheck")
    left = KEPT
    for board, date, summary, found in about:
        entries = [(f"{board}, {date}", summary, "report")] if summary else []
        if found:
            news = [change for kind in NEWS for change in found.of(kind)]
            entries += [(f"{change.kind}: {change.model}", change.text, change.kind) for change in news[:EACH]]
        for name, text, kind in entries[:left]:
            entry = ET.SubElement(root, f"{{{ATOM}}}entry")
            _add(entry, "title", name)
            _add(entry, "id", _id(board, date, name, text))
            _add(entry, "updated", _moment(date))
            ET.SubElement(entry, f"{{{ATOM}}}category", term=kind)
            _add(entry, "summary", text or "–")
        left -= min(left, len(entries))
    ET.register_namespace("", ATOM)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{ATOM}}}{name}").text = NO_XML.sub("\ufffd", visible(text))


def _id(*parts: str) -> str:
    """Return a name that the same thing has each time, whatever stands in it: a UUID of its words would say no more."""
    return "urn:sha256:" + hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def _moment(date: str) -> str:
    return f"{date if DAY.fullmatch(date) else '1970-01-01'}T00:00:00Z"
