"""The client under fault: every fault is told as one of the two ways in which a question can fail, in time and within memory."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time
import tracemalloc
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from email.utils import formatdate
from typing import TYPE_CHECKING

import pytest
from huggingface_hub import constants
from pytest_httpserver import HTTPServer
from raw_server import GOOD, Raw, drip, packed, reset, silent, truncated
from werkzeug import Response

from cardcheck.errors import AbsentError, UnavailableError
from cardcheck.net import client as net
from cardcheck.net.client import Log, make_client
from cardcheck.net.online import Online

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from hub_double import HubDouble
    from werkzeug import Request

NAME, PATH = "acme/tiny-embed", "/api/models/acme/tiny-embed"
TOKEN = "hf_not-a-token-of-anybody"  # noqa: S105  # it opens nothing


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait as long as a test may."""
    monkeypatch.setattr(net, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(net, "JITTER", 0)
    monkeypatch.setattr(net, "MAX_SECONDS", 0.8)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Raw]]:
    """Give the maker of servers that say bytes."""
    monkeypatch.setenv("CARDCHECK_CACHE", str(tmp_path / "cache"))
    servers: list[Raw] = []

    def make(talk: Callable[[socket.socket], None]) -> Raw:
        servers.append(Raw(talk))
        return servers[-1]

    yield make
    for server in servers:
        server.listener.close()


def answers(hub: HubDouble, *responses: Response, path: str = PATH) -> None:
    """Let the Hub answer a path with one response after the other, the last one for ever."""
    left = list(responses)
    hub.instead[path] = lambda _: left.pop(0) if len(left) > 1 else left[0]


def good() -> Response:
    """Return a model as the Hub answers it."""
    return Response(json.dumps({"id": NAME, "downloads": 7}), mimetype="application/json")


def later(status: int = 429, **headers: str) -> Response:
    """Return a refusal that is for a moment."""
    return Response("{}", status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize(
    ("refusal", "least"),
    [
        (later(RateLimit='"api";r=0;t=0', RateLimit_Policy='"fixed window";"api";q=500;w=300'), 0.9),
        (later(Retry_After="1"), 0.9),
        (later(503, Retry_After="1"), 0.9),
        (later(Retry_After="0"), 0),
        (later(Retry_After="soon"), 0),
        (later(Retry_After=formatdate(0)), 0),
        (later(), 0),
        (later(RateLimit='"api";r=499;t=250'), 0),
        (later(503, RateLimit='"api";r=0;t=250'), 0),  # every answer of the Hub has this header; here it is not the reason
        *((later(status), 0) for status in (408, 500, 502, 503, 504)),
    ],
)
def test_what_passes_is_tried_again(hub: HubDouble, online: Online, refusal: Response, least: float) -> None:
    """A refusal for a moment is tried again, after as long as the server asks for where it does, and then the answer counts."""
    answers(hub, refusal, good())
    start = time.monotonic()
    assert online.model(NAME).downloads == 7
    assert least <= time.monotonic() - start < least + 1.5
    assert [(one.status, one.tries, one.problem) for one in online.log.asked] == [(200, 2, "")]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"RateLimit": '"api";r=0;t=290'}, "291"), ({"RateLimit": '"a";r=9;t=9, "b"; r=0; t=99'}, "100"), ({"Retry-After": "3600"}, "3600")],
)
def test_a_long_wait_is_not_waited_for(hub: HubDouble, online: Online, headers: dict[str, str], seconds: str) -> None:
    """Where the server wants a longer wait than a user has, that is said at once, and it is not asked anything else meanwhile."""
    answers(hub, Response("{}", status=429, headers=headers))
    start = time.monotonic()
    with pytest.raises(UnavailableError, match=f"asks to come back in {seconds} s \\(429\\)"):
        online.model(NAME)
    with pytest.raises(UnavailableError, match="come back in"):
        online.owner("acme")
    with pytest.raises(UnavailableError, match="come back in"):
        online.files(NAME)
    assert time.monotonic() - start < 1
    assert (len(hub.asked), online.log.made()) == (1, 1)


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("question", ["model", "files", "commits"])
def test_what_does_not_pass(hub: HubDouble, online: Online, status: int, question: str) -> None:
    """What fails again and again is tried thrice, no more where huggingface_hub would try again itself, and is not kept."""
    path = {"model": PATH, "files": f"{PATH}/tree/main", "commits": f"{PATH}/commits/main"}[question]
    answers(hub, later(status), path=path)
    with pytest.raises(UnavailableError, match=str(status)):
        getattr(online, question)(NAME)
    assert (len(hub.asked), online.log.made()) == (3, 3)
    assert online.log.asked[0].status == status
    hub.instead.clear()
    hub.model(NAME)
    hub.file(NAME, "a", 1)
    assert getattr(Online(endpoint=hub.url), question)(NAME) is not None


def _drip_headers(connection: socket.socket) -> None:
    connection.sendall(GOOD)
    for _ in range(100):
        connection.sendall(b"X: x\r\n")
        time.sleep(0.1)


def _interim(connection: socket.socket) -> None:
    for _ in range(100):
        connection.sendall(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        time.sleep(0.1)


@pytest.mark.parametrize("talk", [silent, drip, _drip_headers, _interim])
@pytest.mark.parametrize("question", ["page", "model", "files"])
def test_time_is_limited(raw: Callable[..., Raw], talk: Callable[[socket.socket], None], question: str) -> None:
    """A server that says nothing, or a byte now and then, in its headers too, is left when its time is up, and not asked again."""
    server = raw(talk)
    online = Online(endpoint=server.url)
    start = time.monotonic()
    with pytest.raises(UnavailableError, match="took longer than"):
        getattr(online, question)(f"{server.url}/page" if question == "page" else NAME)
    assert time.monotonic() - start < 1.6
    assert server.met == 1


def _short(connection: socket.socket) -> None:
    connection.sendall(GOOD + b"Content-Length: 1000\r\n\r\nhalf")


def _noise(connection: socket.socket) -> None:
    connection.sendall(b"\x00\xff" * 100 + b"\r\n\r\n")


@pytest.mark.parametrize("talk", [reset, _short, truncated, _noise, lambda _: None])
@pytest.mark.parametrize("question", ["page", "files"])
def test_broken_answers(raw: Callable[..., Raw], talk: Callable[[socket.socket], None], question: str) -> None:
    """An answer that breaks off, or is none, is tried thrice and told as out of reach; half of it is never taken for the whole."""
    server = raw(talk)
    online = Online(endpoint=server.url)
    with pytest.raises(UnavailableError, match="out of reach"):
        getattr(online, question)(f"{server.url}/page" if question == "page" else NAME)
    assert server.met == 3
    assert online.log.made() == 3


def _bomb() -> bytes:
    """Return a gzip of a gigabyte of zeros; its block of a megabyte is made once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    block = packer.compress(bytes(1_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + block * 1000


def test_a_gzip_bomb(raw: Callable[..., Raw]) -> None:
    """A gigabyte in a megabyte is refused before it is unpacked, and is not asked for again."""
    bomb = _bomb()
    assert len(bomb) < 1_100_000
    server = raw(packed(bomb))
    tracemalloc.start()
    with pytest.raises(UnavailableError, match="larger than 5,000,000 bytes"):
        Online(endpoint=server.url).page(f"{server.url}/page")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 40_000_000
    assert server.met == 1


def test_a_large_body(raw: Callable[..., Raw]) -> None:
    """A body without end is left at the limit, also a file of the Hub where it is read as a page."""

    def endless(connection: socket.socket) -> None:
        connection.sendall(GOOD + b"\r\n")
        while True:
            connection.sendall(bytes(100_000))

    server = raw(endless)
    online = Online(endpoint=server.url)
    for path in ("page", f"{NAME}/resolve/main/huge.bin"):
        with pytest.raises(UnavailableError, match="larger than"):
            online.page(f"{server.url}/{path}")


@pytest.mark.parametrize("kind", ["br", "zstd", "deflate", "gzip, gzip", "aws-chunked"])
def test_packing_that_was_not_asked_for(hub: HubDouble, online: Online, kind: str) -> None:
    """A body packed in another way than asked for is refused, not handed on as it is."""
    answers(hub, Response(b"\x1b\x03", headers={"Content-Encoding": kind}), path="/page")
    with pytest.raises(UnavailableError, match=f"packed as {kind}"):
        online.page(f"{hub.url}/page")


def test_packing(hub: HubDouble, online: Online) -> None:
    """What is packed as it was asked for is unpacked; an empty body is one, whatever it says of its packing."""
    answers(hub, Response(gzip.compress(b"<p>x</p>"), headers={"Content-Encoding": "gzip"}, mimetype="text/html"), path="/page")
    answers(hub, Response(b"", headers={"Content-Encoding": "gzip"}), path="/empty")
    assert online.page(f"{hub.url}/page").text == "<p>x</p>"
    assert online.page(f"{hub.url}/empty").text == ""
    assert hub.asked[0].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize("charset", ["punycode", "idna", "zlib", "unicode_escape", "rot13", "no-such", "utf-7"])
def test_character_sets(hub: HubDouble, online: Online, charset: str) -> None:
    """A page names no decoder that is slow, or does anything but decode."""
    answers(hub, Response(b"-" + b"a9" * 400_000, content_type=f"text/html; charset={charset}"), path="/page")
    start = time.monotonic()
    assert online.page(f"{hub.url}/page").text.startswith("-a9")
    assert time.monotonic() - start < 1
    answers(hub, Response("ß".encode("latin-1"), content_type="text/html; charset=ISO-8859-1"), path="/latin")
    assert online.page(f"{hub.url}/latin").text == "ß"


SHAPES = [
    *("<html>log in</html>", "", "[]", "null", "7", '"text"', "{}", '{"id": 7}', "[" * 100_000, "9" * 10_000),
    *('{"id": "a/b", "createdAt": "soon"}', '{"id": "a/b", "siblings": [7]}'),
]


@pytest.mark.parametrize("body", SHAPES)
def test_json_of_another_shape(hub: HubDouble, online: Online, body: str) -> None:
    """What is no JSON, or JSON of another shape, is told as such by every question, and none raises anything else."""
    hub.instead = dict.fromkeys(
        [
            *(PATH, f"{PATH}/tree/main", f"{PATH}/commits/main", f"{PATH}/discussions", "/api/models"),
            *("/api/papers/2401.00001", "/api/datasets/acme/pairs", "/api/organizations/acme/overview", "/api/users/acme/overview"),
        ],
        lambda _: Response(body, mimetype="application/json"),
    )
    questions: list[Callable[[], object]] = [
        lambda: online.model(NAME),
        lambda: online.scan(NAME),
        lambda: online.files(NAME),
        lambda: online.commits(NAME),
        lambda: online.discussions(NAME),
        lambda: online.models_of("acme"),
        lambda: online.paper("2401.00001"),
        lambda: online.dataset("acme/pairs"),
        lambda: online.owner("acme"),
    ]
    for question in questions:
        with contextlib.suppress(UnavailableError, AbsentError):
            question()
    if body != "{}" and not body.startswith('{"id": "a/b"'):
        with pytest.raises(UnavailableError, match="not what the Hub answers"):
            online.model(NAME)


def test_a_login_page_is_not_kept(hub: HubDouble, online: Online) -> None:
    """A page in place of the Hub's JSON is told, and asked past once it is gone."""
    answers(hub, Response("<html>log in</html>", mimetype="text/html"), good())
    with pytest.raises(UnavailableError, match="login page"):
        online.model(NAME)
    assert Online(endpoint=hub.url).model(NAME).downloads == 7


def test_halves_of_characters(hub: HubDouble, online: Online) -> None:
    """What JSON may hold and no file may is replaced, and numbers without measure are left out."""
    hub.organization("acme", fullname="a\ud800b", numFollowers=10**30)
    found = online.owner("acme")
    assert (found.fullname, found.followers) == ("a?b", None)


def test_pages_without_end(hub: HubDouble, online: Online, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that always names a next page, itself even, ends."""
    monkeypatch.setattr(net, "MAX_ASKED", 20)
    following = {"Link": f'<{hub.url}{PATH}/tree/main>; rel="next"'}
    answers(hub, Response("[]", headers=following, mimetype="application/json"), path=f"{PATH}/tree/main")
    with pytest.raises(UnavailableError, match="more than 20 answers"):
        online.files(NAME)


def test_only_the_first_page_of_commits(hub: HubDouble, online: Online) -> None:
    """Of a long history the first page is asked for, not all."""
    hub.commit(NAME, "Upload")
    following = {"Link": f'<{hub.url}{PATH}/commits/main?p=1>; rel="next"'}
    page = json.dumps(hub.commits[NAME])
    answers(hub, Response(page, headers=following, mimetype="application/json"), path=f"{PATH}/commits/main")
    assert [one.title for one in online.commits(NAME)] == ["Upload"]
    assert len(hub.asked) == 1


def test_a_redirect_loop(hub: HubDouble, online: Online) -> None:
    """A loop of redirects is left after a few."""
    answers(hub, Response(status=302, headers={"Location": "/loop"}), path="/loop")
    with pytest.raises(UnavailableError, match="redirects"):
        online.page(f"{hub.url}/loop")
    assert len(hub.asked) <= 6


@pytest.mark.parametrize("name", ["../whoami-v2", "a/b/c", "a?b=c", "", "a b", "x" * 200, "..", "a#b"])
def test_names_ask_for_nothing_else(hub: HubDouble, online: Online, name: str) -> None:
    """A name from a card that would make another address is no name, and is not asked for."""
    questions = [online.owner, online.models_of, online.paper, online.commits, online.model, online.dataset, online.files, online.scan]
    for question in questions:
        with pytest.raises(AbsentError, match="no name"):
            question(name)
    assert hub.asked == []


def test_a_host_is_asked_four_at_a_time() -> None:
    """However many ask at once, one host sees four."""
    now, most, lock = 0, 0, threading.Lock()

    def slow(_: Request) -> Response:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.05)
        with lock:
            now -= 1
        return Response("x")

    with HTTPServer(threaded=True) as server:
        server.expect_request("/page").respond_with_handler(slow)
        clients = [make_client(Log(), allowed=["localhost"], keep=False) for _ in range(2)]
        with ThreadPoolExecutor(16) as pool:
            done = pool.map(lambda index: clients[index % 2].get(server.url_for("/page")).status_code, range(24))
        assert set(done) == {200}
    assert 2 <= most <= 4


def test_the_same_question_at_once(hub: HubDouble, online: Online) -> None:
    """Who asks what somebody else asks just now waits for that answer."""
    hub.model(NAME)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: online.model(NAME).sha, range(8)))) == 1
    assert len(hub.asked) == 1


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a token that the user has."""
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    return TOKEN


def test_the_token_goes_to_the_hub_alone(hub: HubDouble, token: str, tmp_path: Path) -> None:
    """No redirect and no link to a next page takes the token elsewhere; it is in no cache, log or report."""
    with HTTPServer() as other:
        other.expect_request("/model").respond_with_json({"id": NAME})
        other.expect_request("/tree").respond_with_json([])
        other.expect_request("/page").respond_with_data("page")
        answers(hub, Response(status=307, headers={"Location": other.url_for("/model")}))
        following = {"Link": f'<{other.url_for("/tree")}>; rel="next"'}
        answers(hub, Response("[]", headers=following, mimetype="application/json"), path=f"{PATH}/tree/main")
        answers(hub, Response(status=302, headers={"Location": other.url_for("/page")}), path="/page")
        online = Online(endpoint=hub.url, allow=["localhost"])
        online.model(NAME)
        online.files(NAME)
        online.page(f"{hub.url}/page")
        hub.organization("acme")
        online.owner("acme")
        seen = {request.path: request.headers.get("Authorization") for request, _ in other.log}
    assert seen == dict.fromkeys(("/model", "/tree", "/page"))
    sent = {request.path: request.headers.get("Authorization") for request in hub.asked}
    assert sent.pop("/page") is None
    assert set(sent.values()) == {f"Bearer {token}"}
    assert token not in json.dumps([asdict(one) for one in online.log.asked])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "http.db" for path in files)
    assert not [path for path in files if token.encode() in path.read_bytes()]


def test_files_are_passed_through(hub: HubDouble, token: str) -> None:
    """A file of the Hub comes as it comes, however large, from where the Hub sends it, and without the token there."""
    large = bytes(net.MAX_BODY + 1)
    with HTTPServer() as other:
        other.expect_request("/blob").respond_with_data(large)
        answers(hub, Response(status=302, headers={"Location": other.url_for("/blob")}), path=f"/{NAME}/resolve/main/model.safetensors")
        log = Log()
        with make_client(log, hub=hub.url, allowed=["localhost"]) as client:
            address = f"{hub.url}/{NAME}/resolve/main/model.safetensors"
            with client.stream("GET", address, headers={"Authorization": f"Bearer {token}"}) as response:
                assert sum(len(chunk) for chunk in response.iter_raw()) == len(large)
        assert [request.headers.get("Authorization") for request, _ in other.log] == [None]
    assert hub.asked[0].headers["Authorization"] == f"Bearer {token}"
    assert [(one.status, one.tries) for one in log.asked] == [(302, 1), (200, 1)]


def test_a_token_that_is_not_accepted(hub: HubDouble, token: str) -> None:
    """A bad token is told with what would help, without itself, and a better one is tried at once."""
    bad = Response("{}", status=401, headers={"X-Error-Message": "Invalid credentials in Authorization header"})
    answers(hub, bad, good())
    with pytest.raises(UnavailableError, match="does not accept the token") as caught:
        Online(endpoint=hub.url).model(NAME)
    assert token not in str(caught.value)
    assert Online(endpoint=hub.url).model(NAME).downloads == 7


def test_what_one_token_shows(hub: HubDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept for one token is not given to another, nor to nobody."""
    hub.model(NAME)
    for value in ("hf_a", "hf_b", "", "hf_a"):
        monkeypatch.setenv("HF_TOKEN", value)
        Online(endpoint=hub.url).model(NAME)
    assert len(hub.asked) == 3


@pytest.mark.parametrize(
    ("response", "expected", "words"),
    [
        (Response("{}", 403, {"X-Error-Code": "GatedRepo"}), UnavailableError, "gated"),
        (Response("{}", 401, {"X-Error-Code": "RepoNotFound"}), AbsentError, "does not exist, or is private"),
        (Response("{}", 404, {"X-Error-Code": "RepoNotFound"}), AbsentError, "does not exist, or is private"),
        (Response("{}", 410), AbsentError, "does not exist"),
        (Response("{}", 403, {"X-Error-Message": "Access to this resource is disabled."}), UnavailableError, "403"),
        (Response("{}", 400), UnavailableError, "400"),
    ],
    ids=["gated", "private", "deleted", "gone", "disabled", "bad request"],
)
def test_refusals(hub: HubDouble, online: Online, response: Response, expected: type[Exception], words: str) -> None:
    """Each refusal says what it is; what is missing is not asked for again soon, what access may change is."""
    answers(hub, response)
    for asks in (online, Online(endpoint=hub.url)):
        with pytest.raises(expected, match=words):
            asks.model(NAME)
    assert len(hub.asked) == (1 if expected is AbsentError else 2)


def test_a_renamed_model(hub: HubDouble, online: Online) -> None:
    """A model that was renamed is found under its new name, and asked for no more when it is kept."""
    hub.model("acme/new", downloads=9)
    answers(hub, Response(status=307, headers={"Location": "/api/models/acme/new"}))
    for asks in (online, Online(endpoint=hub.url)):
        assert (asks.model(NAME).id, asks.model(NAME).downloads) == ("acme/new", 9)
    assert len(hub.asked) == 2


def test_ages(hub: HubDouble, online: Online, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is given again while it is young, is asked for when it is old, and anew when the user wants so."""
    hub.model(NAME)
    online.model(NAME)
    Online(endpoint=hub.url).model(NAME)
    assert len(hub.asked) == 1
    hub.model(NAME, downloads=8)
    refreshed = Online(endpoint=hub.url, refresh=True)
    assert (refreshed.model(NAME).downloads, Online(endpoint=hub.url).model(NAME).downloads, len(hub.asked)) == (8, 8, 2)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 90_000)
    Online(endpoint=hub.url).model(NAME)
    assert len(hub.asked) == 3


def test_refreshing_what_cannot_be_had(hub: HubDouble, online: Online) -> None:
    """What is kept stays where a new answer could not be had."""
    hub.model(NAME)
    online.model(NAME)
    answers(hub, later(500))
    with pytest.raises(UnavailableError):
        Online(endpoint=hub.url, refresh=True).model(NAME)
    assert Online(endpoint=hub.url).model(NAME).id == NAME


@pytest.mark.parametrize("damage", ["noise", "folder", "other tables", "truncated", "empty"])
def test_a_damaged_cache(hub: HubDouble, tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever lies where answers are kept, questions are answered, and nothing is said of it."""
    path = tmp_path / "cache" / "http.db"
    path.parent.mkdir()
    hub.model(NAME)
    if damage == "folder":
        path.mkdir()
    elif damage == "other tables":
        subprocess.run(
            [sys.executable, "-c", f"import sqlite3; sqlite3.connect({str(path)!r}).execute('CREATE TABLE entries (a)')"], check=True
        )
    elif damage == "truncated":
        Online(endpoint=hub.url).model(NAME)
        path.write_bytes(path.read_bytes()[:5000])
        for log in path.parent.glob("http.db-*"):
            log.unlink()
    else:
        path.write_bytes(b"not a database at all" * 500 if damage == "noise" else b"")
    for _ in range(2):
        assert Online(endpoint=hub.url).model(NAME).id == NAME
    if damage in ("noise", "empty"):
        assert len(hub.asked) == 1, "it is begun anew"
    assert not [record for record in caplog.records if record.name.startswith("hishel")]


@pytest.mark.parametrize("where", ["file in place of the folder", "read-only", "none"])
def test_a_cache_that_cannot_be_written(hub: HubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """Without a place to keep answers everything works, only without keeping."""
    folder = tmp_path / "place"
    if where == "read-only":
        folder.mkdir(mode=0o500)
        monkeypatch.setattr("sqlite3.connect", _no_database)  # root may write everywhere
    elif where != "none":
        folder.write_text("", encoding="utf-8")
    monkeypatch.setenv("CARDCHECK_CACHE", "" if where == "none" else str(folder))
    hub.model(NAME)
    for _ in range(2):
        assert Online(endpoint=hub.url).model(NAME).id == NAME
    assert len(hub.asked) == 2


def _no_database(*_: object, **__: object) -> None:
    import sqlite3

    raise sqlite3.OperationalError("unable to open database file")


def test_two_processes_keep_at_once(hub: HubDouble, tmp_path: Path) -> None:
    """Several processes that keep answers in the same file at once do not harm it or one another."""
    ids = [f"2401.{number:05}" for number in range(30)]
    for one in ids:
        hub.paper(one, one)
    questions = f"asks = Online(endpoint={hub.url!r})\nfor one in {ids!r}: assert asks.paper(one).id == one"
    code = f"from cardcheck.net.online import Online\n{questions}"
    environment = os.environ | {"CARDCHECK_CACHE": str(tmp_path / "cache")}
    runs = [subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE) for _ in range(3)]
    assert [(run.wait(), run.communicate()[1]) for run in runs] == [(0, b"")] * 3
    after = Online(endpoint=hub.url)
    assert [after.paper(one).id for one in ids] == ids
    assert after.log.made() == 0


def test_offline(hub: HubDouble, online: Online, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline nothing is asked, a page neither; what is kept is given."""
    hub.model(NAME)
    online.model(NAME)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asks = Online(endpoint=hub.url)
    assert asks.model(NAME).id == NAME
    for question in (lambda: asks.owner("acme"), lambda: asks.files(NAME), lambda: asks.page(f"{hub.url}/page")):
        with pytest.raises(UnavailableError, match="offline"):
            question()
    assert (len(hub.asked), asks.log.made()) == (1, 0)


def test_the_log_has_no_secrets(hub: HubDouble, online: Online, tmp_path: Path) -> None:
    """Users, passwords and signatures in addresses stay out of the log and of what is kept."""
    answers(hub, Response("x", headers={"X-Session": "of-this-user"}), path="/page")
    address = f"{hub.url}/page?X-Amz-Signature=abcd#part".replace("://", "://ada:secret@")
    page = online.page(address)
    assert "secret" not in page.url
    assert online.log.asked[0].url == f"{hub.url}/page"
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("http.db*"))
    assert b"/page" in kept
    assert b"abcd" not in kept
    assert b"secret" not in kept
    assert b"of-this-user" not in kept
    assert hub.asked[0].headers.get("Authorization") is None


def test_a_host_that_is_not_there_is_not_asked_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A name that cannot be looked up is tried a few times for the first question, and not at all for the others."""
    monkeypatch.setenv("CARDCHECK_CACHE", str(tmp_path))
    looked_up: list[str] = []

    def nobody(host: str, *_: object, **__: object) -> object:
        looked_up.append(host)
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    outside = Online(endpoint="https://hub.example")
    for name in ("acme/a", "acme/b", "acme/c"):
        with pytest.raises(UnavailableError, match="Name or service not known"):
            outside.model(name)
    assert looked_up == ["hub.example"] * net.TRIES
