"""What measuring the model gave, as facts; and what card and configuration claim, which says what to measure.

The measuring itself happens elsewhere: its result comes as plain values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardcheck.facts.located import Location
from cardcheck.facts.model import Source
from cardcheck.facts.schema import FIELDS, GROUPS
from cardcheck.facts.statements import Lines
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardcheck.facts.model import Facts

NOT_PROBED = Source("absent", "not measured; `cardcheck probe` measures")
PROBED = frozenset(GROUPS["probe"]) | {"status", "reason"}
MAX_CLAIMS = 12  # of one kind that are measured
SMALLEST = 8
# The lists that MatryoshkaLoss takes and cards print, and what the names of evaluations end in: "matryoshka_dims": [768, 256], dim_256
LISTED = Pattern(
    r"\bmatryoshka_dim(?:ension)?s[\"']?\s{0,3}[:=]\s{0,3}\[([\d,\s]{1,200})\]|\bdim_(\d{1,5})\b|\btruncate_dim\s?=\s?(\d{1,5})\b"
)
# Dimensions in a row, as in "vectors of 768, 512, 256 or 128 dimensions" and "dimensions: 512, 256"
ROW = r"((?:\d{2,4}(?:, | / |/| and |, and | or |, or )){1,10}\d{2,4})"
IN_A_ROW = Pattern(rf"(?<![\d.,]){ROW}[\s-]{{0,3}}dim|\bdim(?:ension)?s?\b[^\n\d]{{0,30}}{ROW}(?![\d.,%]\d)", re.IGNORECASE)
NUMBER = Pattern(r"\d{1,5}")
PARTS = ("probe", "probe.length", "probe.search")
SIDES = {"query": "queries", "document": "documents"}
BARE = frozenset({"Instruct:"})  # of which a card's own words follow


@dataclass(frozen=True, slots=True)
class Stated:
    """What card and configuration say, where it can be tried out."""

    tokens: list[int]
    prefixes: list[int]
    prompts: list[str]


def stated(facts: Facts) -> Stated:
    """Return what is to be tried out."""
    tokens = [row["tokens"] for row in facts["card.max_tokens"] if row["firm"] > 1]
    limit = facts["st.token_limit"]
    prompts = [row["text"] for row in facts["says.prompts"] if row["own"] and row["text"] not in BARE]
    return Stated(
        list(dict.fromkeys(([limit] if limit else []) + tokens))[:MAX_CLAIMS],
        list(_prefixes(facts))[:MAX_CLAIMS],
        [f"{text} " if text.endswith(":") else text for text in dict.fromkeys(prompts)][:MAX_CLAIMS],
    )


def set_probe(facts: Facts, probed: Mapping[str, Any]) -> None:
    """Fill the group `probe` with what was measured: the fields by their names, and `status` and `reason` where there are any.

    What is null stays as it was. Where a part was not measured its source is unavailable, with the reason.
    """
    reason = str(probed.get("reason") or "")
    if probed.get("status") in ("failed", "skipped"):
        facts.sources |= dict.fromkeys(PARTS, Source("unavailable", reason))
        return
    facts.sources["probe"] = Source("known")
    for name in GROUPS["probe"]:
        value = probed.get(name)
        if value is not None and FIELDS[f"probe.{name}"].kind != "rows":
            facts.set(f"probe.{name}", value)
    facts.sources["probe.length"] = _length_source(facts, str(probed.get("length_stopped") or ""), reason)
    measured = facts["probe.ndcg"] is not None
    facts.sources["probe.search"] = Source("known") if measured else Source("unavailable", reason or "not measured")
    for row in probed.get("prompts") or ():
        side = " and ".join(SIDES[side] for side in row.get("sides", ()) if side in SIDES)
        _add(facts, "probe.prompts", _prompt_place(facts, row), row, side=row.get("side", side))
    places = _prefixes(facts)
    for row in probed.get("prefixes") or ():
        _add(facts, "probe.prefixes", places.get(row.get("dimension", 0), Location(".")), row)


def why_no_longer(stopped: str | None) -> str:
    """Say of texts that are longer than what is surely read why they tell nothing."""
    if stopped == "order":
        return "tell nothing: their words in another order give the same vector"
    return f"need too much {stopped}" if stopped else "were not tried"


def _length_source(facts: Facts, stopped: str, reason: str) -> Source:
    """Tell whether it is known how much of a text is read: no end was found, and what is claimed was not reached, is not known."""
    least = facts["probe.reads_at_least"]
    if facts["probe.truncates_at"] is not None or facts["probe.fails_at"] is not None:
        return Source("known")
    if least is None:
        return Source("unavailable", reason or "not measured")
    if max(stated(facts).tokens, default=0) > least:
        return Source("unavailable", f"{least} tokens are read; longer ones {why_no_longer(stopped)}")
    return Source("known")


def _add(facts: Facts, name: str, place: Location, row: Mapping[str, Any], **more: Any) -> None:
    """Add a row; what it lacks is null."""
    facts.add(name, place, **{key: more.get(key, row.get(key)) for key in FIELDS[name].keys})


def _prompt_place(facts: Facts, row: Mapping[str, Any]) -> Location:
    """Return where a prompt stands: in the settings under its name, or in the card."""
    if row.get("origin") == "card":
        known = [said for said in facts["says.prompts"] if said["text"] == str(row.get("text")).strip()]
    else:
        known = [prompt for prompt in facts["st.prompts"] if prompt["name"] == row.get("name")]
    return Location(known[0]["file"], known[0]["line"], known[0]["column"]) if known else Location(".")


def _prefixes(facts: Facts) -> dict[int, Location]:
    """Return the dimensions that vectors may be cut to by what the card says, with where it says so."""
    if not facts["says.matryoshka"]:
        return {}
    found = {row["dimension"]: Location(row["file"], row["line"], row["column"]) for row in facts["card.dimensions"]}
    source = Lines(facts)
    for number, place in _listed(source):
        found.setdefault(number, place)
    widest = facts["st.pooling_dimension"] or facts["st.dimension"] or facts["config.hidden_size"]
    return {number: place for number, place in found.items() if number >= SMALLEST and (widest is None or number < widest)}


def _listed(source: Lines) -> Iterator[tuple[int, Location]]:
    for first, last in source.lines("dim", code=True):
        for pattern in (LISTED, IN_A_ROW):
            for found in pattern.finditer(source.text, first, last):
                group = next(group for group in range(1, pattern.groups + 1) if found[group])
                for number in NUMBER.finditer(source.text, found.start(group), found.end(group)):
                    yield int(number[0]), source.at(number.start())
