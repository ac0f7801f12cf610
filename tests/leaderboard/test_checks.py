"""What the checks over a whole board see, on boards whose truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from board_world import MODELS, NOBODY, TASKS, WIDELY, row, scores, store

from cardcheck.leaderboard import boards
from cardcheck.leaderboard.checks import broken, dated, declared, reported, trained, unusual
from cardcheck.leaderboard.checks.expected import expect
from cardcheck.leaderboard.checks.seen import declares, see
from cardcheck.leaderboard.credible_model import expit
from cardcheck.leaderboard.credible_table import Column, of_runs
from cardcheck.leaderboard.runs import that_count

if TYPE_CHECKING:
    from pathlib import Path

MODEL = MODELS[7]


def test_what_is_expected_covers(tmp_path: Path) -> None:
    """Of all cells 88 to 92 % lie inside their intervals, and the middle of these is near to the truth."""
    found = see(store(tmp_path, scores())).tables["text"]
    assert found.scores.matrix.shape == (len(MODELS), len(TASKS))
    inside = np.abs(found.odds - found.expected) <= found.wide * found.error
    assert 0.88 <= inside.mean() <= 0.92
    assert np.abs(expit(found.expected) - found.scores.matrix).mean() < 0.05


def test_a_family_says_nothing_of_itself(tmp_path: Path) -> None:
    """What is expected of a cell does not change with that cell, nor with another version of its task."""
    draw = np.random.default_rng(3)
    names = ["NFCorpus", "NanoNFCorpusRetrieval", *NOBODY]
    odds = draw.normal(0, 0.6, (60, 1)) + draw.normal(0, 0.1, (60, len(names)))
    given = {model: dict(zip(names, row.tolist(), strict=True)) for model, row in zip(MODELS, expit(odds), strict=True)}
    table = of_runs(that_count(store(tmp_path, given)))
    at = [column.task for column in table.columns].index("NFCorpus")
    assert at == [column.task for column in table.columns].index("NanoNFCorpusRetrieval") - 1
    before = expect(table, np.ones_like(table.matrix))
    assert before.families[at] == before.families[at + 1]
    changed = table.matrix.copy()
    changed[5, at] = 0.99
    after = expect(type(table)(table.models, table.columns, changed), np.ones_like(changed))
    assert abs(after.expected[5, at] - before.expected[5, at]) < 0.05
    assert abs(after.expected[5, at + 1] - before.expected[5, at + 1]) < 0.05
    assert after.standard[5, at] > 8


def test_a_lifted_cell_is_found(tmp_path: Path) -> None:
    """A score far above what the model's others lead one to expect is found, with what is expected, and no other of that model."""
    given = scores()
    name = min(WIDELY, key=given[MODEL].__getitem__)
    given[MODEL][name] = 0.97
    found = unusual.find(see(store(tmp_path, given)))
    assert [high["task"] for high in found[MODEL]["high"]] == [name]
    high = found[MODEL]["high"][0]
    assert high["published"] == 97.0
    assert high["low"] < high["expected"] < high["high"] < 97
    assert high["makers"] >= 5
    assert high["chance"] <= unusual.CHANCE
    assert "97.0 published" in high["evidence"][0]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_few_false_alarms(tmp_path: Path, seed: int) -> None:
    """On a board without any odd cell no more are called high than chance allows, of 3,600, and none low."""
    found = unusual.find(see(store(tmp_path, scores(seed))))
    assert sum(len(held["high"]) for held in found.values()) <= 14
    assert not any(held["low"] for held in found.values())


def test_a_broken_run_is_found_and_makes_nothing_else_high(tmp_path: Path) -> None:
    """A run that went wrong is far too low; one with a third of its results broken is uneven, and its right ones are not high."""
    given = scores()
    given[MODEL][NOBODY[2]] = 0.03
    mixed = MODELS[11]
    for name in TASKS[::3]:
        given[mixed][name] *= 0.1
    found = unusual.find(see(store(tmp_path, given)))
    assert [low["task"] for low in found[MODEL]["low"]] == [NOBODY[2]]
    assert found[MODEL]["scatter"] < 1.5
    assert found[mixed]["scatter"] > 2
    assert not found[mixed]["high"]


def test_a_hundredth_is_told_from_a_broken_run(tmp_path: Path) -> None:
    """A share that was divided by a hundred is called that; one that is merely low is not."""
    given = scores()
    good = sorted(NOBODY, key=given[MODEL].__getitem__)[-8]
    given[MODEL][good] = round(given[MODEL][good] / 100, 6)
    given[MODELS[8]][NOBODY[2]] = 0.04
    found = unusual.find(see(store(tmp_path, given)))
    assert [low["hundredth"] for low in found[MODEL]["low"]] == [True]
    assert [low["hundredth"] for low in found[MODELS[8]]["low"]] == [False]


def test_high_where_training_data_is_public(tmp_path: Path) -> None:
    """A model that has eight points more on widely trained tasks stands out; where it has them everywhere it does not."""
    given = scores()
    for name in TASKS:
        given[MODEL][name] = min(given[MODEL][name] + (0.08 if name in WIDELY else 0), 0.99)
        given[MODELS[9]][name] = min(given[MODELS[9]][name] + 0.08, 0.99)
    found = trained.find(see(store(tmp_path, given)))
    assert found[MODEL]["trained_chance"] < 0.001
    assert 5 <= found[MODEL]["trained_gap"] <= 11
    assert found[MODEL]["trained_tasks"] == len(WIDELY)
    assert found[MODEL]["trained_furthest"]
    assert found[MODELS[9]]["trained_chance"] > 0.01
    assert sum(held["trained_chance"] <= 0.01 for held in found.values()) <= 4


def test_stated_results_are_not_held_against_measured_ones(tmp_path: Path) -> None:
    """Where a maker stated the widely trained tasks alone, nothing is said of them; where it stated some, the measured ones are judged.

    Where all is stated, and higher on these tasks, the model stands out; `trained_stated` says by which of the two it is judged.
    """
    given = scores()
    mixed, partly, whole = MODELS[7], MODELS[9], MODELS[11]
    stated = {mixed: WIDELY, partly: WIDELY[:8], whole: TASKS}
    more = [
        row(model, name, min(given[model].pop(name) + (0.08 if name in WIDELY else 0), 0.99), "external")
        for model, names in stated.items()
        for name in names
    ]
    found, before = (trained.find(see(store(tmp_path, given, *rows))) for rows in (more, ()))
    assert mixed not in found
    assert (found[whole]["trained_stated"], found[partly]["trained_stated"]) == (True, False)
    assert found[whole]["trained_chance"] < 0.001
    assert found[partly]["trained_tasks"] == len(WIDELY) - 8
    assert found[partly]["trained_gap"] == pytest.approx(before[partly]["trained_gap"], abs=0.5)


def test_scores_that_cannot_be(tmp_path: Path) -> None:
    """Over one, no number and a negative accuracy are named; a negative Spearman, a p-MRR of 20 and an unused split are not."""
    given = scores()
    given[MODEL][TASKS[0]] = 71.3
    given[MODEL][TASKS[1]] = float("nan")
    given[MODEL][TASKS[2]] = -0.2
    unlabelled = row(MODEL, "AFQMC", float("nan")) | {"split": "test"}  # it is evaluated on another split
    more = [row(MODEL, "STS12", -0.1), row(MODEL, "Core17InstructionRetrieval", 20.0), unlabelled]
    found = broken.find(see(store(tmp_path, given, *more)))
    problems = {scale["task"]: scale["problem"] for scale in found[MODEL]["scales"]}
    assert problems == {TASKS[0]: "above", TASKS[1]: "no number", TASKS[2]: "below"}
    assert set(found) == {MODEL}


def test_another_metric_in_the_place_of_the_main_one(tmp_path: Path) -> None:
    """Where the file has the task's metric and the main score is another one, that is named; rounding is none."""
    more = [
        row(MODEL, "Banking77Classification", 0.31) | {"accuracy": 0.78},
        row(MODELS[8], "Banking77Classification", 0.7801) | {"accuracy": 0.78},
    ]
    found = broken.find(see(store(tmp_path, {}, *more)))
    assert [(scale["task"], scale["problem"]) for scale in found[MODEL]["scales"]] == [("Banking77Classification", "another metric")]
    assert "0.3100" in found[MODEL]["scales"][0]["evidence"][0]
    assert MODELS[8] not in found


def test_a_task_that_was_run_in_part(tmp_path: Path) -> None:
    """On a benchmark, a model that lacks a split or language that others have is named; without a benchmark nobody lacks anything."""
    board = boards.board("MTEB(eng, v2)")
    more = [row(model, "MTOPDomainClassification", 0.5) | {"split": split} for model in MODELS[:3] for split in ("test", "validation")]
    held = store(tmp_path, {}, *(one | {"subset": "en"} for one in more[:-1]), row(MODELS[2], "STS12", 0.5))
    missing = [name for name, found in broken.find(see(held, board)).items() if found.get("parts")]
    scope = board.scopes["MTOPDomainClassification"]
    assert missing == ([MODELS[2]] if {"test", "validation"} <= scope.splits else [])
    assert not any("parts" in found for found in broken.find(see(held)).values())


def test_reported_scores_against_mteb_s_own(tmp_path: Path) -> None:
    """A maker's score that is far from mteb's is named; where a task changed, so that all makers' differ alike, only who differs more."""
    given = {model: {"SciFact": 0.5, "NFCorpus": 0.3} for model in MODELS[:8]}
    more = [row(model, "SciFact", 0.6, "external") for model in MODELS[:7]]
    more += [row(MODELS[7], "SciFact", 0.75, "external"), row(MODEL, "NFCorpus", 0.305, "external")]
    found = reported.find(see(store(tmp_path, given, *more)))
    assert {model: held["reported"] for model, held in found.items() if held.get("reported")} == {
        MODELS[7]: [
            {
                "task": "SciFact", "reported": 75.0, "official": 50.0, "difference": 15.0,
                "evidence": ["SciFact: 75.0 reported, 50.0 in mteb's run"],
            }
        ]
    }  # fmt: skip


def test_reported_scores_against_the_rest(tmp_path: Path) -> None:
    """A model whose maker's scores lie higher than the measured ones leads one to expect is told from one where both are alike."""
    given = scores()
    more = []
    for at, model in enumerate((MODEL, MODELS[8])):
        for name in TASKS[10:40]:
            score = given[model].pop(name)
            more.append(row(model, name, min(score + 0.1 * (at == 0), 0.99), "external"))
    found = reported.find(see(store(tmp_path, given, *more)))
    assert found[MODEL]["reported_results"] == 30
    assert found[MODEL]["reported_chance"] < 0.001
    assert found[MODEL]["reported_standard"] > 0
    assert found[MODELS[8]]["reported_chance"] > 0.001
    assert set(found) == {MODEL, MODELS[8]}


def test_a_board_covers_its_languages(tmp_path: Path) -> None:
    """Of a task in many languages an English board covers the English column alone, the whole store both."""
    english = see(store(tmp_path, scores()), boards.board("MTEB(eng, v2)"))
    whole = see(store(tmp_path, scores()))
    columns = (Column("MassiveIntentClassification"), Column("MassiveIntentClassification", other=True), Column("AFQMC", other=True))
    assert [english.covers(column) for column in columns] == [True, False, False]
    assert [whole.covers(column) for column in columns] == [True, True, True]


def test_what_is_said_of_training(tmp_path: Path) -> None:
    """Listed, none and nothing are three things; a misspelt data set changes the zero-shot share; what mteb lacks is unregistered."""
    names = [
        "KaLM-Embedding/KaLM-embedding-multilingual-mini-instruct-v2.5", "voyageai/voyage-4-large_(embed_dim=2048,_evolved_prompts=True)",
        "acme/nobody-knows", "mteb/baseline-random-encoder",
    ]  # fmt: skip
    found = declared.find(see(store(tmp_path, {name: {"SciFact": 0.5} for name in names})))
    listed = found[names[0]]
    assert listed["training"] == "listed"
    assert listed["misspelt"]
    assert listed["zero_shot"] > listed["zero_shot_ambiguous"]
    assert (found[names[1]]["tuned_prompts"], listed["tuned_prompts"]) == (True, False)
    assert found[names[2]]["training"] == "unregistered"
    assert names[3] not in found


def test_revisions_and_days(tmp_path: Path) -> None:
    """Results of no known revision, of another commit than mteb's, and from before the release are counted; a day's difference is none."""
    from datetime import UTC, datetime

    name = "intfloat/multilingual-e5-small"
    own, other = boards.main_revision(name), "f" * 40
    assert own is not None
    days = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), None, None)
    more = [
        row(name, task, 0.5, revision) | {"date": day}
        for task, revision, day in zip(TASKS[:4], (own, other, "external", "no_revision_available"), days, strict=True)
    ]
    found = dated.find(see(store(tmp_path, {}, *more)))[name]
    assert (found["results"], found["no_revision"], found["stated_only"], found["other_revision"]) == (4, 2, 1, 1)
    assert found["other_revisions"] == [other]
    assert [(one["task"], one["date"]) for one in found["older"]] == [(TASKS[0], "2020-01-01")]
    assert found["dated"] == 2


@pytest.mark.parametrize(
    ("model", "task", "said"),
    [
        ("codefuse-ai/F2LLM-v2-14B", "EmotionClassification", "yes"),
        ("codefuse-ai/F2LLM-v2-14B", "SIB200ClusteringS2S", "named"),
        ("codefuse-ai/F2LLM-v2-14B", "MLSUMClusteringP2P", "named"),
        ("codefuse-ai/F2LLM-v2-14B", "PubChemSMILESPC", "no"),
        ("voyageai/voyage-3-m-exp_(output_dtype=int8)", "ArguAna", "yes"),
        ("jinaai/jina-embeddings-v5-text-small", "ArguAna", "unsaid"),
        ("acme/nobody-knows", "ArguAna", "unsaid"),
    ],
)
def test_training_that_is_declared_by_another_name(model: str, task: str, said: str) -> None:
    """A data set listed by its own name, or by the beginning of a task's, is told from one that is not listed, and from silence."""
    assert declares(model, task) == said


def test_an_empty_store(tmp_path: Path) -> None:
    """A store with a single score, of a task that mteb lacks, gives nothing and breaks nothing."""
    held = see(store(tmp_path, {}, row(MODEL, "NoTaskOfMteb", 0.5)))
    for check in (unusual, trained, broken, reported):
        assert check.find(held) == {}
