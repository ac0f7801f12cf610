"""Wikipedia: the leads of pages that were created after a date, from answers of its API (JSON).

Two kinds of answers are read: the log of created pages (`list=logevents`), which dates them, and their leads (`prop=extracts`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from cardcheck.errors import CardcheckError
from cardcheck.pattern import Pattern
from cardcheck.spotcheck.building.answers import Asking, is_address, kept
from cardcheck.spotcheck.building.document import Digest, Document, Section, Source, iso_date, paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS, LEADS = 500, 20  # the most that one answer holds
LICENSE = "CC-BY-SA-4.0"
LANGUAGE = Pattern(r"[a-z]{2,3}(?:-[a-z]{2,10})?")


def read_wikipedia(where: str, asking: Asking) -> Source:
    """Read leads from kept answers, or ask the Wikipedia of a language. Raises CardcheckError."""
    digest = Digest()
    created: dict[int, str] = {}
    pages: dict[int, tuple[str, str]] = {}
    answers = kept(where, (".json",), digest) if Path(where).exists() else _asked(where, asking, digest, created)
    for name, data in answers:
        _sort(_parsed(name, data), created, pages)
        asking.progress(len(pages), asking.most)
    documents = [
        Document(title, (Section("", paragraphs(text)),), f"page {number}: {title}", created.get(number, ""), "", LICENSE)
        for number, (title, text) in pages.items()
    ]
    if not documents:
        raise CardcheckError(f"wikipedia:{where} has no page", hint="name a language (wikipedia:de), or a folder of the API's answers")
    return Source("wikipedia", where, documents[: asking.most], digest.hex(), license=LICENSE)


def _asked(where: str, asking: Asking, digest: Digest, created: dict[int, str]) -> Iterator[tuple[str, bytes]]:
    if not is_address(where) and not LANGUAGE.fullmatch(where):
        raise CardcheckError(f"wikipedia:{where} is neither there nor a language", hint="write wikipedia:de")
    if not asking.after:
        raise CardcheckError("pages of Wikipedia are chosen by when they were created", hint="say --after DATE")
    api = where if is_address(where) else f"https://{where}.wikipedia.org/w/api.php"
    form = {"action": "query", "format": "json", "formatversion": "2"}
    log = {"list": "logevents", "leaction": "create/create", "lenamespace": "0", "ledir": "newer", "lestart": f"{asking.first}T00:00:00Z"}
    more: dict[str, str] = {}
    for _ in range(1 + 3 * asking.most // EVENTS):  # redirects are among the created pages, and give no lead
        data = asking.get(f"{api}?{urlencode({**form, **log, 'lelimit': str(EVENTS), **more})}")
        digest.add("created", data)
        answer = _parsed("created", data)
        _sort(answer, created, {})
        more = {key: str(value) for key, value in _dict(answer.get("continue")).items()}
        yield "created", data
        if not more or len(created) >= 3 * asking.most:
            break
    leads = {"prop": "extracts", "exintro": "1", "explaintext": "1", "exlimit": str(LEADS)}
    numbers = list(created)[: 3 * asking.most]
    had = 0
    for start in range(0, len(numbers), LEADS):
        chosen = "|".join(map(str, numbers[start : start + LEADS]))
        data = asking.get(f"{api}?{urlencode({**form, **leads, 'pageids': chosen})}")
        digest.add(chosen, data)
        yield chosen, data
        had += data.count(b'"extract"')
        if had >= asking.most:
            return


def _parsed(name: str, data: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(data)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise CardcheckError(f"wikipedia: {name[:100]} is no answer of its API")
    if "error" in answer:
        raise CardcheckError(f"Wikipedia refuses: {str(_dict(answer['error']).get('info'))[:200]}")
    return answer


def _sort(answer: dict[str, Any], created: dict[int, str], pages: dict[int, tuple[str, str]]) -> None:
    """Take from an answer when pages were created, and their leads."""
    query = _dict(answer.get("query"))
    for event in _list(query.get("logevents")):
        number, day = event.get("pageid"), iso_date(event.get("timestamp"))
        if isinstance(number, int) and number and day:
            created.setdefault(number, day)
    for page in _list(query.get("pages")):
        number, title, text = page.get("pageid"), page.get("title"), page.get("extract")
        if isinstance(number, int) and isinstance(title, str) and isinstance(text, str) and title.strip() and text.strip():
            pages[number] = title.strip(), text


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[dict[str, Any]]:
    found = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in found if isinstance(one, dict)]
