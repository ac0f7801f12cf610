"""What a user gets who audits or lints with the network: against a Hub on loopback, by the same code but for the endpoint."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hub_double import HubDouble

    Online = Callable[..., tuple[dict[str, Any], str]]

NAME = "acme/tiny-embed"
RESULTS = "/api/datasets/mteb/results/tree/main/results/acme__tiny-embed"
TOKEN = "hf_not-a-token-of-anybody"  # noqa: S105  # it opens nothing
TASKS = (
    "ArguAna",
    "Banking77Classification",
    "FiQA2018",
    "NFCorpus",
    "SCIDOCS",
    "STS12",
    "STS13",
    "SciFact",
    "SprintDuplicateQuestions",
    "TRECCOVID",
)
INDEX = "model-index:\n- name: tiny-embed\n  results:\n" + "".join(
    f"  - task: {{type: Retrieval}}\n    dataset: {{type: mteb/{task.lower()}, name: MTEB {task}, config: default, split: test}}\n"
    f"    metrics: [{{type: main_score, value: 5{at}.25}}]\n"
    for at, task in enumerate(TASKS)
)
CARD = (
    f"---\nlicense: mit\npipeline_tag: sentence-similarity\ndatasets: [acme/pairs]\nbase_model: acme/base\n{INDEX}---\n# tiny-embed\n\n"
    "It maps sentences to vectors. See [our paper](https://arxiv.org/abs/2401.00001), Tiny Embeddings for Help Desks.\n"
)


@pytest.fixture
def world(hub: HubDouble) -> HubDouble:
    """Give a Hub with a model, its owner, base, data and paper."""
    for name in (NAME, "acme/base", "acme/other"):
        hub.model(name)
        hub.file(name, "model.safetensors", 900, f"{name:f<64}".replace("/", "0").replace("-", "1"))
    hub.organization("acme", isVerified=True, numModels=3)
    hub.dataset("acme/pairs")
    hub.paper("2401.00001", "Tiny Embeddings for Help Desks", authors=("Ada Ours",), models=(NAME,), summary="We present tiny-embed.")
    hub.commit(NAME, "Upload model.safetensors")
    files = [f"results/acme__tiny-embed/{'ab' * 20}/{task}.json" for task in TASKS]
    tree = [{"type": "file", "path": path, "size": 300, "oid": "1" * 40} for path in files]
    hub.instead[RESULTS] = lambda _: Response(json.dumps(tree), mimetype="application/json")
    for path in files:
        scores = {"scores": {"test": [{"hf_subset": "default", "main_score": 0.4}]}}
        hub.pages[f"/datasets/mteb/results/resolve/main/{path}"] = json.dumps(scores)
    return hub


@pytest.fixture
def online(world: HubDouble, make_model: Callable[..., Path], tmp_path: Path) -> Online:
    """Return a function that runs a command on the model's folder, and gives its JSON report and what stands on stderr."""
    model = make_model({"README.md": CARD, "config.json": '{"model_type": "bert", "hidden_size": 4}'})

    def run(*command: str) -> tuple[dict[str, Any], str]:
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "HUGGING"))}
        environment |= {"HF_ENDPOINT": world.url, "HF_HOME": str(tmp_path / "hf"), "HF_TOKEN": TOKEN, "MTEB_CACHE": str(tmp_path)}
        program = [
            sys.executable,
            "-c",
            "from cardcheck.cli import main; main()",
            *command,
            str(model),
            "--id",
            NAME,
            "--json",
            "--no-config",
        ]
        done = subprocess.run(program, capture_output=True, text=True, env=environment, timeout=60, check=False)
        assert done.returncode in (0, 1), done.stderr
        assert TOKEN not in done.stdout + done.stderr
        assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
        report = json.loads(done.stdout)
        return (report["audits"][0] | {"requests": report["requests"]} if "audits" in report else report), done.stderr

    return run


@pytest.mark.parametrize("command", [("audit", "--no-spotcheck"), ("lint", "--online")])
def test_a_usual_model(world: HubDouble, online: Online, command: tuple[str, ...]) -> None:
    """Every source is known, few requests are made and told, and none when it is done again."""
    report, _ = online(*command)
    assert {
        report["sources"][name]["state"] for name in ("hub", "history", "disputes", "owner", "papers", "data", "bases", "official")
    } == {"known"}
    assert 5 < len(world.asked) <= 25
    assert len([one for one in report["requests"] if not one["cached"]]) == len(world.asked)
    before = len(world.asked)
    again, _ = online(*command)
    assert len(world.asked) == before
    assert [found["rule"] for found in again["findings"]] == [found["rule"] for found in report["findings"]]
    online(*command, "--refresh")
    assert len(world.asked) > before


def test_lint_asks_nothing_unless_it_is_to(world: HubDouble, online: Online) -> None:
    """Plain lint makes no request, and rules that need one do not apply; an offline audit says what it could not ask."""
    report, _ = online("lint")
    assert world.asked == []
    assert report["sources"]["hub"] == {"state": "absent", "reason": "not asked; --online asks"}
    audit, _ = online("audit", "--no-spotcheck", "--offline")
    assert world.asked == []
    assert "offline" in audit["sources"]["hub"]["reason"]
    assert audit["outcomes"]["unknown"] > 5


ALONE = {
    "history": f"/api/models/{NAME}/commits/main",
    "disputes": f"/api/models/{NAME}/discussions",
    "owner": "/api/organizations/acme/overview",
    "data": "/api/datasets/acme/pairs",
    "papers": "/api/papers/2401.00001",
    "official": RESULTS,
}


@pytest.mark.parametrize("source", ALONE)
def test_every_source_can_be_out_of_reach_alone(world: HubDouble, online: Online, source: str) -> None:
    """The rest of the audit goes on, and what is unknown is told with the reason."""
    world.instead[ALONE[source]] = lambda _: Response("no", status=500)
    report, _ = online("audit", "--no-spotcheck")
    states = {name: report["sources"][name]["state"] for name in ALONE}
    assert states.pop(source) == "unavailable"
    assert set(states.values()) == {"known"}
    assert "500" in report["sources"][source]["reason"]
    assert any(rule["outcome"] == "unknown" and rule["reason"].startswith(f"{source}: ") for rule in report["rules"])


def test_evidence_becomes_findings(world: HubDouble, online: Online) -> None:
    """An open dispute, a base that is not there and a paper of another title are told, and scores that official ones do not bear out."""
    world.discuss(NAME, "The MTEB scores cannot be reproduced")
    del world.models["acme/base"]
    world.paper("2401.00001", "On the Migration of Storks")
    report, _ = online("audit", "--no-spotcheck")
    assert {"CC221", "CC224", "CC443"} <= {found["rule"] for found in report["findings"]}
