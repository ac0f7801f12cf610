"""The spot check from end to end: encode, search, measure, compare with what the panel promises."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck import heldout, panel, public, references, sharp, statistics
from cardcheck.spotcheck.children import EncodingError
from cardcheck.spotcheck.measure import Corpus, Measured, Options, measure
from cardcheck.spotcheck.ready import missing_packages, not_measurable, require_device, says_nothing, trained_on
from cardcheck.spotcheck.result import Point, PublicTask, SpotCheck
from cardcheck.spotcheck.verdict import Kind, judged, residual_outcome, share, verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardcheck.facts.model import Facts
    from cardcheck.spotcheck.references import Reference
    from cardcheck.subject import Subject

__all__ = ["Options", "spotcheck"]

PANEL_LANGUAGE = "en"
NONE = (
    "no published scores on the panel's tasks are known",
    "published scores on tasks of the panel would settle it: there are none in the card, nor under this name",
)
NAMED = (
    "the data of every task that it has published scores on are named as training data",
    "published scores on tasks whose data it was not trained on would settle it",
)
SAME = 1.0  # nDCG@10 points that the same model may differ by from machine to machine


class _Case(NamedTuple):
    """What the tests need to know of the subject: names it goes by among the references, in lower case, its facts, and the seed."""

    itself: set[str]
    facts: Facts
    seed: int


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
    options = replace(options, hub_id=options.hub_id or subject.id or "")
    if reason := missing_packages() or not_measurable(facts, trust_remote_code=options.trust_remote_code, backend=options.backend):
        return SpotCheck("skipped", reason, settle="measuring the model would settle it")
    require_device(options.device)
    full = _chosen(options)
    held_out = full.select(options.domain) if options.domain else full
    held_out = held_out.sample(options.queries, options.seed) if options.queries else held_out
    task, no_public = _public(options)
    first = Corpus(held_out.corpus, {"heldout": held_out.queries}, {"heldout": held_out.qrels})
    second = Corpus(task.corpus, task.queries, task.qrels) if task else None
    counted = _Counted(progress, len(first) + (len(second) if second else 0))
    try:
        found = measure(subject.path, first, options, counted.more)
    except (EncodingError, ValueError) as error:
        settle = "a model that can be run would settle it"
        return SpotCheck("failed", str(error), settle=settle, set_name=full.name, set_hash=full.sha256)
    result = _measured(found, held_out, options.seed)
    result.no_public = no_public
    result.seen = _could_have_seen(facts, full)
    known = references.known_weights(subject.path, full)
    result.same_weights_as = known.id if known else None
    result.published, result.source = _published(subject, facts, known if known and _runs_as(known, result) else None)
    result.beside = panel.beside(facts)
    kept = facts["results.entries"]  # of too many, those that are compared go first
    result.unread = "results.entries" in facts["facts.capped"] and all(row["metric"] in panel.METRICS for row in kept)
    trained = trained_on(facts)
    result.panel = panel.level({name: score for name, score in result.published.items() if name not in trained}, result.source)
    case = _Case({name.lower() for name in (subject.id, known.id if known else None) if name}, facts, options.seed)
    _residual(result, case, held_out)
    if task and second:
        result.no_public = _stop(result, found, (first, second), options)
        if not result.no_public:
            try:
                _sharp(result, case, task, measure(subject.path, second, options, counted.more))
            except (EncodingError, ValueError) as error:
                result.no_public = str(error)
    counted.end()
    _conclude(result)
    return result


class _Counted:
    """Tells how many texts of all stages are encoded."""

    def __init__(self, progress: Callable[[int, int], None], total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0
        progress(0, total)

    def more(self, count: int) -> None:
        self.done += count
        self.progress(self.done, self.total)

    def end(self) -> None:
        """Say that no more will come: a stage was left out."""
        if self.done < self.total:
            self.progress(self.total, self.total)


def _stop(result: SpotCheck, found: Measured, corpora: tuple[Corpus, Corpus], options: Options) -> str:
    """Say why not to go on to the public task; nothing where there is no reason.

    The check may stop whenever it is decided: each test has its share of the error rate from the start (Holm's first step is Bonferroni's),
    so that one which is rejected at its share is rejected whatever the others would show.
    """
    every: set[Kind] = {"residual", "split", "rewording", "reproduction"}
    residual = result.residual
    if residual and residual.p <= share("residual", every) and residual.gap > statistics.TOLERANCE:
        return "the held-out set had decided it"
    expected = float(found.encoding["load_s"]) + float(found.encoding["encode_s"]) * corpora[1].letters / max(1, corpora[0].letters)
    if options.budget is not None and found.seconds + expected > options.budget:
        return f"it would take about {expected:.0f} s more; the budget is {options.budget:g} s"
    return ""


def _chosen(options: Options) -> heldout.HeldOutSet:
    """Load the set that is asked for. The usual one is the English one that tells models apart best, which has no domains."""
    if options.set and options.language:
        raise CardcheckError("--set and --language both say which set to take", hint="leave one of them out")
    if options.set:
        return heldout.load(options.set)
    if options.language or options.domain:
        return heldout.for_language(options.language or PANEL_LANGUAGE)
    return heldout.load()


def _could_have_seen(facts: Facts, held_out: heldout.HeldOutSet) -> str:
    """Say so where the Hub tells that the model is as new as the set; where nobody tells its age, nothing is said."""
    created = facts["hub.created"]
    if not created:
        return ""
    return heldout.could_have_seen(created, held_out.date, instead=heldout.newer_than(created, held_out.language)) or ""


def _public(options: Options) -> tuple[public.PublicSet | None, str]:
    """Return the public task to measure as well, or why there is none."""
    task = public.TASKS[0]
    if options.heldout_only:
        return None, "it was not asked for (--heldout-only)"
    try:
        return references.as_evaluated(public.load(task, public.find(task, options.public, offline=options.offline))), ""
    except CardcheckError as error:
        if options.public is not None:
            raise
        return None, str(error)


def _measured(found: Measured, held_out: heldout.HeldOutSet, seed: int) -> SpotCheck:
    import numpy as np

    scores = found.scores["heldout"]
    values = np.array([scores[query] for query in held_out.queries])
    return SpotCheck(
        "done", set_name=held_out.name, set_hash=held_out.sha256, documents=len(held_out.corpus), queries=len(held_out.queries),
        measured=float(values.mean() * 100), measured_interval=statistics.mean_interval(values, seed),
        encoding=found.encoding, isolation=found.isolation, search_s=found.search_s, per_query=scores,
    )  # fmt: skip


def _runs_as(known: Reference, result: SpotCheck) -> bool:
    """Tell whether the subject scores as the reference model whose weights it has: other pooling or prompts make another model of them."""
    return abs(sum(known.per_query[query] - score for query, score in result.per_query.items())) / len(result.per_query) * 100 < SAME


def _published(subject: Subject, facts: Facts, known: Reference | None) -> tuple[dict[str, float], str]:
    """Return the panel scores on trial (0 to 100) and whose they are: the card's and the leaderboard's, of each task the higher.

    Those of the reference model that the subject is are taken where there are none under its own name.
    """
    found, sources = panel.claimed(facts), []
    if found:
        sources.append("the card's model-index")
    if board := panel.published(subject.id or ""):
        found = {task: max(scores.get(task, 0.0) for scores in (found, board)) for task in {**found, **board}}
        sources.append(f"{panel.published_source()}, {subject.id}")
    if found or known is None:
        return found, " and ".join(sources)
    if board := panel.published(known.id):
        return board, f"{panel.published_source()}, {known.id}"
    return known.measured, "measured by cardcheck"


def _residual(result: SpotCheck, case: _Case, held_out: heldout.HeldOutSet) -> None:
    """Compare with the reference models, leaving the subject itself out of them."""
    import numpy as np

    usable = [
        (model, place)
        for model in references.references(held_out.name, held_out.sha256)
        if model.independent and model.id.lower() not in case.itself and (place := model.panel)
    ]
    scores = np.array([[model.per_query[query] for query in held_out.queries] for model, _ in usable])
    result.references = [
        Point(model.id, model.note, place.value, float(row.mean() * 100), place.source)
        for (model, place), row in zip(usable, scores, strict=True)
    ]
    if held_out.language != PANEL_LANGUAGE:
        result.no_residual = f"the panel is English: what a model scores in {held_out.language} does not follow from it"
        result.settle = "the English held-out set would settle more"
        return
    if result.panel is None:
        result.no_residual, result.settle = NAMED if result.published else NONE
        return
    if len(usable) < statistics.MIN_REFERENCES:  # a set of the user's own
        result.no_residual = f"{len(usable)} reference models were measured on {held_out.name}; `cardcheck references measure` adds some"
        result.settle = "more reference models measured on it would settle it"
        return
    levels = np.array([place.value for _, place in usable])
    if np.ptp(levels) < statistics.LEAST_SPREAD:
        result.no_residual = f"the reference models measured on {held_out.name} have about one level, and no line goes through them"
        result.settle = "reference models of other levels would settle it"
        return
    own = np.array([result.per_query[query] for query in held_out.queries])
    whole = np.array([list(model.per_query.values()) for model, _ in usable])
    result.residual = statistics.judge(
        own,
        scores,
        levels,
        result.panel.value,
        result.panel.standard_error,
        seed=case.seed,
        available=whole.shape[1],
        least_scatter=statistics.fit(levels, whole)[2],
    )


def _sharp(result: SpotCheck, case: _Case, task: public.PublicSet, found: Measured) -> None:
    """Run the tests on the public task."""
    import numpy as np

    scores = {part: np.array([found.scores[part][query] for query in queries]) for part, queries in task.queries.items()}
    name = task.task.name
    published = result.published.get(name)
    left_out = says_nothing(case.facts, found.encoding.get("prompts", {}), name)
    measured = {part: float(values.mean() * 100) for part, values in scores.items()}
    source = result.source if published is not None else ""
    result.public = PublicTask(name, task.sha256, len(task.corpus), measured, published, source, left_out)
    result.public_queries = sum(map(len, task.queries.values()))
    result.search_s += found.search_s
    for key in ("load_s", "encode_s"):
        result.encoding[key] += found.encoding[key]
    table = references.public_references(task).without(case.itself)
    paired = [one for one in sharp.paired(scores, table, seed=case.seed) if one.kind not in left_out]
    kinds: set[Kind] = {one.kind for one in paired}
    reproduced = published is not None and "reproduction" not in left_out
    if reproduced:
        kinds.add("reproduction")
    if result.residual:
        kinds.add("residual")
    result.tests = [sharp.outcome(one, name, kinds) for one in paired]
    if published is not None and reproduced:
        result.tests.append(sharp.reproduction(published, float(scores["test"].mean() * 100), name, len(scores["test"]), kinds))


def _conclude(result: SpotCheck) -> None:
    """Join the outcomes to one verdict, and say what would settle what is open."""
    if residual := result.residual:
        kinds: set[Kind] = {"residual", *(one.kind for one in result.tests)}
        result.tests.insert(0, residual_outcome(residual, result.set_name, result.queries, len(result.references), kinds))
    result.tests = judged(result.tests)
    result.verdict = verdict(result.tests, seen=bool(result.seen))
    if result.verdict == "consistent" and (result.unread or (result.panel and result.panel.odd)):
        result.verdict = "inconclusive"  # a row too many, or one that cannot be meant, makes no model look better
    result.settle = _settles(result) if result.verdict == "inconclusive" else ""


def _settles(result: SpotCheck) -> str:
    """Say what would settle what is open."""
    if result.unread:
        settle = "a card with fewer results, all of which are read, would settle it"
    elif result.panel and result.panel.odd:
        settle = f"published scores that agree would settle it: {', '.join(result.panel.odd)} does not fit the others"
    elif result.seen and result.residual and not result.residual.settle:
        settle = result.seen
    else:
        settle = result.settle or (result.residual.settle if result.residual else "") or "more reference models would settle it"
    further = f"; so would the tests on {public.TASKS[0].name}: {result.no_public}" if result.no_public and result.published else ""
    return settle + further
