"""What the audit of a leaderboard saw, as facts that rules judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.engine.evaluate import evaluate
from cardcheck.engine.example import read_example
from cardcheck.engine.library import load_rules
from cardcheck.facts.board import NOT_LOOKED_AT, PARTS, ROWS, set_board
from cardcheck.facts.model import Facts
from cardcheck.facts.schema import FIELDS, GROUPS, MAX_ROWS

if TYPE_CHECKING:
    from conftest import CardFacts

COPY: dict[str, Any] = {"other": "a/b", "relation": "none", "kind": "exact", "shared": 60, "equal": 60, "near": 60, "later": True}


def seen(record: dict[str, Any]) -> Facts:
    """Return facts of a record."""
    facts = Facts()
    set_board(facts, record)
    return facts


def test_nobody_looked(card_facts: CardFacts) -> None:
    """Without an audit the parts are absent, with how to look, and no rule of boards applies."""
    facts = card_facts("# m\n")
    assert {facts.sources[part] for part in PARTS} == {NOT_LOOKED_AT}
    rules = [rule for rule in load_rules() if rule.category == "leaderboard"]
    assert {judged.outcome for judged in evaluate(facts, rules)} == {"not_applicable"}


def test_values_and_rows() -> None:
    """Fields stand by their names; what a row lacks is null, and a number that is none counts as missing."""
    facts = seen({"results": 41, "expected": 40, "scatter": float("nan"), "zero_shot": 97, "copies": [COPY | {"equal": float("inf")}]})
    assert (facts["board.results"], facts["board.scatter"], facts["board.zero_shot"]) == (41, None, 97)
    assert facts["board.copies"][0]["other"] == "a/b"
    assert facts["board.copies"][0]["equal"] is None
    assert facts["board.copies"][0]["evidence"] is None


@pytest.mark.parametrize(
    ("record", "silent"),
    [
        ({"expected": 9, "trained_chance": 0.5, "training": "listed", "dated": 3, "released": "2026-01-01"}, set()),
        ({"expected": 0, "trained_chance": 0.5, "training": "none", "dated": 3, "released": "2026-01-01"}, {"board.expected"}),
        ({"expected": 9, "training": "unsaid", "dated": 3, "released": "2026-01-01"}, {"board.trained"}),
        ({"expected": 9, "trained_chance": 0.5, "training": "unregistered", "dated": 3, "released": "2026-01-01"}, {"board.training"}),
        ({"expected": 9, "trained_chance": 0.5, "training": "listed", "dated": 0, "released": "2026-01-01"}, {"board.dates"}),
        ({"expected": 9, "trained_chance": 0.5, "training": "listed", "dated": 2}, {"board.dates"}),
        ({}, {"board.expected", "board.trained", "board.training", "board.dates"}),
        ({"expected": 9, "unknown": {"board": "the store was cut off"}}, set(PARTS)),
        ({"expected": 9, "trained_chance": 0.5, "training": "none", "unknown": {"board.dates": "no"}}, {"board.dates"}),
    ],
)
def test_what_is_not_said_is_unavailable(record: dict[str, Any], silent: set[str]) -> None:
    """A part that the record says nothing of is unavailable with the reason, so that its rules are unknown and never pass."""
    sources = seen(record).sources
    assert {part for part in PARTS if sources[part].state == "unavailable"} == silent
    assert all(sources[part].reason for part in silent)


def test_many_rows_are_cut() -> None:
    """A record with more rows than evaluation allows is cut, and the facts say so."""
    facts = seen({"copies": [COPY] * (MAX_ROWS + 1)})
    assert len(facts["board.copies"]) == MAX_ROWS
    assert facts["facts.capped"] == ["board.copies"]


def test_every_field_can_be_given() -> None:
    """The rows are those of the table of facts, and each row has its evidence, which findings show."""
    assert set(ROWS) == {name for name in GROUPS["board"] if FIELDS[f"board.{name}"].kind == "rows"}
    assert all("evidence" in FIELDS[f"board.{name}"].keys for name in ROWS)


@pytest.mark.parametrize("board", [{"nothing": 1}, {"copies": "all"}, {"high": [1]}, []])
def test_a_wrong_example_is_refused(board: Any) -> None:
    """An example of a rule with a key that is none, or rows that are none, is refused."""
    with pytest.raises(ValueError, match="board"):
        read_example({"card": "# m", "board": board})
