"""What the checks saw of each model, judged by the rules: findings with their evidence, and what could not be judged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardcheck.engine.cel import activation, normalise
from cardcheck.engine.evaluate import evaluate
from cardcheck.facts.board import PARTS, set_board
from cardcheck.facts.model import Facts
from cardcheck.leaderboard.checks import broken, copies, dated, declared, reported, trained, unusual
from cardcheck.report.board.records import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cardcheck.engine.evaluate import Judgement
    from cardcheck.engine.rule import Rule
    from cardcheck.leaderboard.checks.seen import Records, Seen

CHECKS = (unusual, trained, copies, broken, reported, declared, dated)
SEVERITIES = {"error": 0, "warning": 1, "note": 2}
CONFIDENCES = {"high": 0, "medium": 1, "low": 2}
MOST = 20  # findings of one rule that a model has


def board_rules(rules: Iterable[Rule]) -> list[Rule]:
    """Return the rules that need what the audit of a board sees."""
    return [rule for rule in rules if not set(PARTS).isdisjoint(rule.needs)]


def look(seen: Seen) -> Records:
    """Return what all checks saw, the fields of the group `board` of each model."""
    found: Records = {}
    for check in CHECKS:
        for model, values in check.find(seen).items():
            found.setdefault(model, {}).update(values)
    return found


def judge(model: str, record: Mapping[str, Any], rules: Sequence[Rule]) -> tuple[tuple[Finding, ...], dict[str, str]]:
    """Judge one model's record; return findings, gravest and surest first, and the rules that could not be judged, with why."""
    facts = Facts()
    facts.set("subject.id", model)
    facts.set("subject.name", model.rpartition("/")[2])
    facts.set("subject.kind", "hub")
    set_board(facts, record)
    findings: list[Finding] = []
    unknown: dict[str, str] = {}
    for judged in evaluate(facts, rules):
        if judged.outcome == "unknown":
            unknown[judged.rule.id] = judged.reason
        elif judged.outcome == "fail":
            findings += _found(judged, facts)
    findings.sort(key=lambda one: (SEVERITIES[one.severity], CONFIDENCES[one.confidence], one.rule))
    return tuple(findings), unknown


def _found(judged: Judgement, facts: Facts) -> list[Finding]:
    """Return a rule's findings, each with the evidence in its row."""
    rule = judged.rule
    given = {name: normalise(value) for name, value in facts.values.items() if name.startswith("board.")}
    rows = rule.fails.evaluate(activation({**facts.values, **given}))
    rows = rows if isinstance(rows, list) else [{"evidence": facts["board.trained_furthest"]}] if "board.trained" in rule.needs else [{}]
    found = []
    for finding, row in zip(judged.findings[:MOST], rows, strict=False):
        named = next((str(row[key]) for key in ("name", "task", "other") if row.get(key)), "")
        evidence = tuple(str(line) for line in row.get("evidence") or ())
        words = (rule.id, facts["subject.id"], named)
        task = row.get("task")
        found.append(Finding(rule.id, rule.name, rule.severity, rule.confidence, finding.message, evidence, task, " ".join(words).rstrip()))
    return found
