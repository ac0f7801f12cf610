"""MTEB's tasks and benchmarks, read from packaged facts."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cardcheck.catalogue import aliases, tasks, training

READ = """
import json, sys, time
from cardcheck.catalogue import {module}
start = time.perf_counter()
{call}
print(json.dumps([time.perf_counter() - start, sorted(set(sys.modules) & {{"mteb", "torch", "numpy", "yaml"}})]))
"""


@pytest.mark.timed
@pytest.mark.parametrize(
    ("module", "call"),
    [
        ("tasks", 'tasks.task("MSMARCO"), tasks.variants("MSMARCO"), tasks.tasks_of("BEIR")'),
        ("training", 'training.zero_shot("BAAI/bge-m3", "BEIR")'),
        ("aliases", 'aliases.data_set("ms_marco"), list(aliases.in_text("trained on MS MARCO"))'),
    ],
)
def test_reading_is_quick_and_brings_no_mteb(module: str, call: str) -> None:
    """What is asked first is answered within 50 ms, and nothing of mteb is imported."""
    best = 1.0
    for _ in range(5):
        result = subprocess.run([sys.executable, "-c", READ.format(module=module, call=call)], capture_output=True, text=True, check=True)
        seconds, imported = json.loads(result.stdout)
        assert imported == []
        best = min(best, seconds)
    assert best < 0.05


def test_a_task() -> None:
    """A task has its data set, splits and metric, also where they are as usual and therefore not written down."""
    task = tasks.task("MSMARCO")
    assert task is not None
    assert (task.type, task.data, task.splits, task.score, task.languages) == (
        "Retrieval",
        "mteb/msmarco",
        ("dev",),
        "ndcg_at_10",
        ("eng",),
    )
    assert (task.public, task.modalities, task.date) == (True, ("text",), ("2016-01-01", "2016-12-31"))
    assert tasks.task("no such task") is None
    assert not tasks.is_task("hotpotqa")


def test_private_and_superseded_tasks() -> None:
    """Private tasks, tasks that another one replaces and those on trial are told apart."""
    private, old, trial = tasks.task("Code1Retrieval"), tasks.task("STS22"), tasks.task("Diving48Classification.V1")
    assert private is not None
    assert old is not None
    assert trial is not None
    assert (private.public, old.superseded_by, trial.beta) == (False, "STS22.v2", True)
    assert (tasks.private("RTEB(beta)"), tasks.private("BEIR")) == (13, 0)


def test_benchmarks() -> None:
    """A benchmark has its tasks, each of which is known; one that is not known has none."""
    assert len(tasks.tasks_of("BEIR")) == 15
    assert tasks.tasks_of("no such benchmark") == frozenset()
    assert len(tasks.benchmarks()) > 70
    assert all(tasks.is_task(name) for board in tasks.benchmarks() for name in tasks.tasks_of(board))


def test_variants_are_mutual() -> None:
    """Whoever is a variant of a task has it for a variant, over any number of steps."""
    for name in ("MSMARCO", "NanoHotpotQARetrieval", "STS22.v2", "SciDocsRR"):
        assert all(tasks.variants(other) == tasks.variants(name) for other in tasks.variants(name))
    assert {"SCIDOCS-PL", "SciDocsRR"} <= tasks.variants("NanoSCIDOCSRetrieval")
    assert tasks.variants("no such task") == {"no such task"}


def test_tasks_that_are_evaluated_on_train() -> None:
    """Of the released tasks, 129 are evaluated on a split called train and on no other."""
    released = [task for name in tasks.names() if (task := tasks.task(name)) and not task.beta]
    assert sum(task.splits == ("train",) for task in released) == 129


def test_the_source_is_named() -> None:
    """The version of mteb that the facts are of is known."""
    assert tasks.source().startswith("mteb 2.")


def test_every_alias_and_link_names_tasks() -> None:
    """The table by hand names tasks that exist, says why, and no name twice."""
    table = json.loads(aliases.FILE.read_text(encoding="utf-8"))
    named = [task for row in (*table["aliases"], *table["links"]) for task in row.get("tasks", ())] + table["tests"]
    assert [name for name in named if not tasks.is_task(name)] == []
    assert all(row["why"] for row in (*table["aliases"], *table["links"]))
    keys = [aliases.plain(name) for row in table["aliases"] for name in {aliases.plain(name) for name in row.get("names", ())}]
    assert sorted(key for key in set(keys) if keys.count(key) > 1) == []
    assert {row.get("kind", "same") for row in table["aliases"]} == {"same", "source", "ambiguous", "none"}


def test_shared_lists_lead_to_lists() -> None:
    """Where a model's list is as another's, that one has a list of its own."""
    models = json.loads(training.FILE.read_text(encoding="utf-8"))["models"]
    shared = {facts["data"][1:] for facts in models.values() if isinstance(facts.get("data"), str)}
    assert shared
    assert all(isinstance(models[name]["data"], list) for name in shared)
