"""Every request that cardcheck makes goes through the client that is made here, huggingface_hub's among them.

Layers, from the outside in: what is asked for is noted; answers that were kept and are young enough are given again; what fails for
a moment is tried again, after as long as the server asks for; bodies are read whole, with a limit on size and time; and the address
that is connected to is one that was looked at. Files of a repository are passed through as they come: huggingface_hub keeps these.
"""

from __future__ import annotations

import re
import threading
import time
import zlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2

from cardcheck import __version__
from cardcheck.cache import cache_folder
from cardcheck.net.guard import BlockedError, choose

if TYPE_CHECKING:
    from collections.abc import Iterator

HOUR, DAY = 3600, 86_400
# How long an answer counts as it was, by what it is about; the first that matches. A paper's page hardly ever changes.
AGES = (
    (re.compile(r"/api/papers/|export\.arxiv\.org|/abs/"), 30 * DAY),
    (re.compile(r"/api/(?:organizations|users)/"), 7 * DAY),
    (re.compile(r"/discussions|/commits/"), 6 * HOUR),
    (re.compile(r""), DAY),
)
MAX_BODY = 5_000_000  # bytes of one answer, unpacked
MAX_SECONDS = 20.0  # for one answer, however steadily it drips
CONNECT_SECONDS = 8.0
TRIES = 3
MAX_WAIT = 20.0  # seconds; a server that asks for more is told as unavailable
AT_ONCE = 4  # requests to one host
LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
KEPT_FAILURES = frozenset({401, 403, 404, 410})  # answers as good as any: asking again would give the same
STATUS = "x-cardcheck-status"
RATE_LIMIT = re.compile(r"t=(\d{1,6})")  # RateLimit: "api";r=0;t=55 (draft-ietf-httpapi-ratelimit-headers)
FILE = re.compile(r"/resolve/|/raw/|/info/lfs|/(?:blobs?|xet)/")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as the report tells it; the address is without what could be a secret. `problem` is empty where it was answered."""

    method: str
    url: str
    status: int | None
    seconds: float
    bytes: int
    cached: bool
    tries: int
    problem: str = ""


@dataclass(slots=True)
class Log:
    """What was asked, in the order in which it was answered."""

    asked: list[Asked] = field(default_factory=list)

    def made(self) -> int:
        """Return the number of requests that went out."""
        return sum(one.tries for one in self.asked if not one.cached)


class LimitError(httpx2.TransportError):
    """An answer is larger, slower or more packed than any should be, or leads where no request may go."""


class _Pinned(httpx2.BaseTransport):
    """Connects to the address that was looked at. A pool for each host, since one address may serve several."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self.allowed = allowed
        self.pools: dict[str, httpx2.HTTPTransport] = {}
        self.lock = threading.Lock()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        url = request.url
        if url.scheme not in ("http", "https"):
            raise LimitError(f"{url.scheme} is no scheme that is followed")
        try:
            address = choose(url.host, url.port or (443 if url.scheme == "https" else 80), self.allowed)
        except BlockedError as error:
            raise LimitError(str(error)) from None
        except (OSError, UnicodeError) as error:
            raise httpx2.ConnectError(f"{url.host} cannot be looked up: {error}") from None
        with self.lock:
            pool = self.pools.setdefault(url.host, httpx2.HTTPTransport(retries=0))
        pinned = httpx2.Request(
            request.method,
            url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": url.host},
        )
        return pool.handle_request(pinned)

    def close(self) -> None:
        for pool in self.pools.values():
            pool.close()


class _Whole(httpx2.BaseTransport):
    """Reads answers to their end within the limits, and tries again what fails for a moment."""

    def __init__(self, inner: httpx2.BaseTransport) -> None:
        self.inner = inner
        self.turns: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(AT_ONCE))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        import stamina
        from stamina.instrumentation import set_on_retry_hooks

        set_on_retry_hooks([])  # what was tried stands in the report
        tries = 0

        def wait(error: Exception) -> bool | float:
            if isinstance(error, _LaterError):
                return True if error.seconds is None else error.seconds <= MAX_WAIT and error.seconds
            return isinstance(error, httpx2.TransportError) and not isinstance(error, LimitError)

        try:
            for attempt in stamina.retry_context(on=wait, attempts=TRIES, timeout=None, wait_initial=0.3, wait_max=3.0):
                with attempt:
                    tries += 1
                    response = self._once(request)
        except _LaterError as error:
            response = error.response
        response.extensions["tries"] = tries
        return response

    def _once(self, request: httpx2.Request) -> httpx2.Response:
        with self.turns[request.url.host]:
            response = self.inner.handle_request(request)
            try:
                body = _body(response)
            finally:
                response.close()
        headers = [
            pair
            for pair in response.headers.multi_items()
            if pair[0].lower() not in ("content-encoding", "content-length", "transfer-encoding")
        ]
        whole = httpx2.Response(response.status_code, headers=headers, content=body)
        if response.status_code in LATER:
            raise _LaterError(whole, _asked_wait(response))
        return whole

    def close(self) -> None:
        self.inner.close()


class _LaterError(Exception):
    def __init__(self, response: httpx2.Response, seconds: float | None) -> None:
        super().__init__(response.status_code)
        self.response, self.seconds = response, seconds


def _asked_wait(response: httpx2.Response) -> float | None:
    """Return after how many seconds the server wants to be asked again, where it says so."""
    limit = RATE_LIMIT.search(response.headers.get("ratelimit", ""))
    after = response.headers.get("retry-after", "")
    return float(limit[1]) + 1 if limit else float(after) if after.isdecimal() and len(after) < 7 else None


def _body(response: httpx2.Response) -> bytes:
    """Return the body unpacked; raises LimitError where it is too large or takes too long."""
    deadline = time.monotonic() + MAX_SECONDS
    kind = response.headers.get("content-encoding", "identity").strip().lower()
    if kind not in ("identity", "", "gzip", "deflate"):
        raise LimitError(f"the answer is packed as {kind[:40]}, which was not asked for")
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if kind in ("gzip", "deflate") else None
    parts, size = [], 0
    try:
        for chunk in _raw(response, deadline):
            part = unpack.decompress(chunk, MAX_BODY + 1 - size) if unpack else chunk
            size += len(part)
            parts.append(part)
            if size > MAX_BODY or (unpack and unpack.unconsumed_tail):
                raise LimitError(f"the answer is larger than {MAX_BODY:,} bytes")
    except zlib.error as error:
        raise LimitError(f"the answer cannot be unpacked: {error}") from None
    if unpack and not unpack.eof:
        raise httpx2.ReadError("the answer ends before its end")
    return b"".join(parts)


def _raw(response: httpx2.Response, deadline: float) -> Iterator[bytes]:
    stream: Any = response.stream
    for chunk in stream:
        if time.monotonic() > deadline:
            raise LimitError(f"the answer took longer than {MAX_SECONDS:.0f} s")
        yield chunk


class _Kept(httpx2.BaseTransport):
    """Gives answers again while they are young, failures that will not change among them; never keeps a token."""

    def __init__(self, inner: httpx2.BaseTransport, *, refresh: bool) -> None:
        self.inner, self.refresh = inner, refresh
        folder = cache_folder()
        self.cache: Any = None
        if folder is not None:
            self.cache = _transport(folder / "http.db", _WithToken(inner))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.cache is None or request.method != "GET":
            return self.inner.handle_request(request)
        token = request.headers.get("authorization")
        bare = httpx2.Request(
            request.method, request.url, headers=[pair for pair in request.headers.multi_items() if pair[0] != "authorization"]
        )
        age = next(age for pattern, age in AGES if pattern.search(str(request.url)))
        key = f"{request.url}\n{'with' if token else 'without'} token"
        bare.extensions = {**request.extensions, "token": token, "caching": {"ttl": age, "key": key}}
        if self.refresh:
            storage = self.cache.config["storage"]
            for entry in storage.get_entries(key):
                storage.remove_entry(entry.id)
        response = self.cache.handle_request(bare)
        response.read()
        status = int(response.headers.pop(STATUS, response.status_code))
        caching = response.extensions.get("caching")
        extensions = {"from_cache": bool(caching and caching["from_cache"]), "tries": response.extensions.get("tries", 1)}
        return httpx2.Response(status, headers=response.headers, content=response.content, extensions=extensions)

    def close(self) -> None:
        (self.cache or self.inner).close()


class _WithToken(httpx2.BaseTransport):
    """Puts the token back for the request that goes out, and dresses lasting failures as answers, since only these are kept."""

    def __init__(self, inner: httpx2.BaseTransport) -> None:
        self.inner = inner

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        token = request.extensions.get("token")
        headers = [*request.headers.multi_items(), *([("authorization", token)] if token else [])]
        response = self.inner.handle_request(httpx2.Request(request.method, request.url, headers=headers, extensions=request.extensions))
        if response.status_code not in KEPT_FAILURES:
            return response
        dressed = [*response.headers.multi_items(), (STATUS, str(response.status_code))]
        return httpx2.Response(200, headers=dressed, content=response.content, extensions=response.extensions)

    def close(self) -> None:
        self.inner.close()


def _transport(path: Any, inner: httpx2.BaseTransport) -> Any:
    from hishel import SqliteStorage
    from hishel.httpx2 import CacheTransport

    path.parent.mkdir(parents=True, exist_ok=True)
    return CacheTransport(inner, storage=SqliteStorage(database_path=path, max_size=200_000_000))


class _Noted(httpx2.BaseTransport):
    """The outermost layer: notes what was asked, and sends files past the layers that are for answers."""

    def __init__(self, log: Log, files: httpx2.BaseTransport, answers: httpx2.BaseTransport) -> None:
        self.log, self.files, self.answers = log, files, answers

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        start = time.monotonic()
        if FILE.search(request.url.path):
            request.extensions["file"] = True  # and so is what it redirects to, at whatever address
        try:
            response = (self.files if request.extensions.get("file") else self.answers).handle_request(request)
        except httpx2.TransportError as error:
            self._note(request, None, start, str(error) or type(error).__name__)
            raise
        self._note(request, response, start)
        return response

    def _note(self, request: httpx2.Request, response: httpx2.Response | None, start: float, problem: str = "") -> None:
        extensions: dict[str, Any] = response.extensions if response is not None else {}
        size = len(response.content) if response is not None and response.is_closed else 0
        asked = Asked(
            request.method,
            without_secrets(str(request.url)),
            response.status_code if response is not None else None,
            round(time.monotonic() - start, 3),
            size,
            bool(extensions.get("from_cache")),
            int(extensions.get("tries", 1)),
            problem,
        )
        self.log.asked.append(asked)

    def close(self) -> None:
        self.answers.close()
        self.files.close()


def without_secrets(url: str) -> str:
    """Return an address without user, password, and query, in which signed addresses carry their signature."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def make_client(log: Log, *, allowed: frozenset[str] = frozenset(), refresh: bool = False) -> httpx2.Client:
    """Return a client with all of it. `allowed` are hosts that may lie anywhere, in lower case; redirects pass all layers anew."""
    pinned = _Pinned(allowed)
    transport = _Noted(log, pinned, _Kept(_Whole(pinned), refresh=refresh))
    return httpx2.Client(
        transport=transport,
        follow_redirects=True,
        max_redirects=5,
        trust_env=False,
        timeout=httpx2.Timeout(MAX_SECONDS, connect=CONNECT_SECONDS),
        headers={"user-agent": f"cardcheck/{__version__}", "accept-encoding": "gzip"},
    )
