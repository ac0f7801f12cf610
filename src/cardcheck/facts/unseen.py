"""Front matter that somebody wrote and the Hub does not see: why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_HEAD = 1_000_000  # characters in which front matter is looked for

# A key of the Hub says that front matter is meant: a ruler and a word with a colon stand in many texts.
KEY = (
    r"(?:license|license_name|license_link|language|tags|datasets|metrics|pipeline_tag|library_name|base_model|model-index|thumbnail|widget"
    r"|inference|new_version|extra_gated_\w{1,30})[ \t]{0,9}:"
)
BLANK = r"(?:[ \t]{0,9}\n|#[^\n]{0,200}\n){0,9}"
EMPTY = Pattern(r"\s{0,99}---[ \t]{0,99}\n---")
STARTS_WITH_KEY = Pattern(rf"\s{{0,99}}{KEY}")
OPENED = Pattern(rf"(?:^|\n)---[ \t]{{0,99}}\n{BLANK}{KEY}")
OPENED_AT_START = Pattern(rf"\s{{0,99}}---[ \t]{{0,99}}\n{BLANK}[ \t]{{0,9}}{KEY}")
SPACES_AFTER = Pattern(r"(\s{0,99}---)[ \t]{1,99}\n")
NEARLY_OPENED = Pattern(
    rf"\s{{0,99}}([-=*~`_+\u2010-\u2015\u2212]{{2,40}}[ \t]{{0,9}}(?:ya?ml)?)[ \t]{{0,99}}\n(?:[ \t]{{0,9}}\n){{0,9}}(?:---\n)?{KEY}"
)
CLOSING = Pattern(r"\n---[ \t]{0,99}(?:\n|$)")
NEARLY_CLOSED = Pattern(r"\n([ \t]{0,9}(?:[-\u2010-\u2015\u2212]{2,40}|\.{3}|={3,40}|\*{3,40}|`{3})[ \t]{0,99})(?=\n|$)")
INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060\xad"


def why_unseen(text: str, front_matter: Pattern) -> str | None:
    """Say why the Hub does not see front matter that somebody wrote; None where there is none to see.

    `front_matter` is what the Hub sees; it does not match the text.
    """
    if stray := stray_start(text, front_matter):
        return f"an invisible character (U+{ord(stray[0]):04X}) stands before it"
    head = text[:MAX_HEAD].replace("\r\n", "\n")
    if "\r" in head and "\n" not in head.strip():
        head = head.replace("\r", "\n")
        return "its lines end with carriage returns alone, so its closing --- is not seen" if OPENED_AT_START.match(head) else None
    head = head.replace("\r", "\n")
    checks: tuple[Callable[[str, Pattern], str | None], ...] = (_empty, _spaces, _unclosed, _misopened, _unopened, _late)
    return next((found for check in checks if (found := check(head, front_matter))), None)


def stray_start(text: str, front_matter: Pattern) -> str:
    """Return the invisible characters that keep front matter from being seen, or an empty text."""
    bare = text.lstrip(INVISIBLE)
    return text[: len(text) - len(bare)] if len(bare) < len(text) <= len(bare) + 9 and front_matter.match(bare) else ""


def _empty(head: str, _: Pattern) -> str | None:
    return "it is empty" if EMPTY.match(head) else None


def _spaces(head: str, front_matter: Pattern) -> str | None:
    found = SPACES_AFTER.match(head)
    return "spaces follow the opening ---" if found and front_matter.match(found[1] + "\n" + head[found.end() :]) else None


def _unclosed(head: str, _: Pattern) -> str | None:
    if not OPENED_AT_START.match(head):
        return None
    closing = NEARLY_CLOSED.search(head, head.find("---") + 3)
    return "its closing --- is missing" + (f": the line `{closing[1].rstrip()}` does not close it" if closing else "")


def _misopened(head: str, _: Pattern) -> str | None:
    found = NEARLY_OPENED.match(head)
    if found and found[1].startswith(("```", "~~~")):
        return "it stands in a code block"
    return f"it opens with `{found[1].strip()}` where --- is wanted" if found else None


def _unopened(head: str, _: Pattern) -> str | None:
    return "its opening --- is missing" if STARTS_WITH_KEY.match(head) and CLOSING.search(head) else None


def _late(head: str, _: Pattern) -> str | None:
    found = OPENED.search(head)
    return "text stands before it" if found and head.count("```", 0, found.start()) % 2 == 0 else None
