"""Answers that were had are given again while they are young, so that an audit that is repeated asks nothing.

They lie in one SQLite file in the user's cache folder. Of a request nothing secret is kept: answers are found again by a hash, in which the
token counts, since what one may see another may not. Whatever is wrong with the file, the answer is not: then nothing is kept.
"""

from __future__ import annotations

import hashlib
import logging
import re
import sqlite3
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2

from cardcheck.cache import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

HOUR, DAY = 3600, 86_400
# How long an answer counts as it was, by what it is about; the first that matches. A paper's page hardly ever changes.
AGES = (
    (re.compile(r"/api/papers/|//export\.arxiv\.org/|//arxiv\.org/abs/"), 30 * DAY),
    (re.compile(r"/api/(?:organizations|users)/"), 7 * DAY),
    (re.compile(r"/discussions|/commits/"), 6 * HOUR),
    (re.compile(r""), DAY),
)
ABSENT_AGE = HOUR  # what is missing may be there soon
REDIRECTS = frozenset({301, 302, 303, 307, 308})
HEADERS = ("content-type", "link", "location", "x-error-code", "x-error-message")  # what the facts are read from
MAX_SIZE = 200_000_000


class Kept(httpx2.BaseTransport):
    """Gives answers again while they are young; `refresh` asks again, and keeps what it is told."""

    def __init__(self, inner: httpx2.BaseTransport, *, refresh: bool = False) -> None:
        self.inner, self.refresh = inner, refresh
        self.storage = _storage()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer from what is kept, or ask, and keep what lasts."""
        if self.storage is None or request.method != "GET":
            return self.inner.handle_request(request)
        key = _key(request)
        known = None if self.refresh else self._find(key)
        if known is not None:
            return known
        response = self.inner.handle_request(request)
        age = _age(request, response)
        if age:
            self._keep(key, request, response, age)
        return response

    def _find(self, key: str) -> httpx2.Response | None:
        try:
            for entry in self.storage.get_entries(key):
                headers = [(name, value) for name in entry.response.headers for value in entry.response.headers.get_list(name) or []]
                body = b"".join(entry.response.stream)
                return httpx2.Response(entry.response.status_code, headers=headers, content=body, extensions={"from_cache": True})
        except Exception:  # noqa: BLE001  # a file that another program wrote may be wrong in any way
            self.storage = None
        return None

    def _keep(self, key: str, request: httpx2.Request, response: httpx2.Response, age: float) -> None:
        from hishel import Headers, Request, Response

        bare = Request("GET", without_secrets(str(request.url)))
        headers = Headers({name: response.headers.get_list(name) for name in HEADERS if name in response.headers})
        try:
            old = self.storage.get_entries(key)
            entry = self.storage.create_entry(bare, Response(response.status_code, headers, iter([response.content])), key, ttl=age)
            for _ in entry.response.stream:  # it is written while it is read
                pass
            for one in old:
                self.storage.remove_entry(one.id)
        except Exception:  # noqa: BLE001
            self.storage = None

    def close(self) -> None:
        """Close the file."""
        self.inner.close()
        if self.storage is not None:
            self.storage.close()


def _key(request: httpx2.Request) -> str:
    whole = f"{request.url}\n{request.headers.get('authorization', '')}"
    return hashlib.sha256(whole.encode()).hexdigest()


def _age(request: httpx2.Request, response: httpx2.Response) -> float:
    """Return for how long an answer is kept; 0 where the next one may be another, as where access or a token is asked for."""
    age = next(age for pattern, age in AGES if pattern.search(str(request.url)))
    status = response.status_code
    if status in (404, 410) or (status == 401 and response.headers.get("x-error-code") == "RepoNotFound"):
        return min(age, ABSENT_AGE)
    if status == 200 and request.extensions.get("json") and "json" not in response.headers.get("content-type", ""):
        return 0  # a login page in place of the Hub
    return age if status == 200 or status in REDIRECTS else 0


def _storage() -> Any:
    """Return where answers are kept; None where the user wants no such place, or it cannot be written."""
    folder = cache_folder()
    if folder is None:
        return None
    from hishel import SqliteStorage

    logging.getLogger("hishel").setLevel(logging.CRITICAL)  # it tells at length of a file that it cannot use
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return SqliteStorage(connection=_opened(folder / "http.db"), max_size=MAX_SIZE)
    except (sqlite3.Error, OSError):
        return None


def _opened(path: Path) -> sqlite3.Connection:
    """Return the file opened; one that is no database any more is begun anew."""
    try:
        return _connected(path)
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        path.unlink()
        return _connected(path)


def _connected(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=5.0, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("SELECT name FROM sqlite_master LIMIT 1").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def without_secrets(url: str) -> str:
    """Return an address without user, password, and query, in which signed addresses carry their signature."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
