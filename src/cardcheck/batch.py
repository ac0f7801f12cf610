"""Linting many subjects: on all cores, against a baseline, and with fixes."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cardcheck.engine import baseline
from cardcheck.pipeline import Audit, judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from cardcheck.engine.evaluate import Finding
    from cardcheck.engine.rule import Rule
    from cardcheck.net.answers import Outside
    from cardcheck.settings import Settings
    from cardcheck.subject import Subject

CHUNK = 40  # subjects that a process judges before it reports
WORTH_PROCESSES = 100  # subjects; for fewer, starting processes takes longer than it saves


@dataclass(frozen=True, slots=True)
class FileFix:
    """A file that fixes change: its text as it is and as it would be, and what is mended or left as it was."""

    path: str
    before: str
    after: str
    mended: list[Finding]
    left: list[Finding]


def lint_all(
    subjects: Sequence[Subject],
    rules: Sequence[Rule],
    settings: Settings,
    *,
    jobs: int | None = None,
    outside: Outside | None = None,
    progress: Callable[[int], None] = lambda _done: None,
) -> list[Audit]:
    """Judge subjects, in order; `progress` is told how many are done. `jobs` is the number of processes, None for as many as cores.

    Where the `outside` is asked, one process does it all: waiting for answers is what takes the time, and that is done in threads.

    The audits hold no texts and no lists of facts, so that thousands of them fit into memory.
    Raises CardcheckError where a subject cannot be read.
    """
    jobs = jobs if jobs is not None else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    chunks = [subjects[at : at + CHUNK] for at in range(0, len(subjects), CHUNK)]
    audits: list[Audit] = []
    if outside is not None:
        chunks = [[subject] for subject in subjects]
    for done in _map(chunks, rules, settings, jobs if outside is None and len(subjects) >= WORTH_PROCESSES else 1, outside):
        audits += done
        progress(len(audits))
    return audits


def _map(
    chunks: list[Sequence[Subject]], rules: Sequence[Rule], settings: Settings, jobs: int, outside: Outside | None
) -> Iterator[list[Audit]]:
    if jobs == 1:
        for chunk in chunks:
            yield judge_chunk(chunk, rules, settings, outside)
        return
    from cardcheck.processes import judge_in_processes  # brings pickle, which a few files do not need

    yield from judge_in_processes(chunks, rules, settings, jobs)


def judge_chunk(chunk: Sequence[Subject], rules: Sequence[Rule], settings: Settings, outside: Outside | None = None) -> list[Audit]:
    """Judge subjects one after the other."""
    import gc

    gc.set_threshold(100_000, 20, 50)  # a card leaves thousands of tokens and nearly no cycles; looking for them took a tenth of the time
    audits = []
    for subject in chunk:
        audit = judge(subject, rules, settings, outside=outside)
        audits.append(replace(audit, facts=audit.facts.slim()))
    return audits


def without_known(audits: Iterable[Audit], known: Iterable[str]) -> list[Audit]:
    """Silence the findings whose fingerprints the baseline knows."""
    return [replace(audit, judgements=baseline.apply(audit.judgements, known, audit.fingerprint)) for audit in audits]


def as_known(audits: Iterable[Audit]) -> list[baseline.Known]:
    """Return what a new baseline has to know: what counts now, and what the old baseline silenced."""
    known = []
    for audit in audits:
        for judged in audit.judgements:
            old = [silenced.finding for silenced in judged.silenced if silenced.by == "baseline"]
            for finding in (*judged.findings, *old):
                path = audit.path_of(finding.location)
                known.append(baseline.Known(audit.fingerprint(finding), finding.rule.id, path, finding.message))
    return known


def fixes(audits: Iterable[Audit]) -> list[FileFix]:
    """Return what fixing would change in the files of the audited subjects; nothing is written.

    Files that are not UTF-8, and those of the Hub and its cache, are left alone.
    """
    from cardcheck.engine.fix import mend

    by_file: dict[str, list[Finding]] = {}
    for audit in audits:
        if audit.subject.kind not in ("hub", "cache") and audit.subject.given != "-":
            for finding in audit.findings:
                if finding.edit is not None:
                    by_file.setdefault(audit.path_of(finding.location), []).append(finding)
    changed = []
    for path, findings in by_file.items():
        try:
            before = Path(path).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        fixed = mend(path, before, findings)
        changed.append(FileFix(path, before, fixed.text, fixed.mended, fixed.left))
    return changed
