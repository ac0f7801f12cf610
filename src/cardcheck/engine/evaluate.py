"""Judging facts by rules."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from cardcheck.engine.cel import CelError, Expression, activation, normalise
from cardcheck.facts.located import Location
from cardcheck.facts.schema import FIELDS
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cel_expr_python import cel

    from cardcheck.engine.rule import Rule
    from cardcheck.facts.model import Facts

Outcome = Literal["pass", "fail", "not_applicable", "unknown"]
MAX_FINDINGS = 1000  # of one rule; comments, settings and the baseline may silence most of them, so this is more than a report shows
NAME = Pattern(r"\b[a-z]+\.[a-z_]+")
MAX_LINE = 160
MAX_COLUMN = 10_000  # a place further on in its line, as in a file of one line, is told without the line


@dataclass(frozen=True, slots=True)
class Finding:
    """A failed rule at a place. `source_line` is the line of the file there, where it is a text file.

    `edit` is the safe fix, where there is one: (what stands at the place, what replaces it). `key` names the finding in the same words
    as long as its line or, where it is about no line of its own, its message stays: line numbers are not in it.
    """

    rule: Rule
    message: str
    location: Location
    source_line: str | None = None
    key: str = ""
    edit: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Silenced:
    """A finding that does not count: a comment in the file or the settings silence it, or the baseline knows it."""

    finding: Finding
    by: Literal["comment", "settings", "baseline"]
    reason: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of one rule; `reason` says why for `unknown` and `not_applicable`.

    `more` counts findings of the same rule beyond those that are listed.
    """

    rule: Rule
    outcome: Outcome
    reason: str = ""
    findings: Sequence[Finding] = ()
    more: int = 0
    silenced: Sequence[Silenced] = ()


def evaluate(facts: Facts, rules: Iterable[Rule]) -> list[Judgement]:
    """Judge the facts by each rule. Whatever goes wrong inside a rule is `unknown` with its message, never a pass."""
    rules = tuple(rules)
    values = dict(facts.values)
    for name in _spoken_of(rules):
        if values[name]:
            values[name] = normalise(values[name])
    case = _Case(facts, values, activation(values), {})
    return [_judge(rule, case) for rule in rules]


@dataclass(frozen=True, slots=True)
class _Case:
    """What all rules judge: the facts, as values that are safe to evaluate, bound once; and the conditions evaluated so far."""

    facts: Facts
    values: dict[str, Any]
    bound: cel.Activation
    conditions: dict[str, bool]

    def holds(self, condition: Expression) -> bool:
        """Tell whether a `when` holds; many rules share one."""
        if condition.text not in self.conditions:
            self.conditions[condition.text] = condition.evaluate(self.bound) is True
        return self.conditions[condition.text]


@functools.lru_cache(maxsize=8)
def _spoken_of(rules: tuple[Rule, ...]) -> tuple[str, ...]:
    """Return the facts that the rules name; the others are bound too, but nobody looks at them."""
    texts = {
        part.text
        for rule in rules
        for part in (rule.when, rule.fails, *rule.message, *sum(rule.edit or (), ()))
        if isinstance(part, Expression)
    }
    named = {name for text in texts for name in NAME.findall(text)}
    return tuple(name for name in FIELDS if name in named)


@functools.lru_cache(maxsize=4096)
def _without_finding(rule: Rule, outcome: Outcome, reason: str = "") -> Judgement:
    """Return the one judgement that says this: thousands of subjects pass most rules, and each says the same."""
    return Judgement(rule, outcome, reason)


def _judge(rule: Rule, case: _Case) -> Judgement:
    absent = ""
    for name in rule.needs:
        source = case.facts.sources[name]
        if source.state == "unavailable":
            return Judgement(rule, "unknown", f"{name}: {source.reason}")
        if source.state == "absent":
            absent = absent or f"{name}: {source.reason or 'absent'}"
    if absent:
        return _without_finding(rule, "not_applicable", absent)
    try:
        return _evaluate(rule, case)
    except CelError as error:
        return Judgement(rule, "unknown", f"the rule could not be evaluated: {error.message}")


def _evaluate(rule: Rule, case: _Case) -> Judgement:
    if rule.when is not None and not case.holds(rule.when):
        return _without_finding(rule, "not_applicable", "its condition does not hold")
    if rule.picks is not None and not case.values[rule.picks]:
        return _without_finding(rule, "pass")
    failed = rule.fails.evaluate(case.bound, most=MAX_FINDINGS)
    if not isinstance(failed, (bool, list)):
        return Judgement(rule, "unknown", "the condition gave neither true nor false")
    if not failed:
        return _without_finding(rule, "pass")
    rows = failed[:MAX_FINDINGS] if isinstance(failed, list) else [None]
    findings = _with_keys([_finding(rule, case, row) for row in rows], by_line=isinstance(failed, list))
    return Judgement(rule, "fail", findings=findings, more=len(failed) - len(rows) if isinstance(failed, list) else 0)


def _finding(rule: Rule, case: _Case, row: Any) -> Finding:
    location = case.facts.place(rule.at)
    if isinstance(row, dict) and isinstance(row.get("file"), str):
        line, column = (row[key] if isinstance(row.get(key), int) and row[key] > 0 else 1 for key in ("line", "column"))
        location = Location(row["file"], line, column)
    bound = activation(case.values, row)
    edit = (_filled(rule.edit[0], bound), _filled(rule.edit[1], bound)) if rule.edit else None
    return Finding(
        rule, _filled(rule.message, bound), location, _source_line(case.facts, location), edit=edit if edit and edit[0] != edit[1] else None
    )


def _filled(template: tuple[str | Expression, ...], bound: Any) -> str:
    return "".join(part if isinstance(part, str) else _text(part.evaluate(bound)) for part in template)


def _with_keys(findings: list[Finding], *, by_line: bool) -> list[Finding]:
    """Name findings by the words of their lines; one that is about the whole file, wherever it points, by its message."""
    seen: Counter[str] = Counter()
    keyed = []
    for finding in findings:
        words = finding.source_line if by_line and finding.source_line else finding.message
        key = f"{finding.rule.id}\n{finding.location.file}\n{words.strip()}"
        seen[key] += 1
        keyed.append(replace(finding, key=f"{key}\n{seen[key]}"))
    return keyed


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return str(value)


def _source_line(facts: Facts, location: Location) -> str | None:
    text = facts.texts.get(location.file)
    if text is None or location.line is None:
        return None
    lines = text.split("\n", location.line)
    if len(lines) < location.line:
        return None
    column = location.column or 1
    return lines[location.line - 1][: max(MAX_LINE, column + MAX_LINE // 2)].rstrip("\r") if column <= MAX_COLUMN else None
