"""The store as evidence on one model: official results without a request, and what the checks of all models saw of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from results_made import REVISION, put, result

from cardcheck.errors import CardcheckError, UnavailableError
from cardcheck.facts import Facts
from cardcheck.facts.board import PARTS
from cardcheck.facts.outside import Offline
from cardcheck.leaderboard import evidence, judged
from cardcheck.leaderboard.evidence import Evidence, described, find, seen
from cardcheck.leaderboard.store import Head, open_store
from cardcheck.leaderboard.sync import sync

if TYPE_CHECKING:
    from pathlib import Path

    from hub_double import HubDouble

    from cardcheck.net.answers import Outside, Score
    from cardcheck.net.online import Online

ME = "acme/Ours"
EXTERNAL = "external"


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    """Give results of two models: a run with more metrics than the store keeps, one by an old name, an experiment, copied numbers."""
    root = tmp_path / "tree"
    scores = result("SciFact", {"test": [("default", 0.5)]})
    scores["scores"]["test"][0]["map_at_5"] = 0.4
    put(root, ME, scores)
    old = {"mteb_dataset_name": "NorwegianParliament", "mteb_version": "1.0.2", "test": {"accuracy": 0.6, "evaluation_time": 1.0}}
    put(root, ME, old, task="NorwegianParliament")
    put(root, ME, result("ArguAna", {"test": [("default", 0.9)]}), experiment="small")
    for task in ("SciFact", "NFCorpus"):
        put(root, ME, result(task, {"test": [("default", 0.7)]}), revision=EXTERNAL)
    put(root, "b/two", result("SciFact", {"test": [("default", 0.3)]}))
    return root


@pytest.fixture(name="file")
def _file(tmp_path: Path, tree: Path) -> Path:
    file = tmp_path / "kept" / "scores.parquet"
    sync(str(tree), file)
    return file


def held(file: Path, outside: Any = None) -> Outside:
    """Return an outside whose official results come from a store first."""
    return find(file).before(outside or Offline())


def scores_of(outside: Outside, *tasks: str, of: str = ME) -> list[Score]:
    """Return the official results of a model."""
    return outside.results(of, tasks)


def test_official_results_come_from_the_store(hub: HubDouble, online: Online, file: Path) -> None:
    """All that was asked for is answered, by today's names and with every metric of the files that are still here; nobody is asked."""
    outside = held(file, online)
    found = scores_of(outside, "SciFact", "NorwegianParliamentClassification", "ArguAna", "NFCorpus")
    assert hub.asked == []
    assert [(score.task, score.run) for score in found] == [
        ("NFCorpus", EXTERNAL),
        ("NorwegianParliamentClassification", REVISION),
        ("SciFact", REVISION),
    ]
    assert found[2].metrics == {"main_score": 0.5, "ndcg_at_10": 0.5, "map_at_5": 0.4}
    assert (found[2].split, found[2].subset, found[2].dataset_revision, found[2].mteb_version) == ("test", "default", "1", "2.0.0")
    assert found[1].metrics == {"accuracy": 0.6, "main_score": 0.6}
    assert str(file.parent.parent / "tree") in getattr(outside, "origin", "")


def test_without_the_files_the_kept_metrics_answer(file: Path, tree: Path) -> None:
    """Where the store's source is gone, the main score and the kept metrics are what there is."""
    shutil.rmtree(tree)
    found = scores_of(held(file), "SciFact", "NFCorpus")
    assert [(score.task, score.run, score.split) for score in found] == [("NFCorpus", EXTERNAL, ""), ("SciFact", REVISION, "test")]
    assert found[1].metrics == {"main_score": 0.5, "ndcg_at_10": 0.5}


def test_a_store_whose_rows_are_spoilt(file: Path) -> None:
    """What a store with a whole head and spoilt rows cannot say is unavailable, and stops no audit."""
    whole = file.read_bytes()
    file.write_bytes(whole[:4] + bytes(400) + whole[404:])
    found = find(file)
    with pytest.raises(UnavailableError, match="damaged"):
        scores_of(found.before(Offline()), "SciFact")
    facts = Facts()
    facts.set("subject.id", ME)
    found.tell(facts)
    assert {facts.sources[part].state for part in PARTS} == {"unavailable"}


@pytest.mark.parametrize(("kind", "whole"), [("zip", True), ("tar", False), ("git", True)])
def test_archives_and_repositories_answer_too(tree: Path, tmp_path: Path, kind: str, *, whole: bool) -> None:
    """A zip and a git repository can be read at any place, so every metric of theirs counts; a tar would have to be read through."""
    source = tree.with_name(f"results.{kind}")
    if kind == "git":
        shutil.copytree(tree, source)
        about = ("-c", "user.name=t", "-c", "user.email=t@example.org")
        for arguments in (("init", "--quiet"), ("add", "."), (*about, "commit", "--quiet", "-m", "results")):
            subprocess.run(["git", *arguments], cwd=source, check=True, capture_output=True)
    elif kind == "zip":
        with zipfile.ZipFile(source, "w") as archive:
            for path in tree.rglob("*.json"):
                archive.write(path, str(path.relative_to(tree)))
    else:
        with tarfile.open(source, "w") as archive:
            archive.add(tree / "results", "results")
    file = tmp_path / "packed" / "scores.parquet"
    sync(source.as_uri() if kind == "git" else str(source), file)
    (found,) = scores_of(held(file), "SciFact")
    assert found.metrics == {"main_score": 0.5, "ndcg_at_10": 0.5} | ({"map_at_5": 0.4} if whole else {})


def test_capitals_of_a_name_do_not_matter(file: Path) -> None:
    """The Hub does not tell them apart either."""
    assert [score.run for score in scores_of(held(file), "SciFact", of="ACME/ours")] == [REVISION]


def test_what_the_store_lacks_is_asked_elsewhere(hub: HubDouble, online: Online, file: Path) -> None:
    """A model that the store has nothing of may be newer: others are asked, and where nobody may be, it is not known."""
    with pytest.raises(UnavailableError, match=r"store of .* has nothing of it; not asked: offline"):
        scores_of(held(file), "SciFact", of="acme/newer")
    hub.instead["/api/datasets/mteb/results/tree/main/results/acme__newer"] = lambda _: hub_answer([])
    outside = held(file, online)
    assert scores_of(outside, "SciFact", of="acme/newer") == []
    assert len(hub.asked) == 1
    assert "Hub" in getattr(outside, "origin", "")
    assert scores_of(outside, "NoSuchTask") == []


def hub_answer(value: Any) -> Any:
    """Return JSON as the Hub sends it."""
    from werkzeug import Response

    return Response(json.dumps(value), mimetype="application/json")


def test_all_other_questions_pass_by(file: Path) -> None:
    """The store answers for results alone."""
    with pytest.raises(UnavailableError, match="offline"):
        held(file).model(ME)


@pytest.mark.parametrize(
    ("synced", "told"), [("2026-10-01T00:00:00+00:00", "56 days old"), ("2026-11-20T00:00:00+00:00", None), ("?", None)]
)
def test_an_old_store_tells_its_age(synced: str, told: str | None) -> None:
    """It is used, and the report says how old it is; a young one only says when it was made, and of what."""
    text = described(Head(source="hub", state="ab" * 20, synced=synced), datetime(2026, 11, 26, tzinfo=UTC))
    assert "hub" in text
    assert "abababababab)" in text
    assert ("days old" in text) == (told is not None)
    assert told is None or told in text


def test_where_there_is_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a sync would add is told; one that was named has to be there, and one that cannot be read is told and not used."""
    monkeypatch.setenv("CARDCHECK_CACHE", str(tmp_path))
    none = find()
    assert "leaderboard sync hub" in none.note
    offline = Offline()
    assert none.before(offline) is offline
    assert "not to be used" in find(use=False).note
    with pytest.raises(CardcheckError, match="no store"):
        find(tmp_path / "other.parquet")
    broken = tmp_path / "leaderboard" / "scores.parquet"
    broken.parent.mkdir()
    broken.write_bytes(b"PAR1 or so")
    assert "cannot be used" in find().note
    assert find().store is None


def facts_of(known: Evidence, hub_id: str | None) -> Facts:
    """Return facts of a subject with what is known of the whole board."""
    facts = Facts()
    facts.set("subject.id", hub_id)
    known.tell(facts)
    return facts


def test_what_the_board_says_of_a_model(file: Path) -> None:
    """A model on the board gets what was seen of it; of any other it is told that there is nothing."""
    facts = facts_of(find(file), ME.lower())
    assert facts.sources["board"].state == "known"
    assert facts["board.results"] > 0
    for name in ("acme/other", None):
        source = facts_of(find(file), name).sources["board"]
        assert source.state == "absent"
        assert "has no results of it" in source.reason
    assert "no store" in facts_of(Evidence(None, evidence.MISSING), ME).sources["board"].reason


def test_the_board_is_looked_at_once(file: Path, tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen is kept beside the store, until the store is another; what is kept and cannot be read is made anew."""
    times: list[int] = []
    look = judged.look

    def counted(*given: Any) -> Any:
        times.append(1)
        return look(*given)

    monkeypatch.setattr(judged, "look", counted)
    first = seen(open_store(file))
    assert ME.lower() in first
    assert seen(open_store(file)) == first
    assert len(times) == 1
    kept = next(path for path in file.parent.iterdir() if path.name.endswith(".seen"))
    for text in ("", "[]", '{"key": 1}', "[" * 100_000):
        kept.write_text(text, encoding="utf-8")
        assert seen(open_store(file)) == first
    assert len(times) == 5
    put(tree, "c/three", result("SciFact", {"test": [("default", 0.4)]}))
    sync(str(tree), file)
    assert "c/three" in seen(open_store(file))
    assert len(times) == 6
    assert not [path for path in file.parent.iterdir() if ".seen." in path.name]


def test_other_code_looks_anew(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was seen by code, or by packaged facts, that have changed since is not taken; the code that makes the table is among it."""
    names = {path.name for path in evidence.sources()}
    assert {"credible_table.py", "trained.py", "training.py", "tasks.json", "training.json"} <= names
    changing = tmp_path / "code.py"
    changing.write_text("1", encoding="utf-8")
    monkeypatch.setattr(evidence, "sources", lambda: [changing])
    first = seen(open_store(file))
    monkeypatch.setattr(judged, "look", lambda _: {"acme/other": {}})
    assert seen(open_store(file)) == first
    changing.write_text("22", encoding="utf-8")
    assert seen(open_store(file)) == {"acme/other": {}}


def test_asking_the_hub_needs_nothing_of_the_store() -> None:
    """Who asks for results over the network reads them by the same code, without what reads the store."""
    code = "import sys, cardcheck.net.online as _; print([name for name in ('pyarrow', 'msgspec', 'numpy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
