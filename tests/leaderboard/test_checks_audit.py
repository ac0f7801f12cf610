"""The audit of a board as a whole: order, places, findings with their evidence, and the command."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from board_world import MODELS, NOBODY, TASKS, WIDELY, row, scores, store
from click.testing import CliRunner

from cardcheck.cli import cli
from cardcheck.engine.library import load_rules
from cardcheck.errors import CardcheckError
from cardcheck.leaderboard.audit import audit
from cardcheck.leaderboard.judged import board_rules, judge

if TYPE_CHECKING:
    from cardcheck.leaderboard.audited import AuditedModel
    from cardcheck.leaderboard.store import Store

COPY = "else/where"
BOARD = "MTEB(eng, v2)"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return a store with a copy, a lifted and a broken score."""
    given = scores()
    given[COPY] = dict(given[MODELS[2]])
    given[MODELS[7]][min(WIDELY, key=given[MODELS[7]].__getitem__)] = 0.97
    given[MODELS[8]][NOBODY[2]] = 0.03
    return store(tmp_path_factory.mktemp("board"), given, row("few/results", "SciFact", 0.5))


@pytest.fixture(scope="module")
def models(board: Store) -> dict[str, AuditedModel]:
    """Return the audited models by their names."""
    return {model.model: model for model in audit(board).models}


def test_findings_stand_at_the_right_models(models: dict[str, AuditedModel]) -> None:
    """The copy, the lifted and the broken score are found, each with its rule, message and evidence, and at nobody else."""
    found = {(one.rule, model.model) for model in models.values() for one in model.findings if one.rule in ("CC701", "CC711", "CC721")}
    assert found == {("CC701", MODELS[7]), ("CC711", COPY), ("CC711", MODELS[2]), ("CC721", MODELS[8])}
    high = next(one for one in models[MODELS[7]].findings if one.rule == "CC701")
    assert "97 points published" in high.message
    assert high.task in WIDELY
    assert high.evidence[0].startswith(high.task)
    copy = next(one for one in models[COPY].findings if one.rule == "CC711")
    assert f"{len(TASKS)} of {len(TASKS)} scores are those of {MODELS[2]}" in copy.message
    assert copy.task is None
    assert len(copy.evidence) == 5


def test_keys_stay(board: Store, models: dict[str, AuditedModel]) -> None:
    """A second audit names findings by the same keys, no two of which are equal."""
    keys = [one.key for model in audit(board).models for one in model.findings]
    assert len(set(keys)) == len(keys)
    assert set(keys) == {one.key for model in models.values() for one in model.findings}


def test_cells_and_order(models: dict[str, AuditedModel]) -> None:
    """Cells lie between 0 and 1 inside their order of gravity; the firm models have places from one on, the others come later."""
    cells = models[MODELS[7]].cells
    assert [abs(cell.standard) for cell in cells] == sorted((abs(cell.standard) for cell in cells), reverse=True)
    assert all(0 <= cell.low <= cell.expected <= cell.high <= 1 for cell in cells)
    places = [model.credible_place for model in models.values()]
    firm = [place for place in places if place is not None]
    assert firm == list(range(1, len(firm) + 1))
    assert places == firm + [None] * (len(places) - len(firm))
    assert models["few/results"].credible.score is None


def test_what_cannot_be_judged_is_unknown(models: dict[str, AuditedModel]) -> None:
    """A model with one result is not called clean: the rules that need an expectation are unknown, with the reason."""
    few = models["few/results"]
    assert {"CC701", "CC704", "CC721", "CC741", "CC752"} <= set(few.unknown)
    assert "too few other results" in few.unknown["CC701"]
    assert "mteb does not know this model" in few.unknown["CC741"]
    assert not {"CC701", "CC721"} & set(models[MODELS[3]].unknown)


def test_a_benchmark_keeps_to_its_tasks(board: Store) -> None:
    """Audited by a benchmark, only its tasks count for cells and for who is there, and mteb's place stands beside."""
    found = audit(board, BOARD)
    assert found.board == BOARD
    from cardcheck.catalogue import tasks

    assert {cell.task for model in found.models for cell in model.cells} <= tasks.tasks_of(BOARD)
    assert all(model.place is None for model in found.models)  # mteb knows none of these models
    with pytest.raises(CardcheckError, match="no benchmark"):
        audit(board, "MTEB(none)")


def test_a_rule_that_breaks_is_unknown() -> None:
    """What is wrong inside a record makes its rule unknown, not passed, and leaves the others alone."""
    rules = board_rules(load_rules())
    findings, unknown = judge("a/b", {"expected": 20, "high": [{"declared": "no", "makers": "many"}], "scatter": float("nan")}, rules)
    assert "CC701" in unknown
    assert findings == ()


def test_the_command(board: Store) -> None:
    """The command counts what rules found, prints a model with its evidence, takes rules' names, and gives JSON without NaN."""
    run = CliRunner().invoke
    base = ["leaderboard", "audit", "--store", str(board.file)]
    whole = run(cli, base)
    assert whole.exit_code == 0
    assert "CC711 scores-of-another-model (high confidence): 2, at 2 models" in whole.output
    one = run(cli, [*base, "--model", COPY.upper(), "--select", "CC711,CC721"])
    assert f"scores are those of {MODELS[2]}" in one.output
    assert "CC741" not in one.output
    given = json.loads(run(cli, [*base, "--json", "--model", COPY, "--select", "CC731"]).output, parse_constant=pytest.fail)
    assert [(model["model"], model["findings"]) for model in given["models"]] == [(COPY, [])]
    assert isinstance(run(cli, [*base, "--ignore", "CC7"]).exception, CardcheckError)
    wrong = run(cli, [*base, "--model", "else/wher"])
    assert isinstance(wrong.exception, (CardcheckError, SystemExit))
