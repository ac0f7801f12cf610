"""cardcheck shortlist, and the credible order beside the official one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from shortlist_made import make

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run


@pytest.fixture(name="file", scope="module")
def _file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("store")).file


def test_a_list_for_people(run: Run, file: Path) -> None:
    """The list names models in order with their numbers, a reason each, and what could not be judged and why others are out."""
    done = run("shortlist", "--language", "pl", "--max-memory", "60MB", "--license", "commercial", "--limit", "2", "--store", file)
    assert done.status == 0, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith("retrieval of text in pl: 10 tasks")
    assert "minishlab/potion-base-8M" in done.out
    assert "Could not be judged, memory unknown" in done.out
    assert "--include memory" in done.out
    assert "Out: " in done.out
    assert "by memory" in done.out
    assert "None of these tasks is private" in done.out


def test_json_and_picture(run: Run, file: Path, tmp_path: Path) -> None:
    """JSON has every model with its facts; the picture is written beside it."""
    done = run("shortlist", "--language", "pl", "--json", "--plot", tmp_path / "front.svg", "--store", file)
    found = json.loads(done.out)
    first = found["entries"][0]
    assert first["model"] == "Qwen/Qwen3-Embedding-8B"
    assert first["low"] < first["score"] < first["high"]
    assert first["about"]["tokens"] == 32768
    assert first["overlap"]["state"] == "declared"
    assert len(found["tasks"]) == 10
    assert (tmp_path / "front.svg").read_text(encoding="utf-8").startswith("<svg")


def test_every_limit_counts(run: Run, file: Path) -> None:
    """Each option takes models away, and none that meets it."""

    def models(*options: str) -> set[str]:
        entries = json.loads(run("shortlist", "--language", "pl", "--json", "--store", file, *options).out)["entries"]
        return {entry["model"] for entry in entries}

    every = models()
    assert every - models("--open-weights") >= {"openai/text-embedding-3-small", "openai/text-embedding-3-large"}
    assert every - models("--no-remote-code") == {"jinaai/jina-embeddings-v3"}
    assert "jinaai/jina-embeddings-v3" in every - models("--license", "open")
    assert models("--min-tokens", "8192") >= {"BAAI/bge-m3", "minishlab/potion-base-8M"}
    assert "BAAI/bge-base-en-v1.5" not in models("--max-dim", "384")
    assert models("--kind", "reranker") == {"BAAI/bge-reranker-v2-m3"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--modality", "smell"), "no modality"),
        (("--modality", "vidoe"), "did you mean video?"),
        (("--max-memory", "lots"), "is no size"),
        (("--max-memory", ""), "is no size"),
        (("--benchmark", ""), "no benchmark"),
        (("--task", "retreival"), "did you mean"),
        (("--domain", "leagl"), "did you mean Legal?"),
        (("--license", "apache"), "did you mean apache-2.0?"),
        (("--license", ""), "no licence ''"),
        (("--plot", "front.png"), "name it FILE.svg"),
        (("--language", "pl", "--plot", "/proc/none/front.svg"), "cannot write"),
        (("--language", "tlh"), "MTEB has no language 'tlh'"),
        (("--domain", "\x1b[31mred"), "no domain"),
        (("--store", "nowhere.parquet"), "no store of the leaderboard yet"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, file: Path, options: tuple[str, ...], said: str) -> None:
    """What does not exist is one line and status 2, and does not steer the terminal."""
    done = run("shortlist", *(() if "--store" in options else ("--store", file)), *options)
    assert done.status == 2
    assert said in done.err
    assert "\x1b[31m" not in done.err


def test_credible_beside_official(run: Run, file: Path) -> None:
    """`rank --credible` shows the score to expect on unseen retrieval with its interval and reasons; without it, rank has none of it."""
    chosen = ("leaderboard", "rank", "--language", "pl", "--task-type", "Retrieval", "--store", file)
    plain, beside = run(*chosen), run(*chosen, "--credible")
    assert beside.status == 0, beside.err
    assert "90 % interval" in beside.out
    assert "all retrieval tasks, as too few models ran private ones" in beside.out
    assert "credible" not in plain.out
    found = json.loads(run(*chosen, "--credible", "--json").out)
    assert [row["model"] for row in found["beside"]] == [row["model"] for row in found["rows"]]
    first = next(row for row in found["beside"] if row["credible"] == 1)
    assert first["model"] == "Qwen/Qwen3-Embedding-8B"
    assert first["low"] < first["score"] < first["high"]
    assert json.loads(run(*chosen, "--json").out)["beside"] == []
