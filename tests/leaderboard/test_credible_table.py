"""The table that the factor model is learned from: what of a store's rows is in it, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from shortlist_made import keep, tasks_splits

from cardcheck.catalogue import tasks
from cardcheck.leaderboard.credible_model import expit
from cardcheck.leaderboard.credible_table import MIN_MODELS, MIN_SUBSET, Column, by_language, in_parts, of_runs, one_level
from cardcheck.leaderboard.runs import that_count

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    Row = tuple[str, str, str, str, float]  # model, task, split, subset, score from 0 to 1

MODELS = [f"a/m{number:02}" for number in range(30)]
LANGUAGES = ("eng-eng", "deu-deu", "spa-spa")


def by_hand(rows: list[Row]) -> dict[tuple[str, Column], float]:
    """Return the cells of a table made row by row: splits averaged, subsets brought to one level."""
    held: dict[Column, dict[str, dict[str, list[float]]]] = {}
    for model, name, split, subset, score in rows:
        task = tasks.task(name)
        if task and split in task.splits and 0 <= score <= 1:
            held.setdefault(by_language(task, subset), {}).setdefault(subset, {}).setdefault(model, []).append(score)
    found: dict[tuple[str, Column], float] = {}
    for column, subsets in held.items():
        models = sorted({model for scores in subsets.values() for model in scores})
        means = [[float(np.mean(scores[model])) if model in scores else np.nan for scores in subsets.values()] for model in models]
        found |= {(model, column): value for model, value in zip(models, one_level(np.array(means)), strict=True) if np.isfinite(value)}
    return found


def drawn(share: float = 0.8) -> list[Row]:
    """Return scores of a task in one language and of one in several, of all splits and one that is not the task's, some missing."""
    draw = np.random.default_rng(5)
    return [
        (model, task, split, subset, float(draw.random()))
        for model in MODELS
        for task, subsets in (("SciFact", ("default",)), ("MLQARetrieval", LANGUAGES), ("AmazonReviewsClassification", ("en", "de")))
        for split in (*tasks_splits(task), "train")
        for subset in subsets
        if draw.random() < share
    ]


def test_the_table_is_that_made_row_by_row(tmp_path: Path) -> None:
    """What is made of a store's columns at once is what is made of its rows one by one; models and columns are in order."""
    rows = drawn()
    found, wanted = of_runs(that_count(keep(tmp_path, rows))), by_hand(rows)
    assert found.models == tuple(MODELS)
    assert list(map(str, found.columns)) == sorted({str(column) for _, column in wanted})
    assert len(found.columns) == 5
    there = np.argwhere(np.isfinite(found.matrix)).tolist()
    assert {(found.models[i], found.columns[j]): pytest.approx(found.matrix[i, j]) for i, j in there} == wanted


def test_what_is_no_score_is_left_out(tmp_path: Path) -> None:
    """English and other subsets are two columns; wrong splits, values that are no share, unknown tasks and those not taken are out."""
    rows: list[Row] = []
    for i in range(20):
        model = f"o/m{i}"
        rows += [(model, "MassiveIntentClassification", "test", subset, 0.5 + i / 100) for subset in ("en", "de", "fr")]
        rows += [(model, "NFCorpus", "test", "default", i / 20), (model, "NFCorpus", "train", "default", 0.99)]
        rows += [(model, "No such task", "test", "default", 0.5), (model, "CIFAR10", "test", "default", 0.5)]
    for i, bad in enumerate((float("nan"), float("inf"), 80.0, -0.1) * 5):
        rows.append((f"o/m{i}", "SciFact", "test", "default", bad))
    rows.append(("only/bad", "SciFact", "test", "default", -1.0))
    found = of_runs(that_count(keep(tmp_path, rows)), lambda task: task.modalities == ("text",))
    assert [str(column) for column in found.columns] == [
        "MassiveIntentClassification",
        "MassiveIntentClassification (other languages)",
        "NFCorpus",
    ]
    assert found.matrix[found.models.index("o/m10"), 2] == pytest.approx(0.5)
    assert "only/bad" not in found.models


def test_how_much_of_a_cell_there_is(tmp_path: Path) -> None:
    """A cell's share is that of the subsets which enough models have; the same table comes with it."""
    rows = [row for row in drawn(1.1) if (row[0], row[3]) != (MODELS[4], "deu-deu")]
    rare = [(model, "MLQARetrieval", "test", "ara-ara", 0.5) for model in MODELS[: MIN_SUBSET - 1]]
    runs = that_count(keep(tmp_path, rows + rare))
    found, share = in_parts(runs)
    np.testing.assert_array_equal(found.matrix, of_runs(runs).matrix)
    assert [(found.models[i], str(found.columns[j]), share[i, j]) for i, j in np.argwhere(share < 1)] == [
        (MODELS[4], "MLQARetrieval (other languages)", 0.5)
    ]


def test_few_models_and_many_subsets(tmp_path: Path) -> None:
    """A column that too few models have is left out; of too many subsets those count that most models have; columns are a choice."""
    rows = [(model, "SciFact", "test", "default", 0.5) for model in MODELS[: MIN_MODELS - 1]]
    rows += [(model, "MLQARetrieval", "test", "deu-deu", 0.2) for model in MODELS[1:]]
    rows += [(model, "MLQARetrieval", "test", "spa-spa", 0.9) for model in MODELS]
    runs = that_count(keep(tmp_path, rows))
    assert [column.task for column in of_runs(runs).columns] == ["MLQARetrieval"]
    assert [column.task for column in of_runs(runs, least=MIN_MODELS - 1).columns] == ["MLQARetrieval", "SciFact"]
    np.testing.assert_allclose(of_runs(runs, most=1).matrix, 0.9)
    assert 0.2 < of_runs(runs).matrix[5, 0] < 0.9
    chosen = of_runs(runs, column_of=lambda task, subset: Column(task.name, other=subset != "deu-deu", here=subset == "deu-deu"))
    assert [(column.task, column.here) for column in chosen.columns] == [("MLQARetrieval", False), ("MLQARetrieval", True)]


def test_a_table_of_no_runs(tmp_path: Path) -> None:
    """Where no task is taken there are no models and no columns."""
    found, share = in_parts(that_count(keep(tmp_path, drawn())), lambda _: False)
    assert (found.models, found.columns) == ((), ())
    assert found.matrix.shape == share.shape == (0, 0)


def test_missing_subsets_neither_help_nor_harm() -> None:
    """A model that ran only the easy subset is level with its equal that ran both."""
    skill: NDArray[np.float64] = np.linspace(-1, 1, 30)
    cells = expit(skill[:, None] + np.array([1.5, -1.5]))
    whole = one_level(cells)
    cells[::2, 1] = np.nan
    assert np.allclose(one_level(cells), whole, atol=0.02)
