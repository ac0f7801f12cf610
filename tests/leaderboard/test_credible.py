"""The credible order, on worlds whose truth is known."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.stats import kendalltau

from cardcheck.catalogue import tasks
from cardcheck.leaderboard import credible
from cardcheck.leaderboard.credible_model import expit, logit
from cardcheck.leaderboard.credible_table import Column, Scores, relatives

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

TEXT = [
    name
    for name in tasks.names()
    if (task := tasks.task(name)) and task.modalities == ("text",) and "eng" in task.languages and task.public
]
PUBLIC = [name for name in TEXT if Column(name).retrieval][:30]
PRIVATE = [
    "Code1Retrieval", "EnglishFinance1Retrieval", "EnglishFinance2Retrieval", "French1Retrieval", "GermanLegal1Retrieval",
    "JapaneseCode1Retrieval",
]  # fmt: skip


def world(seed: int, *, models: int = 80, inflated: int = 0, missing: float = 0.2) -> tuple[Scores, Array, NDArray[np.bool_]]:
    """Return a table, each model's true mean on the private tasks, and which models got points on ten public tasks."""
    draw = np.random.default_rng(seed)
    columns = [*PUBLIC, *PRIVATE]
    skill = draw.normal(0, 0.7, models)
    logits = skill[:, None] * draw.uniform(0.6, 1.3, len(columns)) + draw.normal(0, 0.8, len(columns))
    logits += draw.normal(0, 0.2, logits.shape)
    truth = expit(logits[:, len(PUBLIC) :]).mean(axis=1)
    lifted = np.zeros(models, dtype=bool)
    lifted[draw.choice(models, inflated, replace=False)] = True
    logits[np.ix_(lifted, np.arange(10))] += 2.0
    logits[:, : len(PUBLIC)][draw.random((models, len(PUBLIC))) < missing] = np.nan
    names = tuple(f"owner{i // 2}/model-{i}" for i in range(models))
    return Scores(names, tuple(Column(name) for name in columns), expit(logits)), truth, lifted


def guess(scores: Scores) -> tuple[Array, Array, NDArray[np.bool_]]:
    """Return what is expected of owners that are left out, its standard error, and which columns are private."""
    target = np.array([column.private for column in scores.columns])
    owners = sorted({name.partition("/")[0] for name in scores.models})
    expected, error = credible.left_out(scores, target, ~target, [set(owners[i::8]) for i in range(8)])
    return expected, error, target


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_inflated_models_are_put_where_they_belong(seed: int) -> None:
    """Where some models got points on public tasks, the order is nearer to the private one than the public mean's is, by far."""
    scores, truth, _ = world(seed, inflated=20)
    expected, _, target = guess(scores)
    public = np.nanmean(scores.matrix[:, ~target], axis=1)
    assert kendalltau(expected, truth)[0] > kendalltau(public, truth)[0] + 0.05
    assert kendalltau(expected, truth)[0] > 0.8


def test_intervals_cover() -> None:
    """Of models whose owners are left out, 85 to 95 % lie inside an interval that other worlds' misses made wide."""
    wide = credible.width(*(np.concatenate(parts) for parts in zip(*(_misses(seed) for seed in range(4)), strict=True)))[0]
    inside = []
    for seed in range(10, 16):
        truth, expected, error = _misses(seed)
        inside += list(np.abs(logit(truth) - logit(expected)) <= wide * error)
    assert 0.85 <= np.mean(inside) <= 0.95


def _misses(seed: int) -> tuple[Array, Array, Array]:
    scores, truth, _ = world(seed, inflated=8)
    expected, error, _ = guess(scores)
    return truth, expected, error


def test_what_is_left_out_is_not_seen() -> None:
    """A left-out owner's private scores change nothing in what is expected of his models."""
    scores, _, _ = world(4)
    expected, _, target = guess(scores)
    spoilt = scores.matrix.copy()
    spoilt[np.ix_(np.array([name.startswith("owner3/") for name in scores.models]), target)] = 0.99
    again, _, _ = guess(Scores(scores.models, scores.columns, spoilt))
    mine = np.array([name.startswith("owner3/") for name in scores.models])
    assert np.array_equal(expected[mine], again[mine])
    assert not np.array_equal(expected, again)


def test_relatives_are_left_out_too() -> None:
    """Parents and children by declaration go with a model's owner."""
    models = ("Qwen/Qwen3-Embedding-8B", "Octen/Octen-Embedding-8B", "intfloat/e5-base", "Qwen/Qwen3-Embedding-8B_(dim=64)")
    assert relatives(models, {"octen"}).tolist() == [True, True, False, True]
    assert relatives(models, {"qwen"}).tolist() == [True, True, False, True]
    assert relatives(models, {"intfloat"}).tolist() == [False, False, True, False]


def test_the_order_is_the_same_each_time_and_says_what_it_rests_on() -> None:
    """Two runs agree in every figure; every row counts its cells, and intervals hold their score."""
    scores, _, lifted = world(5, inflated=10)
    first = credible.order(scores)
    assert first == credible.order(scores)
    assert first.private
    assert set(first.target) == set(PRIVATE)
    assert first.calibrated == 80
    for row in first.rows:
        at = scores.models.index(row.model)
        assert row.cells == np.isfinite(scores.matrix[at]).sum()
        assert row.private == len(PRIVATE)
        assert row.score is not None
        assert row.low is not None
        assert row.high is not None
        assert 0 <= row.low < row.score < row.high <= 1
        assert all(name in {str(column) for column in scores.columns} for name in row.strongest)
    told = {row.model for row in first.rows if any("higher than its other results" in text for text in row.why)}
    assert sum(scores.models[i] in told for i in np.flatnonzero(lifted)) >= 8


def test_fewer_results_make_a_wider_interval() -> None:
    """A model with three public results is placed more loosely than one with thirty, and says that it rests on few."""
    scores, _, _ = world(6, missing=0.0)
    cells = scores.matrix.copy()
    cells[0, 3:] = np.nan
    cells[1, len(PUBLIC) :] = np.nan
    rows = {row.model: row for row in credible.order(Scores(scores.models, scores.columns, cells)).rows}
    few, many = rows[scores.models[0]], rows[scores.models[1]]
    assert few.low is not None
    assert few.high is not None
    assert many.low is not None
    assert many.high is not None
    assert few.high - few.low > 1.5 * (many.high - many.low)
    assert few.cells == 3
    assert any("3 results only" in text for text in few.why)


def test_nothing_is_said_of_a_model_without_results() -> None:
    """A model with no or two cells has no score and comes last, with the reason."""
    scores, _, _ = world(7)
    cells = scores.matrix.copy()
    cells[0] = np.nan
    cells[1, 2:] = np.nan
    last = credible.order(Scores(scores.models, scores.columns, cells)).rows[-2:]
    assert {row.model for row in last} == {scores.models[0], scores.models[1]}
    assert all(row.score is None and row.low is None and row.why == ("too few results to say anything",) for row in last)


def test_without_private_results_all_retrieval_stands_in() -> None:
    """Where too few models have private results the order says that its target is public and its intervals are not measured."""
    scores, _, _ = world(8)
    cells = scores.matrix.copy()
    cells[10:, len(PUBLIC) :] = np.nan
    found = credible.order(Scores(scores.models, scores.columns, cells))
    assert not found.private
    assert found.calibrated == 0
    assert len(found.target) == len(scores.columns)
    assert all(row.score is not None for row in found.rows)


@pytest.mark.parametrize("models", [0, 1, 2])
def test_a_table_of_hardly_a_model(models: int) -> None:
    """None, one and two models give an order of as many rows, without an error."""
    scores, _, _ = world(9, models=4, missing=0.0)
    small = Scores(scores.models[:models], scores.columns, scores.matrix[:models])
    rows = credible.order(small).rows
    assert [row.model for row in sorted(rows, key=lambda row: row.model)] == sorted(small.models)
    assert all(row.score is not None and 0 <= row.score <= 1 for row in rows)


def test_hostile_values_count_as_missing() -> None:
    """Infinite, negative and huge scores are no scores; zeros and ones are held off the ends; an empty column does no harm."""
    scores, _, _ = world(10, missing=0.0)
    cells = scores.matrix.copy()
    cells[0, :8] = [np.inf, -np.inf, -1.0, 1e300, 87.0, 0.0, 1.0, np.nan]
    cells[:, 20] = np.nan
    cells[:, 21] = 0.5
    rows = {row.model: row for row in credible.order(Scores(scores.models, scores.columns, cells)).rows}
    assert rows[scores.models[0]].cells == len(scores.columns) - 7
    assert all(row.score is not None and np.isfinite(np.array([row.score, row.low, row.high], dtype=float)).all() for row in rows.values())


def test_a_table_of_nothing() -> None:
    """A table whose every cell is missing gives every model a row without a score."""
    scores, _, _ = world(11, models=5)
    found = credible.order(Scores(scores.models, scores.columns, np.full_like(scores.matrix, np.nan)))
    assert len(found.rows) == 5
    assert all(row.score is None for row in found.rows)


def test_a_whole_board_takes_seconds() -> None:
    """650 models and 1,300 columns are ordered in less than twenty seconds of processor time, on any machine."""
    draw = np.random.default_rng(12)
    names = [*PRIVATE, *TEXT]
    columns = tuple(Column(names[i % len(names)], other=i >= len(names)) for i in range(1300))
    logits = draw.normal(0, 1, (650, 1)) + draw.normal(0, 0.4, (650, 1300))
    logits[draw.random(logits.shape) > 0.2] = np.nan
    logits[:80, : len(PRIVATE)] = draw.normal(0, 1, (80, len(PRIVATE)))
    models = tuple(f"owner{i // 3}/m{i}" for i in range(650))
    start = time.process_time()
    found = credible.order(Scores(models, columns, expit(logits)), frozenset(names))
    assert len(found.rows) == 650
    assert time.process_time() - start < 20
