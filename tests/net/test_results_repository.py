"""MTEB's results repository: which files are fetched, where a checkout is used, and what is read from a file of either layout."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Response

from cardcheck.errors import AbsentError, UnavailableError
from cardcheck.net.results import MAX_FETCHED, choose, read_scores

if TYPE_CHECKING:
    from pathlib import Path

    from hub_double import HubDouble

    from cardcheck.net.answers import Score
    from cardcheck.net.online import Online

ME = "acme/ours"
BANKING = "Banking77Classification"
FOLDER = "results/acme__ours"
RUN = "ab" * 20
FILE = {
    "dataset_revision": "0228b52",
    "mteb_version": "2.26.24",
    "task_name": "SciFact",
    "scores": {
        "test": [{"hf_subset": "default", "languages": ["eng-Latn"], "main_score": 0.6451, "ndcg_at_10": 0.6451, "mrr": float("nan")}]
    },
}


@pytest.fixture(autouse=True)
def _no_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep a checkout on this machine out of the tests."""
    monkeypatch.setenv("MTEB_CACHE", str(tmp_path / "mteb"))


def publish(hub: HubDouble, *names: str, content: Any = FILE) -> None:
    """Put files of the model into the Hub's copy of the results repository."""
    tree = [{"type": "file", "path": f"{FOLDER}/{name}", "size": 900, "oid": "1" * 40} for name in names]
    hub.instead[f"/api/datasets/mteb/results/tree/main/{FOLDER}"] = lambda _: Response(json.dumps(tree), mimetype="application/json")
    for name in names:
        hub.pages[f"/datasets/mteb/results/resolve/main/{FOLDER}/{name}"] = json.dumps(content)


def test_every_task_gets_a_file_before_any_gets_a_second() -> None:
    """Runs of a known commit come first, copied numbers are told, and what is no result is passed over."""
    held = ["external/NQ", "1/SciFact", f"{RUN}/SciFact", "1/NFCorpus", "external/NFCorpus", "1/model_meta", "1/ArguAna"]
    chosen, copied = choose([f"{FOLDER}/{name}.json" for name in held] + [f"{FOLDER}/1/SciFact"], ("SciFact", "NFCorpus", "NQ"))
    assert [path.removeprefix(f"{FOLDER}/") for path in chosen] == [f"{RUN}/SciFact.json", "1/NFCorpus.json", "1/SciFact.json"]
    assert copied == ["NQ"]


def test_results_from_the_hub(hub: HubDouble, online: Online) -> None:
    """One list and one request a task, within the budget; NaN is left out, and a second question asks nobody."""
    tasks = tuple(f"Task{at}" for at in range(20))
    publish(hub, *(f"{RUN}/{task}.json" for task in tasks), "external/Other.json")
    scores = online.results(ME, (*tasks, "Other"))
    assert len(hub.asked) == 1 + MAX_FETCHED
    assert [(score.task, score.run) for score in scores[:2]] == [("Other", "external"), ("Task0", RUN)]
    assert (scores[1].metrics, scores[1].split, scores[1].mteb_version) == ({"main_score": 0.6451, "ndcg_at_10": 0.6451}, "test", "2.26.24")
    online.results(ME, (*tasks, "Other"))
    assert len(hub.asked) == 1 + MAX_FETCHED


def test_a_model_without_results(hub: HubDouble, online: Online) -> None:
    """A folder that is not there is nothing; a server that does not answer is unknown."""
    with pytest.raises(AbsentError):
        online.results("acme/nothing", ("SciFact",))
    publish(hub, f"{RUN}/SciFact.json")
    del hub.pages[f"/datasets/mteb/results/resolve/main/{FOLDER}/{RUN}/SciFact.json"]
    hub.instead[f"/datasets/mteb/results/resolve/main/{FOLDER}/{RUN}/SciFact.json"] = lambda _: Response("", status=403)
    with pytest.raises(UnavailableError):
        online.results(ME, ("SciFact", "NQ"))


def test_a_checkout_is_asked_first(hub: HubDouble, online: Online, tmp_path: Path) -> None:
    """Where mteb keeps the repository on this machine, all of it is read and nobody is asked."""
    folder = tmp_path / "mteb/remote" / FOLDER
    for at in range(12):
        (folder / "1").mkdir(parents=True, exist_ok=True)
        (folder / "1" / f"Task{at}.json").write_text(json.dumps(FILE), encoding="utf-8")
    scores = online.results(ME, tuple(f"Task{at}" for at in range(12)))
    assert (len(scores), len(hub.asked)) == (12, 0)
    with pytest.raises(AbsentError):
        online.results("acme/other", ("Task1",))


def test_the_old_layout() -> None:
    """Files from before mteb 1.11 have splits at the top, languages below them where there are any, and `cos_sim` one step deeper."""
    plain = {"mteb_dataset_name": BANKING, "test": {"accuracy": 0.57, "evaluation_time": 3.5}, "validation": {"accuracy": 0.5}}
    assert [(one.split, one.subset, one.metrics["accuracy"]) for one in scores_in(plain)] == [
        ("test", "default", 0.57),
        ("validation", "default", 0.5),
    ]
    languages = {"mteb_dataset_name": "MTOPIntentClassification", "test": {"en": {"accuracy": 0.7}, "de": {"accuracy": 0.6}}}
    assert {one.subset: one.metrics["main_score"] for one in scores_in(languages)} == {"en": 0.7, "de": 0.6}
    similarity = {"mteb_dataset_name": "STS12", "test": {"cos_sim": {"spearman": 0.8}, "evaluation_time": 1.5}}
    assert scores_in(similarity)[0].metrics == {"cosine_spearman": 0.8, "main_score": 0.8}


def scores_in(content: Any) -> list[Score]:
    """Return what is read of a file."""
    return read_scores(json.dumps(content).encode(), "results/a__b/1/T.json")


@pytest.mark.parametrize(
    "text", ["", "[]", "null", '{"scores": 5}', '{"scores": {"test": 5}}', "[" * 100_000, '{"scores": {"test": [1, {}]}}']
)
def test_files_that_are_none(text: str) -> None:
    """Whatever stands in a file, nothing is raised and no number is made up."""
    assert not any(score.metrics for score in read_scores(text.encode(), "results/a__b/1/T.json"))
