"""The sentences that reporters share: what is said of a spot check."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

import pytest
from made import CHECKS, HONEST, check

from cardcheck.report import words

if TYPE_CHECKING:
    from cardcheck.spotcheck.result import SpotCheck
    from cardcheck.spotcheck.verdict import Kind

ACCUSING = re.compile(r"cheat|fake|fraud|dishonest|lie[sd]?\b|lying|manipulat|contaminat|leak", re.IGNORECASE)
EVIDENCE: dict[Kind, tuple[float, str]] = {
    "residual": (26.4, "on heldout-en-1 the model measures 26.4 points below what its published scores promise (90 % +14.2 to +41.6)"),
    "split": (8.1, "on SciFact the published test queries score 8.1 points above what its other queries promise (98 % +5.5 to +11.3)"),
    "rewording": (
        9.3,
        "on SciFact other words for the test queries cost it 9.3 points more than the reference models (98 % +6.1 to +13.3)",
    ),
    "reproduction": (6.7, "the published 71.2 on SciFact is not reproduced: 64.5 here; prompts, revision or wrapper may differ"),
}


@pytest.mark.parametrize("kind", EVIDENCE)
def test_an_unexplained_verdict_names_the_test_it_rests_on(kind: Kind) -> None:
    """The verdict says what the one rejected test saw and what would settle it, and nothing of the others."""
    gap, said = EVIDENCE[kind]
    verdict = words.verdict(check({**HONEST, kind: gap}))
    assert verdict.startswith(f"{said}; ")
    assert verdict.count("would settle") == 1
    assert not [other for other, (_, evidence) in EVIDENCE.items() if other != kind and evidence[:20] in verdict]


def test_a_verdict_on_all_tests_names_them_all() -> None:
    """Every rejected test is named, and what would settle several is said once."""
    verdict = words.verdict(CHECKS["unexplained by all"])
    assert not [evidence for _, evidence in EVIDENCE.values() if evidence not in verdict]
    assert verdict.count("what the model was trained on would settle why") == 1
    assert verdict.endswith("a rerun with the authors' code would settle it")


@pytest.mark.parametrize("shape", CHECKS.values(), ids=CHECKS)
def test_no_sentence_accuses(shape: SpotCheck) -> None:
    """Whatever was found, the sentences describe evidence."""
    told = [words.verdict(shape), *map(words.tested, shape.tests), *words.left_out(shape)]
    assert all(told)
    assert not ACCUSING.search(" ".join(told))


def test_what_would_have_been_seen_is_told() -> None:
    """Without a rejected test the verdict says what each would have seen, consistent or not."""
    assert "in points: held-out residual 18.3, split difference 3.9, rewording difference 4.8" in words.verdict(CHECKS["consistent"])
    assert words.verdict(CHECKS["no public task"]).startswith("the check cannot tell; the least that it would have seen, in points: ")
    assert words.verdict(CHECKS["no public task"]).endswith("more reference models would settle it")


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("consistent", []),
        ("no public task", ["split difference, rewording difference, score reproduction (the data set mteb/scifact cannot be had"]),
        ("no published score", ["held-out residual (no published scores", "score reproduction (no published score of SciFact is known)"]),
        ("too few references", ["split difference, rewording difference (too few reference models"]),
        ("prompts in words", ["score reproduction (the card tells prompts in words alone"]),
        ("trained on the train split", ["rewording difference (SciFact's training queries are declared"]),
        ("skipped", []),
        ("failed", []),
    ],
)
def test_what_was_not_run_is_told_with_its_reason(name: str, reasons: list[str]) -> None:
    """Tests that a measured model was not put to are named together with others of the same reason."""
    told = words.left_out(CHECKS[name])
    assert len(told) == len(reasons)
    assert all(line.startswith(f"not run: {reason}") for line, reason in zip(told, reasons, strict=True))


def test_texts_of_the_public_task_are_counted() -> None:
    """The number of encoded texts holds those of the public task."""
    assert "7363 texts encoded" in words.encoding(CHECKS["consistent"])
    assert "780 texts encoded" in words.encoding(CHECKS["no public task"])


@pytest.mark.parametrize(("p", "told"), [(0.5, "0.5000"), (0.0001, "0.0001"), (0.00004, "<0.0001"), (0.0, "<0.0001")])
def test_a_small_p_is_no_zero(p: float, told: str) -> None:
    """No p is told as zero."""
    assert words.test_cells(dataclasses.replace(CHECKS["consistent"].tests[0], p=p))[4] == told
