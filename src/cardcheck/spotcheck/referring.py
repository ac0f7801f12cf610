"""Measuring further reference models, one by one, into the user's file: what is finished stays, and is not measured again."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck import heldout, panel, public, references
from cardcheck.spotcheck.measure import Corpus, Options, measure

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardcheck.subject import Subject

DIGITS = 4  # of a query's nDCG@10
Scores = dict[str, dict[str, float]]


class Sets(NamedTuple):
    """What to measure on: held-out sets, and a public task or none."""

    heldout: list[heldout.HeldOutSet]
    task: public.PublicSet | None


def measured(hub_id: str, sets: Sets) -> bool:
    """Tell whether the user's file has this model on exactly these sets."""
    task = sets.task
    own = references.read_own()

    def has(kind: str, name: str, sha256: str) -> bool:
        held = own.get(kind, {}).get(name, {})
        return held.get("sha256") == sha256 and hub_id in held.get("ndcg_at_10", {})

    return all(has("heldout", one.name, one.sha256) for one in sets.heldout) and (
        task is None or has("public", task.task.name, task.sha256)
    )


def add(subject: Subject, hub_id: str, sets: Sets, options: Options, progress: Callable[[int, int], None]) -> dict[str, float]:
    """Measure a model on held-out sets and a public task, keep it in the user's file, and return its mean scores by set, from 0 to 100.

    The expectation needs its published scores: those that the leaderboard has under `hub_id`, else its score on the public task.
    Raises CardcheckError where it has neither or is a copy of a known one, EncodingError where it cannot be run.
    """
    task = sets.task
    if not panel.published(hub_id) and task is None:
        raise CardcheckError(
            f"nobody has published panel scores of {hub_id}, and without a public task none can be measured",
            hint="give --public-sets, or the id that the leaderboard knows it by with --id",
        )
    owner = references.owner_of(subject.path)
    if owner and owner.lower() != hub_id.lower():
        raise CardcheckError(f"{hub_id} has the weights of {owner}, byte for byte: as a reference model that one would count twice")
    corpora = [Corpus(one.corpus, {"": one.queries}, {"": one.qrels}) for one in sets.heldout]
    if task:
        corpora.append(Corpus(task.corpus, task.queries, task.qrels))
    done, total = 0, sum(map(len, corpora))

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(done, total)

    found = [measure(subject.path, corpus, options, count) for corpus in corpora]
    own = references.read_own()
    means: dict[str, float] = {}
    for one, measured_on in zip(sets.heldout, found, strict=False):
        scores = measured_on.scores
        _keep(own, "heldout", one.name, one.sha256, list(one.queries), hub_id, [round(scores[""][query], DIGITS) for query in one.queries])
        means[one.name] = _mean(scores[""])
    record = {
        "id": hub_id,
        "note": str(found[0].encoding.get("dtype", "")),
        "independent": True,
        "weights": _weights(subject),
        "measured": {},
    }
    if task:
        parts = found[-1].scores
        values = {part: [round(parts[part][query], DIGITS) for query in queries] for part, queries in task.queries.items()}
        queries = {part: list(texts) for part, texts in task.queries.items()}
        _keep(own, "public", task.task.name, task.sha256, queries, hub_id, values)
        means[task.task.name] = _mean(parts["test"])
        if not panel.published(hub_id):
            record["measured"] = {task.task.name: round(means[task.task.name], 2)}
    own["models"] = [model for model in own["models"] if model["id"] != hub_id] + [record]
    _write(own)
    return means


def _keep(own: dict[str, Any], kind: str, name: str, sha256: str, queries: Any, hub_id: str, values: Any) -> None:  # noqa: PLR0917  # one row
    held = own.setdefault(kind, {}).get(name)
    if held is None or held.get("sha256") != sha256:  # another version: what was measured on it says nothing of this one
        held = own[kind][name] = {"sha256": sha256, "queries": queries, "ndcg_at_10": {}}
    held["ndcg_at_10"][hub_id] = values


def _mean(scores: dict[str, float]) -> float:
    return sum(scores.values()) / len(scores) * 100


def _weights(subject: Subject) -> list[str]:
    digests = []
    for file in sorted(subject.path.glob("*.safetensors")):
        with file.open("rb") as handle:
            digests.append(hashlib.file_digest(handle, "sha256").hexdigest())
    return digests


def _write(own: dict[str, Any]) -> None:
    """Write the file whole or not at all."""
    file = references.own_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f".{file.name}.{os.getpid()}")
    half.write_text(json.dumps(own, ensure_ascii=False) + "\n", encoding="utf-8")
    half.replace(file)
    references.forget()
