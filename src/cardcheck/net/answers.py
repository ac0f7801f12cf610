"""What the outside answers, as plain values of checked types: whatever a server sends, no more than this reaches the facts.

None, an empty text or an empty list stands for what was not told. Dates are ISO 8601 days (`2024-05-31`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_TEXT, MAX_ITEMS, MAX_NUMBER = 20_000, 5000, 1e12
Answer = TypeVar("Answer")
METHODS = frozenset({"model", "scan", "files", "commits", "discussions", "owner", "models_of", "paper", "dataset", "page", "results"})


@dataclass(frozen=True, slots=True)
class Model:
    """A model on the Hub. `children` counts models made from it by relation (finetune, adapter, merge, quantized)."""

    id: str
    author: str = ""
    sha: str = ""
    created: str = ""
    modified: str = ""
    downloads: int | None = None
    likes: int | None = None
    gated: bool = False
    private: bool = False
    disabled: bool = False
    tags: list[str] = field(default_factory=list)
    bases: list[str] = field(default_factory=list)
    relation: str = ""
    children: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scan:
    """The Hub's look at the files: whether it is done, and the paths it names with `unsafe` or `caution`."""

    done: bool = False
    issues: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class File:
    """A file of a repository; `sha256` is known of large files alone."""

    path: str
    size: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit of the main branch."""

    id: str
    title: str = ""
    date: str = ""
    authors: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Discussion:
    """An open discussion or pull request."""

    num: int
    title: str = ""
    author: str = ""
    date: str = ""
    is_pull_request: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """An organisation, or a person."""

    name: str
    kind: str = "organization"
    fullname: str = ""
    details: str = ""
    verified: bool = False
    members: int | None = None
    followers: int | None = None
    models: int | None = None


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper's page on the Hub; `models` are the ids of models that are linked to it (the first of `model_count`)."""

    id: str
    title: str = ""
    summary: str = ""
    authors: list[str] = field(default_factory=list)
    published: str = ""
    organization: str = ""
    github: str = ""
    models: list[str] = field(default_factory=list)
    model_count: int | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A data set on the Hub."""

    id: str
    author: str = ""
    modified: str = ""
    gated: bool = False
    private: bool = False
    disabled: bool = False
    tags: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Score:
    """What one run of MTEB gave on one part of a task: `metrics` as fractions, by the names that it was written with.

    `run` is the model's revision as the results repository has it; `external` stands for numbers that were copied from the model's card.
    """

    task: str
    run: str = ""
    split: str = ""
    subset: str = "default"
    metrics: dict[str, float] = field(default_factory=dict)
    dataset_revision: str = ""
    mteb_version: str = ""
    where: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the web: where it was found in the end, its type (`text/html`), and its text as it came."""

    url: str
    kind: str = "text/html"
    text: str = ""


def make(kind: type[Answer], values: Mapping[str, Any]) -> Answer:
    """Return an answer from values of any type: what has another type than it should is left out. Raises ValueError without an id."""
    checked: dict[str, Any] = {}
    for one in fields(kind):  # type: ignore[arg-type]
        value = _checked(str(one.type), values.get(one.name))
        if value is not None:
            checked[one.name] = value
    try:
        return kind(**checked)
    except TypeError as error:
        raise ValueError(f"no {kind.__name__}: {error}") from None


def _checked(kind: str, value: Any) -> Any:
    if kind == "str":
        return _text(value) if isinstance(value, str) else None
    if kind == "bool":
        return bool(value) if isinstance(value, (bool, str)) else None  # `gated` is false, "auto" or "manual"
    if kind.startswith("int"):
        return value if _is_count(value) else None
    if kind == "list[str]":
        return [_text(item) for item in value[:MAX_ITEMS] if isinstance(item, str)] if isinstance(value, (list, tuple)) else None
    if kind.startswith("dict"):
        fits = _is_number if "float" in kind else _is_count
        pairs = islice(value.items(), MAX_ITEMS) if isinstance(value, dict) else ()
        return {_text(key): one for key, one in pairs if isinstance(key, str) and fits(one)}
    rows = value if isinstance(value, (list, tuple)) else []
    return [(_text(str(one[0])), _text(str(one[1]))) for one in rows[:MAX_ITEMS] if isinstance(one, (list, tuple)) and len(one) == 2]


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < MAX_NUMBER  # so neither NaN nor infinite


def _text(value: str) -> str:
    """Return a text that can be written anywhere: JSON may hold halves of characters."""
    return value[:MAX_TEXT].encode("utf-8", "replace").decode()


class Outside(Protocol):
    """Who is asked: `cardcheck.net.online.Online`, or what an example records.

    Every method raises AbsentError where what is asked for does not exist, and UnavailableError with the reason where nobody can say.
    """

    def model(self, hub_id: str) -> Model:
        """Return what the Hub says of a model."""

    def scan(self, hub_id: str) -> Scan:
        """Return what the Hub's scanners say of the files."""

    def files(self, hub_id: str, revision: str | None = None) -> list[File]:
        """Return the files of a model's repository."""

    def commits(self, hub_id: str) -> list[Commit]:
        """Return the commits, newest first."""

    def discussions(self, hub_id: str) -> list[Discussion]:
        """Return the open discussions."""

    def owner(self, name: str) -> Owner:
        """Return what the Hub says of an organisation or a person."""

    def models_of(self, owner: str) -> list[str]:
        """Return the ids of an owner's models."""

    def paper(self, arxiv_id: str) -> Paper:
        """Return the Hub's page of a paper."""

    def dataset(self, hub_id: str) -> Dataset:
        """Return what the Hub says of a data set."""

    def page(self, url: str) -> Page:
        """Return a page of the web."""

    def results(self, hub_id: str, tasks: tuple[str, ...]) -> list[Score]:
        """Return what MTEB's results repository holds of a model for these tasks, those first that stand first; it need not be all."""
