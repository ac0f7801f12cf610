"""The sentences that more than one reporter says, so that text and page never disagree."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from cardcheck.engine.rule import SEVERITIES
from cardcheck.facts.located import Location

if TYPE_CHECKING:
    from cardcheck.engine.evaluate import Finding
    from cardcheck.engine.rule import Rule
    from cardcheck.facts.model import Facts
    from cardcheck.pipeline import Audit, Run
    from cardcheck.spotcheck.result import SpotCheck
    from cardcheck.spotcheck.verdict import Kind, Outcome

# The tests of the spot check: what each is called, and what its difference is.
TESTS: dict[Kind, tuple[str, str]] = {
    "residual": ("held-out residual", "what the published scores promise, minus what was measured"),
    "split": ("split difference", "the test queries, over what the model's other queries promise"),
    "rewording": ("rewording difference", "what other words for the test queries cost, over what they cost the reference models"),
    "reproduction": ("score reproduction", "the published score, minus the rerun here"),
}
EVIDENCE: dict[Kind, str] = {
    "residual": "on {on} the model measures {points:.1f} points below what its published scores promise ({interval})",
    "split": "on {on} the published test queries score {points:.1f} points above what its other queries promise ({interval})",
    "rewording": "on {on} other words for the test queries cost it {points:.1f} points more than the reference models ({interval})",
    "reproduction": "the published {published:.1f} on {on} is not reproduced: {here:.1f} here; prompts, revision or wrapper may differ",
}
SETTLES: dict[Kind, str] = {
    "residual": "a rerun of the published tasks would settle why",
    "split": "what the model was trained on would settle why",
    "rewording": "what the model was trained on would settle why",
    "reproduction": "a rerun with the authors' code would settle it",
}
PARTS = {"test": "test queries", "other": "other queries", "reworded": "test queries in other words"}
TEST_HEADS = ("test", "on", "points", "interval", "p", "tested at", "would see", "real")


def count(number: int, noun: str, many: str = "") -> str:
    """Return `3 warnings`, `1 warning`, `no warnings`; `many` is a plural that takes no s."""
    return f"{number or 'no'} {noun if number == 1 else many or f'{noun}s'}"


def title(audit: Audit) -> str:
    """Return the name the subject is known by."""
    return audit.subject.id or str(audit.facts["card.title"] or audit.subject.path.absolute().name)


def label(audit: Audit) -> str:
    """Return what tells the subject from the others of a run: its Hub id, or its path from the working directory."""
    subject = audit.subject
    if subject.given == "-":
        return "standard input"
    if subject.kind in ("hub", "cache"):
        return subject.id or str(subject.path)
    if subject.only:
        more = f" and {len(subject.only) - 1} more" if len(subject.only) > 1 else ""
        return audit.path_of(Location(subject.only[0])) + more
    path = audit.path_of(Location(subject.path.name if subject.kind == "card" else "."))
    return title(audit) if path == "." else path


def place(audit: Audit, location: Location) -> str:
    """Return a place as terminals and editors make it clickable: path, line and column from the working directory."""
    return str(Location(audit.path_of(location), location.line, location.column))


def origin(audit: Audit) -> str:
    """Return where the subject was read from."""
    subject = audit.subject
    if subject.given == "-":
        return "standard input"
    revision = f" at revision {subject.revision[:12]}" if subject.revision else ""
    return f"{subject.kind} {subject.path}{revision}"


def features(facts: Facts) -> list[str]:
    """Return what the files say the model is, in a few short pieces."""
    parameters, pooling = facts["weights.parameters"], facts["st.pooling"]
    dimension = facts["st.pooling_dimension"] or facts["config.hidden_size"]
    limit = facts["st.max_seq_length"] or facts["tokenizer.model_max_length"]
    known = (
        (parameters, f"{(parameters or 0) / 1e6:,.1f} M parameters"),
        (
            facts["weights.dtypes"],
            "/".join(name for name in facts["weights.dtypes"] if not name.startswith("I")) or "integers",
        ),
        (dimension, f"{dimension} dimensions"),
        (pooling, f"{' and '.join(pooling)} pooling"),
        (limit, f"{limit} tokens"),
        (facts["card.license"], f"licence {facts['card.license']}"),
    )
    return [text for there, text in known if there]


def gravest_first(run: Run) -> list[tuple[Audit, Finding]]:
    """Return the findings of all subjects, errors before warnings before notes."""
    found = [(audit, finding) for audit in run.audits for judged in audit.judgements for finding in judged.findings]
    return sorted(found, key=lambda pair: SEVERITIES.index(pair[1].rule.severity))


def summary(audit: Audit) -> str:
    """Return the counts of findings and outcomes."""
    found = ", ".join(count(audit.count(severity), severity) for severity in SEVERITIES)
    outcomes = f"{len(audit.outcomes('pass'))} rules passed, {len(audit.outcomes('not_applicable'))} do not apply"
    return "; ".join([f"{found}; {outcomes}, {len(audit.outcomes('unknown'))} unknown", *_silenced(audit)])


def total(run: Run) -> str:
    """Return the counts over all subjects of a run."""
    found = {severity: run.count(severity) for severity in SEVERITIES}
    subjects = sum(any(judged.findings for judged in audit.judgements) for audit in run.audits)
    among = f"{subjects} of {count(len(run.audits), 'subject')}" if subjects else count(len(run.audits), "subject")
    parts = ", ".join(count(number, severity) for severity, number in found.items() if number)
    unknown = sum(len(audit.outcomes("unknown")) for audit in run.audits)
    first = f"{count(sum(found.values()), 'finding')} in {among}" + (f": {parts}" if parts else "")
    return "; ".join([first, f"{unknown} unknown", *_silenced(run)])


def _silenced(found: Audit | Run) -> list[str]:
    """Return how many findings do not count and what silences them, in one piece or none."""
    ways = (("comment", "silenced by comments"), ("settings", "silenced by the settings"), ("baseline", "known to the baseline"))
    said = ", ".join(f"{number} {way}" for by, way in ways if (number := found.silenced(by)))
    return [said] if said else []


def unchecked(run: Run) -> list[tuple[Rule, str, list[str]]]:
    """Return what was not checked: the rule, the reason, and the labels of the subjects it concerns."""
    groups: dict[tuple[str, str], tuple[Rule, list[str]]] = {}
    for audit in run.audits:
        for judged in audit.outcomes("unknown"):
            groups.setdefault((judged.rule.id, judged.reason), (judged.rule, []))[1].append(label(audit))
    return [(rule, reason, labels) for (_, reason), (rule, labels) in groups.items()]


def few(labels: list[str], most: int = 3) -> str:
    """Return the first labels of a list and how many more there are."""
    return ", ".join(labels[:most]) + (f" and {len(labels) - most} more" if len(labels) > most else "")


def verdict(check: SpotCheck) -> str:
    """Return the verdict in one sentence, with the tests that it rests on; it describes evidence and accuses nobody."""
    if check.status == "skipped":
        return f"not measured: {check.reason}"
    if check.status == "failed":
        return f"{check.reason}; {check.settle}"
    if not check.tests:
        return f"there is nothing to compare with; {check.settle}"
    if check.verdict == "unexplained":
        groups = groupby((test for test in check.tests if test.rejected), key=lambda test: SETTLES[test.kind])
        return "; ".join(part for settles, tests in groups for part in (*(_evidence(test, check) for test in tests), settles))
    least = ", ".join(f"{TESTS[test.kind][0]} {test.detectable:.1f}" for test in check.tests)
    limit = f"the least that it would have seen, in points: {least}"
    if check.verdict == "consistent":
        unjudged = f"; not judged: {len(check.not_judged)} of its {len(check.published)} published scores" if check.not_judged else ""
        if not check.panel and check.public:
            unjudged = f"; of its {count(len(check.published), 'published score')} only that on {check.public.name} was on trial"
        return f"no difference that would matter goes beyond chance and the scatter of honest models; {limit}{unjudged}"
    return f"the check cannot tell; {limit}; {check.settle}"


def _evidence(test: Outcome, check: SpotCheck) -> str:
    """Return what a rejected test saw."""
    here = check.public.measured["test"] if check.public else 0.0
    return EVIDENCE[test.kind].format(
        on=test.on, points=test.statistic, interval=interval(test), here=here, published=here + test.statistic
    )  # fmt: skip


def interval(test: Outcome) -> str:
    """Return the interval of a test with its rate, as in `98 % +5.0 to +11.2`."""
    return f"{90 if test.kind == 'residual' else 98} % {test.interval.low:+.1f} to {test.interval.high:+.1f}"


def test_cells(test: Outcome) -> tuple[str, ...]:
    """Return what stands under the heads of the tests."""
    p = f"{test.p:.4f}" if test.p >= 0.0001 else "<0.0001"
    real = "yes" if test.rejected else "not shown"
    return TESTS[test.kind][0], test.on, f"{test.statistic:+.1f}", interval(test), p, f"{test.rate:.4f}", f"{test.detectable:.1f}", real


def tested(test: Outcome) -> str:
    """Return one test in one sentence."""
    name, on, points, span, p, rate, least, real = test_cells(test)
    return f"{name} on {on}: {points} points ({span}), p {p}, tested at {rate}, {least} or more would have been seen; real: {real}"


def not_run(check: SpotCheck) -> list[tuple[list[Kind], str]]:
    """Return the tests that were not run on a model that was measured, and why."""
    if check.status != "done":
        return []
    task, ran = check.public, {test.kind for test in check.tests}
    none = check.no_public or "there are no data of a public task"
    few = f"too few reference models were measured on these data of {task.name}" if task else none
    rerun = f"no published score of {task.name} is known" if task else none
    why: dict[Kind, str] = {"residual": check.no_residual or panel(check), "split": few, "rewording": few, "reproduction": rerun}
    why |= task.left_out if task else {}
    groups: dict[str, list[Kind]] = {}
    for kind, reason in why.items():
        if kind not in ran:
            groups.setdefault(reason, []).append(kind)
    return [(kinds, reason) for reason, kinds in groups.items()]


def left_out(check: SpotCheck) -> list[str]:
    """Return the same in a sentence a reason, and the published scores that are not on trial."""
    lines = [f"not run: {', '.join(TESTS[kind][0] for kind in kinds)} ({reason})" for kinds, reason in not_run(check)]
    if check.not_judged:
        lines.append(f"not judged: published scores on {', '.join(check.not_judged)} (their data are named as training data)")
    if check.beside:
        lines.append(f"not judged: claimed scores on {few(check.beside)} (no tasks of the panel)")
    if check.unread:
        lines.append("the card holds more results than are read: which of them were left out is not known")
    if check.panel and check.panel.odd:
        lines.append(f"published scores that do not fit the others and count for little: {', '.join(check.panel.odd)}")
    if check.seen:
        lines.append(check.seen)
    return lines


def measured(check: SpotCheck) -> str:
    """Return what was measured of the public task, beside what is published; empty where there is none."""
    task = check.public
    if task is None:
        return ""
    parts = ", ".join(f"{PARTS.get(part, part)} {score:.1f}" for part, score in task.measured.items())
    published = f"; published {task.published:.1f} ({task.source})" if task.published is not None else ""
    return f"{parts}{published}"


def panel(check: SpotCheck) -> str:
    """Return where the published scores come from and what they amount to."""
    if check.panel is None:
        return f"no panel level: {check.no_residual}" if check.published else "no published scores on the panel's tasks"
    tasks = count(len(check.panel.scores), "task")
    without = f", without {len(check.not_judged)} whose data are named as training data" if check.not_judged else ""
    return f"panel level {check.panel.value:.1f} from {tasks}{without} ({check.panel.source})"


def same_weights(check: SpotCheck) -> str:
    """Return whose weights the subject holds."""
    return f"the weights are, byte for byte, those of {check.same_weights_as}"


def encoding(check: SpotCheck) -> str:
    """Return how the model was run."""
    about = check.encoding
    texts = check.queries + check.documents + check.public_queries + (check.public.documents if check.public else 0)
    seconds = f"loaded in {about['load_s']:.1f} s, {texts} texts encoded in {about['encode_s']:.1f} s"
    rate = f"{check.texts_per_second:.0f} texts a second on {about['device']} in {about['dtype']}"
    prompts = ", ".join(f"{kind} prompt {text!r}" for kind, text in about["prompts"].items() if text) or "no prompts declared"
    pooling = "mean pooling assumed for want of a modules.json, " if about["assumed_mean_pooling"] else ""
    network = "network cut off" if check.isolation.get("network") else "network NOT cut off: this system does not allow it"
    search = f"exact search in {check.search_s * 1000:.0f} ms"
    return f"{seconds} ({rate}), {search}; {about['similarity']} similarity, {pooling}{prompts}; {network}"
