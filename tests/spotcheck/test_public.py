"""Public tasks: where their data are found, what is read, and what is said where they cannot be had."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck import public, references

if TYPE_CHECKING:
    from pathlib import Path

TASK = public.TASKS[0]


def test_the_users_folder(public_data: Path) -> None:
    """A task lies in the folder itself or below it by its name; its parts and the rewordings are read, its hash holds all of it."""
    assert public.find(TASK, public_data) == public_data
    assert public.find(TASK, public_data.parent) == public_data
    found = public.load(TASK, public_data)
    assert found.corpus["0"] == "T0 text 0"
    assert {part: list(texts) for part, texts in found.queries.items()} == {
        "test": ["1", "3"],
        "other": ["20", "21"],
        "reworded": ["1", "3"],
    }
    assert found.queries["reworded"]["1"] != found.queries["test"]["1"]
    assert found.qrels["reworded"] == found.qrels["test"]
    (public_data / "qrels/train.tsv").write_text("query-id\tcorpus-id\tscore\n20\t1\t1\n", encoding="utf-8")
    assert public.load(TASK, public_data).sha256 != found.sha256


def test_other_data_have_no_references(public_data: Path) -> None:
    """Scores of the reference models count for exactly the data that they were measured on."""
    assert references.public_references(public.load(TASK, public_data)).ids == ()


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_damaged_data(public_data: Path, name: str) -> None:
    """A file that is damaged is told with what is needed, and what is missing is."""
    (public_data / name).write_text('{"_id": 5\n\tx', encoding="utf-8")
    with pytest.raises(CardcheckError, match="does not hold SciFact in BEIR layout"):
        public.load(TASK, public_data)
    (public_data / "corpus.jsonl").unlink()
    with pytest.raises(CardcheckError, match="does not hold SciFact"):
        public.find(TASK, public_data.parent)


def test_offline_without_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without network and without a copy in the Hub's cache there is a reason and a hint, and no request."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CardcheckError, match="not in the local cache"):
        public.find(TASK, offline=True)


def test_every_test_query_has_other_words() -> None:
    """The packaged rewordings are as many as SciFact has test queries, each once, none empty."""
    rows = [json.loads(line) for line in (public.DATA / "SciFact.reworded.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len({row["_id"] for row in rows}) == len(rows) == 300
    assert all(len(row["text"].split()) > 4 for row in rows)


def test_reference_scores_are_laid_out_as_the_set_is(public_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reference and lexical scores follow the set's queries in whatever order they were kept; without lexical ones there are none."""
    task = public.load(TASK, public_data)
    kept = {part: list(reversed(queries)) for part, queries in task.queries.items()}
    value = {query: at / 1000 for queries in task.queries.values() for at, query in enumerate(queries)}
    row = {part: [value[query] for query in queries] for part, queries in kept.items()}
    held: dict[str, Any] = {"sha256": task.sha256, "queries": kept, "ndcg_at_10": {"acme/a": row, "acme/b": row}, "lexical": {"BM25": row}}
    known = {"models": [{"id": name, "independent": True} for name in ("acme/a", "acme/b")], "public": {TASK.name: held}}
    monkeypatch.setattr(references, "_known", lambda: known)
    found = references.public_references(task).without({"acme/a"})
    assert found.ids == ("acme/b",)
    for part, queries in task.queries.items():
        expected = [value[query] for query in queries]
        assert found.scores[part].tolist() == [expected]
        assert found.lexical[part].tolist() == [expected]
    del held["lexical"]
    assert references.public_references(task).lexical == {}
