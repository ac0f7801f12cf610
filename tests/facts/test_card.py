"""The card: front matter as the Hub sees it, and where things stand."""

from __future__ import annotations

import os
import resource
import time
from typing import TYPE_CHECKING

import pytest
from huggingface_hub.repocard import REGEX_YAML_BLOCK

from cardcheck.facts.files import MAX_TEXT_BYTES
from cardcheck.facts.located import Location

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import CardFacts, FactsOf

WITH_FRONT_MATTER = [
    "---\nlicense: mit\n---\n# m\n",
    "---\r\nlicense: mit\r\n---\r\n# m\r\n",
    "\n\n  ---\nlicense: mit\n---\n# m\n",
    "---\nlicense: mit\n---",
    "---\nlicense: mit\n---   \n# m\n",
    "---\rlicense: mit\r---\n# m\n",
]
WITHOUT = [
    ("", None),
    ("# m\n", None),
    ("# m\n\n---\n\nA rule, and text after it.\n", None),
    ("---\n---\n# m\n", "empty"),
    ("---\nlicense: mit\n# m\n", "closing"),
    ("--- \nlicense: mit\n---\n# m\n", "spaces follow"),
    ("\u200b---\nlicense: mit\n---\n# m\n", "invisible character"),
    ("![logo](x.png)\n---\nlicense: mit\n---\n# m\n", "text stands before"),
    ("---\rlicense: mit\r---\r# m\r", "closing"),
]


@pytest.mark.parametrize("card", WITH_FRONT_MATTER)
def test_front_matter_is_seen(card_facts: CardFacts, card: str) -> None:
    """Front matter that the Hub's client reads is read here, with nothing to complain of."""
    facts = card_facts(card)
    assert REGEX_YAML_BLOCK.search(card)
    assert facts["card.has_front_matter"] is True
    assert facts["card.front_matter_problem"] is None
    assert facts["card.license"] == "mit"


@pytest.mark.parametrize(("card", "problem"), WITHOUT)
def test_what_the_hub_does_not_see(card_facts: CardFacts, card: str, problem: str | None) -> None:
    """Where the Hub's client sees no front matter none is read, and the reason is given where somebody wrote some."""
    facts = card_facts(card)
    assert not REGEX_YAML_BLOCK.search(card)
    assert facts["card.has_front_matter"] is False
    assert facts["card.license"] is None
    found = facts["card.front_matter_problem"]
    assert found is None if problem is None else problem in found


@pytest.mark.parametrize(
    ("block", "problem", "place"),
    [
        ("license: mit\nlanguage: [en", "not valid YAML", (4, 1)),
        ("a: b: c", "not valid YAML", (2, 5)),
        ("- a\n- b", "not a mapping", (1, 1)),
        ("just text", "not a mapping", (1, 1)),
    ],
)
def test_broken_front_matter(card_facts: CardFacts, block: str, problem: str, place: tuple[int, int]) -> None:
    """Front matter that is no mapping in YAML is a problem at a place, and declares nothing."""
    facts = card_facts(f"---\n{block}\n---\n# m\n")
    assert problem in facts["card.front_matter_problem"]
    assert facts.places["card.front_matter_problem"] == Location("README.md", *place)
    assert facts["card.has_front_matter"] is False
    assert facts["card.keys"] == []


def test_broken_front_matter_makes_the_results_unavailable(card_facts: CardFacts) -> None:
    """Nobody can tell whether there are results in front matter that cannot be read."""
    facts = card_facts("---\nmodel-index: [\n---\n# m\n")
    assert facts.sources["results"].state == "unavailable"
    assert "line" in facts.sources["results"].reason
    assert facts.sources["card"].state == "known"


def test_no_card_is_absent(tmp_path: Path, facts_of: FactsOf) -> None:
    """A folder without a card has the sources card and results absent, not empty."""
    facts = facts_of(tmp_path)
    assert facts.sources["card"].state == "absent"
    assert facts.sources["results"].state == "absent"
    assert facts["files.has_card"] is False


@pytest.mark.parametrize(
    ("head", "title", "key"),
    [
        ("", 1, None),
        ("\n\n", 3, None),
        ("---\nlicense: mit\n---\n", 4, 2),
        ("---\r\nlicense: mit\r\n---\r\n", 4, 2),
        ("\n\n---\nlicense: mit\n---\n\n", 7, 4),
    ],
)
def test_places_with_and_without_front_matter(card_facts: CardFacts, head: str, title: int, key: int | None) -> None:
    """Lines are those of the file, before, in and after the front matter."""
    facts = card_facts(f"{head}# m\n\nText [More Information Needed]\n")
    assert facts.places["card.title"] == Location("README.md", title, 1)
    assert [(row["line"], row["column"]) for row in facts["card.placeholders"]] == [(title + 2, 6)]
    assert facts.places.get("card.license") == (Location("README.md", key, 1) if key else None)


def test_declared_values_are_normalised(card_facts: CardFacts) -> None:
    """One value or many, text or not: lists of text come out, mappings and nulls are left out."""
    facts = card_facts(
        "---\nlicense: [mit, other]\nlanguage: no\ntags: [a, 1, {b: c}, null, 'arxiv:2401.00001']\n"
        "base_model: acme/base\ndatasets:\n- acme/pairs\n- \n- 5\n---\n# m\n"
    )
    assert facts["card.license"] == "mit, other"
    assert facts["card.language"] == ["False"]
    assert facts["card.tags"] == ["a", "1", "arxiv:2401.00001"]
    assert facts["card.base_model"] == ["acme/base"]
    assert [(row["value"], row["line"]) for row in facts["card.datasets"]] == [("acme/pairs", 7), ("5", 9)]
    assert [(row["kind"], row["ref"], row["line"]) for row in facts["card.papers"]] == [("tag", "2401.00001", 4)]
    assert [row["key"] for row in facts["card.keys"]] == ["license", "language", "tags", "base_model", "datasets"]


def test_control_characters_have_names_and_places(card_facts: CardFacts) -> None:
    """Escapes and direction overrides are found with their place, a run of them once; tabs and line breaks are none."""
    facts = card_facts("# m\t\n\nab\x1b[2J \u202e\u202d\x00x\r\n")
    assert [(row["name"], row["line"], row["column"]) for row in facts["card.control_characters"]] == [("U+001B", 3, 3), ("U+202E", 3, 8)]


def test_bytes_that_are_no_utf8_are_replaced(card_facts: CardFacts) -> None:
    """A card in another encoding is judged, with replacement characters in place of what cannot be read."""
    facts = card_facts("---\nlicense: mit\n---\n# Übersetzung\n".encode("latin-1"))
    assert facts["card.license"] == "mit"
    assert facts["card.title"] == "\ufffdbersetzung"


def test_empty_card_is_known(card_facts: CardFacts) -> None:
    """An empty file is a card that says nothing, not a missing one."""
    facts = card_facts("")
    assert facts.sources["card"].state == "known"
    assert facts["card.words"] == 0
    assert facts["card.title"] is None


def test_huge_card_is_cut(tmp_path: Path, facts_of: FactsOf) -> None:
    """Of a card of 1 GB only the first part is read, in bounded time and memory, and the cut is noted."""
    card = tmp_path / "README.md"
    card.write_text("---\nlicense: mit\n---\n# m\n\nText.\n")
    os.truncate(card, 2**30)
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    facts = facts_of(tmp_path)
    assert time.process_time() - start < 8
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes
    assert facts["card.truncated"] is True
    assert facts["card.license"] == "mit"
    assert len(facts.texts["README.md"]) == MAX_TEXT_BYTES


@pytest.mark.parametrize("key", ["license", "datasets"])
def test_aliases_of_long_text_have_a_budget(card_facts: CardFacts, key: str) -> None:
    """What aliases of one long text add up to stays in proportion to the card."""
    card = f"---\na: &a {'x' * 20_000}\n{key}: [{'*a, ' * 1000}]\n---\n"
    facts = card_facts(card)
    assert len(facts["card.license"] or "") + sum(len(row["value"]) for row in facts["card.datasets"]) < 10 * len(card)


def test_card_at_the_limit_is_not_cut(card_facts: CardFacts) -> None:
    """A card of exactly the limit in bytes is read in full; one byte more is a cut."""
    assert card_facts(b"\n" * MAX_TEXT_BYTES).texts["README.md"].count("\n") == MAX_TEXT_BYTES
    assert card_facts(b" " * (MAX_TEXT_BYTES + 1))["card.truncated"] is True


def test_front_matter_behind_a_byte_order_mark(card_facts: CardFacts) -> None:
    """The Hub's newest client reads on behind one mark, and so do we; the mark is a fact."""
    facts = card_facts("\ufeff---\nlicense: mit\n---\n# m\n")
    assert (facts["card.byte_order_mark"], facts["card.license"], facts["card.title"]) == (True, "mit", "m")
    assert facts.places["card.license"].line == 2
    assert card_facts("---\nlicense: mit\n---\n# m\n")["card.byte_order_mark"] is False
