"""The sentences that more than one reporter says, so that text and page never disagree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.engine.rule import SEVERITIES
from cardcheck.facts.located import Location

if TYPE_CHECKING:
    from cardcheck.engine.evaluate import Finding
    from cardcheck.engine.rule import Rule
    from cardcheck.facts.model import Facts
    from cardcheck.pipeline import Audit, Run
    from cardcheck.spotcheck.check import SpotCheck


def count(number: int, noun: str) -> str:
    """Return `3 warnings`, `1 warning`, `no warnings`."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


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
    """Return the verdict in one sentence; it describes evidence and accuses nobody."""
    residual = check.residual
    if check.status == "skipped":
        return f"not measured: {check.reason}"
    if check.status == "failed":
        return f"{check.reason}; {check.settle}"
    if residual is None:
        return f"there is nothing to compare with; {check.settle}"
    limit = f"a gap of {residual.detectable:.0f} points or more would have been seen"
    if check.verdict == "unexplained":
        return (
            f"the model measures {residual.gap:.1f} points below what its published scores promise, and chance and the scatter "
            f"of honest models leave at least {residual.gap_interval.low:.1f} of them; a rerun of the published tasks would settle why"
        )
    if check.verdict == "consistent":
        return f"no gap beyond chance and the scatter of honest models; {limit}"
    return f"the check cannot tell: only {limit}; {check.settle}"


def panel(check: SpotCheck) -> str:
    """Return where the published scores come from and what they amount to."""
    if check.panel is None:
        return "no published scores on the panel's tasks"
    tasks = len(check.panel.scores)
    return f"panel level {check.panel.value:.1f} from {count(tasks, 'task')} ({check.panel.source})"


def same_weights(check: SpotCheck) -> str:
    """Return whose weights the subject holds."""
    return f"the weights are, byte for byte, those of {check.same_weights_as}"


def encoding(check: SpotCheck) -> str:
    """Return how the model was run."""
    about = check.encoding
    seconds = f"loaded in {about['load_s']:.1f} s, {check.queries + check.documents} texts encoded in {about['encode_s']:.1f} s"
    rate = f"{check.texts_per_second:.0f} texts a second on {about['device']} in {about['dtype']}"
    prompts = ", ".join(f"{kind} prompt {text!r}" for kind, text in about["prompts"].items() if text) or "no prompts declared"
    pooling = "mean pooling assumed for want of a modules.json, " if about["assumed_mean_pooling"] else ""
    network = "network cut off" if check.isolation.get("network") else "network NOT cut off: this system does not allow it"
    search = f"exact search in {check.search_s * 1000:.0f} ms"
    return f"{seconds} ({rate}), {search}; {about['similarity']} similarity, {pooling}{prompts}; {network}"
