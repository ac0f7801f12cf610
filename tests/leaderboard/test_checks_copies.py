"""Models that share scores: which pairs are called copies, and what is known of the two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from board_world import MODELS, TASKS, scores, store

from cardcheck.leaderboard.checks import copies
from cardcheck.leaderboard.checks.seen import see

if TYPE_CHECKING:
    from pathlib import Path

ORIGINAL = MODELS[12]


def pairs(folder: Path, given: dict[str, dict[str, float]]) -> dict[str, dict[str, str]]:
    """Return of each model those that it is said to share scores with, and how."""
    found = copies.find(see(store(folder, given)))
    return {model: {row["other"]: row["kind"] for row in held["copies"]} for model, held in found.items()}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_independent_models_share_nothing(tmp_path: Path, seed: int) -> None:
    """Of 1,770 pairs of models none is called a copy, though all scores are rounded to a test set of 500."""
    given = {model: {task: round(score * 500) / 500 for task, score in held.items()} for model, held in scores(seed).items()}
    assert pairs(tmp_path, given) == {}


@pytest.mark.parametrize(
    ("noise", "digits", "kind"), [(0.0, 6, "exact"), (0.0, 4, "exact"), (0.0005, 6, "near"), (0.001, 6, "near"), (0.01, 6, None)]
)
def test_whole_copies(tmp_path: Path, noise: float, digits: int, kind: str | None) -> None:
    """A copy is exact when it has all digits or four, near with noise of a tenth of a point, and none with a whole point."""
    draw = np.random.default_rng(5)
    given = scores()
    given["else/where"] = {task: round(score + float(draw.normal(0, noise)), digits) for task, score in given[ORIGINAL].items()}
    assert pairs(tmp_path, given) == ({ORIGINAL: {"else/where": kind}, "else/where": {ORIGINAL: kind}} if kind else {})


def test_a_part_of_the_scores(tmp_path: Path) -> None:
    """A model that has a third of its scores from another is found, with the tasks; one that has two is not."""
    given = scores()
    for task in TASKS[::3]:
        given[MODELS[30]][task] = given[ORIGINAL][task]
    for task in TASKS[:2]:
        given[MODELS[40]][task] = given[ORIGINAL][task]
    assert pairs(tmp_path, given) == {ORIGINAL: {MODELS[30]: "partial"}, MODELS[30]: {ORIGINAL: "partial"}}
    row = copies.find(see(store(tmp_path, given)))[MODELS[30]]["copies"][0]
    assert row["equal"] == len(TASKS[::3])
    assert all(line.partition(":")[0] in TASKS[::3] for line in row["evidence"])


def test_two_close_relatives_are_no_copies(tmp_path: Path) -> None:
    """Models so alike that some scores agree by chance have many more that nearly do: that is no part of a copy."""
    draw = np.random.default_rng(9)
    given = {model: {task: round(score, 3) for task, score in held.items()} for model, held in scores().items()}
    given["else/where"] = {task: round(score + float(draw.normal(0, 0.004)), 3) for task, score in given[ORIGINAL].items()}
    assert "partial" not in pairs(tmp_path, given).get(ORIGINAL, {}).values()


@pytest.mark.parametrize(
    ("one", "other", "relation"),
    [
        ("acme/m", "acme/m_(output_dtype=int8)", "format"),
        ("acme/m", "other/m-int8", "format"),
        ("acme/m-v2", "acme/m-v2-bf16", "format"),
        ("acme/M", "acme/m-Q4_K_M", "format"),
        ("acme/m", "acme/m-onnx", "format"),
        ("acme/m-4b", "acme/m-8b", "owner"),
        ("acme/m-int", "acme/m", "owner"),
        ("dwzhu/e5-base-4k", "intfloat/e5-base-v2", "declared"),
        ("acme/m", "other/n", "none"),
    ],
)
def test_what_is_known_of_two_models(one: str, other: str, relation: str) -> None:
    """Another number format, a declared relative, the same owner and strangers are told apart, whichever comes first."""
    assert copies.relation(one, other) == copies.relation(other, one) == relation


def test_the_later_one_is_told(tmp_path: Path) -> None:
    """Of two models the younger is the later one where both days are known, else the one with fewer results."""
    given = scores()
    old, new = "intfloat/multilingual-e5-small", "Qwen/Qwen3-Embedding-0.6B"
    given[new] = given[old] = given.pop(ORIGINAL)
    given["else/where"] = {task: given[MODELS[3]][task] for task in TASKS[:40]}
    found = copies.find(see(store(tmp_path, given)))
    said = {model: (held["copies"][0]["later"], held["copies"][0]["dated"]) for model, held in found.items()}
    assert said == {old: (False, True), new: (True, True), MODELS[3]: (False, False), "else/where": (True, False)}


def test_the_bound_holds() -> None:
    """The bound on the chance of agreements is never below the chance itself, drawn for tasks of several kinds."""
    draw = np.random.default_rng(2)
    chances = np.array([0.002, 0.01, 0.05, 0.3] * 10)
    worth = -np.log(chances)
    sums = (draw.random((200_000, len(chances))) < chances) @ worth
    for limit in (10.0, 15.0, 20.0):
        bounds = [np.log(1 - chances + chances ** (1 - power)).sum() - power * limit for power in copies.HALF_POWERS]
        assert np.exp(min(bounds)) >= (sums >= limit).mean()
