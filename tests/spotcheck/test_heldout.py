"""The packaged held-out set."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardcheck.errors import CardcheckError
from cardcheck.report.escape import visible
from cardcheck.spotcheck import heldout
from cardcheck.spotcheck.building.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

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


@pytest.mark.parametrize("name", heldout.names())
def test_every_packaged_set_is_what_was_promised(name: str) -> None:
    """From the second edition on: 400 passages and 300 queries in English, else 120 and 80, in five domains; all of them CC0."""
    packaged = heldout.load(name)
    assert (packaged.name, packaged.license) == (name, "CC0-1.0")
    assert all(2 in packaged.qrels[query].values() for query in packaged.queries)
    assert "CC0" in (heldout.folder_of(name) / "LICENSE").read_text(encoding="utf-8")
    if packaged.edition > 1:
        passages, queries = (400, 300) if packaged.language == "en" else (120, 80)
        assert len(packaged.corpus) >= passages
        assert len(packaged.queries) >= queries
        assert set(packaged.domains.values()) == {"general", "legal", "technical", "medical", "support"}


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
    """Names apart, a paraphrase query shares at most one content word's stem with the passage that answers it, a few share two."""
    entities = {row["_id"]: row["metadata"]["entity"] for row in _rows("corpus.jsonl")}
    paraphrases = [row for row in _rows("queries.jsonl") if row["metadata"]["kind"] == "paraphrase"]
    assert len(paraphrases) >= 150
    two = 0
    for query in paraphrases:
        for document, grade in held_out.qrels[query["_id"]].items():
            if grade == 2:
                passage = held_out.corpus[document]
                names = _stems(entities[document]) | (_names(passage) & _names(query["text"]))
                shared = len((_stems(query["text"]) & _stems(passage)) - names)
                assert shared <= 2, (query["_id"], document)
                two += shared == 2
    assert two <= len(paraphrases) // 25


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


def test_a_copy_is_loaded_by_its_folder(held_out: heldout.HeldOutSet, tmp_path: Path) -> None:
    """A set of the user's is named by its folder, and is the same as the packaged one of the same bytes."""
    copy = shutil.copytree(FOLDER, tmp_path / "mine")
    assert heldout.load(copy) == heldout.load(str(copy)) == held_out
    assert (held_out.license, held_out.edition) == ("CC0-1.0", 1)


def test_the_error_names_what_there_is() -> None:
    """Whoever mistypes a name is told the names."""
    with pytest.raises(CardcheckError) as error:
        heldout.load("quellmark-en-9")
    assert all(name in (error.value.hint or "") for name in heldout.names())
    assert heldout.DEFAULT in heldout.names()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '"x"',
        '{"name": "x"}',
        '{"name": "x", "date": "", "language": "", "canary": "", "sha256": "", "edition": "x"}',
        '{"name": "x", "date": "", "language": "", "canary": "", "sha256": "", "edition": Infinity}',
    ],
)
def test_a_broken_description_is_an_error(tmp_path: Path, text: str) -> None:
    """A set.json that cannot be used is told with its path."""
    shutil.copytree(FOLDER, tmp_path / "mine")
    (tmp_path / "mine" / "set.json").write_text(text, encoding="utf-8")
    with pytest.raises(CardcheckError, match=r"set\.json cannot be used") as error:
        heldout.load(tmp_path / "mine")
    assert "build it again" in (error.value.hint or "")


def _changed(folder: Path, name: str, change: Callable[[str], str]) -> Path:
    """Return a copy of the packaged set with a change in one file, which has the hash that it says it has."""
    copy = Path(shutil.copytree(FOLDER, folder / "mine"))
    text = (copy / name).read_text(encoding="utf-8")
    (copy / name).write_bytes(change(text).encode("utf-8", "surrogateescape"))
    told = json.loads((copy / "set.json").read_text(encoding="utf-8"))
    (copy / "set.json").write_text(json.dumps(told | {"sha256": heldout.content_hash(copy)}), encoding="utf-8")
    return copy


def _grade(grade: str) -> Callable[[str], str]:
    return lambda text: text.replace("\t2\n", f"\t{grade}\n", 1)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("qrels.tsv", _grade(str(2**61)), f"the grade {2**61} of the query A-p01 is no whole number from 0 to 100"),
        ("qrels.tsv", _grade("9" * 5000), f"the grade {'9' * 20} of the query"),
        ("qrels.tsv", _grade("101"), "the grade 101 of"),
        ("qrels.tsv", _grade("--5"), "the grade --5 of"),
        ("qrels.tsv", _grade("-1"), "the grade -1 of"),
        ("qrels.tsv", _grade("²"), "the grade ² of"),
        ("qrels.tsv", _grade("2\t2"), r"qrels.tsv:2 is no judgement: query, passage and grade"),
        ("qrels.tsv", lambda text: text + text.split("\n")[1] + "\n", "is judged more than once"),
        ("qrels.tsv", lambda text: text.replace("\t2\n", "\t0\n"), "no passage answers the query A-p01"),
        ("qrels.tsv", lambda text: text + "A-q01\tnowhere\t1\n", "there is no passage nowhere"),
        ("qrels.tsv", lambda text: text + "\udcff", "qrels.tsv is not in UTF-8"),
        ("queries.jsonl", lambda _: "", "queries.jsonl is empty"),
        ("queries.jsonl", lambda text: text + '{"_id": "q9999", "text": "who?"}\n', "no passage answers the query q9999"),
        ("queries.jsonl", lambda text: text + text.split("\n")[0] + "\n", "the id A-q01 is there more than once"),
        ("corpus.jsonl", lambda text: text + '{"_id": "p9999", "text": 5}\n', "is no row with an _id and a text"),
        ("corpus.jsonl", lambda text: text + '{"_id": ["p"], "text": ["t"]}\n', "is no row with an _id and a text"),
        ("corpus.jsonl", lambda text: text + '{"_id": "p9999", "text": "\\ud800"}\n', "is no row with an _id and a text"),
        ("corpus.jsonl", lambda text: text + '{"_id": 1' + "0" * 5000 + "}\n", "is no row with an _id and a text"),
        ("corpus.jsonl", lambda text: text + text.split("\n")[0] + "\n", "is there more than once"),
        ("corpus.jsonl", lambda text: text + "\udcff", "corpus.jsonl is not in UTF-8"),
    ],
)  # fmt: skip
def test_what_breaks_a_measurement_is_refused(tmp_path: Path, name: str, change: Callable[[str], str], said: str) -> None:
    """A stranger's set may fit its hash and still hold what ends the process or is no measurement; verify says the same of it."""
    folder = _changed(tmp_path, name, change)
    with pytest.raises(CardcheckError, match="cannot be read") as error:
        heldout.load(folder)
    assert said in error.value.message
    assert any(said in problem for problem in verify(folder))


def test_an_id_may_hold_what_ends_lines_for_others(tmp_path: Path) -> None:
    """Lines end with a line feed alone, in both readers."""
    folder = _changed(tmp_path, "qrels.tsv", lambda text: text.replace("A-q01\t", "q\u2028\x85\t"))
    rows = (folder / "queries.jsonl").read_text(encoding="utf-8").replace('"A-q01"', '"q\\u2028\x85"')
    (folder / "queries.jsonl").write_text(rows, encoding="utf-8")
    told = json.loads((folder / "set.json").read_text(encoding="utf-8"))
    (folder / "set.json").write_text(json.dumps(told | {"sha256": heldout.content_hash(folder)}), encoding="utf-8")
    assert "q\u2028\x85" in heldout.load(folder).queries
    assert verify(folder) == []


@pytest.mark.parametrize("name", heldout.FILES)
def test_a_pipe_is_no_file_of_a_set(tmp_path: Path, name: str) -> None:
    """Reading it would never end."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "mine"))
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(CardcheckError, match=f"{name} is missing"):
        heldout.load(folder)
    assert verify(folder) == [f"{name} is missing"]


@pytest.mark.parametrize("text", ["[]\n", "{\n", '{"_id": "q"}\n', '{"_id": "q", "text": "t", "metadata": 3}\n', "\ud800"])
def test_broken_rows_are_an_error(tmp_path: Path, text: str) -> None:
    """Rows that fit their hash and are none are told, not raised as they come."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "mine"))
    (folder / "queries.jsonl").write_bytes(text.encode("utf-8", "surrogatepass"))
    told = json.loads((folder / "set.json").read_text(encoding="utf-8"))
    (folder / "set.json").write_text(json.dumps(told | {"sha256": heldout.content_hash(folder)}), encoding="utf-8")
    with pytest.raises(CardcheckError, match="cannot be read"):
        heldout.load(folder)


ODD = ("x\x1b]0;PWNED\x07\x1b[2J", "a\nb", "a\u202eb", "\ud800", "a\u2028b", "##vso[task.setvariable]", "##[error]", "x" * 1001)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("key", ["name", "date", "language", "license", "canary"])
def test_what_no_terminal_should_be_sent_is_refused(tmp_path: Path, key: str, odd: str) -> None:
    """A stranger's set.json is printed in many places; one that would steer the terminal or the service that keeps the log is not used."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "mine"))
    told = json.loads((folder / "set.json").read_text(encoding="utf-8"))
    (folder / "set.json").write_text(json.dumps(told | {key: odd}), encoding="utf-8")
    with pytest.raises(CardcheckError, match=f"its {key} is too long or holds characters") as error:
        heldout.about(folder)
    assert odd not in str(error.value)


@given(st.text())
def test_what_is_printable_is_printed_as_it_is(text: str) -> None:
    """Reports have nothing to escape in what is let through."""
    assert not heldout.printable(text) or visible(text) == text


@pytest.mark.parametrize("text", ["", "Handbuch Süd 2", "手册　二", "\u0645\u06cc\u200c\u062e", "CC0-1.0 AND MIT"])
def test_names_of_every_script_are_printable(text: str) -> None:
    """Also those with joiners and wide blanks."""
    assert heldout.printable(text)


def _with_domains(folder: Path) -> heldout.HeldOutSet:
    """Return a copy of the packaged set in which every third query is of the domain law."""
    copy = Path(shutil.copytree(FOLDER, folder / "domains"))
    rows = _rows("queries.jsonl")
    for number, row in enumerate(rows):
        row["metadata"]["domain"] = "legal" if number % 3 == 0 else ""
    (copy / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    told = json.loads((copy / "set.json").read_text(encoding="utf-8"))
    (copy / "set.json").write_text(json.dumps(told | {"sha256": heldout.content_hash(copy)}), encoding="utf-8")
    return heldout.load(copy)


def test_a_domain_keeps_its_queries_and_the_whole_corpus(tmp_path: Path) -> None:
    """Scores of the whole set stay valid query by query, since every passage is still searched."""
    whole = _with_domains(tmp_path)
    chosen = whole.select("Legal")
    assert len(chosen.queries) == (len(whole.queries) + 2) // 3
    assert chosen.corpus == whole.corpus
    assert {chosen.qrels[query] == whole.qrels[query] for query in chosen.queries} == {True}
    assert set(chosen.domains) == set(chosen.queries)
    assert set(chosen.sample(5, seed=1).domains) == set(chosen.sample(5, seed=1).queries)


def test_an_unknown_domain_is_an_error(tmp_path: Path) -> None:
    """The domains there are stand in the error; a set without any says so."""
    with pytest.raises(CardcheckError, match="no domain 'medical'") as error:
        _with_domains(tmp_path).select("medical")
    assert error.value.hint == "it has legal"
    with pytest.raises(CardcheckError) as without:
        heldout.load("quellmark-en-1").select("legal")
    assert "domain" in (without.value.hint or "")


def _packaged(folder: Path, monkeypatch: pytest.MonkeyPatch, *sets: tuple[str, str, int, str]) -> None:
    """Make packaged sets of name, language, edition and date, all with the same texts."""
    for name, language, edition, date in sets:
        copy = Path(shutil.copytree(FOLDER, folder / "data" / "heldout" / name))
        told = json.loads((copy / "set.json").read_text(encoding="utf-8"))
        more = {"name": name, "language": language, "edition": edition, "date": date}
        (copy / "set.json").write_text(json.dumps(told | more), encoding="utf-8")
    monkeypatch.setattr(heldout, "__file__", str(folder / "spotcheck" / "heldout.py"))


SETS = (
    ("a-en-1", "en", 1, "2026-01-01"),
    ("a-en-10", "en", 10, "2027-01-01"),
    ("a-en-9", "en", 9, "2026-06-01"),
    ("b-de-2", "de", 2, "2026-06-01"),
)


@pytest.mark.parametrize(
    ("language", "name"), [("en", "a-en-10"), ("de", "b-de-2"), ("DE_at", "b-de-2"), ("deu-Latn", "b-de-2"), ("eng", "a-en-10")]
)
def test_the_newest_edition_of_a_language_is_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, name: str) -> None:
    """By edition, not by the name's letters; codes of three letters and regions are understood."""
    _packaged(tmp_path, monkeypatch, *SETS)
    assert heldout.for_language(language).name == name


def test_a_language_without_a_set_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The languages there are stand in the error."""
    _packaged(tmp_path, monkeypatch, *SETS)
    with pytest.raises(CardcheckError, match="language 'pl'") as error:
        heldout.for_language("pl")
    assert "de (b-de-2)" in (error.value.hint or "")


@pytest.mark.parametrize(
    ("model", "published", "said"),
    [
        ("2026-11-22", "2026-11-23", None),
        ("2026-11-23", "2026-11-23", "could have seen it"),
        ("2027-01-01T08:00:00.000Z", "2026-11-23", "the model is of 2027-01-01, the held-out set was published on 2026-11-23"),
        ("", "2026-11-23", "cannot be told"),
        ("2026-11-23", "soon", "cannot be told"),
    ],
)
def test_a_model_as_new_as_the_set_is_told(model: str, published: str, said: str | None) -> None:
    """From the day of publication on a model could have seen a set; an unknown date is not taken for an old one."""
    told = heldout.could_have_seen(model, published)
    assert told is None if said is None else said in (told or "")


def test_the_set_that_serves_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A newer edition in the language serves, else the user's own documents."""
    _packaged(tmp_path, monkeypatch, *SETS)
    newer = heldout.newer_than("2026-07-01", "en")
    assert newer == "a-en-10"
    assert f"{newer} is newer than the model" in (heldout.could_have_seen("2026-07-01", "2026-06-01", instead=newer) or "")
    assert heldout.newer_than("2026-07-01", "de") == heldout.newer_than("", "en") == ""
    assert "cardcheck heldout build" in (heldout.could_have_seen("2026-07-01", "2026-06-01") or "")
