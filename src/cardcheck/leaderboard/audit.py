"""The audit of a whole board: every model's place in mteb's order and the credible one, the cells that do not fit, and what rules find."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardcheck.engine.library import ready_rules
from cardcheck.engine.select import choose
from cardcheck.leaderboard import boards
from cardcheck.leaderboard.audited import AuditedModel, BoardAudit, Place
from cardcheck.leaderboard.checks import unusual
from cardcheck.leaderboard.checks.seen import see
from cardcheck.leaderboard.credible import Credible, order
from cardcheck.leaderboard.credible_model import expit
from cardcheck.leaderboard.judged import board_rules, judge, look
from cardcheck.leaderboard.ranking import ranked
from cardcheck.report.board.records import Cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardcheck.engine.rule import Rule
    from cardcheck.leaderboard.checks.expected import Expected
    from cardcheck.leaderboard.checks.seen import Seen
    from cardcheck.leaderboard.store import Store

CELLS = 20  # of a model that are kept
NOT_TEXT = "only results on text are held against private tasks; it has none, or too few"


def audit(store: Store, board: str | None = None, *, rules: Sequence[Rule] | None = None) -> BoardAudit:
    """Audit the models of a benchmark, or of the whole store, by these rules or all that there are for boards.

    Models are in credible order, those of which it says nothing last; of a benchmark's tasks at least one result is needed. What is
    expected of a model, and copies, are learned from the whole store all the same. Cells and findings about one task are the board's.
    Raises CardcheckError for a benchmark that mteb does not have.
    """
    chosen = boards.board(board) if board else None
    seen = see(store, chosen)
    records = look(seen)
    rules = board_rules(choose(ready_rules())) if rules is None else rules
    places = _places(store, chosen) if chosen else {}
    credible = {row.model: row for row in order(seen.tables["text"].scores).rows}
    models = _in_order(_models(seen), credible)
    cells = _all_cells(seen)
    firm = {model: at for at, model in enumerate((model for model in models if _credible(credible, model).firm), 1)}
    audited = []
    for model in models:
        findings, unknown = judge(model, records.get(model, {}), rules)
        audited.append(
            AuditedModel(
                model=model,
                revision=boards.main_revision(model) or "",
                place=places.get(model),
                credible_place=firm.get(model),
                credible=_credible(credible, model),
                findings=findings,
                unknown=unknown,
                cells=cells.get(model, ()),
            )
        )
    ran = seen.inside & {seen.runs.task.names[code] for code in set(seen.runs.task.of.tolist())}
    return BoardAudit(store.head, chosen.name if chosen else "", len(ran), tuple(audited), _notes(seen))


def _notes(seen: Seen) -> tuple[str, ...]:
    """Say what one has to know in order to read the findings."""
    judged = sum(int(np.isfinite(table.standard).sum()) for table in seen.tables.values())
    notes = [
        f"{judged:,} results of the store are held against what their models' other results lead one to expect.",
        f"A score is high where at most {unusual.CHANCE * 1000:g} of 1,000 on data that nobody is said to train on lie as far above.",
        "A finding is a reason to look: prompts, versions of data and broken runs explain most of what training would explain too.",
    ]
    if seen.store.head.bad:
        notes.append(f"{len(seen.store.head.bad):,} files of the source could not be read.")
    return tuple(notes)


def _places(store: Store, board: boards.Board) -> dict[str, Place]:
    return {row.model: Place(row.place, row.group, row.mean, row.tasks) for row in ranked(store, board).rows}


def _models(seen: Seen) -> list[str]:
    """Return the models with at least one result on the board's tasks."""
    runs = seen.runs
    counts = np.array([name in seen.inside for name in runs.task.names], dtype=bool)
    return [runs.model.names[code] for code in np.unique(runs.model.of[counts[runs.task.of]])]


def _credible(known: dict[str, Credible], model: str) -> Credible:
    return known.get(model) or Credible(model, None, None, None, 0, 0, 0, (), (NOT_TEXT,))


def _in_order(models: list[str], credible: dict[str, Credible]) -> list[str]:
    def key(model: str) -> tuple[bool, bool, float, str]:
        row = _credible(credible, model)
        return row.score is None, not row.firm, -(row.score or 0.0), model

    return sorted(models, key=key)


def _all_cells(seen: Seen) -> dict[str, tuple[Cell, ...]]:
    """Return of each model the board's cells that are furthest from what is expected, of all media."""
    cells: dict[str, list[Cell]] = {}
    for table in seen.tables.values():
        for model, found in _cells(table, seen).items():
            cells.setdefault(model, []).extend(found)
    return {model: tuple(sorted(found, key=lambda cell: -abs(cell.standard))[:CELLS]) for model, found in cells.items()}


def _cells(table: Expected, seen: Seen) -> dict[str, list[Cell]]:
    """Return of each model the cells that are furthest from what is expected."""
    own = np.array([seen.covers(column) for column in table.scores.columns], dtype=bool)
    far = np.where(own & np.isfinite(table.standard), np.abs(table.standard), -1.0)
    low, high = (expit(table.expected + side * table.wide * table.error) for side in (-1, 1))
    middle, standard = expit(table.expected), table.standard
    found: dict[str, list[Cell]] = {}
    for row, model in enumerate(table.scores.models):
        best = [int(at) for at in np.argsort(-far[row], kind="stable")[:CELLS] if far[row, at] >= 0]
        found[model] = [
            Cell(
                str(table.scores.columns[at]), float(table.scores.matrix[row, at]), float(middle[row, at]), float(low[row, at]),
                float(high[row, at]), float(standard[row, at]),
            )
            for at in best
        ]  # fmt: skip
    return found
