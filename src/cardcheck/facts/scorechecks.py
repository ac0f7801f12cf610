"""What is wrong with the scores of a model-index: values, repeats, scales, data sets.

Each check makes rows that can be judged by themselves, and one row for many defects of the same kind: a card with 4,000 scores should
not bring 4,000 findings.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from cardcheck.facts.datasets import id_problem, is_commit, trains_on_train_split
from cardcheck.facts.located import Location
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cardcheck.facts.located import Located
    from cardcheck.facts.model import Facts
    from cardcheck.facts.results import Metric, Result

SAME = 0.0005  # as a share of the scale: runs on other hardware differ in the last digits
AT_K = Pattern(r"^((?:(?:cosine|dot|euclidean|manhattan)_)?(?:recall|mrr|accuracy|hit_rate|map|pass))(@|_at_)(\d{1,5})$")
OF_MAX = Pattern(r"^(?:cos_sim|cosine|dot|euclidean|manhattan|similarity)_(ap|accuracy|f1)$")
SISTERS = (
    ("accuracy", "f1"), ("precision", "recall"), ("precision", "f1"), ("recall", "f1"), ("cos_sim_pearson", "cos_sim_spearman"),
    ("cosine_pearson", "cosine_spearman"), ("pearson", "spearman"), ("map", "mrr"), ("map_at_10", "ndcg_at_10"),
    ("mrr_at_10", "ndcg_at_10"), ("cosine_mrr@10", "cosine_ndcg@10"), ("cos_sim_ap", "cos_sim_f1"), ("cosine_ap", "cosine_f1"),
)  # fmt: skip
HEADLINE = Pattern(
    r"^(?:main_score|accuracy|f1|ap|map|v_measure|ndcg|ndcg(?:_at_|@)10|(?:cos_sim|cosine|max|dot|similarity)_(?:ap|accuracy|f1|spearman|pearson)"
    r"|spearman|pearson|cosine_(?:ndcg|map|mrr)@\d{1,4})$"
)
# Telling one translation among a few hundred sentences from the others is easy, or hopeless: 100 and 0 are honest scores there. All
# pairs of OpusparcusPC's test.full are paraphrases, so that every model has 100.
EXTREME = Pattern(r"bitext|tatoeba|bucc|opusparcus", re.IGNORECASE)


def check_scores(facts: Facts, file: str, located: Located, results: list[Result]) -> None:
    """Fill the facts of the group `results` that compare scores with each other and with what they can be."""
    _unnumbered(facts, results)
    _datasets(facts, file, located, results)
    _repeats(facts, results)
    _scales(facts, results)
    for result in results:
        _within(facts, result)
    _extremes(facts, results)
    _alike(facts, results)
    if verified := [metric for result in results for metric in result.metrics if metric.verified]:
        facts.add("results.unverified", verified[0].place, metric=verified[0].kind, count=len(verified))


def _counted(found: Iterable[tuple[str, Location]]) -> Iterator[tuple[str, int, Location]]:
    """Yield each text once, with how often it occurs and its first place."""
    places: dict[str, Location] = {}
    counts: Counter[str] = Counter()
    for text, place in found:
        places.setdefault(text, place)
        counts[text] += 1
    for text, place in places.items():
        yield text, counts[text], place


def _unnumbered(facts: Facts, results: list[Result]) -> None:
    """Note the values that are no numbers, one row for each way of not being one."""
    found: dict[str, tuple[Result, Metric]] = {}
    counts: Counter[str] = Counter()
    for result in results:
        for metric in result.metrics:
            if metric.value is None:
                how = _not_a_number(metric.raw)
                found.setdefault(how, (result, metric))
                counts[how] += 1
    for how, (result, metric) in found.items():
        what = f"{metric.kind or 'a metric without a type'} of {result.what}"
        facts.add("results.unnumbered", metric.place, what=what, written=_short(metric.raw), how=how, count=counts[how])


def _not_a_number(raw: Any) -> str:
    if raw is None:
        return "empty"
    if isinstance(raw, bool):
        return "true or false"
    if isinstance(raw, (list, dict)):
        return "a list" if isinstance(raw, list) else "a mapping"
    if isinstance(raw, str):
        return "text" if raw.strip().lower() not in ("nan", "inf", "-inf", "infinity") else "not finite"
    return "not finite"


def _short(raw: Any) -> str:
    text = "empty" if raw is None else f"a list of {len(raw)}" if isinstance(raw, list) else str(raw)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _datasets(facts: Facts, file: str, located: Located, results: list[Result]) -> None:
    """Note revisions and ids that lead to no data, splits that were trained on, and results without a split."""

    def place(result: Result, key: str) -> Location:
        return Location(file, *located.place((*result.path, "dataset", key)))

    revisions = ((result.revision, place(result, "revision")) for result in results if result.revision and not is_commit(result.revision))
    for revision, count, where in _counted(revisions):
        facts.add("results.revisions", where, revision=revision[:80], count=count)
    names = {result.dataset_id: result.dataset or "" for result in reversed(results)}
    ids = ((result.dataset_id, place(result, "type")) for result in results if result.dataset_id is not None)
    for dataset_id, count, where in _counted(ids):
        if problem := id_problem(dataset_id):
            if problem == "legacy" and names[dataset_id].startswith("MTEB"):  # MTEB has its own copies, under owners
                problem = "owner"
            facts.add("results.dataset_ids", where, id=dataset_id[:80], problem=problem, count=count)
    trained = [result for result in results if (result.split or "").lower() == "train" and not trains_on_train_split(result.dataset)]
    for dataset, count, where in _counted((result.what, place(result, "split")) for result in trained):
        facts.add("results.train_splits", where, dataset=dataset, count=count)
    without = [place(result, "name") for result in results if result.split is None and result.dataset_id is not None and result.metrics]
    if without:
        facts.add("results.splitless", without[0], count=len(without), of=len(results))


def _same(first: Metric, second: Metric) -> bool:
    if first.value is None or second.value is None:
        return first.written == second.written
    scale = 100.0 if max(abs(first.value), abs(second.value)) > 1 else 1.0
    return math.isclose(first.value, second.value, rel_tol=0, abs_tol=SAME * scale)


def _repeats(facts: Facts, results: list[Result]) -> None:
    """Note measurements that stand twice: once with another value, once with the same."""
    seen: dict[tuple[str | None, ...], Metric] = {}
    conflicts: dict[str, tuple[Metric, Metric, str]] = {}
    repeats: dict[str, tuple[Metric, str]] = {}
    differing: Counter[str] = Counter()
    equal: Counter[str] = Counter()
    for result in results:
        group = " ".join(part for part in (result.what, result.config, result.split) if part)
        key = (result.model, result.task, result.dataset, result.dataset_id, result.config, result.split, result.revision, result.variant)
        for metric in result.metrics:
            first = seen.setdefault((*key, metric.kind, metric.variant), metric)
            if first is metric:
                continue
            if _same(first, metric):
                repeats.setdefault(group, (metric, first.kind))
                equal[group] += 1
            else:
                conflicts.setdefault(group, (first, metric, metric.kind))
                differing[group] += 1
    for group, (first, second, kind) in conflicts.items():
        facts.add(
            "results.conflicts",
            second.place,
            what=f"{group} {kind}".strip(),
            first=first.written,
            second=second.written,
            count=differing[group],
        )
    for group, (metric, kind) in repeats.items():
        facts.add("results.repeats", metric.place, what=f"{group} {kind}".strip(), value=metric.written, count=equal[group])


def _scale(result: Result) -> str | None:
    """Tell whether a result is in `fractions` or in `percent`; None where it may be either."""
    sizes = [abs(metric.value or 0.0) for metric in result.bounded()]
    most = max(sizes, default=0.0)
    if most > 1.5:
        return "percent"
    return "fractions" if 0.2 <= most <= 1.0 and not EXTREME.search(f"{result.task} {result.dataset}") else None


def _first_headline(result: Result) -> Metric | None:
    bounded = result.bounded()
    return next((metric for metric in bounded if HEADLINE.match(metric.kind)), bounded[0] if bounded else None)


def _scales(facts: Facts, results: list[Result]) -> None:
    """Note a card that mixes fractions and percentages between its results, at the first of the fewer ones."""
    scales: dict[str, list[Result]] = {"fractions": [], "percent": []}
    for result in results:
        if scale := _scale(result):
            scales[scale].append(result)
    few, many = sorted(scales.values(), key=len)
    if few:
        odd, usual = _first_headline(few[0]), _first_headline(many[0])
        if odd and usual:
            text = f"{odd.kind} of {few[0].what} is {odd.written}"
            other = f"{usual.kind} of {many[0].what} is {usual.written}"
            facts.add("results.mixed_scales", odd.place, odd=text, usual=other, count=len(few), of=len(few) + len(many))


def _within(facts: Facts, result: Result) -> None:
    """Note what the metrics of one result say against each other."""
    values: dict[str, Metric] = {}
    for metric in result.metrics:
        if metric.kind in values:  # two runs in one result: nothing to compare
            return
        if metric.value is not None:
            values[metric.kind] = metric
    if len(values) < 2:
        return
    _main_score(facts, result, values)
    _order(facts, result, values)
    for left, right in SISTERS:
        if left in values and right in values and (pair := _of_two_scales(values[left], values[right])):
            small, large = pair
            text, other = f"{small.kind} of {result.what} is {small.written}", f"{large.kind} is {large.written}"
            facts.add("results.mixed_scales", small.place, odd=text, usual=other, count=1, of=2)
            return


def _of_two_scales(left: Metric, right: Metric) -> tuple[Metric, Metric] | None:
    small, large = sorted((left, right), key=lambda metric: abs(metric.value or 0.0))
    low, high = abs(small.value or 0.0), abs(large.value or 0.0)
    return (small, large) if 0.4 <= low <= 1.0 and high > 20 and abs(high - 100 * low) <= 6 else None


def _main_score(facts: Facts, result: Result, values: dict[str, Metric]) -> None:
    """Note a main score that is the copy of no other metric of its result: MTEB always makes it one."""
    main = values.get("main_score")
    if main is None or main.value is None:
        return
    others = [metric for metric in values.values() if metric is not main]
    if len(others) < 2 or not any(HEADLINE.match(metric.kind) for metric in others):
        return
    copies = [abs(main.value - factor * (metric.value or 0.0)) <= 0.01 for metric in others for factor in (1, 100, 0.01)]
    nearest = next(metric for metric in others if HEADLINE.match(metric.kind))
    if not any(copies):
        facts.add(
            "results.main_scores", main.place, dataset=result.what, value=main.written, metric=nearest.kind, other=nearest.written,
            count=len(others),
        )  # fmt: skip


def _order(facts: Facts, result: Result, values: dict[str, Metric]) -> None:
    """Note scores that cannot stand beside each other: recall cannot fall as more is looked at, a maximum is not below its parts."""
    series: dict[tuple[str, str], list[tuple[int, Metric]]] = {}
    for kind, metric in values.items():
        found = AT_K.match(kind)
        if found and not (found[1].endswith("map") and found[2] == "@"):  # some divide by k where fewer are looked at
            series.setdefault((found[1], found[2]), []).append((int(found[3]), metric))
        elif part := OF_MAX.match(kind):
            most = values.get(f"max_{part[1]}")
            if most is not None and _below(most, metric):
                _disorder(facts, result, metric, most)
    for steps in series.values():
        for (_, fewer), (_, more) in itertools.pairwise(sorted(steps, key=lambda step: step[0])):
            if _below(more, fewer):
                _disorder(facts, result, fewer, more)
                break


def _below(more: Metric, fewer: Metric) -> bool:
    high, low = more.value or 0.0, fewer.value or 0.0
    return high < low - 0.0003 * (100.0 if low > 1 else 1.0)


def _disorder(facts: Facts, result: Result, low: Metric, high: Metric) -> None:
    facts.add("results.disorder", high.place, dataset=result.what, low=low.kind, first=low.written, high=high.kind, second=high.written)


def _extremes(facts: Facts, results: list[Result]) -> None:
    """Note headline scores of exactly 100 percent and of exactly nought."""
    fractions = all(abs(metric.value or 0.0) <= 1 for result in results for metric in result.bounded())
    for result in results:
        if EXTREME.search(f"{result.task} {result.dataset}"):
            continue
        for metric in result.bounded():
            if HEADLINE.match(metric.kind) and metric.value is not None:
                best = metric.value >= 99.9999 or (fractions and metric.value >= 0.999999)
                if (best and metric.value < 100.001) or metric.value == 0:
                    name = "results.perfect" if best else "results.zeros"
                    facts.add(name, metric.place, dataset=result.what, metric=metric.kind, value=metric.written)
                    break


def _alike(facts: Facts, results: list[Result]) -> None:
    """Note data sets that share all their scores, and a card in which nearly all have the same one."""
    vectors: dict[tuple[tuple[str, float], ...], Result] = {}
    for result in results:
        vector = tuple(sorted((metric.kind, metric.value) for metric in result.bounded() if metric.value not in (None, 0, 1, 100)))
        if len({value for _, value in vector}) < 4 or EXTREME.search(f"{result.task} {result.dataset}"):
            continue
        first = vectors.setdefault(vector, result)
        if _base(first) != _base(result):
            facts.add("results.twins", result.metrics[0].place, dataset=result.what, other=first.what, count=len(vector))
    heads = [(result, metric) for result in results if (metric := _first_headline(result))]
    if len({result.what for result, _ in heads}) >= 5:
        value, count = Counter(metric.value for _, metric in heads).most_common(1)[0]
        if count >= 0.8 * len(heads):
            first_place = next(metric.place for _, metric in heads if metric.value == value)
            facts.add("results.uniform", first_place, value=str(value), count=count, of=len(heads))


def _base(result: Result) -> str:
    """Return the data set without version and configuration: STS22 and STS22.v2 share languages, and with them scores."""
    return re.sub(r"\s{0,3}\([^()]{0,80}\)$|\.v\d{1,2}\b", "", result.dataset or result.dataset_id or "").lower()
