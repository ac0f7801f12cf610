"""The official order: which run counts, what a missing score does, Borda's points, and groups of ties."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from results_made import put, result

from cardcheck.errors import CardcheckError
from cardcheck.leaderboard import boards, rank, store, table
from cardcheck.leaderboard.boards import Board, Scope
from cardcheck.leaderboard.ranking import ranked
from cardcheck.leaderboard.sync import sync
from cardcheck.leaderboard.ties import ties

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardcheck.leaderboard.store import Store

E5 = "intfloat/multilingual-e5-small"
MINI = "sentence-transformers/all-MiniLM-L6-v2"
POTION = "minishlab/potion-base-8M"
TWO = Board("two", {task: Scope(frozenset({"test"}), frozenset({"default"})) for task in ("ArguAna", "SciFact")})

Kept = "Callable[..., Store]"


@pytest.fixture(name="kept")
def _kept(tmp_path: Path) -> Callable[..., Store]:
    """Return what writes runs, tuples of a model, a revision, a task, a score and more, and opens a store of them."""

    def keep(*runs: tuple[Any, ...]) -> Store:
        for model, revision, task, scores, *about in runs:
            held = scores if isinstance(scores, dict) else {"test": [("default", scores)]}
            put(tmp_path / "tree", model, result(task, held, **(about[0] if about else {})), revision=revision)
        sync(str(tmp_path / "tree"), tmp_path / "scores.parquet")
        return store.open_store(tmp_path / "scores.parquet")

    return keep


def cell(opened: Store, board: Board = TWO, task: str = "SciFact") -> float:
    """Return the one model's score of a task."""
    found = table.of_board(opened, board)
    return float(found.matrix[0, found.tasks.index(task)])


def main(model: str) -> str:
    """Return the revision that mteb evaluates a model at."""
    revision = boards.main_revision(model)
    assert revision
    return revision


def test_the_main_revision_counts(kept: Callable[..., Store]) -> None:
    """Of several revisions that counts which mteb evaluates, however old its mteb; a later version decides among the others."""
    opened = kept((E5, main(E5), "SciFact", 0.5, {"mteb_version": "1.20.0"}), (E5, "f" * 40, "SciFact", 0.9, {"mteb_version": "2.3.0"}))
    assert cell(opened) == 0.5


@pytest.mark.parametrize(
    ("first", "second", "score"),
    [
        (("a" * 40, "1.9.0"), ("b" * 40, "1.20.0"), 0.9),
        (("a" * 40, "1.20.0"), ("b" * 40, "1.9.0"), 0.5),
        (("a" * 40, "none"), ("external", "1.9.0"), 0.9),
        (("a" * 40, "1.9.0"), ("external", "2.0.0"), 0.5),
        (("no_revision_available", "2.0.0"), ("a" * 40, "1.0.0"), 0.9),
        (("a" * 40, "2.0.0"), ("b" * 40, "2.0.0"), 0.5),
    ],
)
def test_among_other_revisions_the_version_decides(
    kept: Callable[..., Store], first: tuple[str, str], second: tuple[str, str], score: float
) -> None:
    """A known version of mteb, then a known revision, then the later version, as numbers and not as text, then the first by name."""
    opened = kept(
        *((E5, revision, "SciFact", value, {"mteb_version": version}) for (revision, version), value in ((first, 0.5), (second, 0.9)))
    )
    assert cell(opened) == score


def test_the_run_is_chosen_before_its_splits(kept: Callable[..., Store]) -> None:
    """A main run without the split hides another that has it: the score is missing, as with mteb."""
    opened = kept(
        (E5, main(E5), "SciFact", {"dev": [("default", 0.5)]}), (E5, "f" * 40, "SciFact", 0.9), (MINI, main(MINI), "SciFact", 0.7)
    )
    found = table.of_board(opened, TWO)
    assert found.models == (E5, MINI)
    assert np.isnan(found.matrix[0, 0])
    assert found.ran.all()


def test_experiments_and_undescribed_runs_do_not_count(kept: Callable[..., Store], tmp_path: Path) -> None:
    """What mteb does not load by itself is in the store and not in the order."""
    put(tmp_path / "tree", MINI, result("SciFact", {"test": [("default", 0.9)]}), experiment="embed_dim_64")
    put(tmp_path / "tree", POTION, result("SciFact", {"test": [("default", 0.9)]}), described=False)
    opened = kept((E5, main(E5), "SciFact", 0.5))
    assert table.of_board(opened, TWO).models == (E5,)


def test_a_task_that_is_not_covered_has_no_score(kept: Callable[..., Store]) -> None:
    """A subset that another model has and this one lacks takes its mean away; other splits and subsets do not count."""
    board = Board("b", {"STS17": Scope(frozenset({"test"}), frozenset({"en-en", "en-de"}))})
    opened = kept(
        (E5, main(E5), "STS17", {"test": [("en-en", 0.5), ("en-de", 0.7), ("en-tr", 0.1)], "dev": [("en-en", 0.0)]}),
        (MINI, main(MINI), "STS17", {"test": [("en-en", 0.9)]}),
    )
    found = table.of_board(opened, board)
    assert found.matrix[0, 0] == pytest.approx(0.6)
    assert np.isnan(found.matrix[1, 0])
    assert found.partial[1, 0] == 0.9


def test_scores_gives_what_is_evaluated_of_a_task(kept: Callable[..., Store]) -> None:
    """The function for others takes task names; unknown models count, NaN is a missing score."""
    opened = kept((E5, main(E5), "SciFact", 0.5), ("who/knows", "a" * 40, "ArguAna", 0.1), (E5, main(E5), "ArguAna", float("nan")))
    models, tasks, matrix = table.scores(opened, ["SciFact", "ArguAna", "STS12"])
    assert (models, tasks) == ((E5, "who/knows"), ("ArguAna", "SciFact"))
    assert np.array_equal(matrix, [[np.nan, 0.5], [0.1, np.nan]], equal_nan=True)


def test_borda_counts_whom_a_model_leaves_behind(kept: Callable[..., Store]) -> None:
    """Points by hand: equals share, a missing task gives none, unknown models count and are not shown, a missing task takes the mean."""
    opened = kept(
        (E5, main(E5), "SciFact", 0.5), (E5, main(E5), "ArguAna", 0.5),
        (MINI, main(MINI), "SciFact", 0.5), (MINI, main(MINI), "ArguAna", 0.6),
        (POTION, main(POTION), "SciFact", 0.9),
        ("who/knows", "a" * 40, "SciFact", 0.8), ("who/knows", "a" * 40, "ArguAna", 0.1),
    )  # fmt: skip
    found = rank.official(opened, TWO)
    # SciFact: POTION 3, unknown 2, E5 and MINI 0.5 each. ArguAna: MINI 3, E5 2, unknown 1.
    assert found.models == (MINI, POTION, E5)
    assert list(found.place) == [1, 2, 4]
    assert found.hidden == ("who/knows",)
    assert found.means[rank.MEAN][0] == pytest.approx(0.55)
    assert np.isnan(found.means[rank.MEAN][1])
    assert list(found.types) == ["Retrieval"]


def test_no_results_at_all_is_an_empty_order(kept: Callable[..., Store]) -> None:
    """A benchmark that nobody ran has no rows, and says which tasks are missing."""
    opened = kept((E5, main(E5), "STS12", 0.5))
    found = ranked(opened, TWO)
    assert found.rows == ()
    assert found.missing_tasks == ("ArguAna", "SciFact")
    assert any("No model" in note for note in found.notes)


def test_groups_hold_what_is_not_shown_to_be_worse() -> None:
    """A model that is worse on every task is in another group, one that is better as often is in the first's; intervals hold the mean."""
    rng = np.random.default_rng(1)
    base = rng.uniform(0.3, 0.8, 40)
    matrix = np.stack([base, base + rng.normal(0, 0.05, 40), base - 0.1 + rng.normal(0, 0.02, 40), base - 0.1])
    found = ties(matrix, np.ones(40))
    assert list(found.group) == [1, 1, 2, 2]
    assert (found.low < matrix.mean(axis=1)).all()
    assert (matrix.mean(axis=1) < found.high).all()
    assert found.behind[0].tolist() == [0, 0, 0]


def test_models_with_few_tasks_in_common_are_not_told_apart() -> None:
    """Below five shared tasks no difference is real, and there is no interval; weights decide what the mean is of."""
    one, two = np.full(10, 0.9), np.full(10, np.nan)
    two[:4] = 0.1
    found = ties(np.stack([one, two]), np.ones(10))
    assert list(found.group) == [1, 1]
    assert list(found.shared) == [10, 4]
    assert np.isnan(found.low[1])
    heavy = ties(np.array([[1.0] + [0.0] * 9, [0.0] * 10]), np.array([9.0] + [1.0] * 9))
    assert heavy.behind[1, 0] == pytest.approx(0.5)


def test_a_board_has_the_intervals_that_it_should_by_chance() -> None:
    """Of two models that are alike, the second is put behind the first by chance no more often than the level says."""
    rng = np.random.default_rng(2)
    apart = sum(int(ties(rng.normal(0, 1, (2, 40)), np.ones(40), seed=seed).group[1] == 2) for seed in range(200))
    assert 0 < apart <= 14  # 2.5 % of 200 on the one side that counts, and what chance adds


def test_names_of_boards() -> None:
    """Benchmarks are found by name, by an older name and whatever the capitals; an unknown one is answered with near ones."""
    assert boards.board("mteb(ENG, v2)").name == "MTEB(eng, v2)"
    assert boards.board("MTEB(Chinese)").name == "MTEB(cmn, v1)"
    with pytest.raises(CardcheckError, match="eng, v2"):
        boards.board("MTEB(emg, v2)")


def test_boards_take_parts_of_tasks() -> None:
    """A benchmark's own splits and subsets narrow a task; private tasks of RTEB are hidden; filters narrow further."""
    assert boards.board("MTEB(cmn, v1)").scopes["ATEC"].splits == {"test"}
    assert all("1Retrieval" not in task for task in boards.board("RTEB(beta)").tasks if task.startswith("EnglishFinance"))
    german = boards.filtered(boards.board("MTEB(Multilingual, v2)"), languages=["de"], types=["retrieval"])
    assert "BelebeleRetrieval" in german.scopes
    assert german.scopes["BelebeleRetrieval"].subsets == {"deu_Latn-deu_Latn", "deu_Latn-eng_Latn", "eng_Latn-deu_Latn"}
    assert len(boards.subsets("FloresBitextMining")) == 41_412
    assert boards.is_aggregate("CQADupstackRetrieval")
