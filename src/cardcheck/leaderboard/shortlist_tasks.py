"""Which tasks a choice means, and the table that what to expect on them is learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardcheck.catalogue import tasks
from cardcheck.errors import CardcheckError
from cardcheck.leaderboard import boards
from cardcheck.leaderboard.credible_table import MIN_MODELS, Column, by_language, of_runs
from cardcheck.leaderboard.runs import that_count
from cardcheck.leaderboard.shortlist_facts import types_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardcheck.leaderboard.boards import Board
    from cardcheck.leaderboard.credible_table import Scores
    from cardcheck.leaderboard.store import Store

DOCUMENTS = "DocumentUnderstanding"
MODALITIES = ("text", "image", "audio", "video", "document")
FEW_MODELS = 8  # that must have a task, where the modality is young
MOST_SUBSETS = 400  # of a task; of thousands of pairs of languages, those that most models have
LONG_LIST = 12
# Other words for MTEB's domains.
DOMAINS = {"law": "legal", "code": "programming", "finance": "financial", "medicine": "medical", "health": "medical", "science": "academic"}


@dataclass(frozen=True, slots=True)
class Choice:
    """The tasks that somebody cares for. `types` are words such as `retrieval`, or MTEB's own; `all` stands for every type.

    Without types, text and documents mean retrieval, pictures, sound and film all that there is.
    """

    modalities: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    benchmark: str | None = None

    @property
    def senses(self) -> frozenset[str]:
        """The modalities as MTEB has them."""
        given = {item.lower() for item in self.modalities}
        senses = (given - {"document"}) | ({"image"} if "document" in given else set())
        return frozenset(senses or {"text"})

    @property
    def is_text(self) -> bool:
        """Tell whether only text matters."""
        return self.senses == {"text"}

    @property
    def kinds(self) -> frozenset[str] | None:
        """The types of task; None for all."""
        if self.types:
            return None if "all" in {item.lower() for item in self.types} else frozenset(t for item in self.types for t in types_of(item))
        return frozenset(types_of("retrieval")) if self.is_text or self._documents else None

    @property
    def _documents(self) -> bool:
        return "document" in {item.lower() for item in self.modalities}

    @property
    def is_general(self) -> bool:
        """Tell whether nothing but retrieval of texts is asked for: then unseen retrieval is what counts."""
        return self.is_text and not (self.languages or self.domains or self.benchmark) and self.kinds == frozenset(types_of("retrieval"))

    def __str__(self) -> str:
        """Name it for a reader."""
        kinds = ", ".join(self.types) or ("retrieval" if self.kinds else "tasks of all kinds")
        parts = [kinds, f"of {' and '.join(self.modalities) or 'text'}"]
        parts += [f"in {', '.join(self.languages)}"] if self.languages else []
        parts += [f"on {', '.join(self.domains)}"] if self.domains else []
        parts += [f"in {self.benchmark}"] if self.benchmark else []
        return " ".join(parts)

    def takes(self, task: tasks.Task) -> bool:
        """Tell whether a task has the modalities, type and domain. Documents are pictures of pages, which `image` leaves out."""
        kinds = self.kinds
        wide = self.senses <= set(task.modalities) <= self.senses | {"text"}
        pages = task.type == DOCUMENTS
        meant = pages if self._documents else not pages or bool(self.types) or self.benchmark is not None
        return wide and meant and (kinds is None or task.type in kinds) and self.is_on(task)

    def is_on(self, task: tasks.Task) -> bool:
        """Tell whether a task is of a chosen domain."""
        wanted = {DOMAINS.get(item.lower(), item.lower()) for item in self.domains}
        return not wanted or bool(wanted & {item.lower() for item in task.domains})


def chosen(choice: Choice) -> Board:
    """Return the chosen tasks, of each the parts in the chosen languages. Raises CardcheckError where there are none."""
    _check(choice)
    whole = boards.board(choice.benchmark) if choice.benchmark else boards.of_tasks("the chosen tasks", tasks.names())
    kept = {name: held for name, held in whole.scopes.items() if (about := tasks.task(name)) and _takes(choice, about)}
    board = boards.Board(whole.name, kept, whole.sort, whole.by_subset)
    board = boards.filtered(board, languages=choice.languages) if choice.languages else board
    if not board.scopes:
        raise CardcheckError(f"MTEB has no {str(choice)[:200]}")
    return board


def _takes(choice: Choice, about: tasks.Task) -> bool:
    """Tell whether a task is chosen. A benchmark says itself which modalities and types it is of; what is asked for beside narrows it."""
    if choice.benchmark and not choice.modalities:
        kinds = choice.kinds if choice.types else None
        return (kinds is None or about.type in kinds) and choice.is_on(about)
    return choice.takes(about)


def _check(choice: Choice) -> None:
    if wrong := [item for item in choice.modalities if item.lower() not in MODALITIES]:
        raise CardcheckError(f"there is no modality {wrong[0][:40]!r}", hint=", ".join(MODALITIES))
    known = {item.lower() for name in tasks.names() if (about := tasks.task(name)) for item in about.domains}
    for item in choice.domains:
        if DOMAINS.get(item.lower(), item.lower()) not in known:
            raise CardcheckError(f"MTEB has no domain {item[:40]!r}", hint=", ".join(sorted(known)))


def learned(choice: Choice, board: Board) -> frozenset[str]:
    """Return the tasks to learn from: the chosen ones, and all of the modality; of text, those of the same types and retrieval."""
    types = {about.type for name in board.scopes if (about := tasks.task(name))} | set(types_of("retrieval"))
    senses = frozenset(
        sense for name in board.scopes if (about := tasks.task(name)) for sense in about.modalities if sense != "text" or choice.is_text
    )
    return frozenset(board.scopes) | {
        name
        for name in tasks.names()
        if (about := tasks.task(name))
        and (about.type in types if about.modalities == ("text",) else True)
        and (set(about.modalities) <= {"text"} if not senses - {"text"} else bool(set(about.modalities) & (senses - {"text"})))
    }


def table(store: Store, choice: Choice, board: Board) -> Scores:
    """Return the scores to learn from. Parts of tasks in the chosen languages are columns of their own (`here`)."""
    names = learned(choice, board)
    spoken = boards.filtered(boards.of_tasks("", names), languages=choice.languages).scopes if choice.languages else {}
    spoken |= board.scopes if choice.languages else {}

    def column_of(task: tasks.Task, subset: str) -> Column:
        if task.name in spoken and subset in spoken[task.name].subsets:
            return Column(task.name, here=True)
        return by_language(task, subset)

    text = all((about := tasks.task(name)) and about.modalities == ("text",) for name in board.scopes)
    return of_runs(that_count(store, names), column_of=column_of, least=MIN_MODELS if text else FEW_MODELS, most=MOST_SUBSETS)


def is_target(column: Column, choice: Choice, board: Board) -> bool:
    """Tell whether a column is of the chosen tasks and languages."""
    return column.task in board.scopes and (column.here or not choice.languages)


def is_kin(column: Column, choice: Choice) -> bool:
    """Tell whether a column is of a chosen language, or of a chosen domain."""
    about = tasks.task(column.task)
    return column.here or (bool(choice.domains) and about is not None and choice.is_on(about))


def some(names: Iterable[str], most: int = LONG_LIST) -> str:
    """Return names in a line, the number of those that are left out at its end."""
    held = list(names)
    return ", ".join(held[:most]) + (f" and {len(held) - most} more" if len(held) > most else "")
