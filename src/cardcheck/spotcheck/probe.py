"""What an encoder really is, whatever its card says: measured on some dozens of texts in a child process."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cardcheck.spotcheck import heldout, probechild, probesearch
from cardcheck.spotcheck.children import EncodingError
from cardcheck.spotcheck.encode import Limits
from cardcheck.spotcheck.probelength import MOST
from cardcheck.spotcheck.ready import missing_packages, not_measurable, require_device

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardcheck.facts.model import Facts
    from cardcheck.spotcheck.probesearch import Prefix, Sample
    from cardcheck.subject import Subject

SAME = 1e-5  # two vectors that differ by less of their length are the same, whatever the order of sums was
UNIT = 1e-3  # how far from 1 the length of a normalised vector may be
CHANGES = 1 - 1e-6  # a prompt after which the cosine is larger has no effect
LENGTH_SHARE = 0.25  # of the time limit, for finding where texts are cut
LENGTH_S = 120.0
MOST_PROMPTS = 12
STEPS = 9  # answers with figures, for the progress bar


@dataclass(frozen=True, slots=True)
class Options:
    """How to probe."""

    device: str = "cpu"
    limits: Limits = field(default_factory=Limits)
    trust_remote_code: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Claims:
    """What card and configuration claim, where it says what to try: token limits, dimensions of shortened vectors, prompts."""

    tokens: Sequence[int] = ()
    prefixes: Sequence[int] = ()
    prompts: Sequence[str] = ()


@dataclass(slots=True)
class Prompt:
    """What a prompt does to the texts it is put before (`sides`: query, document): `cosine` is the mean between their vectors with and
    without it, `changes` that any vector moves, `gain` how many points of nDCG@10 it brings, with the interval over queries."""  # noqa: D205, D209  # one sentence

    name: str
    text: str
    origin: Literal["configuration", "card"]
    sides: list[str]
    cosine: float
    changes: bool
    gain: float
    low: float
    high: float


@dataclass(slots=True)
class Probe:
    """What was measured; None is what was not.

    `status` is `done`, `partial` (some of it, `reason` says what ended it), `skipped` (the model is not even loaded) or `failed`.
    Differences are shares of a vector's length; memory is in MB beyond the libraries, on a GPU the GPU's.
    """

    status: Literal["done", "partial", "skipped", "failed"]
    reason: str = ""
    dimension: int | None = None
    parameters: int | None = None
    stored_dtype: str | None = None
    dtype: str | None = None
    device: str | None = None
    threads: int | None = None
    similarity: str | None = None
    norm_low: float | None = None
    norm_high: float | None = None
    normalised: bool | None = None
    repeat_difference: float | None = None
    reload_difference: float | None = None
    deterministic: bool | None = None
    batch_difference: float | None = None
    configured_tokens: int | None = None
    truncates_at: int | None = None
    reads_at_least: int | None = None
    fails_at: int | None = None
    length_exact: bool | None = None
    length_unit: str | None = None
    length_stopped: str | None = None
    length_error: str | None = None
    short_per_second: float | None = None
    short_tokens: float | None = None
    long_per_second: float | None = None
    long_tokens: float | None = None
    memory_load_mb: int | None = None
    memory_mb: int | None = None
    set_name: str = ""
    queries: int = 0
    documents: int = 0
    ndcg: float | None = None
    prompts: list[Prompt] | None = None
    prefixes: list[Prefix] | None = None
    isolation: dict[str, bool] = field(default_factory=dict)
    seconds: float = 0.0

    def plain(self) -> dict[str, Any]:
        """Return plain values, for facts and for JSON."""
        return asdict(self)


def probe(
    subject: Subject,
    facts: Facts,
    claims: Claims | None = None,
    options: Options | None = None,
    *,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Probe:
    """Measure the subject; `progress` is told (steps done, steps in all).

    What is wrong with the subject comes back as a probe that was skipped, failed or is partial. Raises CardcheckError for a device that
    this machine does not have.
    """
    options, claims = options or Options(), claims or Claims()
    if reason := missing_packages() or not_measurable(facts, trust_remote_code=options.trust_remote_code, backend="torch"):
        return Probe("skipped", reason)
    require_device(options.device)
    started = time.perf_counter()
    held_out = _set_for(facts)
    sample = probesearch.Sample.of(held_out, options.seed)
    result = Probe("failed", set_name=held_out.name, queries=len(sample.queries), documents=len(sample.documents))
    with tempfile.TemporaryDirectory(prefix="cardcheck-") as folder:
        job = _job(subject, sample, claims, options, str(Path(folder) / "vectors"))
        told: dict[str, Any] = {"prompts": []}
        try:
            _listen(result, told, job, options, progress)
        except EncodingError as error:
            result.reason = "; ".join(filter(None, (error.message, error.hint)))
        _conclude(result)
        if result.dimension is not None:
            result.status = "partial" if result.reason else "done"
            _searched(result, told, sample, claims, job["out"])
    result.seconds = time.perf_counter() - started
    return result


def _set_for(facts: Facts) -> heldout.HeldOutSet:
    """Load the packaged set in the first language of the card that has one, else the English one."""
    known = {heldout.about(name).language for name in heldout.names()}
    spoken = [heldout.short_code(str(language)) for language in facts["card.language"][:50]]
    return heldout.for_language(next((language for language in spoken if language in known and "en" not in spoken), "en"))


def _job(subject: Subject, sample: Sample, claims: Claims, options: Options, out: str) -> dict[str, Any]:
    return {
        "path": str(subject.path.absolute()),
        "backend": "torch",
        "device": options.device,
        "trust_remote_code": options.trust_remote_code,
        "memory_mb": probechild.memory_mb(options.limits),
        "query": list(sample.queries.values()),
        "document": list(sample.documents.values()),
        "claims": [claim for claim in dict.fromkeys(claims.tokens) if claim <= MOST][:5],
        "prompts": list(dict.fromkeys(claims.prompts))[:5],
        "most_tokens": MOST,
        "length_s": min(LENGTH_S, options.limits.seconds * LENGTH_SHARE),
        "out": out,
    }


def _listen(
    result: Probe, told: dict[str, Any], job: dict[str, Any], options: Options, progress: Callable[[int, int], None]
) -> None:  # fmt: skip
    """Take down each figure as it comes, and in `told` what there is to search with. What comes before an error counts."""
    done = 0
    for answer in probechild.ask(job, str(Path(job["out"]).parent), options.limits):
        if "trouble" in answer:  # one thing could not be measured, and others can
            result.reason = result.reason or f"the model fails: {' '.join(str(answer['trouble']).split())[:400]}"
        if "error" in answer:
            result.reason = f"the model could not be run: {' '.join(str(answer['error']).split())[:400]}"
            break
        if isinstance(answer.get("isolation"), dict):
            result.isolation = {str(name)[:80]: value is True for name, value in answer["isolation"].items()}
        if "part" in answer:
            for name, value in probechild.figures(answer["part"]).items():
                if name == "searched":
                    told[name] = value
                else:
                    setattr(result, name, value)
            told["prompts"] = answer["part"].get("prompts", told["prompts"])
            done += 1
            progress(min(done, STEPS), STEPS)
        if "done" in answer:
            return
    result.reason = result.reason or "the model could not be run: its process ended without an answer"


def _conclude(result: Probe) -> None:
    """Say what figures mean."""
    if result.norm_low is not None and result.norm_high is not None:
        result.normalised = max(abs(result.norm_low - 1), abs(result.norm_high - 1)) <= UNIT
    differences = (result.repeat_difference, result.reload_difference)
    if None not in differences:
        result.deterministic = all(difference is not None and difference <= SAME for difference in differences)


def _searched(result: Probe, told: dict[str, Any], sample: Sample, claims: Claims, out: str) -> None:
    """Search with what was encoded; vectors that are not finite are a reason, not an error."""
    if not told.get("searched"):
        return
    sizes = {"query": result.queries, "document": result.documents}
    kind_of = result.similarity or "cosine"

    def vectors(kind: str, name: str) -> Any:
        return probechild.vectors(out, kind, name, sizes[kind])

    try:
        queries, documents = vectors("query", "own"), vectors("document", "own")
        result.ndcg = probesearch.rank(sample, queries, documents, kind_of).points
        result.prefixes = probesearch.prefixes(sample, queries, documents, kind_of, stated=claims.prefixes, seed=0)
        result.prompts = [_prompt(row, sample, kind_of, vectors) for row in told["prompts"][:MOST_PROMPTS]]
    except (EncodingError, ValueError, TypeError, KeyError) as error:
        result.status, result.reason = "partial", result.reason or str(error)


def _prompt(row: dict[str, Any], sample: Sample, similarity: str, vectors: Callable[[str, str], Any]) -> Prompt:
    """Compare the texts that a prompt is put before with the same ones without it; the other side is as the model has it."""
    import numpy as np

    sides = [kind for kind in ("query", "document") if kind in row["sides"]]
    with_it = {kind: vectors(kind, str(int(row["number"])) if kind in sides else "own") for kind in ("query", "document")}
    without = {kind: vectors(kind, "plain" if kind in sides else "own") for kind in ("query", "document")}
    alike = np.concatenate([probesearch.cosines(with_it[kind], without[kind]) for kind in sides])
    one, other = (probesearch.rank(sample, found["query"], found["document"], similarity) for found in (with_it, without))
    gain, interval = probesearch.gain(one, other, 0)
    return Prompt(
        str(row["name"])[:80], str(row["text"])[:2000], "card" if row["origin"] == "card" else "configuration", sides,
        float(alike.mean()), bool(alike.min() < CHANGES), gain, interval.low, interval.high,
    )  # fmt: skip
