"""What people typed, held against what there is, so that a word that nothing is called by gets an answer and not an empty list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.catalogue import tasks
from cardcheck.errors import CardcheckError
from cardcheck.leaderboard import boards
from cardcheck.leaderboard.languages import TWO_LETTERS, long_codes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

SHOWN = 60  # letters of what was typed
LISTED = 50  # words that are named where none is near


def check(given: Iterable[str], known: Collection[str], what: str) -> None:
    """Raise CardcheckError for the first word that is not known, whatever its capitals, and name those that look like it."""
    plain = {word.lower(): word for word in known}
    for word in given:
        if word.strip().lower() in plain:
            continue
        from difflib import get_close_matches

        near = [plain[key] for key in get_close_matches(word.strip().lower()[:SHOWN], plain, 3, 0.7)]
        near = near or sorted(name for key, name in plain.items() if word.strip() and key.startswith(word.strip().lower()))[:3]
        hint = f"did you mean {', '.join(near)}?" if near else ", ".join(sorted(known)[:LISTED])
        raise CardcheckError(f"there is no {what} {word[:SHOWN]!r}", hint=hint)


def check_languages(given: Iterable[str]) -> None:
    """Raise CardcheckError for a code that no task of MTEB has."""
    for code in given:
        if code.strip().lower() in TWO_LETTERS:
            continue
        held = {language for name in tasks.names() for spoken in boards.subsets(name).values() for language in spoken.split()}
        if not held.intersection(long_codes(code)) and not {language[:3] for language in held}.intersection(long_codes(code)):
            hint = "write it as de, deu or deu-Latn (ISO 639)"
            raise CardcheckError(f"MTEB has no language {code[:SHOWN]!r}", hint=hint)


def check_tasks(types: Iterable[str] = (), domains: Iterable[str] = (), modalities: Iterable[str] = ()) -> None:
    """Raise CardcheckError for a type, domain or modality that no task of MTEB has."""
    held = [about for name in tasks.names() if (about := tasks.task(name))]
    check(types, {about.type for about in held}, "type of task")
    check(domains, {domain for about in held for domain in about.domains}, "domain")
    check(modalities, {sense for about in held for sense in about.modalities}, "modality")
