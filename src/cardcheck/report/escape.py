"""Strings of a subject, made harmless for the place they go to."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from cardcheck.pattern import Pattern

# Cc: control characters, terminal escapes among them. Cf: direction overrides and other invisible formatting. Cs: lone surrogates.
# Zl and Zp are line breaks that some terminals and YAML readers honour.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
LONGEST = 1000  # characters; nothing that is worth reading in a report is longer
JOINERS = "\u200c\u200d"  # Persian, Indic scripts and emoji need them, and they hide nothing
# GitHub, Azure and TeamCity take these for commands wherever in a line of a log they stand.
COMMAND = Pattern(r"##(?=(?:vso|teamcity)?\[)", re.IGNORECASE)

# A workflow command begins its line; the runner passes over blanks and colours before it.
LINE_COMMAND = Pattern(r"^((?:\x1b\[[0-9;]*m|\s)*[+-]?):(?=:)")


def visible(text: Any) -> str:
    r"""Return text in which every control and formatting character is written out as its code, such as \\u202e.

    A report then shows what is there, and neither it nor the service that keeps it as a log can be steered by it. Tabs and line
    breaks become spaces, and a text over 1,000 characters is cut.
    """
    given = str(text)
    given = given if len(given) <= LONGEST else given[: LONGEST - 1] + "…"
    if "##" in given:
        given = COMMAND.sub(r"#\\x23", given)
    if given.isascii() and given.isprintable():
        return given
    return "".join(_visible(character) for character in given)


def no_command(line: str) -> str:
    """Return a line of a log that GitHub does not take for a workflow command."""
    return LINE_COMMAND.sub(r"\1\\x3a", line) if "::" in line else line


def _visible(character: str) -> str:
    if character in "\t\n\r":
        return " "
    if unicodedata.category(character) not in HIDDEN or character in JOINERS:
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
