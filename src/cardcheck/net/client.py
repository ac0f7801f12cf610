"""Every request that cardcheck makes goes through the client that is made here, huggingface_hub's among them.

Layers, from the outside in: what is asked for is noted, and the token taken off where it is not for the Hub; answers that were kept and
are young enough are given again (kept.py); what fails for a moment is tried again, after as long as the server asks for; bodies are read
whole, with a limit on size and time; and the address that is connected to is one that was looked at (connect.py, guard.py). Files of
a repository on the Hub are passed through as they come: huggingface_hub resumes, retries and keeps these. What the Hub keeps in Xet is
fetched by the hf_xet package itself.
"""

from __future__ import annotations

import re
import threading
import time
import zlib
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx2

from cardcheck import __version__
from cardcheck.net.connect import DEADLINE, Connect, LimitError, UnreachableError
from cardcheck.net.kept import Kept, without_secrets

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BODY = 5_000_000  # bytes of one answer, unpacked
MAX_SECONDS = 20.0  # for one answer, however steadily it drips
MAX_ASKED = 1000  # answers in one run; only a server that always names a next page comes there
CONNECT_SECONDS = 8.0
TRIES, FIRST_WAIT, LONGEST_WAIT, JITTER = 3, 0.3, 3.0, 0.5
MAX_WAIT = 20.0  # seconds; a server that asks for more is told as unavailable
AT_ONCE = 4  # requests to one host
LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
FINAL = (LimitError, UnreachableError, httpx2.ProxyError, httpx2.UnsupportedProtocol)  # trying again would give the same
RATE_LIMIT = re.compile(r"r=0{1,6};t=(\d{1,6})(?!\d)")  # RateLimit: "api";r=0;t=55 (draft-ietf-httpapi-ratelimit-headers)
FILE = re.compile(r"/resolve/|/raw/|/info/lfs|/(?:blobs?|xet)/")
UNASKED = "/api/agent-harnesses"  # huggingface_hub asks by itself, to tell the Hub which agent runs it; nobody wants that of us
DROPPED = frozenset({"content-encoding", "content-length", "transfer-encoding", "set-cookie"})
CHARSET = re.compile(
    r";\s{0,9}charset=\"?(?:utf-?8|us-ascii|iso-8859-\d{1,2}|latin-?1|windows-125\d|shift_jis|euc-(?:jp|kr)|gb\w{1,6}|big5)\b",
    re.IGNORECASE,
)


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
    questions: int = 0  # of those, what is no file of a repository

    def made(self) -> int:
        """Return the number of requests that went out."""
        return sum(one.tries for one in self.asked)


class LaterError(httpx2.TransportError):
    """A server cannot answer now. `seconds` is how long it asks to wait, where it says so."""

    def __init__(self, host: str, status: int, seconds: float | None) -> None:
        when = "later" if seconds is None else f"in {seconds:.0f} s"
        super().__init__(f"{host} asks to come back {when} (429)" if status == 429 else f"{host} answered {status}")
        self.status, self.seconds = status, seconds


@dataclass(slots=True)
class _Host:
    """How one host is to be asked: by few at a time, and not before `after`, which it named itself."""

    turns: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(AT_ONCE))
    after: float = 0.0


_HOSTS: dict[str, _Host] = {}
_HOSTS_LOCK = threading.Lock()


def _host(url: httpx2.URL) -> _Host:
    with _HOSTS_LOCK:
        return _HOSTS.setdefault(f"{url.scheme}://{url.host}:{url.port}", _Host())


class _Whole(httpx2.BaseTransport):
    """Reads answers to their end within the limits, and tries again what fails for a moment."""

    def __init__(self, inner: httpx2.BaseTransport) -> None:
        self.inner = inner
        self.gone: dict[str, str] = {}  # hosts that could not be connected to: asking each again twenty times would take minutes

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        import stamina
        from stamina.instrumentation import set_on_retry_hooks

        set_on_retry_hooks([])  # what was tried stands in the report
        where = request.url.netloc.decode("ascii", "replace")
        if where in self.gone:
            raise UnreachableError(self.gone[where])
        tries = TRIES if request.method in ("GET", "HEAD") else 1
        try:
            for attempt in stamina.retry_context(
                on=_again, attempts=tries, timeout=None, wait_initial=FIRST_WAIT, wait_max=LONGEST_WAIT, wait_jitter=JITTER
            ):
                with attempt:
                    return self._once(request)
        except (LimitError, LaterError, UnreachableError):
            raise
        except httpx2.TransportError as error:
            problem = str(error) or type(error).__name__
            if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
                self.gone[where] = problem
            raise UnreachableError(problem) from None
        raise AssertionError("stamina tries at least once")

    def _once(self, request: httpx2.Request) -> httpx2.Response:
        host = _host(request.url)
        with host.turns:
            wait = host.after - time.monotonic()
            if wait > MAX_WAIT:
                raise LaterError(request.url.host, 429, wait)
            time.sleep(max(0.0, wait))
            request.extensions["tries"] += 1
            deadline = time.monotonic() + MAX_SECONDS
            token = DEADLINE.set(deadline)
            try:
                response = self._read(request)
            except httpx2.TimeoutException:
                if time.monotonic() < deadline - 0.05:
                    raise
                raise LimitError(f"the answer took longer than {MAX_SECONDS:.0f} s") from None
            finally:
                DEADLINE.reset(token)
        if response.status_code in LATER:
            seconds = _asked_wait(response)
            if seconds is not None:
                host.after = max(host.after, time.monotonic() + seconds)
            raise LaterError(request.url.host, response.status_code, seconds)
        return response

    def _read(self, request: httpx2.Request) -> httpx2.Response:
        response = self.inner.handle_request(request)
        try:
            body = b"" if request.method == "HEAD" else _body(response)
        finally:
            response.close()
        headers = [(name, _plain(name, value)) for name, value in response.headers.multi_items() if name.lower() not in DROPPED]
        return httpx2.Response(response.status_code, headers=headers, content=body)

    def close(self) -> None:
        self.inner.close()


def _again(error: Exception) -> bool | float:
    """Tell whether to try again, or after how many seconds."""
    if isinstance(error, LaterError):
        return True if error.seconds is None else error.seconds <= MAX_WAIT and error.seconds
    return isinstance(error, httpx2.TransportError) and not isinstance(error, FINAL)


def _asked_wait(response: httpx2.Response) -> float | None:
    """Return after how many seconds the server wants to be asked again, where it says so."""
    limits = [float(seconds) + 1 for seconds in RATE_LIMIT.findall(response.headers.get("ratelimit", "").replace(" ", ""))]
    if limits and response.status_code == 429:
        return max(limits)
    after = response.headers.get("retry-after", "").strip()
    if after.isdecimal():
        return float(after[:9])
    try:
        return max(0.0, parsedate_to_datetime(after[:64]).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _plain(name: str, value: str) -> str:
    """Return a content type without a character set that nobody uses: decoding some (punycode) takes for ever."""
    return value if name.lower() != "content-type" or CHARSET.search(value) else value.partition(";")[0]


def _body(response: httpx2.Response) -> bytes:
    """Return the body unpacked; raises LimitError where it is too large, or packed in a way that was not asked for."""
    kind = response.headers.get("content-encoding", "identity").strip().lower()
    if kind not in ("identity", "", "gzip", "x-gzip"):
        raise LimitError(f"the answer is packed as {kind[:40]}, which was not asked for")
    stream: Any = response.stream
    parts, size = [], 0
    for part in stream if kind in ("identity", "") else _unpacked(stream):
        size += len(part)
        if size > MAX_BODY:
            raise LimitError(f"the answer is larger than {MAX_BODY:,} bytes")
        parts.append(part)
    return b"".join(parts)


def _unpacked(stream: Iterable[bytes]) -> Iterable[bytes]:
    unpack = zlib.decompressobj(zlib.MAX_WBITS | 16)
    empty = True
    try:
        for chunk in stream:
            empty = empty and not chunk
            part = unpack.decompress(chunk, MAX_BODY + 1)
            yield part
    except zlib.error as error:
        raise LimitError(f"the answer cannot be unpacked: {error}") from None
    if not empty and not unpack.eof:
        raise httpx2.ReadError("the answer ends before its end")


class _Noted(httpx2.BaseTransport):
    """The outermost layer: notes what was asked, keeps the token for the Hub, and sends its files past the layers for answers."""

    def __init__(self, log: Log, hub: httpx2.URL | None, files: httpx2.BaseTransport, answers: httpx2.BaseTransport) -> None:
        self.log, self.hub, self.files, self.answers = log, hub, files, answers

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == UNASKED:
            return httpx2.Response(404)
        start = time.monotonic()
        of_hub = self.hub is not None and _is_origin(request.url, self.hub)
        if not of_hub:
            request.headers.pop("authorization", None)
        passed = bool(request.extensions.get("file")) or (of_hub and bool(FILE.search(request.url.path)))
        # a redirect carries these on: what a file redirects to is the file, at whatever address
        api = of_hub and request.url.path.startswith("/api/")
        request.extensions = {**request.extensions, "tries": int(passed), "file": passed, "json": api}
        try:
            self.log.questions += not passed
            if self.log.questions > MAX_ASKED:
                raise LimitError(f"more than {MAX_ASKED} answers were asked for in one run")
            response = (self.files if passed else self.answers).handle_request(request)
        except httpx2.TransportError as error:
            self._note(request, None, start, str(error) or type(error).__name__, getattr(error, "status", None))
            raise
        self._note(request, response, start)
        return response

    def _note(
        self, request: httpx2.Request, response: httpx2.Response | None, start: float, problem: str = "", status: int | None = None
    ) -> None:
        asked = Asked(
            request.method,
            without_secrets(str(request.url)),
            response.status_code if response is not None else status,
            round(time.monotonic() - start, 3),
            len(response.content) if response is not None and response.is_closed else 0,
            bool(response is not None and response.extensions.get("from_cache")),
            request.extensions["tries"],
            problem,
        )
        self.log.asked.append(asked)

    def close(self) -> None:
        self.answers.close()
        self.files.close()


def _is_origin(url: httpx2.URL, hub: httpx2.URL) -> bool:
    """Tell whether an address is of the Hub, or of the Hub by https where its own address is by http."""
    ports = {"http": 80, "https": 443}
    here, there = (url.scheme, url.port or ports.get(url.scheme)), (hub.scheme, hub.port or ports.get(hub.scheme))
    return url.host == hub.host and (here == there or (here, there) == (("https", 443), ("http", 80)))


def make_client(
    log: Log, *, hub: str | None = None, allowed: Iterable[str] = (), keep: bool = True, refresh: bool = False
) -> httpx2.Client:
    """Return a client with all of it; redirects pass all layers anew.

    `hub` is the address of the Hub, which gets the token, may lie anywhere, and whose files are passed through. `allowed` are other hosts
    that may lie anywhere. Without `keep` every answer is a new one.
    """
    base = httpx2.URL(hub) if hub else None
    known = {host.lower() for host in allowed}
    if base is not None:
        known.add(f"{base.host}:{base.port or (443 if base.scheme == 'https' else 80)}")
    connect = Connect(frozenset(known))
    whole: httpx2.BaseTransport = _Whole(connect)
    return httpx2.Client(
        transport=_Noted(log, base, connect, Kept(whole, refresh=refresh) if keep else whole),
        follow_redirects=True,
        max_redirects=5,
        trust_env=False,  # proxies are taken from the environment where the connection is made; ~/.netrc is nobody's business
        timeout=httpx2.Timeout(MAX_SECONDS, connect=CONNECT_SECONDS),
        headers={"user-agent": f"cardcheck/{__version__}", "accept-encoding": "gzip"},
    )
