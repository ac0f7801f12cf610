"""The report as one HTML page: no script, nothing fetched, and no string of the subject left as it came."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import cardcheck
from cardcheck.engine.rule import SEVERITIES
from cardcheck.report import words
from cardcheck.report.chart import scatter
from cardcheck.report.escape import visible
from cardcheck.spotcheck import panel, statistics

if TYPE_CHECKING:
    from cardcheck.engine.evaluate import Finding
    from cardcheck.pipeline import Audit
    from cardcheck.spotcheck.check import Point, SpotCheck

SHOWN = 20  # findings of one rule; the rest is counted
BEFORE, AFTER = 30, 60  # characters of a source line on each side of the place
LINK = re.compile(r"https?://[^\s\\]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A piece of a source line, and the blanks that bring a caret under the place."""

    line: int
    text: str
    blanks: str


def render(audit: Audit, *, now: datetime | None = None) -> str:
    """Return the whole page; `now` is the moment it is dated with."""
    check = audit.spotcheck
    return (
        _environment()
        .get_template("audit.html.j2")
        .render(
            audit=audit,
            check=check,
            failed=sorted(audit.outcomes("fail"), key=lambda judged: SEVERITIES.index(judged.rule.severity)),
            found=sum(audit.count(severity) for severity in SEVERITIES),
            # Drawn by us, from numbers and from names that chart.py escapes.
            chart=Markup(scatter(check)) if check and check.status == "done" and check.references else "",  # noqa: S704
            groups=_by_source(check) if check else {},
            now=(now or datetime.now(UTC)).astimezone(UTC),
        )
    )


@functools.cache
def _environment() -> Environment:
    """Return the environment in which every value is made visible and escaped on its way out, whatever a template forgets."""
    environment = Environment(
        loader=PackageLoader("cardcheck", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals |= {
        "words": words,
        "version": cardcheck.__version__,
        "shown": SHOWN,
        "scale": panel.SCALE,
        "tolerance": statistics.TOLERANCE,
        "power": f"{statistics.POWER * 100:.0f} %",
    }
    environment.filters |= {"points": "{:.1f}".format, "signed": "{:+.1f}".format, "excerpt": _excerpt}
    environment.tests["link"] = lambda reference: LINK.fullmatch(visible(reference)) is not None
    return environment


def _shown(value: Any) -> Any:
    """Make a value visible; Jinja escapes it afterwards. Only markup, which is ours, passes as it is."""
    return value if isinstance(value, Markup) else visible(value)


def _by_source(check: SpotCheck) -> dict[str, list[tuple[int, Point]]]:
    """Return the reference models with their numbers in the chart, by the source of their panel levels."""
    groups: dict[str, list[tuple[int, Point]]] = {}
    for number, point in enumerate(check.references, 1):
        groups.setdefault(point.source, []).append((number, point))
    return groups


def _excerpt(finding: Finding) -> Excerpt | None:
    """Return the source line around the place of a finding, or None where there is nothing to show."""
    location, line = finding.location, finding.source_line
    if not line or location.line is None or not line.strip():
        return None
    column = min((location.column or 1) - 1, len(line))
    start = max(0, column - BEFORE) if len(line) > BEFORE + AFTER else 0
    end = start + BEFORE + AFTER
    lead, trail = "…" if start else "", "…" if len(line) > end else ""
    before, after = visible(line[start:column]), visible(line[column:end])
    return Excerpt(location.line, f"{lead}{before}{after}{trail}", " " * len(lead + before))
