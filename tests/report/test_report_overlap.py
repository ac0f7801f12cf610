"""Training data and benchmarks in the reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
import jsonschema
import pytest
from bs4 import BeautifulSoup
from made import HOSTILE, audit, harmful, judged
from markdown_it import MarkdownIt

import cardcheck
from cardcheck.facts.located import Location
from cardcheck.facts.model import Facts, Source
from cardcheck.facts.overlap import add_verdict
from cardcheck.pipeline import Run as RunOf
from cardcheck.report import html, markdown, overlap, text
from cardcheck.report import json as machine

if TYPE_CHECKING:
    from conftest import MakeModel, Run

SCHEMA = Path(cardcheck.__file__).parent / "data" / "report.schema.json"
RENDERERS = {"text": text.render, "markdown": markdown.render, "html": html.render}


def silent() -> Facts:
    """Return facts of a subject that declares nothing."""
    facts = Facts()
    facts.sources["overlap"] = Source("known")
    for benchmark in ("BEIR", "MTEB(eng, v2)"):
        add_verdict(facts, Location("README.md"), benchmark=benchmark, verdict="not declared")
    return facts


def shown(name: str, facts: Facts) -> str:
    """Return a report as plain text, white space reduced."""
    found = RENDERERS[name](RunOf("audit", [audit(facts=facts)]))
    if name == "html":
        found = BeautifulSoup(found, "html.parser").get_text(" ")
    return " ".join(click.unstyle(found).replace("`", "").split())


@pytest.mark.parametrize("name", RENDERERS)
def test_every_benchmark_has_its_row(name: str) -> None:
    """Verdict, tasks inside, private tasks, both shares, the reason for a difference and the ways are shown."""
    found = shown(name, judged())
    for part in (
        overlap.TITLE, "BEIR", "declared overlap", "1 of 15", "100 %", "93 %", "mteb leaves out tasks: 1 that the card alone declares",
        "front matter → acme/pairs → FEVER", "RTEB(beta)", "cannot be verified", "0 of 30", "13", "≤ 100 %",
        "2 names of data or parents may hold",
    ):  # fmt: skip
        assert part in found, part


@pytest.mark.parametrize("name", RENDERERS)
def test_where_nothing_is_declared_one_line_says_so(name: str) -> None:
    """A subject that declares nothing has no table, and one that was not looked at has no section."""
    assert overlap.SILENT in shown(name, silent())
    assert "BEIR" not in shown(name, silent())
    assert overlap.TITLE not in shown(name, Facts())


def test_a_reason_of_all_rows_is_said_once() -> None:
    """Five times the same words would hide what differs."""
    facts = judged()
    for row in facts["overlap.benchmarks"]:
        row |= {"verdict": "no overlap declared", "zero_shot": None, "why": "mteb does not know this model"}
    assert shown("text", facts).count("mteb does not know this model") == 1


@pytest.mark.parametrize("evil", HOSTILE)
def test_names_of_data_stay_harmless(evil: str) -> None:
    """What a card calls its data steers no terminal, ends no cell and becomes no element."""
    run = RunOf("audit", [audit(facts=judged(evil))])
    assert not harmful(click.unstyle(text.render(run)), "\n")
    table = MarkdownIt("commonmark").enable("table").parse(markdown.render(run))
    cells = [token for token in table if token.type == "td_open"]
    assert len(cells) == 2 * 8
    assert not [token for token in table if token.type.startswith("html")]
    page = html.render(run)
    assert not harmful(page, "\n")
    assert BeautifulSoup(page, "html.parser").find(["script", "img"]) is None


def test_the_report_for_machines_has_the_shape_of_the_schema() -> None:
    """An audit carries verdicts, tasks, names without a meaning and parents; linting the verdicts; both are valid."""
    schema = json.loads(SCHEMA.read_text())
    strict = {**schema, "$ref": "#/$defs/overlap"}
    found = json.loads(machine.render(RunOf("audit", [audit(facts=judged())])))
    jsonschema.validate(found, schema)
    jsonschema.validate(found["overlap"], {key: strict[key] for key in ("$defs", "$ref")})
    assert found["overlap"]["benchmarks"][0]["overlapping"] == 1
    assert found["overlap"]["tasks"][0]["path"] == "front matter → acme/pairs → FEVER"
    (linted,) = json.loads(machine.render(RunOf("lint", [audit(facts=judged())])))["audits"]
    assert set(linted["overlap"]) == {"annotation", "benchmarks"}
    jsonschema.validate(linted, schema)


def test_real_facts_have_the_shape_of_the_schema(make_model: MakeModel, run: Run) -> None:
    """What an audit finds is valid as well, and linting without being asked to look has null."""
    path = make_model({"README.md": "---\ntags: [sentence-transformers]\ndatasets: [ms_marco, acme/x]\nbase_model: acme/base\n---\n# m\n"})
    found = json.loads(run("audit", "--offline", "--no-spotcheck", "--json", path).out)
    jsonschema.validate(found, json.loads(SCHEMA.read_text()))
    assert {row["task"] for row in found["overlap"]["tasks"]} >= {"MSMARCO"}
    assert found["overlap"]["parents"][0]["id"] == "acme/base"
    assert json.loads(run("lint", "--json", path).out)["audits"][0]["overlap"] is None


def test_many_subjects_keep_their_verdicts(make_model: MakeModel, run: Run) -> None:
    """Facts of many subjects are reduced, but the verdicts on benchmarks reach the report."""
    card = "---\ntags: [sentence-transformers]\ndatasets: [ms_marco]\n---\n# m\n"
    paths = [make_model({"README.md": card}, name=name) for name in ("one", "two")]
    found = json.loads(run("lint", "--online", "--offline", "--json", *paths).out)["audits"]
    assert [one["overlap"]["benchmarks"][3]["verdict"] for one in found] == ["declared overlap"] * 2
