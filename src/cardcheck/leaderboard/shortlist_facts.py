"""What one chooses a model by, from packaged facts, and whether a model meets a limit: yes, no, or that nobody can say (None)."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cardcheck.catalogue import models as hub
from cardcheck.catalogue import tasks, training
from cardcheck.errors import CardcheckError
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

FILE = Path(__file__).parent.parent / "data" / "shortlist.json"
UNLIMITED = "unlimited"
# Licences that anyone may use, change and pass on, also in what is sold; `commercial` adds those that allow use in what is sold
# under conditions. Others with a name of their own have to be read.
OPEN = frozenset({"apache-2.0", "mit", "bsd-3-clause", "bsd-2-clause", "cc-by-4.0", "cc-by-sa-4.0", "cc0-1.0", "openmdw-1.1", "mpl-2.0"})
CONDITIONS = frozenset({
    "gemma", "https://ai.google.dev/gemma/terms",
    "https://www.nvidia.com/en-us/agreements/enterprise-software/nvidia-open-model-license/",
})  # fmt: skip
NOT_SOLD = Pattern(r"^cc-by-nc|-nc-|research")
SIZE = Pattern(r"^(\d{1,9}(?:\.\d{1,3})?)\s{0,3}(kb|mb|gb|tb)?$")
UNITS = {"kb": 1 / 1024, "mb": 1.0, "gb": 1024.0, "tb": 1024.0**2}
LEAST_BYTES, MOST_BYTES = 0.45, 12.0  # of a parameter; where mteb's figures are further apart, one of the two is of something else
HALF, FULL = 2, 4  # bytes of a parameter as weights are usually kept

Kind = Literal["embedding", "late", "sparse", "reranker", "hybrid", "router"]


@dataclass(frozen=True, slots=True)
class Known:
    """What mteb knows of a model. None stands for what is not known.

    `memory` are megabytes (2²⁰ bytes) of weights, `tokens` the longest text or "unlimited", `code` whether loading it runs code of its
    repository, `dimensions` the sizes of vector that it can give, its own first.
    """

    name: str
    memory: float | None = None
    parameters: int | None = None
    dimensions: tuple[int, ...] = ()
    shortens: bool = False
    tokens: int | Literal["unlimited"] | None = None
    licence: str | None = None
    open_weights: bool | None = None
    code: bool | None = None
    modalities: tuple[str, ...] = ("text",)
    kind: Kind = "embedding"
    languages: frozenset[str] = frozenset()
    released: str | None = None
    public_data: bool = False
    public_code: bool = False
    successor: str | None = None


@functools.cache
def _given() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(FILE.read_bytes())["models"]
    return found


def named(model: str) -> str:
    """Return mteb's name for a model of the results: they write blanks as underscores, and keep names that have changed since."""
    name = model.replace(",_", ", ").replace("_(", " (")
    bare, bracket, rest = name.partition(" (")
    about = training.annotation(bare)
    return (about.id if about else bare) + bracket + rest


def known(model: str) -> Known | None:
    """Return what is known of a model by its name in the results; None where mteb does not know it.

    What is kept by hand of a model's limits (`models.extra.json`) wins over mteb's annotation.
    """
    name = named(model)
    bare = name.partition(" (")[0]
    facts = _given().get(name) or _given().get(bare)
    if facts is None:
        return None
    about, held = training.annotation(bare), hub.hub(bare)
    memory = facts.get("memory")
    code: bool | None = {"unknown": None}.get(facts.get("code"), bool(facts.get("code")))  # type: ignore[arg-type]
    return Known(
        name=name,
        memory=memory if _is_plausible(memory, facts.get("parameters")) else None,
        parameters=facts.get("parameters"),
        dimensions=tuple(facts.get("dimensions", ())) or ((held.dimension,) if held and held.dimension else ()),
        shortens=held is not None and held.shortens == "yes",
        tokens=held.max_tokens if held and held.max_tokens else facts.get("tokens"),
        licence=facts.get("licence"),
        open_weights=not facts.get("closed", False),
        code=code,
        modalities=tuple(facts.get("modalities", ("text",))),
        kind=facts.get("kind", "embedding"),
        languages=frozenset(facts.get("languages", "").split()),
        released=about.released if about else None,
        public_data=about is not None and about.public_data is not None,
        public_code=about is not None and about.public_code,
        successor=facts.get("successor"),
    )


def _is_plausible(memory: float | None, parameters: int | None) -> bool:
    """Tell whether a size is that of the whole model, not of an adapter or of one part of it."""
    return memory is not None and (not parameters or LEAST_BYTES <= memory * 2**20 / parameters <= MOST_BYTES)


def megabytes(text: str) -> float:
    """Return the megabytes of a size such as 500MB, 1.5 GB or 500. Raises CardcheckError for anything else."""
    found = SIZE.match(text.strip().lower())
    if not found or not float(found[1]):
        raise CardcheckError(f"{text[:40]!r} is no size", hint="write it as 500MB or 1.5GB")
    return float(found[1]) * UNITS[found[2] or "mb"]


def fits_memory(about: Known, most: float) -> bool | None:
    """Tell whether a model's weights take at most so many megabytes; from its parameters where these alone settle it.

    A model that only its maker serves meets no limit: it cannot be had.
    """
    if about.open_weights is False:
        return False
    if about.memory is not None:
        return about.memory <= most
    if not about.parameters:
        return None
    least, full = (about.parameters * size / 2**20 for size in (HALF, FULL))
    return True if full <= most else False if least > most else None


def fits_dimension(about: Known, most: int) -> bool | None:
    """Tell whether a model gives vectors of at most this size, also where it is made for its vectors to be cut."""
    if not about.dimensions:
        return None
    return min(about.dimensions) <= most or about.shortens


def fits_tokens(about: Known, least: int) -> bool | None:
    """Tell whether a model takes texts of at least this many tokens."""
    if about.tokens is None:
        return None
    return about.tokens == UNLIMITED or int(about.tokens) >= least


def fits_licence(about: Known, wanted: Collection[str]) -> bool | None:
    """Tell whether a model's licence is one of the wanted ones; `open` and `commercial` stand for groups of them."""
    licence = (about.licence or "").lower()
    asked = {item.strip().lower() for item in wanted}
    if licence in asked or (licence in OPEN and asked & {"open", "commercial"}):
        return True
    if licence in CONDITIONS and "commercial" in asked:
        return True
    if not licence or (licence.startswith("http") and asked & {"open", "commercial"} and licence not in CONDITIONS):
        return None
    return False


def licences_known() -> frozenset[str]:
    """Return the names of the licences that models have, without those that are addresses."""
    found = {str(facts.get("licence") or "").lower() for facts in _given().values()} | OPEN
    return frozenset(name for name in found if name and not name.startswith("http"))


def fits_code(about: Known) -> bool | None:
    """Tell whether a model loads without code of its repository; code of a company's server does not run here."""
    return True if about.open_weights is False else None if about.code is None else not about.code


@dataclass(frozen=True, slots=True)
class Limits:
    """What a model must meet. None and empty stand for what does not matter."""

    memory: float | None = None
    dimension: int | None = None
    tokens: int | None = None
    licences: tuple[str, ...] = ()
    open_weights: bool = False
    no_remote_code: bool = False

    def judged(self, about: Known) -> dict[str, bool | None]:
        """Return for each limit that is set whether a model meets it."""
        tests: dict[str, tuple[bool, Callable[[], bool | None]]] = {
            "memory": (self.memory is not None, lambda: fits_memory(about, self.memory or 0)),
            "dimension": (self.dimension is not None, lambda: fits_dimension(about, self.dimension or 0)),
            "tokens": (self.tokens is not None, lambda: fits_tokens(about, self.tokens or 0)),
            "licence": (bool(self.licences), lambda: fits_licence(about, self.licences)),
            "weights": (self.open_weights, lambda: about.open_weights),
            "code": (self.no_remote_code, lambda: fits_code(about)),
        }
        return {name: test() for name, (asked, test) in tests.items() if asked}


@dataclass(frozen=True, slots=True)
class Overlap:
    """What of the chosen tasks lies in the declared training data. `state` is `declared`, `none declared` or `not declared`.

    `checkable` says that the declaration can be looked into: that it names data at all, or that the data is public.
    """

    state: Literal["declared", "none declared", "not declared"]
    tasks: tuple[str, ...] = ()
    checkable: bool = False


def overlap(model: str, chosen: Collection[str]) -> Overlap:
    """Return the declared overlap of a model's training data with tasks, over parents and variants, misspelt names mended."""
    bare = named(model).partition(" (")[0]
    trained = training.counted(bare, mended=True)
    if trained is None:
        return Overlap("not declared")
    about = training.annotation(bare)
    seen = tuple(sorted(trained.intersection(chosen)))
    checkable = about is not None and bool(about.data or about.public_data)
    return Overlap("declared" if seen else "none declared", seen, checkable)


# What people ask for by one word is several types in MTEB.
KINDS_OF_TASK = {
    "retrieval": (
        "Retrieval", "Reranking", "InstructionRetrieval", "InstructionReranking", "Any2AnyRetrieval", "Any2AnyMultilingualRetrieval",
        "DocumentUnderstanding", "AudioReranking",
    ),
    "classification": (
        "Classification", "MultilabelClassification", "ImageClassification", "AudioClassification", "AudioMultilabelClassification",
        "VideoClassification", "ZeroShotClassification", "AudioZeroshotClassification", "VideoZeroshotClassification",
    ),
    "clustering": ("Clustering", "ImageClustering", "AudioClustering", "VideoClustering"),
    "pair-classification": ("PairClassification", "AudioPairClassification", "VideoPairClassification"),
    "sts": ("STS", "VisualSTS(eng)", "VisualSTS(multi)"),
}  # fmt: skip


@functools.cache
def task_types() -> frozenset[str]:
    """Return the types of all tasks."""
    return frozenset(about.type for name in tasks.names() if (about := tasks.task(name)))


def types_of(asked: str) -> tuple[str, ...]:
    """Return the types of task that a word stands for. Raises CardcheckError where it stands for none."""
    from difflib import get_close_matches

    word = asked[:80].strip().lower().replace("_", "-").replace(" ", "-")
    if word in KINDS_OF_TASK:
        return KINDS_OF_TASK[word]
    if same := tuple(kind for kind in task_types() if kind.lower() == word.replace("-", "") or kind.lower() == word):
        return same
    known = {kind.lower(): kind for kind in (*KINDS_OF_TASK, *task_types())}
    near = [known[key] for key in get_close_matches(word, known, 3, 0.7)]
    hint = f"did you mean {', '.join(near)}?" if near else f"{', '.join(KINDS_OF_TASK)}, all, or a type as MTEB names it"
    raise CardcheckError(f"MTEB has no tasks of the kind {asked[:40]!r}", hint=hint)


def group_of(kind: str) -> str:
    """Return the word that people use for a type of task."""
    return next((word for word, kinds in KINDS_OF_TASK.items() if kind in kinds), kind)
