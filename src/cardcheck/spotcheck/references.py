"""Reference models: models whose panel scores and held-out scores are both known.

Some are packaged (`make references` measures them); `cardcheck references measure` adds the user's own, in a file of the same form.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.panel import DATA, Level, level, published, published_source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cardcheck.spotcheck.heldout import HeldOutSet
    from cardcheck.spotcheck.public import PublicSet


@dataclass(frozen=True, slots=True)
class Reference:
    """One reference model.

    `measured` holds panel scores (0 to 100) measured by us where nobody has published any; `per_query` the nDCG@10 (0 to 1) of each
    query of the held-out set; `weights` the SHA-256 of the safetensors files it is known by. Only independent ones, which are no
    copy of another, enter the regression.
    """

    id: str
    note: str
    independent: bool
    weights: tuple[str, ...]
    measured: dict[str, float]
    per_query: dict[str, float]

    @property
    def panel(self) -> Level | None:
        """The model's panel level: from its published scores, else from those measured by us."""
        scores = published(self.id)
        return level(scores, published_source()) if scores else level(self.measured, "measured by cardcheck")


@dataclass(frozen=True, slots=True)
class PublicReferences:
    """The reference models on a public task: ids, and nDCG@10 (0 to 1), (n_models, n_queries), by part in the order of the set's queries.

    `reworded` are the places in `test` of the queries that have a rewording. `lexical` are the same scores of lexical retrievers, of which
    nobody can be a copy; empty where none were measured.
    """

    ids: tuple[str, ...]
    scores: dict[str, NDArray[np.float64]]
    reworded: list[int]
    lexical: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def without(self, names: set[str]) -> PublicReferences:
        """Return them without the models of these names in lower case."""
        kept = [at for at, name in enumerate(self.ids) if name.lower() not in names]
        scores = {part: table[kept] for part, table in self.scores.items()}
        return replace(self, ids=tuple(self.ids[at] for at in kept), scores=scores)


def public_references(public: PublicSet) -> PublicReferences:
    """Return the scores on exactly this version of a public task; none where there are none."""
    import numpy as np

    known = _known()
    held = known["public"].get(public.task.name, {})
    independent = {model["id"] for model in known["models"] if model["independent"]}
    ids = tuple(name for name in held.get("ndcg_at_10", {}) if name in independent) if held.get("sha256") == public.sha256 else ()
    places = {part: {query: at for at, query in enumerate(held["queries"][part])} for part in held.get("queries", {})}

    def table(rows: list[dict[str, list[float]]]) -> dict[str, NDArray[np.float64]]:
        return {
            part: np.array([[row[part][places[part][query]] for query in queries] for row in rows])
            for part, queries in public.queries.items()
        } if rows else {}  # fmt: skip

    order = list(public.queries["test"])
    return PublicReferences(
        ids,
        table([held["ndcg_at_10"][name] for name in ids]),
        [order.index(query) for query in public.queries["reworded"]],
        table(list(held.get("lexical", {}).values())) if ids else {},
    )


def own_file() -> Path:
    """Return where the user's own reference models are kept: CARDCHECK_REFERENCES, else in the folder for data of the user's programs."""
    if given := os.environ.get("CARDCHECK_REFERENCES"):
        return Path(given)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "cardcheck" / "references.json"


def read_own() -> dict[str, Any]:
    """Return the user's own reference models; none where there is no file. Raises CardcheckError where it cannot be read."""
    file = own_file()
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"models": [], "heldout": {}, "public": {}}
    except (OSError, ValueError, RecursionError) as error:
        raise CardcheckError(f"{file} cannot be read: {error}", hint="mend it, or move it away and measure again") from None
    if not _are_references(found):
        raise CardcheckError(f"{file} holds no reference models", hint="move it away and measure again")
    return found


def _are_references(found: Any) -> bool:
    """Tell whether what a file holds has the form of reference models and their scores."""
    if not isinstance(found, dict) or not isinstance(found.get("models"), list):
        return False
    fields = {"id", "note", "independent", "weights", "measured"}
    models = all(isinstance(model, dict) and fields <= model.keys() for model in found["models"])
    sets = [found.get(kind, {}) for kind in ("heldout", "public")]
    return models and all(isinstance(kind, dict) and all(isinstance(one, dict) for one in kind.values()) for kind in sets)


@functools.cache
def _known() -> dict[str, Any]:
    """Return the packaged models and the user's; of two with one id the packaged one, and of a set only the same version."""
    data: dict[str, Any] = json.loads((DATA / "references.json").read_text(encoding="utf-8"))
    data.setdefault("public", {})
    own = read_own()
    taken = {model["id"] for model in data["models"]}
    more = [model for model in own["models"] if model["id"] not in taken]
    data["models"] += more
    for kind in ("heldout", "public"):
        for name, scores in own.get(kind, {}).items():
            held = data[kind].setdefault(name, scores)
            if held.get("sha256") == scores.get("sha256") and held.get("queries") == scores.get("queries"):
                added = {model["id"]: scores["ndcg_at_10"][model["id"]] for model in more if model["id"] in scores["ndcg_at_10"]}
                held["ndcg_at_10"] = held["ndcg_at_10"] | added
    return data


@functools.cache
def references(set_name: str, set_hash: str) -> tuple[Reference, ...]:
    """Return the reference models measured on exactly this version of a held-out set."""
    data = _known()
    scores = data["heldout"].get(set_name, {})
    if scores.get("sha256") != set_hash:
        return ()
    return tuple(
        Reference(
            id=model["id"],
            note=model["note"],
            independent=model["independent"],
            weights=tuple(model["weights"]),
            measured=model["measured"],
            per_query=dict(zip(scores["queries"], scores["ndcg_at_10"][model["id"]], strict=True)),
        )
        for model in data["models"]
        if model["id"] in scores["ndcg_at_10"]
    )


def forget() -> None:
    """Read the files again when next asked: they were written."""
    _known.cache_clear()
    references.cache_clear()


def public_hash(name: str) -> str:
    """Return the SHA-256 of the version of a public task that the reference models were measured on, which is the one on the Hub."""
    return str(_known()["public"][name]["sha256"])


def as_evaluated(found: PublicSet) -> PublicSet:
    """Return a public task's data. Raises CardcheckError where they are not those that published scores are of."""
    if found.sha256 != public_hash(found.task.name):
        raise CardcheckError(
            f"what lies there is not {found.task.name} as MTEB evaluates it: texts or judgements differ",
            hint=f"take {found.task.data} at {found.task.revision[:12]}",
        )
    return found


def owner_of(path: Path) -> str | None:
    """Return the id of the reference model whose weights a model folder holds, by their SHA-256, if it holds no others."""
    digests = set()
    for file in path.rglob("*.safetensors"):
        with file.open("rb") as handle:
            digests.add(hashlib.file_digest(handle, "sha256").hexdigest())
    return next((model["id"] for model in _known()["models"] if digests and digests <= set(model["weights"])), None)


def known_weights(path: Path, held_out: HeldOutSet) -> Reference | None:
    """Return the reference model, measured on a held-out set, whose weights a model folder holds."""
    owner = owner_of(path)
    return next((model for model in references(held_out.name, held_out.sha256) if model.id == owner), None)
