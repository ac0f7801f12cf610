"""What a user gets who names a model by its Hub id: against olah, which serves a real model's folder as a git repository.

What olah does not know of a model HubDouble answers. Of cardcheck nothing is changed but HF_ENDPOINT, and the rest of the net is cut off.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from conftest import GOOD_CARD
from olah_hub import SERVED, Olah, started

from cardcheck.engine.example import Example
from cardcheck.engine.examples import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hub_double import HubDouble

REAL = Path(__file__).parents[2] / "build" / "models" / "all-MiniLM-L6-v2"  # where `make test` puts it
NAME = "sentence-transformers/all-MiniLM-L6-v2"
TOKEN = "hf_not-a-token-of-anybody"  # noqa: S105  # it opens nothing
PAPERS = ("1904.06472", "2102.07033", "2104.08727", "2401.00001")
DATA = (
    "s2orc", "flax-sentence-embeddings/stackexchange_xml", "ms_marco", "gooaq", "yahoo_answers_topics", "code_search_net", "acme/pairs",
)  # fmt: skip
NOWHERE = "http://127.0.0.1:9"  # a proxy that is not there


@dataclass(frozen=True, slots=True)
class World:
    """A Hub made of olah and HubDouble, with one model of two commits, and who asks it."""

    olah: Olah
    double: HubDouble
    source: Path
    first: str
    last: str
    home: Path

    def run(self, *command: str, endpoint: str = "") -> dict[str, Any]:
        """Run cardcheck as a user does, and return its JSON report; nothing but the Hub may be asked, and the token is told nobody."""
        dropped = ("HF_", "HUGGING", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
        environment = {key: value for key, value in os.environ.items() if not key.upper().startswith(dropped)}
        environment |= {"HF_ENDPOINT": endpoint or self.double.url, "HF_HOME": str(self.home), "HF_TOKEN": TOKEN}
        environment |= {"HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE, "NO_PROXY": "localhost,127.0.0.1"}
        program = [sys.executable, "-c", "from cardcheck.cli import main; main()", *command, "--json", "--no-config"]
        done = subprocess.run(program, capture_output=True, text=True, env=environment, timeout=120, check=False)
        assert done.returncode in (0, 1), done.stderr
        assert TOKEN not in done.stdout + done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report["audits"][0] | {"requests": report["requests"]} if "audits" in report else report

    def asked(self) -> list[str]:
        """Return the paths that were asked for since this was called last."""
        paths = [request.path for request in self.double.asked]
        self.double.asked.clear()
        return paths


@pytest.fixture(scope="module")
def olah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Olah]:
    """Give a server that runs for all tests of this file."""
    with started(tmp_path_factory.mktemp("olah")) as server:
        yield server


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the real model's folder where it was fetched, else one that is made."""
    if (REAL / "config.json").is_file():
        return REAL
    folder = tmp_path_factory.mktemp("made")
    files = {"README.md": GOOD_CARD, "config.json": '{"model_type": "bert", "hidden_size": 4}', "tokenizer.json": "{}"}
    build(Example(None, files, {"model.safetensors": {"embeddings.word_embeddings.weight": ("F32", [10, 4])}}, {}, None), folder)
    return folder


@pytest.fixture(scope="module")
def commits(olah: Olah, source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Give the hashes of a first commit, which holds a card and a configuration, and of the whole model."""
    begun = tmp_path_factory.mktemp("begun")
    (begun / "README.md").write_text("---\npipeline_tag: sentence-similarity\n---\n# begun\n", encoding="utf-8")
    (begun / "config.json").write_bytes((source / "config.json").read_bytes())
    return olah.commit(NAME, begun, "Begin"), olah.commit(NAME, source, "Add the model")


@pytest.fixture
def world(olah: Olah, hub: HubDouble, source: Path, commits: tuple[str, str], tmp_path: Path) -> World:
    """Give the Hub with what the model's card speaks of, and empty caches."""
    hub.behind = olah.answer
    hub.model(NAME, sha=commits[1], tags=["sentence-transformers"], securityRepoStatus={"scansDone": True, "filesWithIssues": []})
    hub.model("acme/encoder")
    hub.organization(NAME.partition("/")[0], isVerified=True, numModels=1)
    for paper in PAPERS:
        hub.paper(paper, f"Paper {paper}")
    for name in DATA:
        hub.dataset(name)
    return World(olah, hub, source, *commits, tmp_path / "hf")


def _files(asked: list[str]) -> set[str]:
    return {path.partition("/resolve/")[2].partition("/")[2] for path in asked if "/resolve/" in path}


def _small(source: Path) -> set[str]:
    paths = {path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()}
    return {path for path in paths if path.endswith((".md", ".json", ".txt"))}


@pytest.mark.parametrize("command", [("audit", "--no-spotcheck"), ("lint", "--online")])
def test_a_model_is_judged_by_its_hub_id(world: World, command: tuple[str, ...]) -> None:
    """Its files come from git, every source that it needs is known, all requests are told, and asking again takes none."""
    report = world.run(*command, NAME)
    asked = world.asked()
    assert (report["subject"]["kind"], report["subject"]["id"], report["subject"]["revision"]) == ("hub", NAME, world.last)
    fetched = Path(report["subject"]["path"])
    assert _files(asked) == _small(world.source)
    assert all((fetched / name).read_bytes() == (world.source / name).read_bytes() for name in _small(world.source))
    needed = ("card", "config", "weights", "hub", "scan", "history", "disputes", "tree", "owner", "data", "papers")
    assert {name: report["sources"][name]["state"] for name in needed} == dict.fromkeys(needed, "known")

    made = [one["url"].removeprefix(world.double.url) for one in report["requests"] if not one["cached"]]
    assert sorted(made) == sorted(asked), "what the report tells is not what the Hub was asked"
    questions = [path for path in asked if "/resolve/" not in path]
    print(f"{command[0]}: {len(questions)} questions and {len(_files(asked))} files, {len(asked)} requests")  # noqa: T201  # pytest -s tells
    assert 10 < len(questions) <= 25
    assert len(asked) - len(questions) == 2 * len(_files(asked)), "huggingface_hub asks for each file's head, then for the file"

    assert "CC103" not in {found["rule"] for found in report["findings"]}

    again = world.run(*command, NAME)
    assert world.asked() == []
    assert {one["cached"] for one in again["requests"]} == {True}
    assert again["findings"] == report["findings"]
    world.run(*command, NAME, "--refresh")
    assert f"/api/models/{NAME}/revision/main" in world.asked()
    folder = world.run(*command, str(world.source), "--id", NAME)
    assert [found["rule"] for found in folder["findings"]] == [found["rule"] for found in report["findings"]]


def test_the_token_is_kept_nowhere(world: World, tmp_path: Path) -> None:
    """Olah is sent the token with every request, as the Hub is; neither its log nor any file of it or of ours holds it."""
    world.run("audit", NAME, "--no-spotcheck", "--output", f"json:{tmp_path / 'report.json'}")
    served = [request for request in world.double.asked if SERVED.fullmatch(request.path)]
    assert {request.headers.get("Authorization") for request in served} == {f"Bearer {TOKEN}"}
    assert f"GET /{NAME}/resolve/{world.last}/README.md" in world.olah.log()
    assert TOKEN not in world.olah.log()
    files = [path for folder in (tmp_path, world.olah.folder) for path in folder.rglob("*") if path.is_file()]
    assert {"report.json", "http.db", "olah.log"} <= {path.name for path in files}
    assert not [path for path in files if TOKEN.encode() in path.read_bytes()]


def test_weights_come_out_of_lfs(world: World) -> None:
    """An audit that measures fetches the weights, byte for byte, and the tree tells their hash."""
    report = world.run("audit", NAME, "--time-limit", "1", "--fail-on", "never")
    fetched = Path(report["subject"]["path"]) / "model.safetensors"
    assert fetched.read_bytes() == (world.source / "model.safetensors").read_bytes()
    assert "model.safetensors" in _files(world.asked())
    assert report["sources"]["tree"]["state"] == "known"
    assert report["spotcheck"]["verdict"] == "inconclusive"  # one second is too little for any model


def test_a_commit_by_its_hash(world: World) -> None:
    """A commit is judged as it was, not as the main branch is now."""
    report = world.run("audit", f"{NAME}@{world.first}", "--no-spotcheck")
    assert report["subject"]["revision"] == world.first
    assert (Path(report["subject"]["path"]) / "README.md").read_text(encoding="utf-8").endswith("# begun\n")
    assert _files(world.asked()) == {"README.md", "config.json"}
    assert "CC103" in {found["rule"] for found in report["findings"]}, "this commit's card names no licence"


def test_a_hub_that_lacks_most(world: World) -> None:
    """Olah alone is Hub enough for a commit: its files are judged, and what olah cannot say is not taken for known."""
    report = world.run("lint", f"{NAME}@{world.last}", "--online", endpoint=world.olah.url)
    assert world.asked() == []
    assert report["subject"]["revision"] == world.last
    states = {name: one["state"] for name, one in report["sources"].items()}
    assert {states[name] for name in ("card", "config", "tree")} == {"known"}
    assert "known" not in {states[name] for name in ("hub", "scan", "history", "disputes", "owner", "papers")}
    assert report["outcomes"]["unknown"] > 0
