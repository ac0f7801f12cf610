"""cardcheck probe: what an encoder really is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from cardcheck.cli.options import measuring, progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts import Facts
    from cardcheck.pipeline import Audit
    from cardcheck.spotcheck.probe import Probe

UNKNOWN = "–"
MILLION = 1_000_000
COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command(name="probe")
@click.argument("subject")
@click.option("--id", "hub_id", metavar="ORG/NAME", help="The Hub repository that a folder is a copy of.")
@measuring
@click.option("--offline", is_flag=True, help="Use the local Hub cache; make no request.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of text.")
@click.pass_context
def command(
    ctx: click.Context, /, subject: str, *, hub_id: str | None, device: str, time_limit: float, memory_limit: int | None,
    trust_remote_code: bool, offline: bool, as_json: bool,
) -> None:  # fmt: skip
    """Measure what an embedding model really is, and hold its card and configuration against that.

    SUBJECT is ORG/NAME or ORG/NAME@revision on the Hub, its address, a model folder, or an entry of the local Hub cache.
    """
    from cardcheck.cli import USAGE_ERROR, echo
    from cardcheck.report.escape import no_command
    from cardcheck.report.json import document, dumps
    from cardcheck.spotcheck.encode import Limits
    from cardcheck.spotcheck.probe import Options

    options = Options(device=device, limits=Limits(time_limit, memory_limit), trust_remote_code=trust_remote_code)
    audit, found = _probed(subject, hub_id, options, offline=offline)
    if as_json:
        echo(dumps(document(audit) | {"probe": found.plain()}))
    else:
        echo("".join(f"{no_command(line)}\n" for line in _lines(audit, found)))
    if found.status in ("failed", "skipped"):
        ctx.exit(USAGE_ERROR)
    ctx.exit(int(audit.failed()))


def _probed(given: str, hub_id: str | None, options: Any, *, offline: bool) -> tuple[Audit, Probe]:
    """Measure, and judge by the rules that need a measurement."""
    from cardcheck.engine.evaluate import evaluate
    from cardcheck.engine.library import ready_rules
    from cardcheck.facts import collect
    from cardcheck.facts.probe import PARTS, set_probe, stated
    from cardcheck.pipeline import Audit
    from cardcheck.spotcheck.probe import Claims, probe
    from cardcheck.subject import resolve

    subject = resolve(given, hub_id=hub_id, offline=offline)
    facts = collect(subject, embedding=True)
    claims = stated(facts)
    with progress("probing", "steps") as update:
        found = probe(subject, facts, Claims(claims.tokens, claims.prefixes, claims.prompts), options, progress=update)
    set_probe(facts, found.plain())
    rules = [rule for rule in ready_rules() if not set(PARTS).isdisjoint(rule.needs)]
    return Audit(subject, facts, evaluate(facts, rules)).abridged(), found


def _lines(audit: Audit, found: Probe) -> Iterator[str]:
    from cardcheck.report import words
    from cardcheck.report.escape import visible

    yield click.style(visible(words.title(audit)), bold=True) + click.style(f"  {visible(words.origin(audit))}", dim=True)
    if found.status in ("failed", "skipped"):
        yield f"not measured: {visible(found.reason)}"
        return
    yield visible(_what_ran(found))
    yield ""
    yield from _columns([("", "measured", "card", "files"), *_properties(found, audit.facts)])
    if found.ndcg is not None:
        yield ""
        searched = f"{found.documents} passages of {visible(found.set_name)} with {found.queries} queries"
        yield f"Searching {searched}: {found.ndcg:.1f} points of nDCG@10"
        yield from _prefixes(found)
        yield from _prompts(found)
    if found.reason:
        yield ""
        yield f"not all was measured: {visible(found.reason)}"
    for judged in audit.outcomes("unknown"):
        yield f"  not checked: {judged.rule.id} {judged.rule.name}"
    yield ""
    yield from _findings(audit)
    yield words.summary(audit)


def _what_ran(found: Probe) -> str:
    number = found.parameters or 0
    size = f"{number / 1e6:,.1f} M" if number >= MILLION else f"{number:,}"
    threads = f", {found.threads} threads" if found.device == "cpu" else ""
    free = [name for name in ("network", "memory") if not found.isolation.get(name)]
    isolation = f"; this system did not limit its {' and '.join(free)}" if free else ""
    return f"{size} parameters, weights in {found.stored_dtype}, computed in {found.dtype} on {found.device}{threads}{isolation}"


def _properties(found: Probe, facts: Facts) -> Iterator[tuple[str, ...]]:
    """Yield a line for each property: its name, what was measured, what the card says, what the files say."""
    card_sizes = {str(row["dimension"]) for row in facts["card.dimensions"] if row["firm"] > 1}
    card_limits = {str(row["tokens"]) for row in facts["card.max_tokens"] if row["firm"] > 1}
    card_unit = {_yes(row["yes"]) for row in facts["says.normalised"]}
    unit = _yes(facts["st.normalize"]) if facts["st.has_modules"] else UNKNOWN
    yield "dimension", str(found.dimension), _several(card_sizes), _or_unknown(facts["st.dimension"])
    yield "reads", _reads(found), _several(card_limits), _or_unknown(facts["st.token_limit"])
    norms = f" (lengths {found.norm_low:.4g} to {found.norm_high:.4g})" if found.norm_low and found.norm_high else ""
    yield "normalised", _yes(found.normalised) + norms, _several(card_unit), unit
    differ = f" (differ by {_small(found.repeat_difference)} encoded twice, {_small(found.reload_difference)} loaded twice)"
    yield "deterministic", _yes(found.deterministic) + differ
    yield "batches", f"differ by {_small(found.batch_difference)} from the same text alone"
    if found.long_per_second is not None and found.short_per_second is not None:
        short, long = (f"{tokens:.0f} tokens" for tokens in (found.short_tokens or 0, found.long_tokens or 0))
        yield "texts a second", f"{found.short_per_second:.1f} of {short}, {found.long_per_second:.1f} of {long}"
    if found.memory_mb is not None:
        where = "of the GPU" if (found.device or "").startswith("cuda") else "beyond the libraries"
        yield "memory", f"{found.memory_mb} MB {where}, {found.memory_load_mb} MB after loading"


def _reads(found: Probe) -> str:
    from cardcheck.facts.probe import why_no_longer

    about = "" if found.length_exact else "about "
    unit = found.length_unit or "tokens"
    if found.truncates_at is not None:
        return f"{about}{found.truncates_at} {unit}, nothing after"
    if found.fails_at is not None:
        return f"fails from {about}{found.fails_at} {unit} on"
    if found.reads_at_least is None:
        return UNKNOWN
    why = f"longer ones {why_no_longer(found.length_stopped)}"
    return f"at least {about}{found.reads_at_least} {unit}; {why}"


def _prefixes(found: Probe) -> Iterator[str]:
    if not found.prefixes:
        return
    yield ""
    rows = [
        (
            f"first {row.dimension}", f"{row.ndcg:.1f}", f"{row.loss:+.1f}", f"{row.low:+.1f} to {row.high:+.1f}",
            f"{row.agreement:.2f}", "offered" if row.stated else "",
        )
        for row in found.prefixes
    ]  # fmt: skip
    yield from _columns([("numbers kept", "nDCG@10", "loss", "95 %", "same order", ""), *rows])


def _prompts(found: Probe) -> Iterator[str]:
    if not found.prompts:
        return
    yield ""
    rows = [
        (
            f'"{" ".join(row.text.split())[:50]}"', " ".join(filter(None, (row.name, f"({row.origin})"))), " and ".join(row.sides),
            f"{row.cosine:.4f}" if row.changes else "no change", f"{row.gain:+.1f}", f"{row.low:+.1f} to {row.high:+.1f}",
        )
        for row in found.prompts
    ]  # fmt: skip
    yield from _columns([("prompt", "name", "before", "cosine", "gain", "95 %"), *rows])


def _findings(audit: Audit) -> Iterator[str]:
    from cardcheck.report import words
    from cardcheck.report.escape import visible
    from cardcheck.report.excerpt import excerpt

    for finding in audit.findings:
        rule = finding.rule
        severity = click.style(rule.severity, fg=COLOURS[rule.severity], bold=True)
        yield f"{visible(words.place(audit, finding.location))}: {severity} {rule.id} {rule.name}: {visible(finding.message)}"
        if piece := excerpt(finding):
            yield f"  {piece.line:>5} | {piece.text}"
        yield f"  fix: {visible(rule.fix)}"
        yield ""


def _columns(rows: list[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines of a table; its cells may be a subject's own words."""
    from cardcheck.report.escape import visible

    width = max(map(len, rows))
    cells = [[visible(cell) for cell in (*row, *[""] * (width - len(row)))] for row in rows]
    # what stands alone in its line may run on under the other columns
    widths = [max((len(line[at]) for line in cells if at + 1 < width and any(line[at + 1 :])), default=0) for at in range(width)]
    for number, line in enumerate(cells):
        text = "  ".join(cell.ljust(size) for cell, size in zip(line, widths, strict=True)).rstrip()
        yield click.style(f"  {text}", dim=True) if number == 0 else f"  {text}"


def _yes(value: bool | None) -> str:  # noqa: FBT001  # a value to be said, no switch
    return UNKNOWN if value is None else "yes" if value else "no"


def _several(values: set[str]) -> str:
    return ", ".join(sorted(values, key=lambda value: (len(value), value))[:4]) or UNKNOWN


def _or_unknown(value: Any) -> str:
    return UNKNOWN if value is None else str(value)


def _small(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1g}" if value else "0"
