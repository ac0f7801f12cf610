"""The short list: models that meet one's limits, by what score to expect of them on the tasks that one cares for, then by memory.

A limit that cannot be judged, as nobody says how large a model is, neither drops a model nor keeps it: it is listed apart, with why.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cardcheck.catalogue import tasks
from cardcheck.leaderboard.credible import MIN_CELLS, order
from cardcheck.leaderboard.credible_model import logit
from cardcheck.leaderboard.credible_table import RETRIEVAL, Scores, of_runs
from cardcheck.leaderboard.rank import official
from cardcheck.leaderboard.runs import that_count
from cardcheck.leaderboard.shortlist_facts import Known, Limits, Overlap, known, overlap
from cardcheck.leaderboard.shortlist_score import expected, shares
from cardcheck.leaderboard.shortlist_tasks import Choice, chosen, is_kin, is_target, some, table
from cardcheck.leaderboard.shortlist_words import reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardcheck.leaderboard.boards import Board
    from cardcheck.leaderboard.store import Store

ENGLISH_BOARDS = ("MTEB(eng, v1)", "MTEB(eng, v2)")  # whose tasks of all types place a model, as in docs/credible.md
EMBEDDINGS = ("embedding", "late", "sparse", "hybrid")
UNRUN = "results"
LOOSE = 1.75  # an interval so many times as wide, in logits, as is usual of models that ran half of the tasks places a model too loosely
BASELINES = ("mteb/baseline", "baseline/")


@dataclass(frozen=True, slots=True)
class Placed:
    """What is expected of a model on the chosen tasks: score and 90 % interval from 0 to 1, and how many of the tasks it ran.

    `cells` are all results that the score rests on; `odd` are chosen tasks where it has far more than its other results lead one to expect.
    `near` says that it has results on the tasks, or in the language or of the domain; `firm` that it is placed closely enough to be
    ordered among others.
    """

    model: str
    score: float
    low: float
    high: float
    tasks: int
    cells: int
    near: bool
    firm: bool
    odd: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A model of the short list. `official` is mteb's place on the chosen tasks, None where it gives none.

    `front` says that no smaller model of the list scores higher; `unsure` are the limits that could not be judged and were let pass;
    `beyond` is how many of the tasks need a modality that the model does not take (`lacks`); `cut` the limit that its vectors meet only
    when they are cut, which its results were not; `tuned` that its prompts were searched for on a benchmark.
    """

    placed: Placed
    about: Known
    official: int | None
    overlap: Overlap
    unsure: tuple[str, ...]
    beyond: int = 0
    lacks: tuple[str, ...] = ()
    cut: int | None = None
    front: bool = False
    reason: str = ""

    @property
    def firm(self) -> bool:
        """Tell whether the model can be ordered among others."""
        return self.placed.firm and not self.beyond and not self.tuned

    @property
    def tuned(self) -> bool:
        """Tell whether the model was run with prompts that were searched for on a benchmark, so that its results say little of others."""
        return "evolved_prompts" in self.placed.model

    @property
    def points(self) -> int:
        """The score in whole points of 100: models that share them are ordered by memory."""
        return round(100 * self.placed.score)

    @property
    def size(self) -> float:
        """The memory to sort by: what is not known comes last."""
        return float("inf") if self.about.memory is None else self.about.memory


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The answer: models in order, those that could not be judged by what nobody says of them, and why the others are out."""

    question: str
    limits: Limits
    tasks: tuple[str, ...]
    trainable: int
    ranked: int
    calibrated: int
    private: int
    entries: tuple[Entry, ...]
    unjudged: dict[str, tuple[str, ...]]
    out: dict[str, int]
    notes: tuple[str, ...] = field(default=())

    def document(self) -> dict[str, Any]:
        """Return it as plain values."""
        plain = asdict(self)
        plain["entries"] = [
            row.pop("placed") | row | {"firm": entry.firm, "about": row["about"] | {"languages": sorted(entry.about.languages)}}
            for row, entry in zip(plain["entries"], self.entries, strict=True)
        ]
        return plain


def shortlist(store: Store, choice: Choice, limits: Limits, *, kinds: Sequence[str] = EMBEDDINGS, include: Sequence[str] = ()) -> Shortlist:
    """Return the models for a choice. `include` names what may be unknown of a model: a limit, or `results` on the chosen tasks.

    Raises CardcheckError where MTEB has no such tasks.
    """
    board = chosen(choice)
    placed, names, calibrated, notes = _placed(store, choice, board)
    trainable = board.tasks if choice.is_general else names  # nobody declares training on private tasks
    found = official(store, board)
    place = dict(zip(found.models, found.place.tolist(), strict=True))
    out: Counter[str] = Counter()
    unjudged: dict[str, list[str]] = {}
    entries: list[Entry] = []
    for one in placed:
        about = known(one.model)
        judged = limits.judged(about) if about else {}
        if why := _out(one.model, about, judged, kinds):
            out[why] += 1
            continue
        unsure = (*(() if one.near else (UNRUN,)), *(limit for limit, fits in judged.items() if fits is None))
        if lacking := [limit for limit in unsure if limit not in include and "all" not in include]:
            unjudged.setdefault(UNRUN if UNRUN in lacking else " and ".join(lacking), []).append(one.model)
        elif about:
            beyond, lacks = (0, ()) if choice.is_general else _beyond(about, names)
            cut = limits.dimension if limits.dimension and about.dimensions and about.dimensions[0] > limits.dimension else None
            entries.append(Entry(one, about, place.get(one.model), overlap(one.model, trainable), unsure, beyond, lacks, cut))
    entries = _explained(_front(sorted(entries, key=_key)), len(names), choice)
    private = sum(1 for name in names if (task := tasks.task(name)) and not task.public)
    return Shortlist(
        question=str(choice), limits=limits, tasks=names, trainable=len(trainable), ranked=len(placed), calibrated=calibrated,
        private=private, entries=tuple(entries), unjudged={key: tuple(held) for key, held in unjudged.items()},
        out=dict(out.most_common()), notes=tuple(notes),
    )  # fmt: skip


def _out(model: str, about: Known | None, judged: dict[str, bool | None], kinds: Sequence[str]) -> str:
    """Return why a model is no answer, an empty text where it may be one."""
    if about is None:
        return "as mteb knows nothing of them"
    if model.startswith(BASELINES):
        return "as baselines"
    if about.kind not in kinds:
        return f"by kind ({about.kind})"
    failed = [limit for limit, fits in judged.items() if fits is False]
    return f"by {' and '.join(failed)}" if failed else ""


def _beyond(about: Known, names: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    """Return how many tasks a model cannot do, and the modalities that it would have to take for them."""
    lacking = [set(task.modalities) - set(about.modalities) for name in names if (task := tasks.task(name))]
    return sum(map(bool, lacking)), tuple(sorted(set().union(*lacking)))


def _key(entry: Entry) -> tuple[bool, int, float, str]:
    return not entry.firm, -entry.points, entry.size, entry.placed.model


def _front(entries: list[Entry]) -> list[Entry]:
    """Mark the models of which no smaller or equal one scores higher; those of unknown memory cannot be on it."""
    best = -1
    marked: set[str] = set()
    for entry in sorted((entry for entry in entries if entry.about.memory is not None and entry.firm), key=lambda e: (e.size, -e.points)):
        if entry.points > best:
            best = entry.points
            marked.add(entry.placed.model)
    return [replace(entry, front=entry.placed.model in marked) for entry in entries]


def _explained(entries: list[Entry], many: int, choice: Choice) -> list[Entry]:
    return [replace(entry, reason=reason(entry, entries[0], many, choice)) for entry in entries]


def _placed(store: Store, choice: Choice, board: Board) -> tuple[list[Placed], tuple[str, ...], int, list[str]]:
    """Return what is expected of each model, the tasks that this is about, on how many misses intervals rest, and what to know of it."""
    if choice.is_general:
        return _unseen(store)
    scores = table(store, choice, board)
    target = np.array([is_target(column, choice, board) for column in scores.columns], dtype=bool)
    names = tuple(dict.fromkeys(column.task for column, held in zip(scores.columns, target, strict=True) if held))
    notes = []
    if few := [name for name in board.tasks if name not in names]:
        notes.append(f"{len(few)} of these tasks were run by too few models to learn from: {some(few, 5)}.")
    if not names:
        return [], names, 0, notes
    kin = np.array([is_kin(column, choice) for column in scores.columns], dtype=bool)
    found = expected(scores, shares(scores.columns, target), kin)
    notes += _doubts(names, found.calibrated)
    there = np.isfinite(scores.matrix)
    wide = logit(found.high) - logit(found.low)
    count = (there & target).sum(axis=1)
    usual = wide[count * 2 >= target.sum()] if (count * 2 >= target.sum()).sum() >= MIN_CELLS else wide[count > 0]
    firm = wide <= LOOSE * np.median(usual)
    near = (there & (target | kin)).any(axis=1)
    placed = []
    for at, model in enumerate(scores.models):
        run = np.flatnonzero(there[at] & target).tolist()
        odd = sorted((j for j in run if found.off[at, j] > 2), key=lambda j: -found.off[at, j])
        if int(there[at].sum()) >= MIN_CELLS:
            placed.append(
                Placed(
                    model, float(found.score[at]), float(found.low[at]), float(found.high[at]), len({scores.columns[j].task for j in run}),
                    int(there[at].sum()), bool(near[at]), bool(firm[at]), tuple(dict.fromkeys(scores.columns[j].task for j in odd)),
                )
            )  # fmt: skip
    return placed, names, found.calibrated, notes


def _doubts(names: Sequence[str], calibrated: int) -> list[str]:
    private = [name for name in names if (task := tasks.task(name)) and not task.public]
    notes = []
    if not private:
        notes.append(
            "None of these tasks is private: training on all of them alike cannot be told from skill; a single odd result is counted less."
        )
    if not calibrated:
        notes.append("Too few models ran them for the intervals to be checked against what was hidden: they are the model's own.")
    return notes


def _unseen(store: Store) -> tuple[list[Placed], tuple[str, ...], int, list[str]]:
    """Return the credible order itself: what is expected on private retrieval tasks."""
    scores, extra = credible_scores(store)
    found = order(scores, extra)
    held = set(found.target)
    names = tuple(dict.fromkeys(column.task for column in scores.columns if str(column) in held))
    at = {model: i for i, model in enumerate(scores.models)}
    ours = np.array([str(column) in held for column in scores.columns], dtype=bool)
    run = np.isfinite(scores.matrix[:, ours]).sum(axis=1)
    placed = [
        Placed(row.model, row.score, row.low, row.high, int(run[at[row.model]]), row.cells, near=True, firm=row.firm)
        for row in found.rows
        if row.score is not None and row.low is not None and row.high is not None
    ]
    about = "private retrieval tasks, whose data nobody outside can have trained on" if found.private else "all retrieval tasks"
    return placed, names, found.calibrated, [f"The score is what to expect on {about}: docs/credible.md."]


def credible_scores(store: Store) -> tuple[Scores, frozenset[str]]:
    """Return the table that the credible order is learned from, and the tasks beside retrieval that count in it."""
    extra = frozenset(name for board in ENGLISH_BOARDS for name in tasks.tasks_of(board))
    names = {name for name in tasks.names() if (task := tasks.task(name)) and task.modalities == ("text",)}
    names = {name for name in names if name in extra or ((task := tasks.task(name)) and task.type in RETRIEVAL)}
    return of_runs(that_count(store, names)), extra
