"""The packaged held-out set."""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck import heldout

FOLDER = Path(heldout.__file__).parent.parent / "data" / "heldout" / heldout.DEFAULT
FUNCTION_WORDS = frozenset(
    """a about after all also an and any are as at be because been before being between both but by can could did do does down during each
    every few for from further had has have he her here hers him his how i if in into is it its just may me might more most must my no nor
    not of off on once one only or other our out over own same shall she should so some still such than that the their them then there
    these they this those three through to too two under until up upon us very was we were what when where whether which while who whom
    whose why will with without would you your""".split()  # noqa: SIM905  # a list of a hundred strings would not be read
)
SUFFIXES = ("ingly", "edly", "ings", "ies", "ing", "ers", "ed", "es", "er", "ly", "s", "e", "y")


def _rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]


def _stem(word: str) -> str:
    return next((word[: -len(end)] for end in SUFFIXES if word.endswith(end) and len(word) - len(end) >= 3), word)


def _stems(text: str) -> set[str]:
    """Return the stems of the content words."""
    words = (word.lower() for word in re.findall(r"[A-Za-z]{2,}", text))
    return {_stem(word) for word in words if word not in FUNCTION_WORDS}


def _names(text: str) -> set[str]:
    """Return the stems of words that are capitalised though no sentence starts with them."""
    found = (match for match in re.finditer(r"\b[A-Z][A-Za-z]+", text) if match.start())
    return {_stem(match.group().lower()) for match in found if not re.search(r"[.!?:]\W*$", text[: match.start()])}


def _copy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the packaged set and make `load` read the copy."""
    copy = folder / "data" / "heldout" / heldout.DEFAULT
    shutil.copytree(FOLDER, copy)
    monkeypatch.setattr(heldout, "__file__", str(folder / "spotcheck" / "heldout.py"))
    return copy


def test_is_large_enough(held_out: heldout.HeldOutSet) -> None:
    """There are at least 200 passages and 150 queries, none of them empty and no text twice."""
    assert len(held_out.corpus) >= 200
    assert len(held_out.queries) >= 150
    texts = [*held_out.corpus.values(), *held_out.queries.values()]
    assert all(text.strip() for text in texts)
    assert len(set(texts)) == len(texts)


def test_judgements_refer_to_what_is_there(held_out: heldout.HeldOutSet) -> None:
    """Every judgement is of a query and a passage of the set, and every query has some."""
    assert set(held_out.qrels) == set(held_out.queries)
    assert {document for grades in held_out.qrels.values() for document in grades} <= set(held_out.corpus)


def test_grades(held_out: heldout.HeldOutSet) -> None:
    """Grades are 0, 1 and 2, each of them occurs, and every query has an answer and several hard negatives."""
    assert set(Counter(grade for grades in held_out.qrels.values() for grade in grades.values())) == {0, 1, 2}
    assert all(2 in grades.values() for grades in held_out.qrels.values())
    assert all(list(grades.values()).count(0) >= 3 for grades in held_out.qrels.values())


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl"])
def test_canary_is_in_every_row(held_out: heldout.HeldOutSet, name: str) -> None:
    """Whoever trains on any row trains on the canary."""
    assert len(held_out.canary) > 40
    assert {row["metadata"]["canary"] for row in _rows(name)} == {held_out.canary}


def test_licence_and_hash_are_declared(held_out: heldout.HeldOutSet) -> None:
    """The set's own file says CC0 and the hash under which reference scores are kept."""
    about = json.loads((FOLDER / "set.json").read_text(encoding="utf-8"))
    assert about["license"] == "CC0-1.0"
    assert about["sha256"] == held_out.sha256 == heldout.content_hash(FOLDER)
    assert "CC0" in (FOLDER / "LICENSE").read_text(encoding="utf-8")


def test_paraphrases_share_no_words_with_their_answer(held_out: heldout.HeldOutSet) -> None:
    """Names apart, a paraphrase query shares at most one content word's stem with the passage that answers it."""
    entities = {row["_id"]: row["metadata"]["entity"] for row in _rows("corpus.jsonl")}
    paraphrases = [row for row in _rows("queries.jsonl") if row["metadata"]["kind"] == "paraphrase"]
    assert len(paraphrases) >= 150
    for query in paraphrases:
        for document, grade in held_out.qrels[query["_id"]].items():
            if grade == 2:
                passage = held_out.corpus[document]
                names = _stems(entities[document]) | (_names(passage) & _names(query["text"]))
                assert len((_stems(query["text"]) & _stems(passage)) - names) <= 1, (query["_id"], document)


@pytest.mark.parametrize("name", heldout.FILES)
def test_a_changed_byte_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A set that is not what was published is not used, and the error says so and what to do."""
    copy = _copy(tmp_path, monkeypatch)
    assert heldout.load().name == heldout.DEFAULT
    data = bytearray((copy / name).read_bytes())
    data[-2] ^= 1
    (copy / name).write_bytes(bytes(data))
    with pytest.raises(CardcheckError, match="was changed") as error:
        heldout.load()
    assert "reinstall" in (error.value.hint or "")


def test_an_unknown_set_is_an_error() -> None:
    """A set that is not packaged is named in the error."""
    with pytest.raises(CardcheckError, match="no held-out set 'nowhere-1'"):
        heldout.load("nowhere-1")


def test_samples_are_reproducible(held_out: heldout.HeldOutSet) -> None:
    """The same seed draws the same queries in file order, another seed others; the corpus stays whole."""
    sample = held_out.sample(40, seed=7)
    assert list(sample.queries) == list(held_out.sample(40, seed=7).queries)
    assert set(sample.queries) != set(held_out.sample(40, seed=8).queries)
    assert list(sample.queries) == [query for query in held_out.queries if query in sample.queries]
    assert len(sample.queries) == 40
    assert sample.corpus == held_out.corpus


def test_a_sample_larger_than_the_set_is_the_set(held_out: heldout.HeldOutSet) -> None:
    """Asking for more queries than there are gives all of them."""
    assert held_out.sample(10_000, seed=0) == held_out
