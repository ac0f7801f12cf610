"""The report as one page that opens without a network: the table stands in it, scripts search and sort it and show a model's evidence.

Scripts and style are let in by their hash alone. What comes from models reaches the page in two ways: escaped by the template, and as JSON
in which no `<` is left, from which the scripts make nothing but text.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import cardcheck
from cardcheck.report import words
from cardcheck.report.board.records import KINDS, SEVERITIES
from cardcheck.report.escape import visible

if TYPE_CHECKING:
    from cardcheck.report.board.records import Changes, Model, Report

SCRIPTS = ("table.js", "charts.js", "model.js")
SHOWN = 200  # changes of a kind; JSON has all
# Which fields a model has in the page's data, in order; its findings, cells and what is unknown come as lists of numbers and texts.
PLAIN = (
    "model", "revision", "place", "group", "mean", "tasks", "credible_place", "score", "low", "high", "results", "retrieval", "private",
    "memory", "parameters", "dimension", "max_tokens", "license",
)  # fmt: skip
FIELDS = (*PLAIN, "strongest", "why", "findings", "unknown", "cells", "official_both", "shift")


def render(report: Report) -> bytes:
    """Return the page."""
    moved = shifts(report)
    return page(
        "board.html.j2", report=report, shifts=moved, data=_data(report, moved), script=_script(),
        script_hash=_hash(_script()), changes=report.changes, memory=any(model.memory for model in report.models),
    )  # fmt: skip


def changes(found: Changes) -> bytes:
    """Return a difference as a page, which has no script."""
    return page("changes.html.j2", changes=found)


def page(name: str, **given: Any) -> bytes:
    """Return a page of a template, with the style that all share."""
    style = _read("board.css")
    text = _environment().get_template(name).render(style=Markup(style), style_hash=_hash(style), **given)  # noqa: S704  # ours
    return text.encode("utf-8")


@functools.cache
def _environment() -> Environment:
    """Return the environment in which every value is made visible and escaped on its way out."""
    environment = Environment(
        loader=PackageLoader("cardcheck", "report/board"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: value if isinstance(value, Markup) else visible(value),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {
        "count": words.count,
        "version": cardcheck.__version__,
        "severities": SEVERITIES,
        "kinds": KINDS,
        "most": SHOWN,
    }
    environment.filters |= {"points": points, "size": size}
    return environment


def points(score: float | None, digits: int = 1) -> str:
    """Return a score from 0 to 1 as a reader expects it, of a hundred."""
    return "–" if score is None else f"{100 * score:.{digits}f}"


def size(memory: float | None) -> str:
    """Return megabytes (2²⁰ bytes) in words."""
    return "–" if memory is None else f"{memory:.0f} MB" if memory < 1024 else f"{memory / 1024:.1f} GB"


@functools.cache
def _read(name: str) -> str:
    return (files("cardcheck.report.board") / name).read_text(encoding="utf-8")


@functools.cache
def _script() -> Markup:
    """Return the scripts as one, which shares no name with other pages."""
    return Markup('"use strict";\n{\n' + "".join(map(_read, SCRIPTS)) + "}\n")  # noqa: S704  # ours


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def shifts(report: Report) -> dict[str, tuple[int, int]]:
    """Return the official place among the models of both orders, and how many places higher (+) or lower (−) the credible one is."""
    both = [model for model in report.models if model.place is not None and model.credible_place is not None]
    official = {model.model: at for at, model in enumerate(sorted(both, key=lambda model: (model.place or 0, model.model)), 1)}
    credible = {model.model: at for at, model in enumerate(sorted(both, key=lambda model: model.credible_place or 0), 1)}
    return {name: (place, place - credible[name]) for name, place in official.items()}


class _Table(dict[Any, int]):
    """Numbers values as they come, equal ones alike."""

    def __missing__(self, key: Any) -> int:
        self[key] = number = len(self)
        return number


def _data(report: Report, moved: dict[str, tuple[int, int]]) -> Markup:
    """Return what the scripts show as JSON that may stand in a page: short, and without a character that could end the element."""
    rules, tasks, reasons = _Table(), _Table(), _Table()
    found: dict[str, Any] = {
        "title": visible(report.board),
        "tasks_of_board": len(report.tasks),
        "fields": FIELDS,
        "models": [_values(model, moved, rules, tasks, reasons) for model in report.models],
    }
    found |= {"rules": list(rules), "tasks": list(tasks), "reasons": list(reasons)}
    text = json.dumps(found, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704  # no < is left


def _values(model: Model, moved: dict[str, tuple[int, int]], rules: _Table, tasks: _Table, reasons: _Table) -> list[Any]:
    """Return a model's values in the order of FIELDS, with texts that come again and again as their numbers."""
    plain = [getattr(model, field) for field in PLAIN]
    official, shift = moved.get(model.model, (None, None))
    return [
        *(visible(value) if isinstance(value, str) else round(value, 4) if isinstance(value, float) else value for value in plain),
        [visible(task) for task in model.strongest],
        [visible(reason) for reason in model.why],
        [
            [
                rules[tuple(map(visible, (one.rule, one.name, one.severity, one.confidence)))],
                visible(one.message), [visible(line) for line in one.evidence], one.task and visible(one.task),
            ]
            for one in model.findings
        ],
        [[visible(rule), reasons[visible(reason)]] for rule, reason in model.unknown.items()],
        [
            [
                tasks[visible(cell.task)], round(cell.published, 4), round(cell.expected, 4), round(cell.low, 4), round(cell.high, 4),
                round(cell.standard, 1),
            ]
            for cell in model.cells
        ],
        official, shift,
    ]  # fmt: skip
