"""Fetching from a Hub on loopback: what is asked for, what comes of it, and how each failure reads."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Run = Callable[..., "Result"]

NAME = "acme/tiny-embed"
COMMIT = "a" * 40
OLDER = "b" * 40
TOKEN = "hf_not-a-token-of-anybody"  # noqa: S105  # it opens nothing
CARD = "---\nlicense: mit\ndatasets: [acme/pairs]\n---\n# tiny-embed\n\nSee [our paper](https://arxiv.org/abs/2401.00001).\n"
FILES = {
    "README.md": CARD.encode(),
    "config.json": b'{"model_type": "bert", "hidden_size": 32}',
    "tokenizer.json": b"{}",
    "model.safetensors": (2).to_bytes(8, "little") + b"{}",
    "pytorch_model.bin": b"a pickle",
    "onnx/model.pt": b"a pickle",
}


@dataclass(frozen=True, slots=True)
class Result:
    """What a run of the command line gave."""

    status: int
    out: str
    err: str


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    """Return a server on a port of its own."""
    with HTTPServer() as started:
        yield started
        started.clear()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs cardcheck with a Hub at an address and an empty cache of its own."""

    def running(endpoint: str, *arguments: str, **extra: str) -> Result:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING", "CARDCHECK_"))}
        environment |= {"HF_ENDPOINT": endpoint.rstrip("/"), "HF_HOME": str(tmp_path / "hf"), "HF_TOKEN": TOKEN, "NO_PROXY": "*", **extra}
        done = subprocess.run(
            [sys.executable, "-c", "from cardcheck.cli import main; main()", *arguments],
            capture_output=True, text=True, env=environment, timeout=60, check=False, encoding="utf-8",
        )  # fmt: skip
        assert TOKEN not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return Result(done.returncode, done.stdout, done.stderr)

    return running


def _etag(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


def _info(commit: str) -> dict[str, Any]:
    siblings = [{"rfilename": name} for name in FILES]
    return {"_id": "1", "id": NAME, "modelId": NAME, "sha": commit, "private": False, "tags": [], "downloads": 0, "siblings": siblings}


def _serve(server: HTTPServer, files: dict[str, bytes] = FILES) -> None:
    """Let the server be a Hub with one repository, of which `main` is one commit and `v1` another."""
    model = f"/api/models/{NAME}"
    for path, commit in ((model, COMMIT), (f"{model}/revision/main", COMMIT), (f"{model}/revision/v1", OLDER)):
        server.expect_request(path).respond_with_json(_info(commit))
    tree = [{"type": "file", "path": name, "size": len(data), "oid": _etag(data)} for name, data in files.items()]
    for commit in (COMMIT, OLDER):
        server.expect_request(f"/api/models/{NAME}/revision/{commit}").respond_with_json(_info(commit))
        server.expect_request(f"/api/models/{NAME}/tree/{commit}").respond_with_json(tree)
        for name, data in files.items():
            headers = {"X-Repo-Commit": commit, "ETag": f'"{_etag(data)}"', "Content-Length": str(len(data))}
            server.expect_request(f"/{NAME}/resolve/{commit}/{name}").respond_with_data(data, headers=headers)


def _asked(server: HTTPServer) -> list[str]:
    return [request.path for request, _ in server.log]


def _failed(result: Result, *words: str) -> None:
    """Check that a failure is one line, cause and hint, that says these words, with nothing on standard output."""
    assert (result.status, result.out) == (2, ""), result
    lines = [line for line in result.err.splitlines() if line.strip() and not line.startswith("Fetching ")]
    assert len(lines) == 1, result.err
    assert lines[0].startswith("cardcheck: ")
    assert "; " in lines[0], "there is no hint"
    assert "internal error" not in lines[0]
    assert all(word in lines[0] for word in words), lines[0]


@pytest.mark.parametrize(
    ("given", "commit"),
    [
        (NAME, COMMIT),
        (f"{NAME}@v1", OLDER),
        (f"https://huggingface.co/{NAME}", COMMIT),
        (f"https://huggingface.co/{NAME}/tree/v1", OLDER),
    ],
)
def test_a_repository_is_linted(server: HTTPServer, run: Run, given: str, commit: str) -> None:
    """A repository is found by its id, a revision or an address; of its files only small ones are asked for, never a pickle."""
    _serve(server)
    result = run(server.url_for(""), "lint", given, "--fail-on", "never")
    assert result.status == 0, result.err
    assert NAME in result.out
    asked = _asked(server)
    assert f"/{NAME}/resolve/{commit}/README.md" in asked
    assert not [path for path in asked if path.endswith((".bin", ".pt", ".safetensors"))]


def test_an_audit_fetches_safetensors_and_no_pickle(server: HTTPServer, run: Run) -> None:
    """Measuring takes the weights as well; pickles stay where they are."""
    _serve(server)
    result = run(server.url_for(""), "audit", NAME, "--json", "--time-limit", "1", "--fail-on", "never")
    report = json.loads(result.out)
    assert (report["subject"]["id"], report["subject"]["revision"], report["subject"]["kind"]) == (NAME, COMMIT, "hub")
    assert f"/{NAME}/resolve/{COMMIT}/model.safetensors" in _asked(server)
    assert not [path for path in _asked(server) if path.endswith((".bin", ".pt"))]


@pytest.mark.parametrize("others", [{}, {"model.safetensors": FILES["model.safetensors"]}])
def test_a_graph_is_fetched_where_there_is_nothing_else(server: HTTPServer, run: Run, others: dict[str, bytes]) -> None:
    """Of a repository whose weights are ONNX graphs the plain one is fetched, with its data; beside safetensors none is."""
    graphs = {"onnx/model.onnx": b"graph", "onnx/model.onnx_data": b"data", "onnx/model_q4.onnx": b"another"}
    small = {name: data for name, data in FILES.items() if not name.endswith((".safetensors", ".bin", ".pt"))}
    _serve(server, small | graphs | others)
    assert run(server.url_for(""), "audit", NAME, "--time-limit", "1", "--heldout-only", "--fail-on", "never").status == 0
    asked = {path.rpartition("/")[2] for path in _asked(server) if "/resolve/" in path and "onnx" in path}
    assert asked == (set() if others else {"model.onnx", "model.onnx_data"})


def test_a_pickle_that_is_not_fetched_is_known(server: HTTPServer, run: Run) -> None:
    """A repository of which the weights are a pickle fails the rule about pickles, as a folder with the same files does."""
    _serve(server, {name: data for name, data in FILES.items() if name != "model.safetensors"})
    result = run(server.url_for(""), "audit", NAME, "--no-spotcheck", "--json")
    assert "CC602" in [finding["rule"] for finding in json.loads(result.out)["findings"]]


def test_a_repository_without_a_card(server: HTTPServer, run: Run) -> None:
    """A repository that has nothing but a pickle is judged: it lacks a card."""
    _serve(server, {"pytorch_model.bin": b"a pickle"})
    result = run(server.url_for(""), "lint", NAME)
    assert result.status == 1, result.err
    assert "CC101" in result.out


@pytest.mark.parametrize("how", ["option", "variable"])
def test_offline_serves_the_cache(server: HTTPServer, run: Run, how: str) -> None:
    """What was fetched once is linted again without any request, by the name it was fetched by."""
    _serve(server)
    first = run(server.url_for(""), "lint", NAME, "--fail-on", "never")
    server.clear_log()
    option, variable = (["--offline"], {}) if how == "option" else ([], {"HF_HUB_OFFLINE": "1"})
    again = run(server.url_for(""), "lint", NAME, "--fail-on", "never", *option, **variable)
    assert (again.status, again.out.splitlines()[1:]) == (0, first.out.splitlines()[1:]), again.err
    assert _asked(server) == []


def test_offline_serves_a_commit(server: HTTPServer, run: Run) -> None:
    """A commit that was fetched once is found offline by its hash."""
    _serve(server)
    run(server.url_for(""), "lint", NAME)
    server.clear_log()
    again = run(server.url_for(""), "lint", f"{NAME}@{COMMIT}", "--offline", "--fail-on", "never")
    assert again.status == 0, again.err
    assert _asked(server) == []


def test_offline_without_a_cache(server: HTTPServer, run: Run) -> None:
    """What was never fetched cannot be read offline; that is said, and nothing is asked."""
    _failed(run(server.url_for(""), "lint", NAME, "--offline"), NAME, "not in the local cache", "without --offline")
    assert _asked(server) == []


def test_offline_with_another_revision(server: HTTPServer, run: Run) -> None:
    """A revision that was not fetched is named, and no other is served in its place."""
    _serve(server)
    run(server.url_for(""), "lint", NAME)
    _failed(run(server.url_for(""), "lint", f"{NAME}@v2", "--offline"), "no snapshot v2", "without --offline")


@pytest.mark.parametrize(
    ("status", "headers", "words"),
    [
        (404, {"X-Error-Code": "RepoNotFound"}, ["does not exist", "or is private", "check the name"]),
        (401, {"X-Error-Code": "RepoNotFound"}, ["does not exist", "or is private", "hf auth login"]),
        pytest.param(
            401,
            {"X-Error-Message": "Invalid credentials in Authorization header"},
            ["token"],
        ),
        (403, {"X-Error-Code": "GatedRepo"}, ["is gated", "hf auth login"]),
        (403, {"X-Error-Message": "Access to this resource is disabled."}, ["403"]),
        (404, {"X-Error-Code": "RevisionNotFound"}, ["no revision v9", "branch"]),
        (429, {}, ["answered 429", "later"]),
        (500, {}, ["answered 500", "--offline"]),
    ],
    ids=["missing", "private", "bad token", "gated", "disabled", "revision", "rate limit", "broken"],
)
def test_what_the_hub_refuses(server: HTTPServer, run: Run, status: int, headers: dict[str, str], words: list[str]) -> None:
    """Each refusal is one line with its cause and a hint, whichever request meets it."""
    server.expect_request(f"/api/models/{NAME}/revision/v9").respond_with_data(b"{}", status=status, headers=headers)
    _failed(run(server.url_for(""), "lint", f"{NAME}@v9"), NAME, *words)


def test_a_gated_file(server: HTTPServer, run: Run) -> None:
    """A repository that shows its description and not its files is gated all the same."""
    gated = Response(b"{}", status=403, headers={"X-Error-Code": "GatedRepo", "X-Repo-Commit": COMMIT})
    for revision in ("", "/revision/main", f"/revision/{COMMIT}"):
        server.expect_request(f"/api/models/{NAME}{revision}").respond_with_json(_info(COMMIT))
    server.expect_request(f"/api/models/{NAME}/tree/{COMMIT}").respond_with_json(
        [{"type": "file", "path": "README.md", "size": 3, "oid": "c" * 40}]
    )
    server.expect_request(f"/{NAME}/resolve/{COMMIT}/README.md").respond_with_response(gated)
    _failed(run(server.url_for(""), "lint", NAME), NAME, "is gated")


def test_an_answer_that_is_no_json(server: HTTPServer, run: Run) -> None:
    """A captive portal in place of the Hub is one line, not an internal error."""
    server.expect_request(f"/api/models/{NAME}").respond_with_data("<html>log in</html>", content_type="text/html")
    _failed(run(server.url_for(""), "lint", NAME), server.url_for("").rstrip("/"))


def test_nobody_answers(run: Run) -> None:
    """A Hub that is not there is out of reach, and the cache is offered."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    _failed(run(f"http://127.0.0.1:{port}", "lint", NAME), "out of reach", f"127.0.0.1:{port}", "--offline")


def test_the_token_goes_to_the_hub_alone(server: HTTPServer, run: Run, tmp_path: Path) -> None:
    """The token is sent to the Hub that was chosen, and kept out of the cache, reports and output."""
    _serve(server)
    report = tmp_path / "report.json"
    run(server.url_for(""), "audit", NAME, "--no-spotcheck", "--output", f"json:{report}")
    sent = {request.headers.get("Authorization") for request, _ in server.log if NAME in request.path}
    assert sent == {f"Bearer {TOKEN}"}
    assert report.is_file()
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]


def test_a_repository_is_looked_at_anew(server: HTTPServer, run: Run) -> None:
    """A repository that was linted a moment ago is asked for its latest commit again."""
    _serve(server)
    for _ in range(2):
        server.clear_log()
        run(server.url_for(""), "lint", NAME, "--fail-on", "never")
        assert f"/api/models/{NAME}" in _asked(server)


def test_a_file_that_lies_inside(server: HTTPServer, run: Run) -> None:
    """A file that the Hub sends to a private address is not asked for there, unless the user allows that host by name and port."""
    card = f"/{NAME}/resolve/{COMMIT}/README.md"
    with HTTPServer() as other:
        headers = {"Location": other.url_for("/card"), "X-Repo-Commit": COMMIT, "ETag": f'"{_etag(FILES["README.md"])}"'}
        server.expect_request(card).respond_with_response(Response(status=302, headers=headers | {"X-Linked-Size": str(len(CARD))}))
        _serve(server, {"README.md": FILES["README.md"]})
        _failed(run(server.url_for(""), "lint", NAME), "out of reach", "not of the open internet")
        _failed(run(server.url_for(""), "lint", NAME, "--online", "--allow-host", "localhost:1"), "not of the open internet")
        assert not other.log
        other.expect_request("/card").respond_with_data(FILES["README.md"])
        allowed = run(server.url_for(""), "lint", NAME, "--online", "--allow-host", f"localhost:{other.port}", "--fail-on", "never")
        assert allowed.status == 0, allowed.err
        assert [request.headers.get("Authorization") for request, _ in other.log if request.method == "GET"] == [None]
    assert card in _asked(server)


@pytest.mark.parametrize("given", ["acme/", "/acme/x", "a b/c", "acme/x@", "https://example.org/acme/x", "acme/x/y"])
def test_what_is_no_hub_id_is_not_asked_for(server: HTTPServer, run: Run, given: str) -> None:
    """Something that is neither here nor a Hub id never becomes a request."""
    _failed(run(server.url_for(""), "lint", given), "no folder here and no Hub id")
    assert _asked(server) == []
