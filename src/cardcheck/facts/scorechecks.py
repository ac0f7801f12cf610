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

from cardcheck.facts.datasets import task_name
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
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
# pairs of OpusparcusPC's test.full are paraphrases, so that every model has 100. Of the other tasks more than one model in fifty had one
# of the two on the leaderboard of August 2026: needles in long texts, sets of a few dozen questions, pages that were made to be found.
EXTREME = Pattern(
    r"bitext|tatoeba|bucc|opusparcus|lemb(?:needle|passkey)|epbench|syntheticdocqa|jinavdrstanfordslide|chemhotpotqa|humaneval|\bhume[a-z]"
    r"|fleurs|commonvoice|gunshot",
    re.IGNORECASE,
)
# mteb writes NaN for a curve that cannot be drawn, where recall is 100 say, and for the average precision of more than two classes.
UNDEFINED = Pattern(r"nauc|^ap(?:_weighted)?$", re.IGNORECASE)
QUOTED = Pattern(r"^[+-]?(?:\d{1,20}|\d{0,20}\.\d{1,40}(?:[eE][+-]\d{1,3})?)$")
EXPONENT = Pattern(r"^[+-]?\d{1,20}(?:\.\d{0,40})?[eE][+-]?\d{1,3}$")  # YAML 1.1 reads 1e-05 as text, 1.2 as a number
LEAST_FRACTION = 0.2
FEWEST = 0.05  # share of the results: of a hundred percentages one may well be below 1


def check_scores(facts: Facts, results: list[Result]) -> None:
    """Fill the facts of the group `results` that compare scores with each other and with what they can be."""
    _unnumbered(facts, results)
    _repeats(facts, results)
    _scales(facts, results)
    for result in results:
        _within(facts, result)
    _extremes(facts, results)
    _alike(facts, results)
    if verified := [metric for result in results for metric in result.metrics if metric.verified]:
        facts.add("results.unverified", verified[0].place, metric=verified[0].kind, count=len(verified))


def _unnumbered(facts: Facts, results: list[Result]) -> None:
    """Note the values that are no numbers, one row for each way of not being one."""
    found: dict[str, list[tuple[Result, Metric]]] = {}
    for result in results:
        measured = any(metric.value is not None for metric in result.metrics)
        for metric in result.metrics:
            if metric.value is None:
                how = _not_a_number(metric.raw)
                if measured and str(metric.raw).strip().lower() == "nan" and UNDEFINED.search(metric.kind):
                    how = "undefined"
                found.setdefault(how, []).append((result, metric))
    for how, pairs in found.items():
        result, metric = pairs[0]
        what = f"{metric.kind or 'a metric without a type'} of {result.what}"
        held = len({id(result) for result, _ in pairs})
        facts.add("results.unnumbered", metric.place, what=what, written=_short(metric.raw), how=how, count=len(pairs), results=held)


def _not_a_number(raw: Any) -> str:
    if raw is None:
        return "empty"
    if isinstance(raw, bool):
        return "true or false"
    if isinstance(raw, (list, dict)):
        return "a list" if isinstance(raw, list) else "a mapping"
    if isinstance(raw, str) and raw.strip().lower() not in ("nan", "inf", "-inf", "infinity"):
        return "quoted" if QUOTED.match(raw.strip()) else "exponent" if EXPONENT.match(raw.strip()) else "text"
    return "not finite"


def _short(raw: Any) -> str:
    text = "empty" if raw is None else f"a list of {len(raw)}" if isinstance(raw, list) else str(raw)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _same(first: Metric, second: Metric) -> bool:
    if first.value is None or second.value is None:
        return first.written == second.written
    scale = 100.0 if max(abs(first.value), abs(second.value)) > 1 else 1.0
    return math.isclose(first.value, second.value, rel_tol=0, abs_tol=SAME * scale)


def _repeats(facts: Facts, results: list[Result]) -> None:
    """Note measurements that stand twice: once with another value, once with the same."""
    seen: dict[tuple[str | None, ...], Metric] = {}
    conflicts: dict[tuple[str | None, str], list[tuple[Metric, Metric]]] = {}
    repeats: dict[tuple[str | None, str], list[Metric]] = {}
    for result in results:
        group = (result.task, " ".join(part for part in (result.what, result.config, result.split) if part))
        key = (result.model, result.task, result.dataset, result.dataset_id, result.config, result.split, result.revision, result.variant)
        for metric in result.metrics:
            first = seen.setdefault((*key, metric.kind, metric.variant), metric)
            if first is metric:
                continue
            if _same(first, metric):
                repeats.setdefault(group, []).append(metric)
            else:
                conflicts.setdefault(group, []).append((first, metric))
    for (_, where), pairs in conflicts.items():
        first, second = pairs[0]
        what = f"{where} {second.kind}".strip()
        facts.add("results.conflicts", second.place, what=what, first=first.written, second=second.written, count=len(pairs))
    for (_, where), again in repeats.items():
        what = f"{where} {again[0].kind}".strip()
        facts.add("results.repeats", again[0].place, what=what, value=again[0].written, count=len(again))


def _scale(result: Result) -> str | None:
    """Tell whether a result is in `fractions` or in `percent`; None where it may be either."""
    sizes = [abs(metric.value or 0.0) for metric in result.bounded()]
    most = max(sizes, default=0.0)
    if most > 1.5:
        return "percent"
    return "fractions" if LEAST_FRACTION <= most <= 1.0 and not EXTREME.search(f"{result.task} {result.dataset}") else None


def _first_headline(result: Result) -> Metric | None:
    bounded = result.bounded()
    return next((metric for metric in bounded if HEADLINE.match(metric.kind)), bounded[0] if bounded else None)


def _telling(result: Result) -> Metric:
    """Return the metric that shows a result's scale: its headline, or the largest where that is too small to show one."""
    first = _first_headline(result)
    largest = max(result.bounded(), key=lambda metric: abs(metric.value or 0.0))
    return first if first and abs(first.value or 0.0) >= LEAST_FRACTION else largest


def _scales(facts: Facts, results: list[Result]) -> None:
    """Note a card that mixes fractions and percentages between its results, at the first of the fewer ones."""
    scales: dict[str, list[Result]] = {"fractions": [], "percent": []}
    for result in results:
        if scale := _scale(result):
            scales[scale].append(result)
    few, many = sorted(scales.values(), key=len)
    of = len(few) + len(many)
    if few and len(few) >= FEWEST * of:
        odd, usual = _telling(few[0]), _telling(many[0])
        text, other = f"{odd.kind} of {few[0].what} is {odd.written}", f"{usual.kind} of {many[0].what} is {usual.written}"
        facts.add("results.mixed_scales", odd.place, odd=text, usual=other, count=len(few), of=of)


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
    wrong: list[tuple[Metric, Metric]] = []
    for kind, metric in values.items():
        found = AT_K.match(kind)
        if found and not (found[1].endswith("map") and found[2] == "@"):  # some divide by k where fewer are looked at
            series.setdefault((found[1], found[2]), []).append((int(found[3]), metric))
        elif part := OF_MAX.match(kind):
            most = values.get(f"max_{part[1]}")
            if most is not None and _below(most, metric):
                wrong.append((metric, most))
    for steps in series.values():
        pairs = itertools.pairwise([metric for _, metric in sorted(steps, key=lambda step: step[0])])
        wrong += [(fewer, more) for fewer, more in pairs if _below(more, fewer)]
    if wrong:
        low, high = wrong[0]
        facts.add(
            "results.disorder", high.place, dataset=result.what, low=low.kind, first=low.written, high=high.kind, second=high.written,
            count=len(wrong),
        )  # fmt: skip


def _below(more: Metric, fewer: Metric) -> bool:
    high, low = more.value or 0.0, fewer.value or 0.0
    return high < low - 0.0003 * (100.0 if low > 1 else 1.0)


def _extremes(facts: Facts, results: list[Result]) -> None:
    """Note headline scores of exactly 100 percent and of exactly nought."""
    fractions = all(abs(metric.value or 0.0) <= 1 for result in results for metric in result.bounded())
    zeros: list[tuple[Result, Metric]] = []
    for result in results:
        heads = [metric for metric in result.bounded() if HEADLINE.match(metric.kind)]
        if not heads or EXTREME.search(f"{result.task} {result.dataset}"):
            continue
        least = 0.999999 if fractions else 99.9999
        best = next((metric for metric in heads if least <= (metric.value or 0.0) < 100.001), None)
        if best:
            facts.add("results.perfect", best.place, dataset=result.what, metric=best.kind, value=best.written)
        # Beside a main score the other headlines are those of other tasks: accuracy is nought where pairs of texts and images are ranked.
        nought = [metric for metric in heads if metric.value == 0]
        if nought and not best and (nought == heads or "main_score" not in {metric.kind for metric in heads}):
            zeros.append((result, nought[0]))
    if zeros:
        result, metric = zeros[0]
        facts.add("results.zeros", metric.place, dataset=result.what, metric=metric.kind, value=metric.written, count=len(zeros))


def _alike(facts: Facts, results: list[Result]) -> None:
    """Note data sets that share all their scores, and a card in which nearly all have the same one."""
    vectors: dict[tuple[tuple[str, float], ...], Result] = {}
    for result in results:
        vector = tuple(sorted((metric.kind, metric.value) for metric in result.bounded() if metric.value not in (None, 0, 1, 100)))
        if len({value for _, value in vector}) < 4 or EXTREME.search(f"{result.task} {result.dataset}"):
            continue
        if result.is_combined:  # the mean over one data set is that data set's score
            continue
        first = vectors.setdefault(vector, result)
        if not _akin(_base(first), _base(result)):
            facts.add("results.twins", result.metrics[0].place, dataset=result.what, other=first.what, count=len(vector))
    heads = [(result, metric) for result in results if (metric := _first_headline(result))]
    if len({_base(result) for result, _ in heads}) >= 5:
        value, count = Counter(metric.value for _, metric in heads).most_common(1)[0]
        if count >= 0.8 * len(heads):
            first_place = next(metric.place for _, metric in heads if metric.value == value)
            facts.add("results.uniform", first_place, value=str(value), count=count, of=len(heads))


def _base(result: Result) -> str:
    """Return the data set without what names a part or another form of the same questions.

    STS22 and STS22.v2 share languages, MIRACLRetrieval and its hard negatives small collections, and with them scores; one evaluation
    cuts the vectors to many sizes, `dim_768` and `dim_512`.
    """
    return re.sub(r"\.v\d{1,2}\b|hardnegatives|[ _-](?:8|16|32|64|\d{3,4})$", "", task_name(result.dataset or result.dataset_id))


def _akin(first: str, second: str) -> bool:
    """Tell whether two data sets can hold the same questions: MultilingualSentimentClassification has those of the Spanish one."""
    one, two = (name.replace("multilingual", "") for name in (first, second))
    return one == two or ((one, two) != (first, second) and (one in two or two in one))
