"""An audit with the leaderboard's store as evidence, and what its report says where there is none."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from results_made import put, result

from cardcheck.leaderboard.sync import sync

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import MakeModel, Run

ME = "acme/tiny-embed"
CARD = """\
---
license: mit
model-index:
- name: tiny-embed
  results:
  - task: {type: Retrieval}
    dataset: {type: mteb/scifact, name: MTEB SciFact, config: default, split: test}
    metrics: [{type: ndcg_at_10, value: 71.25}]
---
# tiny-embed

It maps sentences to vectors.
"""


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARDCHECK_CACHE", str(tmp_path / "cache"))


@pytest.fixture(name="model")
def _model(make_model: MakeModel) -> Path:
    return make_model({"README.md": CARD, "config.json": '{"model_type": "bert", "hidden_size": 4}'})


def make_store(tmp_path: Path, file: Path, score: float = 0.4) -> None:
    """Make a store in which the model has a score, and another has the same."""
    for name in (ME, "acme/other"):
        put(tmp_path / "tree", name, result("SciFact", {"test": [("default", score)]}))
    sync(str(tmp_path / "tree"), file)


def audited(run: Run, model: Path, *more: str | Path) -> dict[str, Any]:
    """Return the JSON report of an audit without requests."""
    done = run("audit", model, "--id", ME, "--no-spotcheck", "--offline", "--no-config", "--json", *more)
    assert done.status in (0, 1), done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def rules(report: dict[str, Any]) -> set[str]:
    """Return the rules that found something."""
    return {found["rule"] for found in report["findings"]}


def test_the_store_is_evidence(run: Run, model: Path, tmp_path: Path) -> None:
    """Without a request the card's score is held against the official one, and the report names the store, its day and its state."""
    make_store(tmp_path, tmp_path / "cache" / "leaderboard" / "scores.parquet")
    report = audited(run, model)
    assert report["sources"]["official"]["state"] == "known"
    assert "CC443" in rules(report)
    for text in (report["leaderboard"], report["sources"]["official"]["reason"]):
        assert "store of 20" in text
        assert str(tmp_path / "tree") in text
        assert "(state " in text
    assert report["sources"]["board"]["state"] == "known"
    assert report["requests"] == []


def test_what_a_store_would_add(run: Run, model: Path, tmp_path: Path) -> None:
    """Where there is none, every report says so in one line, and the official results are unknown, which is no pass."""
    report = audited(run, model)
    assert report["sources"]["official"]["state"] == "unavailable"
    assert "cardcheck leaderboard sync hub" in report["leaderboard"]
    assert report["sources"]["board"]["state"] == "absent"
    arguments = [f"--output={form}:{tmp_path / form}" for form in ("markdown", "html")]
    text = run("audit", model, "--id", ME, "--no-spotcheck", "--offline", "--no-config", *arguments).out
    for shown in (text, *((tmp_path / form).read_text(encoding="utf-8") for form in ("markdown", "html"))):
        assert sum("leaderboard sync hub" in line for line in shown.splitlines()) == 1


def test_which_store(run: Run, model: Path, tmp_path: Path) -> None:
    """A file can be named, or no store used though there is one; a named one that is none is an error, and both together are."""
    make_store(tmp_path, tmp_path / "cache" / "leaderboard" / "scores.parquet")
    assert "CC443" not in rules(audited(run, model, "--no-store"))
    other = tmp_path / "other" / "scores.parquet"
    make_store(tmp_path, other, 0.7125)
    named = audited(run, model, "--store", other)
    assert "CC443" not in rules(named)
    assert named["sources"]["official"]["state"] == "known"
    assert run("audit", model, "--no-spotcheck", "--store", tmp_path / "none").status == 2
    assert run("audit", model, "--no-spotcheck", "--store", other, "--no-store").status == 2


def test_linting_has_no_store(run: Run, model: Path, tmp_path: Path) -> None:
    """Lint reads files, and neither uses a store nor speaks of one."""
    make_store(tmp_path, tmp_path / "cache" / "leaderboard" / "scores.parquet")
    done = run("lint", model, "--no-config")
    assert "Leaderboard:" not in done.out
