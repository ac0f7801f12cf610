"""What a benchmark takes of its tasks, how mteb sorts it, and which revision is a model's own: packaged facts, read without mteb.

Made by `benchmarks/leaderboard_boards.py`; what else is known of tasks is in the catalogue.
"""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardcheck.catalogue import tasks as catalogue
from cardcheck.errors import CardcheckError
from cardcheck.leaderboard.languages import long_codes

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = Path(__file__).parent.parent / "data" / "boards.json"
ENGLISH = {"default": "eng-Latn"}


@dataclass(frozen=True, slots=True)
class Scope:
    """The splits and subsets of a task that count."""

    splits: frozenset[str]
    subsets: frozenset[str]


@dataclass(frozen=True, slots=True)
class Board:
    """A benchmark: its tasks with what counts of each. `sort` are the columns by which mteb sorts it, Borda's rank where it is empty.

    `by_subset` says that each subset of a task counts as a task does elsewhere.
    """

    name: str
    scopes: dict[str, Scope]
    sort: tuple[str, ...] = ()
    by_subset: bool = False

    @property
    def tasks(self) -> tuple[str, ...]:
        """The names of the tasks, in order."""
        return tuple(sorted(self.scopes))


@functools.cache
def _given() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_bytes())
    return found


@functools.lru_cache(maxsize=4096)
def subsets(task: str) -> dict[str, str]:
    """Return the subsets of a task, each with its languages (`eng-Latn deu-Latn`)."""
    held: dict[str, Any] = _given()["subsets"].get(task, ENGLISH)
    if "*" not in held:
        return held
    lacks = frozenset(held["-"])
    pairs = {f"{a}-{b}": f"{first} {second}" for a, first in held["*"].items() for b, second in held["*"].items()}
    return {name: languages for name, languages in pairs.items() if name not in lacks}


def is_aggregate(task: str) -> bool:
    """Tell whether a task is the mean of others, so that its results have one subset whatever those have."""
    return task in _given()["aggregates"]


def main_revision(model: str) -> str | None:
    """Return the revision that mteb evaluates a model at; None for one that it does not know."""
    found: str | None = _given()["models"].get(model)
    return found


def is_registered(model: str) -> bool:
    """Tell whether mteb knows a model: others are not shown on its leaderboard."""
    return model in _given()["models"]


def scope(task: str) -> Scope:
    """Return all of a task that its evaluation takes."""
    known = catalogue.task(task)
    held = {"default"} if is_aggregate(task) else subsets(task)
    return Scope(frozenset(known.splits if known else ("test",)), frozenset(held))


def names() -> tuple[str, ...]:
    """Return the names of all benchmarks."""
    return tuple(_given()["boards"])


def board(name: str) -> Board:
    """Return a benchmark by its name or an older one, whatever the capitals. Raises CardcheckError for one that is not known."""
    given = _given()["boards"]
    plain = {key.lower(): key for key in given} | {alias.lower(): key for key, facts in given.items() for alias in facts.get("aliases", ())}
    if (known := name if name in given else plain.get(name.lower())) is None:
        import difflib

        near = difflib.get_close_matches(name, given, 3, 0.4)
        hint = f"did you mean {', '.join(near)}?" if near else "cardcheck leaderboard rank --list names them"
        raise CardcheckError(f"mteb has no benchmark {name}", hint=hint)
    facts = given[known]
    kept = {task: _narrowed(task, scope(task), facts.get("scopes", {}).get(task, {})) for task in catalogue.tasks_of(known)}
    if facts.get("public"):  # mteb hides these benchmarks' private tasks
        kept = {task: held for task, held in kept.items() if (about := catalogue.task(task)) and about.public}
    return Board(known, kept, tuple(facts.get("sort", ())), facts.get("by_subset", False))


def _narrowed(task: str, whole: Scope, facts: dict[str, list[str]]) -> Scope:
    subset = whole.subsets if is_aggregate(task) else frozenset(facts.get("subsets", whole.subsets))
    return Scope(frozenset(facts.get("splits", whole.splits)), subset)


def of_tasks(name: str, chosen: Iterable[str]) -> Board:
    """Return a board of any tasks, of each all that is evaluated."""
    return Board(name, {task: scope(task) for task in chosen})


def filtered(
    whole: Board, *, languages: Iterable[str] = (), types: Iterable[str] = (), domains: Iterable[str] = (), modalities: Iterable[str] = ()
) -> Board:
    """Return a board with only the tasks of some types, domains and modalities, and of these only subsets in some languages.

    A language is a code of three letters, or two, as `deu` or `de`, or one with its script, `deu-Latn`.
    """
    types, domains, modalities = (frozenset(item.lower() for item in given) for given in (types, domains, modalities))
    codes = frozenset(code for language in languages for code in long_codes(language))
    kept: dict[str, Scope] = {}
    for task, held in whole.scopes.items():
        about = catalogue.task(task)
        if about is None or not all(
            not wanted or wanted & {item.lower() for item in has}
            for wanted, has in ((types, (about.type,)), (domains, about.domains), (modalities, about.modalities))
        ):
            continue
        spoken = held.subsets if not codes else frozenset(name for name in held.subsets if _speaks(task, name, codes))
        if spoken:
            kept[task] = Scope(held.splits, spoken)
    return Board(whole.name, kept, whole.sort, whole.by_subset)


def _speaks(task: str, subset: str, codes: frozenset[str]) -> bool:
    spoken = subsets(task).get(subset)
    if spoken is None:  # of a mean over tasks
        spoken = " ".join(sorted(set(" ".join(subsets(task).values()).split())))
    return any(language in codes or language[:3] in codes for language in spoken.split())
