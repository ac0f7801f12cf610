"""Which MTEB tasks lie inside the declared training data, by which way, and what follows for each benchmark.

Everything is read from the card, the configuration, the packaged catalogue and what the paper says where it was asked for; nobody else is
asked. A name or a parent that means nothing
to the catalogue is never taken for clean.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cardcheck.facts.located import Location
    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

HEADLINES = ("MTEB(eng, v1)", "MTEB(eng, v2)", "MTEB(Multilingual, v2)", "BEIR", "RTEB(beta)")  # judged for every subject
DECLARED, NONE, SILENT, UNSURE = "declared overlap", "no overlap declared", "not declared", "cannot be verified"


def collect_overlap(facts: Facts, prose: Prose) -> None:
    """Fill the group `overlap`; the groups `training`, `lineage`, `results` and `config` must be filled.

    A card that declares nothing, of a model without a Hub id and without a parent, leaves the catalogue unread.
    """
    if not facts["model.is_embedding"] or facts["subject.kind"] == "application":
        return
    declares = (
        facts["card.datasets"]
        or facts["training.statements"]
        or facts["training.sections"]
        or _links_data(facts)
        or facts["overlap.papers"]
    )
    made_from = facts["lineage.bases"] or facts["lineage.stated"] or facts["config.name_or_path"] or facts["adapter.base"]
    if declares or made_from or facts["subject.id"]:
        from cardcheck.facts.exposed import Exposure  # brings the catalogue

        Exposure(facts, prose).fill()
        return
    place = facts.place(["lineage.opening", "card"])
    for benchmark in HEADLINES:
        add_verdict(facts, place, benchmark=benchmark, verdict=SILENT)


def _links_data(facts: Facts) -> bool:
    return any("/datasets/" in row["url"] for row in facts["card.links"])


def add_verdict(facts: Facts, place: Location, /, **known: Any) -> None:
    """Add the row of a benchmark; what is not given is nought, or null where it was not looked up."""
    blank: dict[str, Any] = {
        "tasks": None, "overlapping": 0, "unclear": 0, "private": 0, "scored": 0, "scored_overlap": 0, "shown": "",
        "zero_shot": None, "mended": None, "ours": None, "why": "nothing is declared",
        "ways": [],
    }  # fmt: skip
    facts.add("overlap.benchmarks", place, **{**blank, **known})
