"""Reference models: models whose panel scores and held-out scores are both known. `make references` measures them."""

from __future__ import annotations

import functools
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardcheck.spotcheck.panel import DATA, Level, level, published, published_source

if TYPE_CHECKING:
    from pathlib import Path

    from cardcheck.spotcheck.heldout import HeldOutSet


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


@functools.cache
def references(set_name: str, set_hash: str) -> tuple[Reference, ...]:
    """Return the packaged reference models measured on exactly this version of a held-out set."""
    data = json.loads((DATA / "references.json").read_text(encoding="utf-8"))
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


def known_weights(path: Path, held_out: HeldOutSet) -> Reference | None:
    """Return the reference model whose weights a model folder holds, by their SHA-256."""
    candidates = {digest: model for model in references(held_out.name, held_out.sha256) for digest in model.weights}
    for file in sorted(path.glob("*.safetensors")):
        with file.open("rb") as handle:
            digest = hashlib.file_digest(handle, "sha256").hexdigest()
        if digest in candidates:
            return candidates[digest]
    return None
