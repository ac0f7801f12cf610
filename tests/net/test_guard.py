"""Which addresses a request may reach, and that the one that was looked at is the one that is connected to."""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING, Any

import pytest
from httpx2 import TransportError
from pytest_httpserver import HTTPServer

from cardcheck.net.client import Log, make_client
from cardcheck.net.connect import LimitError, UnreachableError, proxy_for
from cardcheck.net.guard import BlockedError, check_name, is_open, literal, look_up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

OPEN, PRIVATE = "93.184.216.34", "10.0.0.7"
LOOPBACK = ["127.0.0.1", "0x7f.1", "2130706433", "017700000001", "127.1", "[::1]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]"]
PROXY_VARIABLES = [f"{kind}_proxy" for kind in ("http", "https", "all", "no")]


@pytest.fixture(scope="module")
def started() -> Iterator[HTTPServer]:
    """Start a server once: stopping one takes half a second."""
    with HTTPServer() as server:
        yield server


@pytest.fixture
def server(started: HTTPServer) -> HTTPServer:
    """Give a server that answers one page, and has been asked for nothing."""
    started.clear()
    started.expect_request("/").respond_with_data("here")
    return started


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Give what sets the addresses of a name: one list for each look-up, the last one for ever."""
    known: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        if host not in known:
            return real(host, port, *more, **named)
        answers = known[host]
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [(socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return lambda name, *answers: known.update({name: [list(one) for one in answers]})


@pytest.fixture
def connected(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the list of addresses that are connected to; whatever they are, it is the server that answers."""
    seen: list[str] = []
    real = socket.create_connection

    def create_connection(address: tuple[str, int], *more: Any, **named: Any) -> socket.socket:
        seen.append(address[0])
        if address[0].startswith("192.0.2."):
            raise ConnectionRefusedError("nobody is there")
        return real(("127.0.0.1", server.port), *more, **named)

    monkeypatch.setattr(socket, "create_connection", create_connection)
    return seen


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::8.8.8.8", True),  # on a network of IPv6 alone, every address of IPv4 reads so
        ("64:ff9b::10.0.0.1", False),
        ("64:ff9b:1::8.8.8.8", False),
        ("::ffff:169.254.169.254", False),
        ("::127.0.0.1", False),
        ("2002:7f00:1::", False),
        ("2001:0:7f00:1::", False),
        ("169.254.169.254", False),
        ("168.63.129.16", False),
        ("192.0.0.192", False),
        ("100.100.100.200", False),
        ("fd00:ec2::254", False),
        ("fe80::1", False),
        ("0.0.0.0", False),  # noqa: S104  # nobody listens there
        ("::", False),
        ("255.255.255.255", False),
        ("224.0.0.1", False),
        ("198.18.0.1", False),
    ],
)
def test_open_addresses(address: str, expected: bool) -> None:  # noqa: FBT001
    """The open internet is open; private, loopback, link-local and metadata addresses are not, however they are wrapped."""
    assert is_open(ipaddress.ip_address(address)) is expected


@pytest.mark.parametrize("host", LOOPBACK)
def test_no_spelling_of_loopback_is_reached(server: HTTPServer, host: str) -> None:
    """Loopback is refused in every spelling that a resolver reads, and no connection is made."""
    with make_client(Log(), keep=False) as client, pytest.raises(LimitError, match=r"not of the open internet|looked up"):
        client.get(f"http://{host}:{server.port}/")
    assert not server.log


@pytest.mark.parametrize("target", [*(f"http://{host}/" for host in LOOPBACK), "http://169.254.169.254/latest/meta-data/"])
def test_no_redirect_leads_inside(server: HTTPServer, target: str) -> None:
    """A redirect from an allowed host to an address that is not open is not followed."""
    server.expect_request("/go").respond_with_data(status=302, headers={"Location": target})
    log = Log()
    with make_client(log, allowed=[f"localhost:{server.port}"], keep=False) as client, pytest.raises(LimitError):
        client.get(f"http://localhost:{server.port}/go")
    assert [request.path for request, _ in server.log] == ["/go"]
    assert "not of the open internet" in log.asked[-1].problem


@pytest.mark.parametrize("target", ["file:///etc/passwd", "gopher://example.com/", "ftp://example.com/x", "data:,x"])
def test_other_schemes_are_not_followed(server: HTTPServer, target: str) -> None:
    """A redirect to another scheme than http and https is not followed."""
    server.expect_request("/go").respond_with_data(status=302, headers={"Location": target})
    with make_client(Log(), allowed=["localhost"], keep=False) as client, pytest.raises(TransportError, match=r"no scheme|Invalid URL"):
        client.get(f"http://localhost:{server.port}/go")


def test_a_name_that_changes(names: Callable[..., None], connected: list[str]) -> None:
    """The connection goes to the address that was looked at; when the name turns private, the next one is refused."""
    names("turns.example", [OPEN], ["127.0.0.1"])
    with make_client(Log(), keep=False) as client:
        assert client.get("http://turns.example/", headers={"connection": "close"}).text == "here"
        with pytest.raises(LimitError, match=r"turns\.example has the address 127\.0\.0\.1"):
            client.get("http://turns.example/")
    assert connected == [OPEN]


def test_one_private_address_is_enough(names: Callable[..., None], connected: list[str]) -> None:
    """A host with one open and one private address is refused: chance must not decide which is used."""
    names("both.example", [OPEN, PRIVATE])
    with make_client(Log(), keep=False) as client, pytest.raises(LimitError, match=PRIVATE):
        client.get("http://both.example/")
    assert connected == []


def test_the_next_address_is_tried(names: Callable[..., None], connected: list[str]) -> None:
    """Where the first address does not answer, as IPv6 often does not, the next one is asked."""
    names("two.example", ["192.0.2.1", OPEN])
    with make_client(Log(), allowed=["two.example"], keep=False) as client:
        assert client.get("http://two.example/").text == "here"
    assert connected == ["192.0.2.1", OPEN]


def test_allowing_a_host() -> None:
    """The user allows a host by name, or by name and port; another port of it stays closed then."""
    assert look_up("localhost", 80, {"localhost"})
    assert look_up("LOCALHOST", 8080, {"localhost:8080"})
    with pytest.raises(BlockedError):
        look_up("localhost", 22, {"localhost:8080"})


def test_a_host_that_is_no_name() -> None:
    """Names that no resolver takes are told as out of reach, not raised as something else."""
    with make_client(Log(), keep=False) as client:
        for host in ("a..b", "x" * 70 + ".example", "nobody.invalid"):
            with pytest.raises(Exception, match=r"looked up|no name of a host|Invalid"):
                client.get(f"http://{host}/")


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("example.com", 443, "http://proxy.corp.example:3128"),
        ("example.com", 80, None),
        ("sub.inside.example", 443, None),
        ("localhost", 443, None),
        ("127.0.0.1", 443, None),
        ("::1", 443, None),
        ("0x7f.1", 443, None),
    ],
)
def test_whose_proxy(monkeypatch: pytest.MonkeyPatch, host: str, port: int, expected: str | None) -> None:
    """The environment's proxies count as they do for other programs; this machine is never asked through one."""
    monkeypatch.setenv("https_proxy", "proxy.corp.example:3128")
    monkeypatch.setenv("no_proxy", ".inside.example")
    assert proxy_for("https" if port == 443 else "http", host, port) == expected


@pytest.mark.parametrize(
    "host",
    ["10.0.0.1", "[fe80::1]", "192.168.1", "0xa9fea9fe", "metadata", "metadata.google.internal", "printer.local", "a.localhost", "x."],
)
def test_behind_a_proxy_names_are_judged(host: str) -> None:
    """Behind a proxy literal private addresses and names of local networks are refused, unless the user allows them."""
    with pytest.raises(BlockedError):
        check_name(host.strip("[]"), 80)
    check_name(host.strip("[]"), 80, {host.strip("[]")})
    check_name("example.com", 443)
    check_name("8.8.8.8", 443)


def test_a_proxy_is_asked(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a proxy, itself on a private address, the whole address is asked for, and what cannot be open is not."""
    server.expect_request("/page").respond_with_data("through the proxy")
    monkeypatch.setenv("http_proxy", f"http://ada:secret@127.0.0.1:{server.port}")
    log = Log()
    with make_client(log, keep=False) as client:
        assert client.get("http://somewhere.example/page").text == "through the proxy"
        for host in ("169.254.169.254", "10.0.0.1", "0xa9fea9fe"):
            with pytest.raises(LimitError, match="not of the open internet"):
                client.get(f"http://{host}/page")
    assert len(server.log) == 1
    request = server.log[0][0]
    assert request.host == "somewhere.example"
    assert request.headers["Proxy-Authorization"].startswith("Basic ")
    assert "secret" not in repr(log)


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "http://[bad", "ldap://x.example"])
def test_a_proxy_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    """A proxy of another kind is one reason, and nothing is asked past it."""
    monkeypatch.setenv("all_proxy", proxy)
    with make_client(Log(), keep=False) as client, pytest.raises(UnreachableError, match=r"the environment names|looked up"):
        client.get("http://somewhere.example/")


def test_literals() -> None:
    """Every spelling of an address is read as the resolver reads it, and a name as none."""
    assert {str(literal(host)) for host in LOOPBACK[:5]} == {"127.0.0.1"}
    assert str(literal("fe80::1%eth0")) == "fe80::1"
    assert literal("example.com") is None
    assert literal("bücher.example") is None
