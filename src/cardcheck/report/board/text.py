"""A difference as text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cardcheck.report.board.records import KINDS
from cardcheck.report.escape import no_command, visible

if TYPE_CHECKING:
    from cardcheck.report.board.records import Changes

COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}
MOST = 50  # changes of a kind; the other formats have more


def changes(found: Changes) -> bytes:
    """Return a difference as text."""
    lines = [f"{visible(found.board)}: {visible(found.old)} to {visible(found.new)}"]
    for kind, number in found.counts.items():
        lines += ["", click.style(f"{KINDS[kind]} ({number})", bold=True)]
        for change in found.of(kind)[:MOST]:
            grave = click.style(change.severity, fg=COLOURS[change.severity]) + " " if change.severity in COLOURS else ""
            lines.append(f"  {grave}{visible(change.model)}: {visible(change.text)}")
        lines += [f"  and {number - MOST} more; --output json:FILE has all"] if number > MOST else []
    lines += ["", "nothing changed"] if not found.changes else []
    lines += ["", *map(visible, found.notes)] if found.notes else []
    return ("\n".join(map(no_command, lines)) + "\n").encode("utf-8", "backslashreplace")
