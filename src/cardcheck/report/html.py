"""The report as one HTML page: no script, nothing fetched, and no string of the subject left as it came."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import cardcheck
from cardcheck.engine.rule import SEVERITIES
from cardcheck.errors import CardcheckError
from cardcheck.report import overlap, words
from cardcheck.report.chart import differences, scatter
from cardcheck.report.escape import visible
from cardcheck.report.excerpt import excerpt

if TYPE_CHECKING:
    from cardcheck.pipeline import Run
    from cardcheck.spotcheck.result import Point, SpotCheck

SHOWN = 20  # findings of one rule; the rest is counted
LINK = re.compile(r"https?://[^\s\\]+", re.IGNORECASE)


def render(run: Run, *, now: datetime | None = None) -> str:
    """Return the whole page; `now` is the moment it is dated with. Raises CardcheckError for a run over several subjects."""
    if len(run.audits) != 1:
        raise CardcheckError("the page shows one subject", hint="name one subject, or choose another format")
    audit = run.audits[0]
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
            tests=Markup(differences(check)) if check and check.tests else "",  # noqa: S704
            groups=_by_source(check) if check else {},
            overlap=overlap.table(audit.facts),
            overlap_title=overlap.TITLE,
            now=(now or datetime.now(UTC)).astimezone(UTC),
        )
    )


@functools.cache
def _environment() -> Environment:
    """Return the environment in which every value is made visible and escaped on its way out."""
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
    }
    environment.filters |= {"points": "{:.1f}".format, "signed": "{:+.1f}".format, "excerpt": excerpt}
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
