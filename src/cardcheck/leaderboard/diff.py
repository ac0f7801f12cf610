"""What changed from one report of a board to the next, with noise left out: ties that changed places are no news.

Places are counted among the models that both reports have, as newcomers move everyone. In the official order a model has moved where its
own scores changed and the places that its group of ties holds and held have none in common; in the credible order where its two intervals
have nothing in common.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.report.board.records import KINDS, SEVERITIES, Change, Changes
from cardcheck.report.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardcheck.report.board.records import Finding, Model, Report

    Models = Mapping[str, Model]
    Span = tuple[float, float]

LEAST = 0.0005  # a change of score that no table shows, which has two digits of a hundred


def diff(old: Report, new: Report) -> Changes:
    """Return what changed. Raises CardcheckError for reports of two boards."""
    if old.board != new.board:
        raise CardcheckError(f"the reports are of two boards, {old.board} and {new.board}", hint="a difference is of one board")
    before, after = ({model.model: model for model in report.models} for report in (old, new))
    found = [
        *_findings(before, after), *_models(before, after), *_official(before, after), *_credible(before, after),
        *_ranked(before, after), *_scores(before, after),
    ]  # fmt: skip
    kinds = tuple(KINDS)
    found.sort(key=lambda change: (kinds.index(change.kind), _rank(change.severity)))  # else as they were found
    return Changes(new.board, old.date, new.date, tuple(found), tuple(_notes(old, new, before, after)))


def _rank(severity: str | None) -> int:
    """Return a severity's place, the gravest first; one that this version does not know comes last."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _notes(old: Report, new: Report, before: Models, after: Models) -> Iterator[str]:
    if old.date > new.date:
        yield f"the old report is of {old.date}, after the new one's {new.date}: are the two the wrong way round?"
    if old.cardcheck_version != new.cardcheck_version:
        yield f"cardcheck {old.cardcheck_version} wrote the old report and {new.cardcheck_version} the new: findings may differ by rules"
    came, went = (sorted(set(one) - set(other)) for one, other in ((new.tasks, old.tasks), (old.tasks, new.tasks)))
    for tasks, what in ((came, "came to"), (went, "left")):
        if tasks:
            yield f"{count(len(tasks), 'task')} {what} the board: {', '.join(tasks[:5])}" + (" and others" if len(tasks) > 5 else "")
    open_ = sum(1 for name, _, new in _both(before, after) for one in _lost(before[name], new) if one.rule in new.unknown)
    if open_:
        yield f"{count(open_, 'finding')} of the old report cannot be checked now, and so not counted as gone"
    lost = sum(len(before[name].findings) for name in before.keys() - after.keys())
    if lost:
        yield f"{count(lost, 'finding')} went with the model"


def _both(before: Models, after: Models) -> list[tuple[str, Model, Model]]:
    """Return the models of both reports, in the new order."""
    return [(name, before[name], new) for name, new in after.items() if name in before]


def _lost(old: Model, new: Model) -> list[Finding]:
    kept = {finding.key for finding in new.findings}
    return [finding for finding in old.findings if finding.key not in kept]


def _findings(before: Models, after: Models) -> Iterator[Change]:
    for name, model in after.items():
        known = {finding.key for finding in before[name].findings} if name in before else set()
        for one in model.findings:
            if one.key not in known:
                yield _about(name, one, "new finding", "" if name in before else " (a new model)")
    for name, old, new in _both(before, after):
        for one in _lost(old, new):
            if one.rule not in new.unknown:
                yield _about(name, one, "resolved finding", "")


def _about(model: str, one: Finding, kind: str, more: str) -> Change:
    return Change(kind, model, f"{one.rule} {one.name}: {one.message}{more}", rule=one.rule, severity=one.severity, task=one.task)


def _models(before: Models, after: Models) -> Iterator[Change]:
    for name, model in after.items():
        if name not in before:
            yield Change("new model", name, _standing(model), new=model.score)
    for name, model in before.items():
        if name not in after:
            yield Change("gone model", name, f"was {_standing(model)}", old=model.score)


def _standing(model: Model) -> str:
    official = f"official place {model.place}" if model.place else "not ranked by the benchmark"
    credible = f"credible place {model.credible_place}" if model.credible_place else "no credible place"
    return f"{official}, {credible}, {count(model.results, 'result')}, {count(len(model.findings), 'finding')}"


def _official(before: Models, after: Models) -> Iterator[Change]:
    both = [name for name, old, new in _both(before, after) if old.group and new.group]
    was, now = (_spans({name: models[name] for name in both}) for models in (before, after))
    for name in sorted(both, key=lambda name: (after[name].place or 0, name)):
        if _apart(was[name], now[name]) and before[name].scores != after[name].scores:  # else others moved past it
            text = f"{_span(was[name])} before, {_span(now[name])} now, of {len(both)} that both reports rank"
            yield Change("official move", name, text, before[name].place, after[name].place)


def _spans(models: Models) -> dict[str, Span]:
    """Return the first and last place that each model's group of ties holds among these models."""
    order = sorted(models, key=lambda name: (models[name].place or 0, name))
    held: dict[int | None, list[int]] = {}
    for place, name in enumerate(order, 1):
        held.setdefault(models[name].group, []).append(place)
    return {name: (held[models[name].group][0], held[models[name].group][-1]) for name in order}


def _apart(one: Span, other: Span) -> bool:
    """Tell whether two intervals have nothing in common."""
    return one[1] < other[0] or other[1] < one[0]


def _span(span: Span) -> str:
    return f"place {span[0]:g}" if span[0] == span[1] else f"tied for places {span[0]:g} to {span[1]:g}"


def _credible(before: Models, after: Models) -> Iterator[Change]:
    for name, old, new in _both(before, after):
        was, now = (old.low, old.high), (new.low, new.high)
        if None not in (*was, *now) and _apart(was, now):  # type: ignore[arg-type]  # None was looked for
            text = f"{_interval(old)} before, {_interval(new)} now; it rests on {new.results} results, before on {old.results}"
            yield Change("credible move", name, text, old.score, new.score)


def _interval(model: Model) -> str:
    return f"{100 * (model.score or 0):.1f} ({100 * (model.low or 0):.1f} to {100 * (model.high or 0):.1f})"


def _ranked(before: Models, after: Models) -> Iterator[Change]:
    for name, old, new in _both(before, after):
        if (old.place is None) != (new.place is None):
            text = f"ranked by the benchmark now, place {new.place}" if new.place else f"no longer ranked, was place {old.place}"
            yield Change("ranked", name, text, old.place, new.place)
        if (old.credible_place is None) != (new.credible_place is None):
            text = f"credible place {new.credible_place} now" if new.credible_place else f"no credible place now, was {old.credible_place}"
            yield Change("ranked", name, text, old.credible_place, new.credible_place)


def _scores(before: Models, after: Models) -> Iterator[Change]:
    for name, old, new in _both(before, after):
        for task, now in new.scores.items():
            was = old.scores.get(task)
            if was is not None and abs(now - was) >= LEAST:
                text = f"{task}: {100 * was:.2f} before, {100 * now:.2f} now ({100 * (now - was):+.2f})"
                yield Change("changed score", name, text, was, now, task=task)
        came = [task for task in new.scores if task not in old.scores]
        went = [task for task in old.scores if task not in new.scores]
        if came or went:
            said = [f"{len(held)} {what}: {_few(held)}" for held, what in ((came, "new"), (went, "gone")) if held]
            yield Change("results", name, "; ".join(said), len(went), len(came))


def _few(tasks: list[str]) -> str:
    return ", ".join(tasks[:3]) + (f" and {len(tasks) - 3} more" if len(tasks) > 3 else "")
