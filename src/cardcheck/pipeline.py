"""The one way of data: subject → facts → findings, and the measurement → verdict; all of it in an Audit."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cardcheck.engine import suppress
from cardcheck.engine.evaluate import Finding, Judgement, Silenced, evaluate
from cardcheck.engine.library import ready_rules
from cardcheck.engine.rule import SEVERITIES, Severity
from cardcheck.engine.select import choose, matches
from cardcheck.facts import Facts, collect
from cardcheck.settings import Settings
from cardcheck.subject import Subject, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cardcheck.engine.rule import Rule
    from cardcheck.facts.located import Location
    from cardcheck.leaderboard.evidence import Evidence
    from cardcheck.net.answers import Outside
    from cardcheck.net.client import Asked
    from cardcheck.spotcheck.check import Options
    from cardcheck.spotcheck.result import SpotCheck

SHOWN = 20  # findings of one rule and subject
SHOWN_OF_APPLICATION = 200  # which is one subject, however many files it has


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that was found out about one subject. `spotcheck` is None where measuring was not asked for.

    `remarks` are about comments in the subject's files that should silence a rule and do not. `leaderboard` says which store of the
    leaderboard was evidence, or what one would have added.
    """

    subject: Subject
    facts: Facts
    judgements: list[Judgement]
    spotcheck: SpotCheck | None = None
    remarks: tuple[suppress.Remark, ...] = ()
    leaderboard: str = ""

    @property
    def findings(self) -> list[Finding]:
        """All findings, gravest first, then by rule and place."""
        found = [finding for judgement in self.judgements for finding in judgement.findings]
        return sorted(found, key=lambda finding: SEVERITIES.index(finding.rule.severity))

    def outcomes(self, outcome: str) -> list[Judgement]:
        """Return the judgements with one outcome."""
        return [judgement for judgement in self.judgements if judgement.outcome == outcome]

    def silenced(self, by: str) -> int:
        """Return the number of findings that a `comment`, the `settings` or the `baseline` silence."""
        return sum(silenced.by == by for judged in self.judgements for silenced in judged.silenced)

    def count(self, severity: Severity) -> int:
        """Return the number of findings of one severity, those beyond the shown ones included."""
        return sum(len(judged.findings) + judged.more for judged in self.judgements if judged.rule.severity == severity)

    def abridged(self) -> Audit:
        """Return the audit with no more findings of each rule than a report shows; the others are counted."""
        most = SHOWN_OF_APPLICATION if self.subject.kind == "application" else SHOWN
        if all(len(judged.findings) <= most for judged in self.judgements):
            return self
        judgements = [
            replace(judged, findings=judged.findings[:most], more=judged.more + max(0, len(judged.findings) - most))
            for judged in self.judgements
        ]
        return replace(self, judgements=judgements)

    def failed(self, fail_on: str = "warning") -> bool:
        """Tell whether there is a finding at or above `fail_on` (`error`, `warning`, `note` or `never`), or the gap is unexplained."""
        if self.spotcheck is not None and self.spotcheck.verdict == "unexplained":
            return True
        counted = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on in SEVERITIES else ()
        return any(self.count(severity) for severity in counted)

    def path_of(self, location: Location) -> str:
        """Return the file of a place as a path from the working directory, where it lies on this machine; else within the subject."""
        if self.subject.kind in ("hub", "cache") or self.subject.given == "-":
            return location.file
        root = self.subject.path.parent if self.subject.kind == "card" else self.subject.path
        if self.subject.kind == "card" and location.file == ".":
            root = self.subject.path
        try:
            path = os.path.relpath(root / location.file)
        except ValueError:  # another drive
            path = str(root / location.file)
        return Path(path).as_posix() if not path.startswith("..") else Path(os.path.abspath(path)).as_posix()  # noqa: PTH100

    def fingerprint(self, finding: Finding) -> str:
        """Return 32 hexadecimal digits that stay the same while lines are added above the finding."""
        where = self.subject.id or "" if self.subject.kind in ("hub", "cache") else self.path_of(finding.location)
        return hashlib.sha256(f"{where}\n{finding.key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Run:
    """One call of a command: what it found out about all subjects it was given, as far as it is shown, and every request it made.

    Reporters take this.
    """

    command: Literal["audit", "lint"]
    audits: list[Audit]
    asked: Sequence[Asked] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "audits", [audit.abridged() for audit in self.audits])

    def failed(self, fail_on: str = "warning") -> bool:
        """Tell whether any of the audits failed."""
        return any(audit.failed(fail_on) for audit in self.audits)

    def count(self, severity: Severity) -> int:
        """Return the number of findings of one severity."""
        return sum(audit.count(severity) for audit in self.audits)

    def silenced(self, by: str) -> int:
        """Return the number of findings that a `comment`, the `settings` or the `baseline` silence."""
        return sum(audit.silenced(by) for audit in self.audits)


def lint(
    given: str | Path,
    *,
    hub_id: str | None = None,
    offline: bool = False,
    settings: Settings | None = None,
    outside: Outside | None = None,
) -> Audit:
    """Judge a model folder, a card or a Hub repository by its files and, where `outside` is given, by what the outside says.

    `hub_id` says which repository a folder is a copy of. With `settings`, comments in the files may silence findings.
    Raises CardcheckError.
    """
    subject = resolve(str(given), hub_id=hub_id, offline=offline, weights=False)
    return judge(subject, rules_of(settings), settings, outside=outside)


def audit(
    given: str | Path,
    *,
    hub_id: str | None = None,
    offline: bool = False,
    settings: Settings | None = None,
    measure: Options | None = None,
    outside: Outside | None = None,
    leaderboard: Evidence | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Audit:
    """Judge a model by its files and by what the `outside` says, and measure it on the held-out set as `measure` says.

    None leaves measuring, or asking, out. Where the `leaderboard` has a store, that is asked first for official results, and for what
    the audit of all models saw of this one.

    Of `settings` only the choice of rules counts: a card that is audited has no say in what is found in it. `progress` is told
    (texts encoded, texts in all). Raises CardcheckError.
    """
    subject = resolve(str(given), hub_id=hub_id, offline=offline, weights=measure is not None)
    if measure is not None and measure.device == "cpu" and subject.path.is_dir():  # a card alone is not measured
        from cardcheck.spotcheck.children import prepare

        prepare()  # libraries are imported while the files are judged and the outside is asked
    found = judge(subject, rules_of(settings), embedding=True, outside=outside, leaderboard=leaderboard)
    if measure is None:
        return found
    from cardcheck.spotcheck.check import spotcheck

    return replace(found, spotcheck=spotcheck(subject, found.facts, measure, progress=progress))


def rules_of(settings: Settings | None) -> list[Rule]:
    """Return the rules that the settings choose, None for the default ones. Raises CardcheckError."""
    if settings is None:
        return choose(ready_rules())
    return choose(
        ready_rules(settings.rules),
        profile=settings.profile,
        select=settings.select,
        ignore=settings.ignore,
        severities=settings.severity,
        others=[selector for selectors in settings.per_path.values() for selector in selectors],
    )


def judge(
    subject: Subject,
    rules: Iterable[Rule],
    settings: Settings | None = None,
    *,
    embedding: bool = False,
    outside: Outside | None = None,
    leaderboard: Evidence | None = None,
) -> Audit:
    """Judge one subject; `embedding` where somebody says that it embeds.

    Where `settings` are given, comments in its files and the settings' paths silence findings. An audit gives none: a stranger's card
    has no say in what is found in it, and neither has one from the Hub.
    """
    heeded = settings or Settings()
    outside = leaderboard.before(outside) if leaderboard and outside else outside
    facts = collect(subject, embedding=embedding, audits=heeded.audits, max_audit_age_days=heeded.max_audit_age_days, outside=outside)
    if leaderboard:
        leaderboard.tell(facts)
    found = Audit(subject, facts, evaluate(facts, rules), leaderboard=leaderboard.note if leaderboard else "")
    if settings is None or subject.kind in ("hub", "cache"):
        return found
    judgements, remarks = suppress.apply(found.judgements, facts.texts)
    if settings.per_path:
        judgements = [_where_ignored(found, judged, settings.per_path) for judged in judgements]
    return replace(found, judgements=judgements, remarks=tuple(remarks))


def _where_ignored(audit: Audit, judged: Judgement, per_path: Mapping[str, tuple[str, ...]]) -> Judgement:
    """Silence the findings in files for which the settings say that the rule does not count."""
    patterns = [pattern for pattern, selectors in per_path.items() if any(matches(judged.rule, selector) for selector in selectors)]
    if not patterns or not judged.findings:
        return judged
    kept, silenced = [], list(judged.silenced)
    for finding in judged.findings:
        path = audit.path_of(finding.location)
        pattern = next((p for p in patterns if fnmatch(path, p) or fnmatch(path, p.rstrip("/") + "/*")), None)
        if pattern is None:
            kept.append(finding)
        else:
            silenced.append(Silenced(finding, "settings", f"ignored in {pattern}"))
    outcome, more = (judged.outcome, judged.more) if kept else ("pass", 0)
    return replace(judged, outcome=outcome, findings=kept, more=more, silenced=silenced)
