"""The innermost layer: connects to an address that was looked at (guard.py), through the user's proxy where there is one.

The look-up and the connection are one step below the pool of connections, so nothing can be connected to that was not looked at. The
time for an answer is kept here too, at each reading from the socket: a server that drips, even its headers, is left when it is up.

Proxies are taken from the environment and the system's settings as other programs take them (`https_proxy`, `no_proxy` …). This machine
itself is never asked through a proxy.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any

import httpcore2
import httpx2

from cardcheck.net.guard import BlockedError, UnknownHostError, check_name, literal, look_up

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Collection, Iterable, Iterator

MAX_ADDRESSES = 3  # of one host; the next one is tried where one does not answer
DEADLINE: ContextVar[float | None] = ContextVar("DEADLINE", default=None)  # on the monotonic clock; None where another keeps the time


class LimitError(httpx2.TransportError):
    """An answer is larger, slower or more packed than any should be, or leads where no request may go."""


class UnreachableError(httpx2.TransportError):
    """No answer came, and trying again would not help, or has not. huggingface_hub does not try this again either."""


class Connect(httpx2.BaseTransport):
    """Sends a request to where it may go. `allowed` are hosts, or `host:port`, that may lie anywhere, in lower case."""

    def __init__(self, allowed: Collection[str] = ()) -> None:
        self.allowed = allowed
        backend = _Backend(lambda host, port: look_up(host, port, allowed))
        self.direct = httpcore2.ConnectionPool(ssl_context=_ssl_context(), network_backend=backend, **_LIMITS)
        self.proxies: dict[str, httpcore2.ConnectionPool] = {}

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request; the body of the answer is yet to be read."""
        _refuse_offline(request)
        url = request.url
        if url.scheme not in ("http", "https"):
            raise LimitError(f"{url.scheme or 'none'} is no scheme that is followed")
        core = httpcore2.Request(
            request.method,
            httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        try:
            response = self._pool(url).handle_request(core)
        except BlockedError as error:
            raise LimitError(str(error)) from None
        except UnknownHostError as error:
            raise UnreachableError(str(error)) from None
        except OSError as error:  # the look-up failed for now; what fails later is an error of httpcore2
            raise httpx2.ConnectError(str(error)) from None
        except _CORE as error:
            raise _translated(error) from None
        return httpx2.Response(response.status, headers=response.headers, stream=_Stream(response.stream), extensions=response.extensions)

    def _pool(self, url: httpx2.URL) -> httpcore2.ConnectionPool:
        host = url.raw_host.decode("ascii")
        port = url.port or (443 if url.scheme == "https" else 80)
        proxy = proxy_for(url.scheme, host, port)
        if proxy is None:
            return self.direct
        check_name(host, port, self.allowed)
        if proxy not in self.proxies:
            self.proxies[proxy] = _proxy_pool(proxy)
        return self.proxies[proxy]

    def close(self) -> None:
        """Close all connections."""
        for pool in (self.direct, *self.proxies.values()):
            pool.close()


def proxy_for(scheme: str, host: str, port: int) -> str | None:
    """Return the address of the proxy through which the user asks a host; None where there is none, or none for this host."""
    from urllib.request import getproxies, proxy_bypass

    address, name = literal(host), host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost") or (address is not None and address.is_loopback):
        return None
    proxies = getproxies()
    found = proxies.get(scheme) or proxies.get("all")
    if not found or proxy_bypass(f"[{host}]:{port}" if ":" in host else f"{host}:{port}"):
        return None
    return found if "://" in found else f"http://{found}"


def _proxy_pool(address: str) -> httpcore2.ConnectionPool:
    """Return connections through a proxy; its own address is the user's choice, and may lie anywhere."""
    try:
        proxy = httpx2.Proxy(address)
    except (ValueError, httpx2.InvalidURL):
        raise UnreachableError("the proxy that the environment names has no address that can be used") from None
    if proxy.url.scheme not in ("http", "https"):
        raise UnreachableError(f"the environment names a proxy of the kind {proxy.url.scheme}; http and https are known")
    own: dict[str, Any] = {"proxy_ssl_context": _ssl_context()} if proxy.url.scheme == "https" else {}
    return httpcore2.HTTPProxy(
        httpcore2.URL(scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=b"/"),
        proxy_auth=proxy.raw_auth,
        ssl_context=_ssl_context(),
        network_backend=_Backend(lambda host, port: look_up(host, port, {host.lower()})),
        **own,
        **_LIMITS,
    )


_LIMITS: dict[str, Any] = {"max_connections": 50, "max_keepalive_connections": 20, "keepalive_expiry": 5.0}
_CORE = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.ProxyError, httpcore2.UnsupportedProtocol)


@cache
def _ssl_context() -> ssl.SSLContext:
    return httpx2.create_ssl_context()


def _translated(error: Exception) -> httpx2.TransportError:
    """Return httpx2's error of the same name."""
    kind: type[httpx2.TransportError] = getattr(httpx2, type(error).__name__, httpx2.TransportError)
    return kind(str(error) or _words(type(error).__name__))


def _words(name: str) -> str:
    """Return `read timeout` for ReadTimeout."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _refuse_offline(request: httpx2.Request) -> None:
    """Ask nothing where the user wants huggingface_hub to ask nothing; its own client does so in a hook that ours has not."""
    from huggingface_hub import constants, errors

    if constants.is_offline_mode():
        raise errors.OfflineModeIsEnabled(f"{request.url.host} is not asked: HF_HUB_OFFLINE is set")


class _Stream(httpx2.SyncByteStream):
    """A body as it comes."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self.inner
        except _CORE as error:
            raise _translated(error) from None

    def close(self) -> None:
        self.inner.close()


class _Backend(httpcore2.NetworkBackend):
    """Opens connections to the addresses that a look-up gives, in its order."""

    def __init__(self, addresses: Callable[[str, int], list[str]]) -> None:
        self.addresses = addresses
        self.sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        problem: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in self.addresses(host, port)[:MAX_ADDRESSES]:
            try:
                stream = self.sockets.connect_tcp(address, port, _left(timeout), local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                problem = error
            else:
                return _Timed(stream)
        raise problem


class _Timed(httpcore2.NetworkStream):
    """A connection that is read and written until the deadline of whoever asks."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self.inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Timed(self.inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)


def _left(timeout: float | None) -> float | None:
    """Return how long may still be waited: the usual time, or what is left until the deadline."""
    deadline = DEADLINE.get()
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore2.ReadTimeout("the time for the answer is up")
    return left if timeout is None else min(timeout, left)
