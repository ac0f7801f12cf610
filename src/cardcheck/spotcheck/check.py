"""The spot check from end to end: encode, search, measure, compare with what the panel promises."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck import heldout, panel, references, statistics
from cardcheck.spotcheck.encode import EncodingError, Limits, encode
from cardcheck.spotcheck.metrics import ndcg_at_10
from cardcheck.spotcheck.search import SIMILARITIES, search
from cardcheck.spotcheck.statistics import Interval, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardcheck.facts.model import Facts
    from cardcheck.spotcheck.panel import Level
    from cardcheck.spotcheck.references import Reference
    from cardcheck.subject import Subject


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure. `queries` takes a sample of that many queries; None takes all."""

    device: str = "cpu"
    seed: int = 0
    queries: int | None = None
    limits: Limits = field(default_factory=Limits)
    trust_remote_code: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    """A reference model in the plane of panel level and held-out score."""

    id: str
    note: str
    level: float
    heldout: float
    source: str


NOTHING = Interval(0.0, 0.0)


@dataclass(slots=True)
class SpotCheck:
    """What the spot check found; scores and gaps in nDCG@10 points (0 to 100), times in seconds.

    `status` is `done`, `skipped` (not asked for, or a part of the installation is missing) or `failed` (the model could not be
    run); `reason` says why. `panel`, `residual` and `references` are there where the subject has published scores.
    """

    status: Literal["done", "skipped", "failed"]
    reason: str = ""
    verdict: Verdict = "inconclusive"
    settle: str = ""
    set_name: str = ""
    set_hash: str = ""
    documents: int = 0
    queries: int = 0
    measured: float = 0.0
    measured_interval: Interval = NOTHING
    panel: Level | None = None
    residual: statistics.Residual | None = None
    references: list[Point] = field(default_factory=list)
    same_weights_as: str | None = None
    encoding: dict[str, Any] = field(default_factory=dict)
    isolation: dict[str, bool] = field(default_factory=dict)
    search_s: float = 0.0
    per_query: dict[str, float] = field(default_factory=dict)

    @property
    def texts_per_second(self) -> float:
        """Texts encoded in a second, queries and documents together."""
        seconds = float(self.encoding.get("encode_s", 0.0))
        return (self.queries + self.documents) / seconds if seconds else 0.0


def missing_packages() -> str | None:
    """Return what to install when a package of the spot check is missing, without importing any of them."""
    from importlib.util import find_spec

    missing = [name for name in ("torch", "sentence_transformers", "pytrec_eval", "scipy") if find_spec(name) is None]
    return f"{', '.join(missing)} not installed: pip install 'cardcheck[spotcheck]'" if missing else None


def spotcheck(
    subject: Subject,
    facts: Facts,
    options: Options | None = None,
    *,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> SpotCheck:
    """Measure the subject on the held-out set and judge it; `progress` is told (texts encoded, texts in all).

    What is wrong with the subject comes back as a failed or inconclusive check. Raises CardcheckError where cardcheck's own data are.
    """
    options = options or Options()
    if reason := missing_packages() or _not_measurable(facts, options):
        return SpotCheck("skipped", reason, settle="measuring the model would settle it")
    _require_device(options.device)
    full = heldout.load()
    held_out = full.sample(options.queries, options.seed) if options.queries else full
    try:
        result = _measure(subject, held_out, options, progress)
    except (EncodingError, ValueError) as error:
        return SpotCheck(
            "failed",
            str(error),
            settle="a model that can be run would settle it",
            set_name=full.name,
            set_hash=full.sha256,
        )
    known = references.known_weights(subject.path, full)
    result.same_weights_as = known.id if known else None
    result.panel = _panel(subject, facts, known)
    _judge(result, subject, known, held_out, options.seed)
    return result


def _require_device(device: str) -> None:
    """Raise CardcheckError where this machine has no such device: a wish that cannot be met is no fault of the subject."""
    import torch

    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0].partition(". ")[0][:160]
        raise CardcheckError(f"the device {device} cannot be used: {reason}", hint="--device cpu always can") from None


def _not_measurable(facts: Facts, options: Options) -> str | None:
    """Say why a subject is not even loaded."""
    weights, broken = facts["weights.safetensors"], facts["weights.broken"]
    unsafe = [row["path"] for row in facts["st.modules"] if row["path"] and _only_pickled(facts, row["path"].rstrip("/") + "/")]
    needs_code = bool(facts["config.auto_map"] or facts["st.custom_modules"])
    reasons = (
        (facts["subject.kind"] == "card", "only a card was given; a spot check needs the model's folder"),
        (bool(broken), " ".join(broken[0][key] for key in ("path", "problem")) if broken else ""),
        (not weights, "there are no readable safetensors weights, and no other format is loaded"),
        (all(row["parameters"] is None for row in weights), "the weights are not in the local cache: run once without --offline"),
        (bool(unsafe), f"the module in {', '.join(unsafe)} has its weights as a pickle only, which is not loaded"),
        (facts.sources["st"].state == "unavailable", facts.sources["st"].reason),
        (not facts["files.tokenizer"] and facts["config.model_type"] is not None, "there is no tokenizer"),
        (
            needs_code and not options.trust_remote_code,
            "it needs code from its repository; read it, then allow it with --trust-remote-code",
        ),
    )
    return next((reason for applies, reason in reasons if applies), None)


def _only_pickled(facts: Facts, folder: str) -> bool:
    """Tell whether a module's folder holds a pickle and no safetensors file."""
    pickled, safe = (any(row["path"].startswith(folder) for row in facts[f"weights.{kind}"]) for kind in ("pickle", "safetensors"))
    return pickled and not safe


def _measure(subject: Subject, held_out: heldout.HeldOutSet, options: Options, progress: Callable[[int, int], None]) -> SpotCheck:
    import numpy as np
    import torch  # noqa: F401  # so that the search's time is the search's

    total, done = len(held_out.queries) + len(held_out.corpus), 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(done, total)

    progress(0, total)
    encoded = encode(
        subject.path, list(held_out.queries.values()), list(held_out.corpus.values()), device=options.device, seed=options.seed,
        limits=options.limits, trust_remote_code=options.trust_remote_code, progress=count,
    )  # fmt: skip
    started = time.perf_counter()
    similarity = encoded.about["similarity"] if encoded.about["similarity"] in SIMILARITIES else "cosine"
    run = search(
        encoded.queries,
        encoded.documents,
        list(held_out.queries),
        list(held_out.corpus),
        similarity=similarity,
        device=options.device,
    )
    searched = time.perf_counter()
    scores = ndcg_at_10(held_out.qrels, run)
    values = np.array([scores[query] for query in held_out.queries])
    return SpotCheck(
        "done", set_name=held_out.name, set_hash=held_out.sha256, documents=len(held_out.corpus), queries=len(held_out.queries),
        measured=float(values.mean() * 100), measured_interval=statistics.mean_interval(values, options.seed),
        encoding=encoded.about, isolation=encoded.isolation, search_s=searched - started, per_query=scores,
    )  # fmt: skip


def _panel(subject: Subject, facts: Facts, known: Reference | None) -> Level | None:
    """Return the level that is on trial: what the card claims, else what the leaderboard has under the subject's name or weights."""
    if claims := panel.level(panel.claimed(facts), "the card's model-index"):
        return claims
    for hub_id in (subject.id, known.id if known else None):
        if hub_id and (found := panel.level(panel.published(hub_id), f"{panel.published_source()}, {hub_id}")):
            return found
    return known.panel if known else None


def _judge(result: SpotCheck, subject: Subject, known: Reference | None, held_out: heldout.HeldOutSet, seed: int) -> None:
    """Compare with the reference models, leaving the subject itself out of them."""
    import numpy as np

    itself = {name.lower() for name in (subject.id, known.id if known else None) if name}
    usable = [
        (model, place)
        for model in references.references(held_out.name, held_out.sha256)
        if model.independent and model.id.lower() not in itself and (place := model.panel)
    ]
    scores = np.array([[model.per_query[query] for query in held_out.queries] for model, _ in usable])
    result.references = [
        Point(model.id, model.note, place.value, float(row.mean() * 100), place.source)
        for (model, place), row in zip(usable, scores, strict=True)
    ]
    if result.panel is None:
        result.settle = "published scores on retrieval tasks of MTEB would settle it: there are none in the card, nor under this name"
        return
    if len(usable) < statistics.MIN_REFERENCES:
        raise CardcheckError("there are too few reference models for this held-out set", hint="run `make references`")
    own = np.array([result.per_query[query] for query in held_out.queries])
    levels = np.array([place.value for _, place in usable])
    whole = np.array([list(model.per_query.values()) for model, _ in usable])
    result.residual = statistics.judge(
        own,
        scores,
        levels,
        result.panel.value,
        result.panel.standard_error,
        seed=seed,
        least_scatter=statistics.fit(levels, whole)[2],
    )
    result.verdict, result.settle = result.residual.verdict, result.residual.settle
