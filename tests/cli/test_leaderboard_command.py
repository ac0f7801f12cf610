"""cardcheck leaderboard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from results_made import put, result

from cardcheck.leaderboard import boards

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Run

MODELS = ("intfloat/multilingual-e5-small", "minishlab/potion-base-8M")


@pytest.fixture(name="tree")
def _tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CARDCHECK_CACHE", str(tmp_path / "cache"))
    for number, model in enumerate(MODELS):
        for task in ("ArguAna", "SciFact"):
            put(
                tmp_path / "tree",
                model,
                result(task, {"test": [("default", 0.5 - number / 10)]}),
                revision=boards.main_revision(model) or "",
            )
    put(tmp_path / "tree", MODELS[0], b"", task="Bad\x1b[31m")
    return tmp_path / "tree"


def test_sync_and_rank(run: Run, tree: Path) -> None:
    """Results are synced, bad files named without steering the terminal, and models ranked; without a source the last one is taken."""
    synced = run("leaderboard", "sync", tree)
    assert synced.status == 0
    assert "8 files, 4 scores; 8 files read" in synced.out
    assert "not read: 1 files" in synced.out
    assert "\x1b[31m" not in synced.out
    assert "nothing changed" in run("leaderboard", "sync").out
    ranked = run("leaderboard", "rank", "BEIR", "--limit", "1")
    assert ranked.status == 0
    assert "2 models, 2 tasks" in ranked.out
    assert "50.00" in ranked.out
    assert "1 more; --all" in ranked.out
    assert "No model in the store ran" in ranked.out


def test_json(run: Run, tree: Path) -> None:
    """JSON holds all of it, with null for a mean that is missing."""
    put(tree, MODELS[1], result("STS12", {"test": [("default", 0.5)]}))
    synced = json.loads(run("leaderboard", "sync", tree, "--json").out)
    assert (synced["read"], synced["scores"], len(synced["bad"])) == (10, 5, 1)
    found = json.loads(run("leaderboard", "rank", "--language", "en", "--task-type", "STS", "--task-type", "Retrieval", "--json").out)
    assert [row["model"] for row in found["rows"]] == [MODELS[0], MODELS[1]]
    assert found["rows"][0]["mean"] is None
    assert found["store"]["scores"] == 5
    assert found["task_names"] == ["ArguAna", "STS12", "SciFact"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rank", "BEIR"), "no store of the leaderboard yet"),
        (("rank",), "name a BENCHMARK"),
        (("rank", "BEIRR"), "did you mean BEIR"),
        (("rank", "BEIR", "--domain", "nonsense"), "there is no domain 'nonsense'; Academic, "),
        (("rank", "BEIR", "--language", "german"), "write it as de"),
        (("rank", "--task-type", "Retreival"), "did you mean Retrieval?"),
        (("rank", "--modality", "vidoe"), "did you mean video?"),
        (("rank", "BEIR", "--language", "pl"), "of BEIR no task is pl"),
        (("rank", ""), "no benchmark"),
        (("sync",), "no store of the leaderboard yet"),
        (("sync", "nowhere"), "no folder, no file"),
        (("sync", "nowhere", "--table", "x"), "not both"),
    ],
)
def test_what_cannot_be_done_is_said(run: Run, tree: Path, arguments: tuple[str, ...], said: str) -> None:
    """Without a store, a benchmark or a source there is a line, and status 2."""
    del tree
    done = run("leaderboard", *arguments)
    assert done.status == 2
    assert said in done.err


def test_list(run: Run) -> None:
    """The benchmarks are named."""
    assert "MTEB(eng, v2)" in run("leaderboard", "rank", "--list").out.splitlines()


def test_benchmarks_are_listed_as_json(run: Run) -> None:
    """--list heeds --json."""
    assert json.loads(run("leaderboard", "rank", "--list", "--json").out) == list(boards.names())


def test_one_long_name_widens_no_column(run: Run, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of ten thousand letters is cut, so that the other lines can still be read."""
    monkeypatch.setattr(boards, "is_registered", lambda _: True)
    put(tree, "m/" + "x" * 60, result("ArguAna", {"test": [("default", 0.9)]}))
    folder = next((tree / "results").glob("m__x*/*"))
    (folder / "model_meta.json").write_text(json.dumps({"name": "m/" + "x" * 10_000, "revision": folder.name}))
    run("leaderboard", "sync", tree)
    done = run("leaderboard", "rank", "BEIR")
    assert "xxx…" in done.out
    assert max(map(len, done.out.splitlines())) < 160
