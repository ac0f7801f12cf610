"""What the card's text claims, against what it shows: tables against model-index, names, and sentences that put the model first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardcheck.facts.datasets import task_name
from cardcheck.facts.located import Location
from cardcheck.facts.names import mismatch, plain
from cardcheck.facts.ranks import collect_ranks
from cardcheck.facts.tables import NUMBER, Table, name_in, shown_scores

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

HEADLINES = (
    "main_score",
    "ndcg_at_10",
    "map",
    "accuracy",
    "v_measure",
    "cos_sim_spearman",
    "cosine_spearman",
    "f1",
    "max_ap",
    "cos_sim_ap",
)
LEAST_TASK = 3
TOLERANCE = 0.05

Row = dict[str, Any]


def collect_claims(facts: Facts, prose: Prose) -> None:
    """Fill the group `claims`."""
    _names(facts)
    tables = facts["card.tables"]
    shown = any(row["value"] is not None for row in facts["results.entries"]) or bool(facts["evalresults.entries"])
    facts.set("claims.scores", shown or any(Table(row).has_scores() for row in tables))
    if tables and facts["results.entries"]:
        _contradictions(facts)
    if facts["model.is_embedding"]:  # only rules on embedding models ask, and reading every sentence takes long
        collect_ranks(facts, prose)


def _names(facts: Facts) -> None:
    """Note the names in model-index that cannot be this model's."""
    title = facts["card.title"] or ""
    mine = facts["subject.name"] or name_in(title)
    if not mine:
        return
    for row in facts["results.models"]:
        found = mismatch(row["name"], mine)
        if not found:
            continue
        titled = len(plain(row["name"])) > LEAST_TASK and plain(row["name"]) in plain(title)
        if found.why == "words" and titled:
            continue  # a repository under another name than its model
        place = Location(row["file"], row["line"], row["column"])
        facts.add(
            "claims.foreign_names", place, name=row["name"][:80], mine=mine[:80], why=found.why, left=found.left, right=found.right,
            results=row["results"],
        )  # fmt: skip


def _tasks(facts: Facts) -> dict[str, list[Row]]:
    """Return the results of each task that has one configuration only: a table's mean over languages is none of them."""
    tasks: dict[str, list[Row]] = {}
    configs: dict[str, set[str]] = {}
    for row in facts["results.entries"]:
        key = plain(task_name(row["dataset"]).replace("/", ""))
        if len(key) >= LEAST_TASK and row["value"] is not None and row["range"]:
            tasks.setdefault(key, []).append(row)
            configs.setdefault(key, set()).add(f"{row['config']} {row['dataset']} {row['model']}")
    return {key: rows for key, rows in tasks.items() if len(configs[key]) == 1}


def _contradictions(facts: Facts) -> None:
    tasks = _tasks(facts)
    for shown in shown_scores(facts, tasks):
        differing = [(one, found) for one in shown if (found := _disagrees(one.written, tasks[one.key], one.metrics))]
        if differing:
            one, found = differing[0]
            facts.add(
                "claims.contradictions", one.place, task=one.label, stated=one.written, metric=found["metric"],
                indexed=_rounded(found, one.written), count=len(differing),
            )  # fmt: skip


def _rounded(row: Row, stated: str) -> str:
    """Return a value as model-index has it, with one digit more than the table."""
    number, value = NUMBER.match(stated), float(row["written"])
    digits = len(number[2] or "") if number else 0
    return min(str(round(value, digits + (1 if abs(value) > 1 else 3))), str(row["written"]), key=len)


def _disagrees(written: str, rows: list[Row], named: set[str]) -> Row | None:
    """Return the headline result of a task if none of its results is what the table says."""
    number = NUMBER.match(written)
    if not number:
        return None
    fitting = [row for row in rows if not named or any(name in row["metric"].lower() for name in named)]
    if not fitting:  # the table shows another metric than model-index
        return None
    step = 10.0 ** -len(number[2] or "")
    stated, off = float(number[1]), 0.5 * step
    if max(abs(row["value"]) for row in rows) <= 1.0:
        fitting = [{**row, "value": row["value"] * 100} for row in fitting]
    if stated <= 1.0 and max(row["value"] for row in fitting) > 1.5:
        stated, off = stated * 100, off * 100
    if any(abs(row["value"] - stated) <= off + TOLERANCE for row in fitting):
        return None
    return next((row for name in HEADLINES for row in fitting if row["metric"] == name), fitting[0])
