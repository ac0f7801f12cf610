"""A whole audit while one source has one fault: the rest goes on, and the report says what is unknown and why.

The client's own tests (tests/net) hold every fault against one question; here each is held against everything that an audit asks.
"""

from __future__ import annotations

import json
import socket
import time
import zlib
from typing import TYPE_CHECKING, Any

import click
import pytest
from raw_server import Raw, drip, packed, reset, silent, truncated
from werkzeug import Response

from cardcheck.net import client
from cardcheck.net.online import Online
from cardcheck.pipeline import Audit, Run, audit
from cardcheck.report import reporter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import MakeModel
    from hub_double import HubDouble
    from werkzeug import Request

    Answer = Callable[[Request], Response]
    Talk = Callable[[socket.socket], None]

NAME, BASE, DATA, PAPER = "localhost/tiny-embed", "acme/base", "acme/pairs", "2401.00001"
RESULTS = f"/api/datasets/mteb/results/tree/main/results/{NAME.replace('/', '__')}"
SCORES = f"results/{NAME.replace('/', '__')}/{'ab' * 20}/SciFact.json"
TOKEN = "hf_not-a-token-of-anybody"  # noqa: S105  # it opens nothing
CARD = """\
---
license: mit
pipeline_tag: sentence-similarity
datasets: [acme/pairs]
base_model: acme/base
model-index:
- name: tiny-embed
  results:
  - task: {{type: Retrieval}}
    dataset: {{type: mteb/scifact, name: MTEB SciFact, config: default, split: test}}
    metrics: [{{type: ndcg_at_10, value: 52.25}}]
---
# tiny-embed

It maps sentences to vectors. See [our paper](https://arxiv.org/abs/2401.00001), Tiny Embeddings for Help Desks, and for more details
[our blog post]({url}/blog/tiny-embed).
"""
PROSE = "We trained tiny-embed with a contrastive loss on pairs of questions and answers from many help desks. " * 8
# What is asked of each source, by its path; `scan` shares its path with `hub`, and is told by what it asks for.
PATHS = {
    "scan": f"/api/models/{NAME}",
    "history": f"/api/models/{NAME}/commits/main",
    "disputes": f"/api/models/{NAME}/discussions",
    "tree": f"/api/models/{NAME}/tree/main",
    "bases": f"/api/models/{BASE}",
    "copies": f"/api/models/{BASE}/tree/main",
    "data": f"/api/datasets/{DATA}",
    "owner": "/api/organizations/localhost/overview",
    "papers": f"/api/papers/{PAPER}",
    "reports": "/blog/tiny-embed",
    "pages": "/models",
    "official": RESULTS,
}
# Who cannot be asked without another: what the owner's profile links, and what a copy would be a copy of.
FOLLOW = {
    "tree": {"copies"},
    "owner": {"pages"},
    "bases": {"copies", "papers.days"},
    "papers": {"papers.days"},
    "reports": {"reports.text"},
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait as long as a test may, and have a token to lose."""
    for name, value in {"FIRST_WAIT": 0.01, "JITTER": 0, "MAX_SECONDS": 0.8}.items():
        monkeypatch.setattr(client, name, value)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)


@pytest.fixture
def world(hub: HubDouble, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> HubDouble:
    """Give a Hub and a web in which every source has an answer."""
    monkeypatch.setenv("MTEB_CACHE", str(tmp_path))
    for at, name in enumerate((NAME, BASE)):
        hub.model(name, securityRepoStatus={"scansDone": True, "filesWithIssues": []})
        hub.file(name, "model.safetensors", 900, str(at) * 64)
    hub.commit(NAME, "Upload model.safetensors")
    hub.dataset(DATA)
    hub.organization("localhost", details=f"Our models: {hub.url}/models")
    hub.paper(PAPER, "Tiny Embeddings for Help Desks", models=(NAME,), summary="We present tiny-embed. " * 20)
    hub.pages["/models"] = "<h1>Models</h1><p>tiny-embed tiny-1 tiny-2 tiny-3</p>"
    hub.pages["/blog/tiny-embed"] = f"<h1>tiny-embed</h1><p>{PROSE}</p>"
    tree = [{"type": "file", "path": SCORES, "size": 300, "oid": "1" * 40}]
    hub.instead[RESULTS] = lambda _: Response(json.dumps(tree), mimetype="application/json")
    scores = {"scores": {"test": [{"hf_subset": "default", "main_score": 0.52, "ndcg_at_10": 0.52}]}}
    hub.pages[f"/datasets/mteb/results/resolve/main/{SCORES}"] = json.dumps(scores)
    return hub


@pytest.fixture
def judge(world: HubDouble, make_model: MakeModel, tmp_path: Path) -> Callable[[], Audit]:
    """Give what audits the model: no source but those that fail may be unavailable, and the token is told nobody."""
    files = {"README.md": CARD.format(url=world.url), "config.json": '{"model_type": "bert", "hidden_size": 4}'}
    model = make_model(files, {"model.safetensors": {"w": ("F32", [1, 4])}})

    def judging(**more: Any) -> Audit:
        outside = Online(endpoint=world.url, allow=["localhost", "127.0.0.1"], **more)
        found = audit(model, hub_id=NAME, outside=outside)
        told = "".join(reporter(form)(Run("audit", [found], outside.log.asked)) for form in ("text", "json", "html", "markdown", "sarif"))
        assert TOKEN not in told
        assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
        return found

    return judging


def states(found: Audit, *left_out: str) -> dict[str, str]:
    """Return the states of the sources that are asked."""
    return {name: found.facts.sources[name].state for name in ("hub", *PATHS, "papers.days", "reports.text") if name not in left_out}


def told(found: Audit, source: str, words: str) -> None:
    """Check that a source is unknown for a reason, that no rule which needs it is passed, and that the printed report says why."""
    assert found.facts.sources[source].state == "unavailable", found.facts.sources[source]
    assert words in found.facts.sources[source].reason
    needing = [judged for judged in found.judgements if source in judged.rule.needs]
    assert {judged.outcome for judged in needing} <= {"unknown", "not_applicable"}
    if any(judged.outcome == "unknown" for judged in needing):
        unknown = click.unstyle(reporter("text")(Run("audit", [found]))).partition("Not checked")[2]
        assert f"{source}: " in unknown
        assert words in unknown


def break_source(world: HubDouble, source: str, answer: Answer) -> None:
    """Let one source give another answer, the others theirs."""
    if source != "scan":
        world.instead[PATHS[source]] = answer
        return
    whole = json.dumps(world.models[NAME])
    usual = Response(whole, mimetype="application/json")
    world.instead[PATHS[source]] = lambda request: answer(request) if "securityStatus" in request.args else usual


def test_all_sources_are_known(judge: Callable[[], Audit]) -> None:
    """Without a fault nothing is unknown: else the tests below would show nothing."""
    assert set(states(judge()).values()) == {"known"}


@pytest.mark.parametrize("source", PATHS)
def test_each_source_alone(world: HubDouble, judge: Callable[[], Audit], source: str) -> None:
    """Whichever source fails, the others are known."""
    break_source(world, source, lambda _: Response("no", status=503))
    found = judge()
    told(found, source, "503")
    assert set(states(found, source, *FOLLOW.get(source, ())).values()) == {"known"}


def _raw(talk: Talk) -> Answer:
    """Return an answer that sends whoever asks to a server that says whatever bytes `talk` writes."""
    return _to(f"{Raw(talk).url}/")


def _to(address: str) -> Answer:
    return lambda _: Response(status=307, headers={"Location": address})


def _with(*, body: bytes | str = "{}", status: int = 200, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: Response(body, status=status, headers=named)


def _bomb() -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return packer.compress(bytes(50_000_000)) + packer.flush()


FAULTS: dict[str, tuple[Answer | Talk, str]] = {
    "429": (_with(status=429), "asks to come back later (429)"),
    "429 with a short reset": (_with(status=429, RateLimit='"api";r=0;t=0'), "asks to come back in 1 s (429)"),
    "500": (_with(status=500), "500"),
    "502": (_with(status=502), "502"),
    "503": (_with(status=503), "503"),
    "time-out": (silent, "took longer than"),
    "slow drip": (drip, "took longer than"),
    "reset mid-body": (reset, "out of reach"),
    "truncated gzip": (truncated, "out of reach"),
    "gzip bomb": (packed(_bomb()), "larger than 5,000,000 bytes"),
    "redirect to metadata": (_to("http://169.254.169.254/latest/meta-data/"), "169.254.169.254"),
    "redirect to [::1]": (_to("http://[::1]:9/"), "not of the open internet"),
    "redirect to 0x7f.1": (_to("http://0x7f.1:9/"), "not of the open internet"),
    "redirect to a private address": (_to("http://10.0.0.7/"), "not of the open internet"),
    "gated": (_with(status=403, X_Error_Code="GatedRepo"), ""),
}
TALKS = ("time-out", "slow drip", "reset mid-body", "truncated gzip", "gzip bomb")
ASKED_OF_THE_HUB, ASKED_OF_THE_WEB = "disputes", "reports"


@pytest.mark.parametrize("source", [ASKED_OF_THE_HUB, ASKED_OF_THE_WEB])
@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone(world: HubDouble, judge: Callable[[], Audit], fault: str, source: str) -> None:
    """Whatever befalls one question to the Hub, or to the web, all else is known, in time, and the reason is told."""
    answer, words = FAULTS[fault]
    break_source(world, source, _raw(answer) if fault in TALKS else answer)  # type: ignore[arg-type]
    start = time.monotonic()
    found = judge()
    assert time.monotonic() - start < 8
    if fault == "gated":
        words = "gated" if source == ASKED_OF_THE_HUB else "403"
    told(found, source, words)
    assert set(states(found, source, *FOLLOW.get(source, ())).values()) == {"known"}


@pytest.mark.parametrize(
    ("path", "source", "words"),
    [
        ("disputes", "disputes", "not what the Hub answers"),
        ("reports", "reports.text", "application/pdf"),
        ("pages", "pages", "not text/html"),
    ],
)
def test_a_wrong_content_type(world: HubDouble, judge: Callable[[], Audit], path: str, source: str, words: str) -> None:
    """What is of another kind than was asked for is not read; a report that is a PDF is there, and what it says is unknown."""
    break_source(world, path, _with(body=b"%PDF-1.7\x00\xff", Content_Type="application/pdf"))
    found = judge()
    told(found, source, words)
    assert set(states(found, source, *FOLLOW.get(source, ())).values()) == {"known"}


@pytest.mark.parametrize("source", [ASKED_OF_THE_HUB, ASKED_OF_THE_WEB])
def test_a_redirect_loop(world: HubDouble, judge: Callable[[], Audit], source: str) -> None:
    """A question that is sent round in a circle is left after a few turns."""
    break_source(world, source, _to(PATHS[source]))
    told(judge(), source, "redirects")


def test_a_host_that_asks_for_a_long_wait(world: HubDouble, judge: Callable[[], Audit]) -> None:
    """The Hub that wants to be left alone for minutes is not asked again in this run: what it had not said yet is unknown, and why."""
    world.instead[f"/api/models/{NAME}"] = _with(status=429, RateLimit='"api";r=0;t=290')
    found = judge()
    for source in ("hub", "scan", "history", "disputes"):
        told(found, source, "asks to come back in")
    assert [judged.rule.id for judged in found.judgements if judged.findings], "what the files tell is judged all the same"


def test_a_name_that_turns_private(
    world: HubDouble, judge: Callable[[], Audit], make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A blog whose name has an open address when it is first looked up, and one of this machine the next time, is not followed there."""
    port = int(world.url.rpartition(":")[2])
    looked_up: list[str] = []
    real_look_up, real_connect = socket.getaddrinfo, socket.create_connection

    def getaddrinfo(host: Any, *more: Any, **named: Any) -> Any:
        if host != "turns.example":
            return real_look_up(host, *more, **named)
        looked_up.append("127.0.0.1" if looked_up else "93.184.216.34")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (looked_up[-1], port))]

    def create_connection(address: tuple[str, int], *more: Any, **named: Any) -> socket.socket:
        return real_connect(("127.0.0.1", port) if address[0] == "93.184.216.34" else address, *more, **named)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(socket, "create_connection", create_connection)
    again = {"Location": f"http://turns.example:{port}/inside", "Connection": "close"}
    world.instead["/blog/tiny-embed"] = lambda _: Response(status=302, headers=again)
    make_model({"README.md": CARD.format(url=f"http://turns.example:{port}")})
    found = judge()
    told(found, "reports", "turns.example has the address 127.0.0.1, which is not of the open internet")
    assert looked_up == ["93.184.216.34", "127.0.0.1"]
    assert "/inside" not in world.count()
    assert set(states(found, "reports", "reports.text").values()) == {"known"}


REPOSITORIES = {
    "gated": _with(status=403, X_Error_Code="GatedRepo"),
    "private": _with(status=401, X_Error_Code="RepoNotFound"),
    "deleted": _with(status=404, X_Error_Code="RepoNotFound"),
    "renamed": _to("/api/models/acme/new-name"),
}


@pytest.mark.parametrize("state", REPOSITORIES)
@pytest.mark.parametrize("name", [NAME, BASE])
def test_repositories_that_are_not_as_they_were(world: HubDouble, judge: Callable[[], Audit], state: str, name: str) -> None:
    """The model itself or its base may be gated, private, deleted or renamed: that is told, and all that others say is known."""
    world.model("acme/new-name")
    world.instead[f"/api/models/{name}"] = REPOSITORIES[state]
    found = judge()
    rules = {judged.rule.id for judged in found.judgements if judged.findings}
    source = "hub" if name == NAME else "bases"
    if state == "gated":
        told(found, source, f"{name}: gated: its owner gives access on request")
    elif state == "renamed":
        now = found.facts["hub.renamed_to"] if name == NAME else found.facts["bases.declared"][0]["now"]
        assert (found.facts.sources[source].state, now) == ("known", "acme/new-name")
    elif name == NAME:
        told(found, "hub", f"the model {NAME}: it does not exist, or is private")
    else:
        assert "CC224" in rules
    assert set(states(found, "hub", "scan", "history", "disputes", "bases", "copies", "papers.days").values()) == {"known"}
