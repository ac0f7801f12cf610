"""The card's scores beside those in MTEB's results repository: what agrees, which known trap explains a difference, and what remains."""

from __future__ import annotations

from statistics import fmean, median
from typing import TYPE_CHECKING, Any, NamedTuple

from cardcheck.catalogue import tasks
from cardcheck.catalogue.shifts import shift
from cardcheck.facts.model import Source
from cardcheck.facts.outside import asked
from cardcheck.facts.scored import EVAL, MAIN, TABLE, Claim, Number, claims, metric_name

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts
    from cardcheck.net.answers import Outside, Score

COPIED = "external"  # what the repository calls numbers that were copied from cards
AGREES = 1.0  # points; runs on other machines, versions and seeds differ by less
LARGE = 5.0
BROKEN = 0.5  # share of the stated score below which a run, or the number, is of something else
USUAL = 2.0
MOST = 0.5  # share of cards that differ, from which on it is the task that changed
PROMPTED = ("Retrieval", "Reranking", "InstructionRetrieval", "InstructionReranking")
LEAST_EACH = 3
MAX_ROWS = 200


class Pair(NamedTuple):
    """A stated number, the official one (points), of which run, and what explains a difference (`trap`) with the number that fits."""

    claim: Claim
    number: Number
    metric: str
    score: Score
    official: float
    trap: str
    fits: str

    @property
    def difference(self) -> float:
        """Points by which the card is higher."""
        return self.number.points - self.official


def collect_official(facts: Facts, outside: Outside) -> None:
    """Fill the group `official`."""
    me: str = facts["subject.id"] or ""
    if not me:
        facts.sources["official"] = Source("absent", "the subject has no Hub id")
        return
    stated = claims(facts)
    facts.set("official.claimed", len({claim.task for claim in stated}))
    if not stated:
        facts.sources["official"] = Source("absent", "the card states no score of an MTEB task")
        return
    wanted = _in_turn({claim.task for claim in stated})
    scores = asked(facts, "official", lambda: outside.results(me, wanted), f"results of {me} in MTEB's repository")
    if scores is None:
        return
    if origin := getattr(outside, "origin", ""):
        facts.sources["official"] = Source("known", origin)
    copied = sorted({score.task for score in scores if score.run == COPIED} - {score.task for score in scores if score.run != COPIED})
    facts.set("official.copied", copied)
    by_task: dict[str, list[Score]] = {}
    for score in scores:
        if score.run != COPIED and score.metrics:
            by_task.setdefault(score.task, []).append(score)
    pairs = [pair for claim in stated if (pair := _compare(claim, by_task.get(claim.task, [])))]
    _report(facts, _judged(facts, pairs))
    _spread(facts, by_task)


def _in_turn(names: set[str]) -> tuple[str, ...]:
    """Return tasks so that the first few are of many kinds: not all of a long list can be fetched."""
    kinds: dict[str, list[str]] = {}
    for name in sorted(names):
        known = tasks.task(name)
        kinds.setdefault(known.type if known else "", []).append(name)
    return tuple(name for _, _, name in sorted((at, kind, name) for kind, held in kinds.items() for at, name in enumerate(held)))


def _compare(claim: Claim, scores: list[Score]) -> Pair | None:
    """Hold a claim against the run that comes nearest: that one measurement agrees is enough."""
    fitting = [score for score in scores if _same_part(claim, score, scores)]
    pairs = [pair for score in fitting if (pair := _pair(claim, score))]
    if not pairs:
        return None
    best = min(pairs, key=lambda pair: abs(pair.difference))
    if abs(best.difference) <= AGREES:
        return best
    trap, fits = _trap(best, fitting, scores)
    return best._replace(trap=trap, fits=fits)


def _same_part(claim: Claim, score: Score, scores: list[Score]) -> bool:
    """Tell whether a score is of the part of the task that the claim is of; what the claim leaves open must leave no choice."""
    subsets = {other.subset for other in scores}
    known = tasks.task(claim.task)
    splits = {claim.split} if claim.split else set(known.splits) if known else set()
    unsaid = claim.subset in (None, "", "default") and known is not None and len(known.languages) == 1
    one_subset = len(subsets) == 1 and (unsaid or subsets == {"default"})
    return (score.subset == claim.subset or one_subset) and (score.split in splits)


def _pair(claim: Claim, score: Score) -> Pair | None:
    """Put the task's own metric beside it, or the first that both have."""
    official = _points(score)
    metric = next((metric for metric in (_main(claim.task), MAIN, *claim.numbers) if metric in claim.numbers and metric in official), None)
    return Pair(claim, claim.numbers[metric], metric, score, official[metric], "", "") if metric else None


def _main(task: str) -> str:
    known = tasks.task(task)
    return metric_name(known.score) if known else MAIN


def _points(score: Score) -> dict[str, float]:
    """Return a score's metrics in points; the task's own metric goes by either of its names."""
    found = {metric_name(name): value * 100 for name, value in score.metrics.items()}
    main = _main(score.task)
    for one, other in ((main, MAIN), (MAIN, main)):
        if other in found:
            found.setdefault(one, found[other])
    return found


def _trap(pair: Pair, fitting: list[Score], scores: list[Score]) -> tuple[str, str]:
    """Return which known trap explains the difference, and the number that shows it."""
    number, near = pair.number, max(pair.number.half, 0.006)
    for factor, words in ((100.0, "a fraction"), (0.01, "percent of percent")):
        if abs(number.points * factor - pair.official) <= max(near * factor, 0.006):
            return "scale", words
    if pair.claim.origin in (TABLE, EVAL) or pair.metric == MAIN:
        for name, value in _points(pair.score).items():
            if "threshold" not in name and abs(value - number.points) <= near:
                return "metric", f"{name} {value:.2f}"
    for score in scores:
        found = _points(score).get(pair.metric)
        if score not in fitting and found is not None and abs(found - number.points) <= near:
            part = score.split if score.subset == pair.score.subset else f"{score.subset}, {score.split}"
            return "split", f"{part} {found:.2f}"
    return _changed_task(pair)


def _changed_task(pair: Pair) -> tuple[str, str]:
    """Tell whether the task itself is another one now: most cards differ alike, or, where few state it, the data has another revision."""
    if usual := shift(pair.claim.task):
        alike = usual.share >= MOST and usual.low - AGREES <= pair.difference <= usual.high + AGREES
        return ("task", f"{usual.low:+.1f} to {usual.high:+.1f} in {usual.models} cards") if alike else ("", "")
    stated, used = pair.claim.revision, pair.score.dataset_revision
    if stated and used and len(stated) == len(used) and stated != used:
        return "data revision", f"{stated[:7]} in the card, {used[:7]} in the run"
    return "", ""


def _judged(facts: Facts, pairs: list[Pair]) -> list[Pair]:
    """Mark a run that broke, and, by all pairs together, prompts that one side used and the other did not."""
    found = [pair._replace(trap="broken run") if not pair.trap and pair.official < BROKEN * pair.number.points else pair for pair in pairs]
    prompted = [pair for pair in found if _type(pair) in PROMPTED and not pair.trap]
    others = [abs(pair.difference) for pair in found if _type(pair) not in PROMPTED and not pair.trap]
    if min(len(prompted), len(others)) < LEAST_EACH or not _has_prompts(facts):
        return found
    if abs(median(pair.difference for pair in prompted)) > USUAL and median(others) <= AGREES:
        return [pair._replace(trap="prompt") if pair in prompted and abs(pair.difference) > AGREES else pair for pair in found]
    return found


def _type(pair: Pair) -> str:
    known = tasks.task(pair.claim.task)
    return known.type if known else ""


def _has_prompts(facts: Facts) -> bool:
    return bool(facts["says.mentions_prompts"] or facts["says.prompts"] or facts["st.prompts"])


def _report(facts: Facts, pairs: list[Pair]) -> None:
    plain = [pair for pair in pairs if not pair.trap]
    for pair in sorted(pairs, key=lambda pair: -abs(pair.difference))[:MAX_ROWS]:
        row: dict[str, Any] = {
            "task": pair.claim.task,
            "split": pair.score.split[:60],
            "subset": pair.score.subset[:60],
            "metric": pair.metric[:60],
            "stated": round(pair.number.points, 2),
            "official": round(pair.official, 2),
            "difference": round(pair.difference, 2),
            "trap": pair.trap,
            "fits": pair.fits[:120],
            "origin": pair.claim.origin,
            "run": pair.score.run[:60],
            "version": pair.score.mteb_version[:30],
        }
        facts.add("official.entries", pair.number.place, **row)
    facts.set("official.compared", len(pairs))
    facts.set("official.higher", sum(pair.difference > AGREES for pair in plain))
    facts.set("official.lower", sum(pair.difference < -AGREES for pair in plain))
    facts.set("official.mean_difference", round(fmean(pair.difference for pair in plain), 2) if plain else None)


def _spread(facts: Facts, by_task: dict[str, list[Score]]) -> None:
    """Note official runs of one part that lie far apart: then it is not only the card that cannot be relied on."""
    here = facts.place(["results", "evalresults", "card"])
    for task, scores in sorted(by_task.items()):
        parts: dict[tuple[str, str], dict[str, float]] = {}
        for score in scores:
            value = _points(score).get(MAIN)
            if value is not None:
                parts.setdefault((score.split, score.subset), {}).setdefault(score.run, value)
        for (split, subset), runs in parts.items():
            low, high = min(runs, key=lambda run: runs[run]), max(runs, key=lambda run: runs[run])
            if runs[high] - runs[low] > LARGE and len(facts["official.spread"]) < MAX_ROWS:
                facts.add(
                    "official.spread", here, task=task, split=split[:60], subset=subset[:60], low=round(runs[low], 2), low_run=low[:60],
                    high=round(runs[high], 2), high_run=high[:60],
                )  # fmt: skip
