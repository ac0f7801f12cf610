"""What is to be measured by what card and configuration say, and the measurement as facts that rules judge."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cardcheck.engine.evaluate import evaluate
from cardcheck.engine.example import read_example
from cardcheck.engine.library import load_rules
from cardcheck.facts.probe import PARTS, set_probe, stated

if TYPE_CHECKING:
    from conftest import CardFacts, FactsOf, MakeModel

    from cardcheck.engine.evaluate import Judgement
    from cardcheck.facts import Facts

CARD = """---
tags: [sentence-transformers]
---
# ours

It maps sentences to a 768 dimensional vector space.

- **Maximum Sequence Length:** 512 tokens

This model produces normalized embeddings.

{more}
"""
MEASURED: dict[str, Any] = {
    "status": "done", "dimension": 768, "truncates_at": 512, "reads_at_least": 512, "normalised": True,
    "deterministic": True, "repeat_difference": 0.0, "reload_difference": 0.0, "batch_difference": 1e-7, "ndcg": 60.0, "queries": 60,
    "prompts": [], "prefixes": [],
}  # fmt: skip


def judged(facts: Facts) -> dict[str, Judgement]:
    """Judge facts by the rules that need a measurement."""
    rules = [rule for rule in load_rules() if not set(PARTS).isdisjoint(rule.needs)]
    return {judgement.rule.id: judgement for judgement in evaluate(facts, rules)}


@pytest.mark.parametrize(
    ("more", "prefixes"),
    [
        ("Matryoshka: vectors of 768, 512, 256, 128 or 64 dimensions.", [64, 128, 256, 512]),
        ('Trained with MatryoshkaLoss:\n```json\n{\n "matryoshka_dims": [768, 256, 64]\n}\n```', [64, 256]),
        ("A Matryoshka model.\n\n* Dataset: `dim_768`\n* Dataset: `dim_128`", [128]),
        ("Matryoshka:\n```python\nSentenceTransformer('acme/ours', truncate_dim=256)\n```", [256]),
        ("Matryoshka, dimensions: 512, 4", [512]),
        ("Vectors of 768, 512 or 256 dimensions.", []),
        ("A Matryoshka model, trained in 2024, 1,024 a batch, with 300, 200 and 100 steps.", []),
    ],
)
def test_dimensions_that_are_offered(card_facts: CardFacts, more: str, prefixes: list[int]) -> None:
    """The dimensions that vectors may be cut to are read where the card speaks of it, in each of the usual forms, and only there."""
    facts = card_facts(CARD.format(more=more))
    facts.set("st.dimension", 768)
    assert sorted(stated(facts).prefixes) == prefixes


def test_limits_and_prompts_that_are_stated(make_model: MakeModel, facts_of: FactsOf) -> None:
    """The configured limit comes first, then the card's; its prompts end in a space, and one whose words are missing is left out."""
    code = "```python\nvectors = model.encode(['query: how', 'passage: so', 'Instruct: {task}\\nQuery: a'])\n```"
    model = make_model({"README.md": CARD.format(more=code), "modules.json": "[]", "sentence_bert_config.json": '{"max_seq_length": 256}'})
    found = stated(facts_of(model))
    assert found.tokens == [256, 512]
    assert found.prompts == ["query: ", "passage: "]


def test_what_nobody_measured(card_facts: CardFacts) -> None:
    """Without a measurement no rule that needs one applies."""
    assert {judgement.outcome for judgement in judged(card_facts(CARD.format(more=""))).values()} == {"not_applicable"}


def test_a_card_that_is_right(card_facts: CardFacts) -> None:
    """A measurement that agrees with the card gives no finding."""
    facts = card_facts(CARD.format(more=""))
    set_probe(facts, MEASURED)
    assert {name: judgement.outcome for name, judgement in judged(facts).items() if judgement.outcome != "pass"} == {
        "CC553": "not_applicable"  # nothing is configured
    }


def test_a_card_that_is_wrong(make_model: MakeModel, facts_of: FactsOf) -> None:
    """Each finding stands where the card, or the configuration, says what is not so."""
    more = "Matryoshka: vectors of 768 or 64 dimensions.\n\n```python\nmodel.encode('passage: so')\n```"
    settings = '{\n "prompts": {\n  "query": "query: "\n }\n}'
    limit = '{\n "max_seq_length": 512\n}'
    files = {"config_sentence_transformers.json": settings, "sentence_bert_config.json": limit, "modules.json": "[]"}
    facts = facts_of(make_model({"README.md": CARD.format(more=more)} | files))
    prompt = {"cosine": 1.0, "changes": False, "gain": 0.0, "low": 0.0, "high": 0.0}
    wrong: dict[str, Any] = {
        "dimension": 384, "truncates_at": 128, "normalised": False, "deterministic": False, "reload_difference": 0.8,
        "batch_difference": 0.1,
        "prefixes": [{"dimension": 64, "stated": True, "ndcg": 40.0, "loss": 20.0, "low": 15.0, "high": 25.0, "agreement": 0.5}],
        "prompts": [
            prompt | {"name": "query", "text": "query: ", "origin": "configuration", "sides": ["query"]},
            prompt | {"name": "", "text": "passage: ", "origin": "card", "sides": ["document"]},
        ],
    }  # fmt: skip
    set_probe(facts, MEASURED | wrong)
    found = judged(facts)
    assert {name for name, judgement in found.items() if judgement.outcome == "fail"} == set(found)
    places = {name: [(finding.location.file, finding.location.line) for finding in found[name].findings] for name in found}
    assert places["CC551"] == [("README.md", 6)]
    assert places["CC552"] == [("README.md", 8)]
    assert places["CC553"] == [("sentence_bert_config.json", 2)]
    assert places["CC554"] == [("README.md", 10)]
    assert places["CC557"] == [("README.md", 12)]
    assert places["CC558"] == [("config_sentence_transformers.json", 3), ("README.md", 15)]
    assert found["CC557"].findings[0].message.startswith("vectors cut to 64 dimensions, which the card offers, lose 20 points")
    assert "of the documents" in found["CC558"].findings[1].message


@pytest.mark.parametrize(
    ("missing", "unknown"),
    [
        (("truncates_at", "reads_at_least"), {"CC552", "CC553"}),
        (("ndcg", "prompts", "prefixes"), {"CC557", "CC558"}),
        (("normalised",), {"CC554"}),
        (("deterministic", "repeat_difference", "reload_difference"), {"CC555"}),
        (("batch_difference",), {"CC556"}),
    ],
)
def test_what_was_not_measured_is_no_pass(card_facts: CardFacts, missing: tuple[str, ...], unknown: set[str]) -> None:
    """Where a part of the measurement is missing, the rules that need it say that they do not know."""
    facts = card_facts(CARD.format(more=""))
    set_probe(facts, MEASURED | {"status": "partial", "reason": "memory ended"} | dict.fromkeys(missing))
    assert {name for name, judgement in judged(facts).items() if judgement.outcome == "unknown"} == unknown


def test_a_model_that_could_not_be_run(card_facts: CardFacts) -> None:
    """Then all is unknown, with the reason."""
    facts = card_facts(CARD.format(more=""))
    set_probe(facts, {"status": "failed", "reason": "its process ended with 1"})
    for judgement in judged(facts).values():
        assert judgement.outcome == "unknown"
        assert judgement.reason.endswith(": its process ended with 1")


def test_a_claim_that_was_not_reached(card_facts: CardFacts) -> None:
    """Of a limit beyond the longest text that was tried nothing is said."""
    facts = card_facts(CARD.format(more=""))
    set_probe(facts, MEASURED | {"truncates_at": None, "reads_at_least": 256, "length_stopped": "time"})
    judgement = judged(facts)["CC552"]
    assert judgement.outcome == "unknown"
    assert judgement.reason == "probe.length: 256 tokens are read; longer ones need too much time"
    facts = card_facts(CARD.format(more=""))
    set_probe(facts, MEASURED | {"truncates_at": None, "reads_at_least": 8000})
    assert judged(facts)["CC552"].outcome == "pass"


@pytest.mark.parametrize("probe", [7, {"unheard_of": 1}, {"prompts": {}}, {"prefixes": [7]}])
def test_examples_that_are_wrong(probe: Any) -> None:
    """A rule's example whose measurement has another shape is refused with the reason."""
    with pytest.raises(ValueError, match="of an example"):
        read_example({"card": "# m\n", "probe": probe})


def test_the_rules_of_the_command_are_named_in_its_page() -> None:
    """The page lists every rule that needs a measurement."""
    page = (Path(__file__).parents[2] / "docs" / "probe.md").read_text(encoding="utf-8")
    for rule in load_rules():
        if not set(PARTS).isdisjoint(rule.needs):
            assert f"| {rule.id} " in page
