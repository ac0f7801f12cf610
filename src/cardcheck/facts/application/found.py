"""What the readers of an application's files hand over: choices of models, sizes of vectors and chunks, each at its place."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Role = Literal["embedding", "reranker", "sparse", "late", "tokenizer"]
Place = tuple[int, int]  # line and column, from 1


@dataclass(slots=True)
class Choice:
    """A place that chooses a model by name.

    `sure` says that the place itself speaks of embedding; where it does not, only a model that the catalogue knows counts. `loads` says
    that the place fetches the model from the Hub and could name a revision; `asked`, that the revision is worked out at run time.
    `library` decides how a name is understood.
    """

    given: str
    how: str
    place: Place
    library: str = ""
    role: Role = "embedding"
    sure: bool = True
    loads: bool = False
    revision: str | None = None
    asked: bool = False
    remote_code: Place | None = None
    shortened: bool = False
    trains: bool = False
    optional: bool = False
    within: int = 0  # tells apart the classes of a file that choose models
    several: bool = False  # classes of different kinds load what this name stands for


@dataclass(slots=True)
class Dimension:
    """The size of vectors that a database, an index or (`setting`) a setting declares."""

    dimension: int
    what: str
    place: Place
    setting: bool = False


@dataclass(slots=True)
class Chunk:
    """The largest size of a piece of text, in tokens."""

    tokens: int
    what: str
    place: Place


@dataclass(slots=True)
class Hazard:
    """A place that asks for weights in a format that can run code; `sure` says that it loads an embedding model."""

    what: str
    place: Place
    sure: bool = True


@dataclass(slots=True)
class Found:
    """All that one file says. `by_default` and `at_run_time` count models that are chosen without a name that can be read.

    `reduces` says that the file makes vectors smaller in some way.
    """

    choices: dict[Place, Choice] = field(default_factory=dict)
    dimensions: dict[Place, Dimension] = field(default_factory=dict)
    chunks: list[Chunk] = field(default_factory=list)
    hazards: list[Hazard] = field(default_factory=list)
    unnamed_remote_code: list[Place] = field(default_factory=list)
    by_default: int = 0
    at_run_time: int = 0
    reduces: bool = False
    problem: tuple[str, Place] | None = None

    def add(self, item: Choice | Dimension) -> None:
        """Add a choice or a size; what stands at the place of another is the same one, seen twice."""
        if isinstance(item, Dimension):
            known_size = self.dimensions.setdefault(item.place, item)
            known_size.setting = known_size.setting and item.setting
        elif item.place in self.choices:
            _merge(self.choices[item.place], item)
        else:
            self.choices[item.place] = item

    def extend(self, other: Found) -> None:
        """Take over what was found in a part of the same file."""
        for choice in other.choices.values():
            self.add(choice)
        for size in other.dimensions.values():
            self.add(size)
        self.chunks += other.chunks
        self.hazards += other.hazards
        self.unnamed_remote_code += other.unnamed_remote_code
        self.by_default += other.by_default
        self.at_run_time += other.at_run_time
        self.reduces = self.reduces or other.reduces
        self.problem = self.problem or other.problem


def _merge(known: Choice, other: Choice) -> None:
    """Join two readings of one name: a place that loads it says more than a setting; all that load it must pin it."""
    known.several = known.several or other.several or bool(known.library and other.library and known.role != other.role)
    if known.loads and other.loads:
        known.revision = known.revision if other.revision else None
    elif other.loads or (not known.library and other.library):
        known.how, known.library, known.role, known.loads, known.trains = other.how, other.library, other.role, other.loads, other.trains
        known.revision = other.revision or known.revision
    else:
        known.revision = known.revision or other.revision
    known.sure = known.sure or other.sure
    if other.remote_code:
        known.asked = other.asked and (known.asked or known.remote_code is None)
    known.remote_code = known.remote_code or other.remote_code
    known.shortened = known.shortened or other.shortened
    known.optional = known.optional and other.optional
