"""From what each file says to facts: which model a name means, whether sizes agree with it, and what its last audit found."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardcheck.catalogue import models
from cardcheck.facts.application import names
from cardcheck.facts.application.audits import Kept, age_in_days, latest
from cardcheck.facts.located import Location

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardcheck.catalogue.models import Model
    from cardcheck.facts.application.found import Choice, Found
    from cardcheck.facts.files import Listing
    from cardcheck.facts.model import Facts

TEACHING = ("test", "example", "demo", "tutorial", "benchmark", "eval", "compare", "experiment")
TESTS = re.compile(
    r"(?:^|/)(?:tests?|testing|__tests__|[a-z]{1,20}_tests)/|(?:^|/)(?:test_[^/]{1,200}|[^/]{1,200}_test|conftest)\.(?:py|ipynb)$"
)
SHOWN = 200


@dataclass(slots=True)
class _Chosen:
    """A choice together with the model that it means."""

    choice: Choice
    id: str
    kind: names.Kind
    revision: str | None
    model: Model | None
    meant: str | None = None
    cased: str | None = None
    respelt: bool = False  # a service's own way to write the id of the Hub

    @property
    def role(self) -> str:
        """What it is used as; a mere setting is used as what it is."""
        return self.model.role if self.model and not self.choice.library else self.choice.role

    @property
    def embeds(self) -> bool:
        """Tell whether it fills an index with vectors of its dimension."""
        return self.role == "embedding" and self.kind != "local"


@dataclass(slots=True)
class Application:
    """All files of an application: what they say, and the models they choose."""

    listing: Listing
    found: dict[str, Found] = field(default_factory=dict)
    chosen: dict[str, list[_Chosen]] = field(default_factory=dict)

    def add(self, path: str, found: Found) -> None:
        """Take in what one file says."""
        self.found[path] = found
        choices = sorted(found.choices.values(), key=lambda choice: choice.place)
        self.chosen[path] = [chosen for choice in choices if (chosen := self._resolve(choice))]

    def _resolve(self, choice: Choice) -> _Chosen | None:
        """Return the model that a choice means; None for what is, after all, no choice of an embedding model."""
        given = choice.given.strip()
        if not given or names.is_placeholder(given) or any(mark in given for mark in "\n\0 "):
            return None
        name, kind, revision = names.resolve(given, choice.library)
        chosen = _Chosen(choice, name, kind, choice.revision or revision, None)
        if kind == "hub":
            chosen.model = models.hub(name) or models.hub(models.moved(name) or "")
            if chosen.model is None:
                chosen.cased = models.other_case(name)
                chosen.meant = None if chosen.cased else models.meant(name)
                chosen.model = models.hub(models.moved(chosen.cased) or chosen.cased) if chosen.cased else None
            if chosen.cased and not choice.loads:  # services spell the Hub's ids in their own way
                chosen.id, chosen.cased, chosen.respelt = chosen.cased, None, True
        elif kind == "api":
            chosen.model = models.api(given) or models.api(name)
        if chosen.model is None and not chosen.meant and not _believable(choice, chosen):
            return None
        if kind != "api" and self._is_folder(given):
            chosen.kind, chosen.model, chosen.meant, chosen.cased = "local", None, None, None
        return chosen

    def _is_folder(self, given: str) -> bool:
        if given.startswith(("/", "~")) or ".." in given or len(given) > SHOWN:
            return False
        try:
            return (self.listing.root / given).is_dir()
        except (OSError, ValueError):
            return False

    def ids(self, path: str | None = None) -> set[str]:
        """Return the ids of the models that make vectors, in one file or in all."""
        files: Iterable[str] = [path] if path is not None else self.chosen
        return {chosen.id for file in files for chosen in self.chosen[file] if chosen.embeds}

    def the_model(self, path: str, *, alone: bool) -> Model | None:
        """Return the one model that a file, or else the whole application unless `alone`, makes vectors with."""
        here, found = self.ids(path), self.found[path]
        if found.by_default or len(here) > 1:
            return None
        if not here and not alone and not any(other.by_default for other in self.found.values()):
            here = self.ids()
        if len(here) != 1:
            return None
        name = next(iter(here))
        return next(chosen.model for file in self.chosen.values() for chosen in file if chosen.id == name)

    def shortened(self, path: str, name: str) -> bool:
        """Tell whether the vectors of a model are made shorter somewhere."""
        files = [found for file, found in self.found.items() if file == path or any(chosen.id == name for chosen in self.chosen[file])]
        asked = any(chosen.choice.shortened for file in self.chosen.values() for chosen in file if chosen.id == name)
        return asked or any(found.reduces for found in files)


def _believable(choice: Choice, chosen: _Chosen) -> bool:
    """Tell whether a model that the catalogue does not know is one: a call says so, or a key and the form of the name together."""
    if not choice.sure:
        return False
    return bool(choice.library and choice.library != "server") or (chosen.kind == "hub" and names.looks_like_id(chosen.id))


def fill(facts: Facts, application: Application, audits: Sequence[Kept]) -> None:
    """Fill the rows of the group `app`."""
    used = {chosen.id for file in application.chosen.values() for chosen in file if chosen.role != "tokenizer"}
    for path, file in application.chosen.items():
        for chosen in file:
            if chosen.role != "tokenizer" or chosen.id not in used:
                _model(facts, path, chosen, audits)
        _mixture(facts, path, file)
    sizes = {size.dimension for found in application.found.values() for size in found.dimensions.values() if not size.setting}
    for path, found in application.found.items():
        _sizes(facts, application, path, sizes)
        for place in found.unnamed_remote_code:
            facts.add("app.remote_code", Location(path, *place), id=None, pinned=False, revision=None)
        embeds = any(chosen.choice.library or chosen.choice.sure for chosen in application.chosen[path])
        for hazard in found.hazards:
            if hazard.sure or embeds:
                facts.add("app.pickles", Location(path, *hazard.place), what=hazard.what)
        if found.problem:
            facts.add("app.problems", Location(path, *found.problem[1]), path=path, problem=found.problem[0][:SHOWN])


def _model(facts: Facts, path: str, chosen: _Chosen, audits: Sequence[Kept]) -> None:
    choice, model = chosen.choice, chosen.model
    pinned = bool(chosen.revision and names.COMMIT.fullmatch(chosen.revision))
    audit = latest(audits, model.id if model and chosen.kind == "hub" else chosen.id, chosen.revision if pinned else None)
    facts.add(
        "app.models",
        Location(path, *choice.place),
        id=chosen.id,
        given=choice.given.strip()[:SHOWN],
        how=choice.how[:80],
        kind=chosen.kind,
        role=chosen.role,
        in_tests=bool(TESTS.search(path)),
        loads=choice.loads and chosen.kind == "hub",
        revision=chosen.revision[:SHOWN] if chosen.revision else None,
        pinned=pinned,
        remote_code=choice.remote_code is not None,
        known=model is not None,
        dimension=model.dimension if model else None,
        max_tokens=model.max_tokens if model else None,
        successor=model.successor if model else None,
        moved_to=None if chosen.respelt else models.moved(chosen.cased or chosen.id),
        meant=chosen.meant,
        cased=chosen.cased,
        deprecated=bool(model and model.deprecated),
        shut_down=model.shut_down if model else None,
        measured=model.revision if model else None,
        misused=_misused(chosen),
        audit=audit.verdict if audit else "none",
        audit_age_days=age_in_days(audit) if audit else None,
        audit_file=audit.file if audit else None,
        audit_revision=audit.revision if audit else None,
    )
    if choice.remote_code and chosen.kind == "hub":
        unknown = choice.asked or any(mark in (chosen.revision or "") for mark in "${")
        row = {"id": chosen.id, "pinned": None if unknown else pinned, "revision": chosen.revision}
        facts.add("app.remote_code", Location(path, *choice.remote_code), **row)


def _misused(chosen: _Chosen) -> str:
    """Return what a model is, where the class that loads it is made for something else; empty where they fit."""
    choice, model = chosen.choice, chosen.model
    if model is None or choice.library != "sentence-transformers" or choice.trains or choice.several:
        return ""
    if model.kind == "api":
        return "" if model.local_server else "served by a company's interface only"
    if choice.role == "embedding" and model.role == "reranker":
        return "a reranker, which gives scores for pairs and no vectors"
    return "an embedding model, which was not trained to score pairs" if choice.role == "reranker" and model.role == "embedding" else ""


def _mixture(facts: Facts, path: str, file: Sequence[_Chosen]) -> None:
    """Note a file that makes vectors with exactly two models, both without a condition."""
    if not path.endswith((".py", ".ipynb")) or any(word in path.lower() for word in TEACHING):
        return
    first: dict[str, _Chosen] = {}
    for chosen in file:
        if chosen.embeds and chosen.choice.library and chosen.model:
            first.setdefault(chosen.id, chosen)
    same_class = len({chosen.choice.within for chosen in first.values()}) == 1
    if len(first) == 2 and same_class and not any(chosen.choice.optional or chosen.choice.trains for chosen in first.values()):
        one, other = sorted(first.values(), key=lambda chosen: chosen.choice.place)
        facts.add("app.mixtures", Location(path, *other.choice.place), first=one.id, second=other.id, first_line=one.choice.place[0])


def _sizes(facts: Facts, application: Application, path: str, declared: set[int]) -> None:
    found = application.found[path]
    for size in sorted(found.dimensions.values(), key=lambda size: size.place):
        model = application.the_model(path, alone=size.setting)
        facts.add(
            "app.dimensions",
            Location(path, *size.place),
            dimension=size.dimension,
            what=size.what[:80],
            setting=size.setting,
            model=model.id if model else None,
            model_dimension=model.dimension if model else None,
            shortens=model.shortens if model else "unknown",
            shortened=bool(model and application.shortened(path, model.id)),
            elsewhere=bool(model and model.dimension in declared),
        )
    for chunk in found.chunks:
        model = application.the_model(path, alone=False)
        facts.add(
            "app.chunks",
            Location(path, *chunk.place),
            tokens=chunk.tokens,
            what=chunk.what,
            model=model.id if model else None,
            max_tokens=model.max_tokens if model else None,
        )
