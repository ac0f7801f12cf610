"""Splitting, near duplicates, known sets and queries from headings."""

from __future__ import annotations

import json
import sys
import time
import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.building.document import Document, Section, Source, length, normal, words
from cardcheck.spotcheck.building.duplicates import find_known, near_duplicates
from cardcheck.spotcheck.building.passages import Passage, split, without_start
from cardcheck.spotcheck.building.queries import Dropped, Query, as_given, from_headings, usable

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "The weir keeper opens the second gate when the river stands above the white mark and closes it again before the herons come back."
OTHER = "A ticket for the night ferry is valid for one crossing only and cannot be returned after the bell has been rung on the quay."


def passage(text: str, *, title: str = "", heading: str = "", section: int = 0, key: str = "") -> Passage:
    """Return a passage of the first source."""
    return Passage(text, title, heading, (0, 0, section), f"at {section}", key=key)


@pytest.mark.parametrize(("text", "count"), [("one two  three", 3), ("白鹭站在水里。", 3), ("", 0), ("a白鹭b", 3)])
def test_length_counts_words_of_any_script(text: str, count: int) -> None:
    """Two characters of a script without blanks count as a word."""
    assert length(text) == count


def test_words_of_chinese_are_pairs() -> None:
    """Pairs of characters stand for words."""
    assert words("白鹭站 A1") == ["白鹭", "鹭站", "a1"]


def test_marks_are_a_part_of_their_word() -> None:
    """A vowel of Hindi, Tamil, Bengali or Thai is none that may be left out: words that differ in it alone are two."""
    for one, other in (("की", "को"), ("கீ", "கூ"), ("কি", "কে"), ("กิ", "กี"), ("می‌روم", "میروم")):
        assert normal(one) != normal(other)
    hindi = "हिन्दी विश्व की एक प्रमुख भाषा है"
    assert words(hindi) == hindi.split()
    assert length(hindi) == 7
    assert words("ที่นี่ดี ") == ["ที่นี่", "นี่ดี"]
    assert length("ที่นี่ดี") == 2


def test_every_mark_there_is_stays_in_its_word() -> None:
    """Whatever this Python's Unicode calls a mark is found, wherever it lies."""
    marks = [one for one in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(one) in ("Mn", "Mc")]
    assert [one for one in marks if len(words(f"q{one}q")) != 1] == []


def test_a_letter_and_its_accent_are_one_however_they_are_written() -> None:
    """Text of macOS, whose accents are characters of their own, is the same as any other."""
    text = "Größere Beträge überweist die Genossenschaft für höhere Gebühren über Zürich."
    apart = unicodedata.normalize("NFD", text)
    assert apart != text
    assert (normal(apart), words(apart), length(apart)) == (normal(text), words(text), length(text))
    assert near_duplicates([passage(text), passage(apart)], 0.7) == {1: 0}


def test_long_sections_are_split_between_paragraphs_and_sentences() -> None:
    """No passage is longer than allowed, none mixes two sections, and no word is lost."""
    long = " ".join(f"Sentence number {n} has six words." for n in range(30))
    document = Document("T", (Section("One", ("Short one.", long)), Section("Two", ("Alone.",))), "a.md")
    pieces = list(split(document, 40))
    assert all(length(piece.text) <= 40 for piece in pieces)
    assert " ".join(piece.text for piece in pieces).split() == ["Short", "one.", *long.split(), "Alone."]
    assert [piece.heading for piece in pieces] == ["One"] * (len(pieces) - 1) + ["Two"]
    assert len({piece.where for piece in pieces}) == len(pieces)


@given(st.text(max_size=400), st.integers(20, 50))
def test_any_text_fits(text: str, most: int) -> None:
    """Whatever a text holds, its passages fit, or are single words."""
    pieces = list(split(Document("", (Section("", (" ".join(text.split()),)),), "x"), most))
    assert all(length(piece.text) <= most or " " not in piece.text for piece in pieces)


def test_a_text_without_blanks_is_cut() -> None:
    """A Chinese text without a full stop is cut between characters."""
    assert {length(piece.text) for piece in split(Document("", (Section("", ("鹭" * 200,)),), "x"), 40)} == {40, 20}


def test_a_whole_document_stays_whole() -> None:
    """Where judgements are about a document it is one passage."""
    (piece,) = split(Document("", (Section("", (TEXT, OTHER)),), "x", whole=True), 20)
    assert piece.text == f"{TEXT} {OTHER}"


@pytest.mark.parametrize(
    ("text", "title", "rest"),
    [
        ("Heron Weir is a weir.", "Heron Weir", "is a weir."),
        ("**Heron-Weir**: a weir.", "heron weir", "a weir."),
        ("Heron Weir (old) is a weir.", "Heron Weir (Upper Vale)", "(old) is a weir."),
        ("Heron Weirs are many.", "Heron Weir", "Heron Weirs are many."),
        ("The Heron Weir is old.", "Heron Weir", "The Heron Weir is old."),
        ("Heron Weir", "Heron Weir", "Heron Weir"),
        ("Anything", "", "Anything"),
    ],
)
def test_a_title_is_taken_from_the_start(text: str, title: str, rest: str) -> None:
    """A text that begins with its title loses it; one that has it elsewhere, or is nothing else, stays."""
    assert without_start(text, title) == rest


def test_near_duplicates_are_found_and_look_alikes_are_not() -> None:
    """One changed word in twenty is a near duplicate of the first; the same kind of sentence about another thing is none."""
    texts = [
        TEXT,
        OTHER,
        TEXT.replace("white", "red"),
        OTHER.replace("night ferry", "slow train").replace("quay", "platform"),
        TEXT.upper(),
    ]
    assert near_duplicates([passage(text) for text in texts], 0.7) == {2: 0, 4: 0}


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=8).map(" ".join), max_size=12), st.sampled_from([0.3, 0.5, 0.7, 1.0]))
def test_no_near_duplicate_is_missed(texts: list[str], least: float) -> None:
    """The same are found as by comparing every text with every earlier one that stays."""

    def runs(text: str) -> set[tuple[str, ...]]:
        found = text.split()
        return {tuple(found[at : at + 3]) for at in range(max(1, len(found) - 2))}

    expected: dict[int, int] = {}
    for number, text in enumerate(texts):
        earlier = [other for other in range(number) if other not in expected]
        alike = [other for other in earlier if len(runs(text) & runs(texts[other])) >= least * len(runs(text) | runs(texts[other])) - 1e-9]
        if alike:
            expected[number] = alike[0]
    assert near_duplicates([passage(text) for text in texts], least) == expected


@pytest.mark.timed
def test_rows_of_one_form_are_not_compared_one_by_one() -> None:
    """Six thousand that share two thirds of their runs, and none that is rare, take a moment; each with each took a quarter of a minute."""
    form = "The parcel {0} was sent to the city of town{0} on the usual day by the usual carrier and paid by card as always"
    passages = [passage(form.format(number)) for number in range(6000)]
    before = time.process_time()
    assert near_duplicates(passages, 0.7) == {}
    assert time.process_time() - before < 5


def _known(folder: Path) -> Path:
    folder.mkdir()
    rows = [{"_id": "x", "title": "Weirs", "text": f"Before it. {TEXT} After it."}]
    (folder / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": "Who opens the gate?"}) + "\n", encoding="utf-8")
    return folder


def test_passages_of_known_sets_are_found_inside_longer_texts(tmp_path: Path) -> None:
    """A passage that stands within a known text is found with the set's name; one that shares a phrase is not."""
    half = TEXT[: len(TEXT) // 4] + " " + OTHER
    known = find_known([passage(TEXT), passage(OTHER), passage(half)], [_known(tmp_path / "public")])
    assert known.share[0] == 1
    assert known.of[0] == "public"
    assert known.share[1] == 0
    assert 0 <= known.share[2] < 0.5
    assert normal("who opens the gate") in known.queries


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("train.jsonl", {"query": "Who opens it?", "positive": [TEXT]}),
        ("train.jsonl", {"question": "Who opens it?", "context": TEXT}),
        ("train.jsonl", {"anchor": "Who opens it?", "positive": TEXT}),
        ("train.jsonl", {"query_id": "7", "query": "Who opens it?", "positive_passages": [{"docid": "d", "text": TEXT}]}),
        ("train.jsonl", {"data": {"paragraphs": [{"context": TEXT, "qas": {"question": "Who opens it?"}}]}}),
        ("queries/test.jsonl", {"_id": "q", "text": "Who opens it?", "more": TEXT}),
    ],
)
def test_known_queries_and_nested_texts_are_seen(tmp_path: Path, name: str, row: dict[str, object]) -> None:
    """Public sets are laid out in many ways; in each the query is known as one, and the passage too."""
    path = tmp_path / "public" / name
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    known = find_known([passage(TEXT)], [tmp_path / "public"])
    assert normal("who opens it") in known.queries
    assert known.share == [1]


def test_a_known_set_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """A wrong path must not pass as a set in which nothing was found; neither must one without texts."""
    with pytest.raises(CardcheckError, match="does not exist"):
        find_known([passage(TEXT)], [tmp_path / "nowhere"])
    with pytest.raises(CardcheckError, match="holds no texts"):
        find_known([passage(TEXT)], [tmp_path])
    (tmp_path / "numbers.jsonl").write_text('{"_id": "x", "embedding": [1, 2]}\n', encoding="utf-8")
    with pytest.raises(CardcheckError, match="holds no texts"):
        find_known([passage(TEXT)], [tmp_path])


def test_headings_become_queries() -> None:
    """A short heading gets its document's title, a long one stands alone, and a section's later parts help."""
    passages = [
        passage("a", title="Pump P7", heading="Oil", section=0),
        passage("b", title="Pump P7", heading="What to do before a long winter", section=1),
        passage("c", title="Pump P7", heading="What to do before a long winter", section=1),
        passage("d", title="On the keeping of herons", section=2),
    ]
    queries = from_headings(passages, {n: n for n in range(4)}, Dropped())
    assert [(query.text, query.grades) for query in queries] == [
        ("Pump P7: Oil", {0: 2}),
        ("What to do before a long winter", {1: 2, 2: 1}),
        ("On the keeping of herons", {3: 2}),
    ]


def test_headings_that_ask_for_nothing_are_left_out() -> None:
    """A heading over three sections, the same query twice, and a passage without any are counted by their reasons."""
    passages = [passage(str(n), title=f"Document {n}", heading="How it is used", section=n) for n in range(3)]
    passages += [passage("x", title="The same title", section=3), passage("y", title="The same title!", section=4), passage("z", section=5)]
    dropped = Dropped()
    assert usable(from_headings(passages, {n: n for n in range(6)}, dropped), passages, set(), dropped) == []
    assert dropped.counts == {"stands over several sections": 5, "has no title or heading": 1}


def test_headings_follow_what_their_passage_is_like() -> None:
    """Where a section's first passage went as a near duplicate, the one that stays answers, and the section's other parts help."""
    passages = [
        passage("a", heading="Refund policy of the shop", section=0),
        passage("a", heading="How do I get my money back", section=1),
        passage("b", heading="How do I get my money back", section=1),
    ]
    queries = from_headings(passages, {0: 0, 1: 0, 2: 2}, Dropped())
    assert [(query.text, query.grades) for query in queries] == [
        ("Refund policy of the shop", {0: 2}),
        ("How do I get my money back", {0: 2, 2: 1}),
    ]


def test_copied_sections_ask_once_and_those_without_an_answer_are_counted() -> None:
    """Three copies are no heading of three sections; a section whose first passage nothing stays for has no query."""
    passages = [passage("a", title=f"Document {n}", heading="How the pump is oiled", section=n) for n in range(3)]
    passages += [passage("b", heading="What is known to all", section=3), passage("c", heading="What is known to all", section=3)]
    dropped = Dropped()
    (query,) = from_headings(passages, {0: 0, 1: 0, 2: 0, 3: None, 4: 4}, dropped)
    assert (query.text, query.grades) == ("How the pump is oiled", {0: 2})
    assert +dropped.counts == {"has no passage left that answers": 1}


def test_what_a_command_says_of_several_sections_is_left_out() -> None:
    """An apology is no query; the same one for two parts of a section is one, with both."""
    passages = [passage("a", section=0), passage("b", section=1), passage("c", section=1)]
    queries = [Query("I am sorry, I cannot help with that.", {n: 2}, "command") for n in range(3)]
    queries += [Query("Who is it?", {1: 2}, "command"), Query("who is it", {2: 2}, "command")]
    dropped = Dropped()
    assert [(query.text, query.grades) for query in usable(queries, passages, set(), dropped)] == [("Who is it?", {1: 2, 2: 2})]
    assert dropped.counts == {"was given for several sections": 3, "is there already": 1}


def test_given_queries_follow_what_their_passage_is_like() -> None:
    """Where a judged passage was removed as a near duplicate, the judgement goes to the one that stays."""
    passages = [passage("a", key="d1"), passage("a", key="d2"), passage("c", key="d3")]
    source = Source("beir", "x", [], "", queries={"q": "who?"}, judged={"q": {"d2": 2, "d3": 0, "d9": 1}})
    (query,) = as_given(source, passages, {0: 0, 1: 0, 2: 2})
    assert query.grades == {0: 2, 2: 0}


def test_queries_that_cannot_serve_are_counted() -> None:
    """Known ones, unanswered ones, single words and those that stand in their passage go; the same words twice become one."""
    passages = [passage(TEXT), passage(OTHER)]
    queries = [
        Query("who is it?", {0: 2}, "command"),
        Query("Who is it", {1: 2}, "command"),
        Query("known one", {0: 2}, "command"),
        Query("no answer", {0: 0}, "given"),
        Query("Gate", {0: 2}, "heading"),
        Query("The second gate", {0: 2}, "heading"),
        Query("Weirs: the second gate", {0: 2}, "heading", heading="The second gate"),
        Query("the second gate", {0: 2}, "given"),
    ]
    dropped = Dropped()
    kept = usable(queries, passages, {"known one"}, dropped)
    assert [(query.text, query.grades) for query in kept] == [("who is it?", {0: 2, 1: 2}), ("the second gate", {0: 2})]
    assert dropped.counts == {
        "is there already": 1,
        "stands in a known set": 1,
        "has no passage left that answers": 1,
        "is a single word": 1,
        "stands in its passage as it is": 2,
    }
    assert all(first.text != second.text for first, second in pairwise(kept))
