"""The model card: front matter as the Hub sees it, and the facts of its text."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

from cardcheck.facts.files import LFS_POINTER, LFS_PROBLEM
from cardcheck.facts.located import Located, LocatedError, Location, load_yaml
from cardcheck.facts.markdown import collect_markdown
from cardcheck.facts.metadata import collect_metadata
from cardcheck.facts.model import Facts, Source
from cardcheck.facts.results import collect_results
from cardcheck.facts.schema import MAX_ROWS
from cardcheck.facts.unseen import stray_start, why_unseen
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    import re

    from cardcheck.facts.files import Listing

CARD = "README.md"
BYTE_ORDER_MARK = "\ufeff"

# What the Hub's client takes for front matter (huggingface_hub.repocard, pattern of 2.4.0).
FRONT_MATTER = Pattern(r"^(\s*---(?:\r\n|\r|\n))([\S\s]*?)((?:\r\n|\r|\n)---[ \t]*(?:\r\n|\n|$))")
CONTROL = Pattern(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]+")
ARXIV_TAG = Pattern(r"^arxiv:(\d{4}\.\d{4,5})")


def collect_card(facts: Facts, listing: Listing, name: str = CARD) -> None:
    """Fill the groups `card` and `results` from the card called `name`."""
    if name not in listing:
        return
    try:
        text, cut = listing.read(name)
    except OSError as error:
        for source in ("card", "results"):
            facts.sources[source] = Source("unavailable", f"{name} cannot be read: {error.strerror}")
        return
    facts.texts[name] = text
    if text.startswith(LFS_POINTER):
        facts.add("files.pointers", Location(name, 1, 1), path=name)
        for source in ("card", "results"):
            facts.sources[source] = Source("unavailable", f"{name} {LFS_PROBLEM}")
        return
    facts.sources["card"] = Source("known")
    facts.places["card"] = Location(name, 1, 1)
    facts.set("card.truncated", cut)
    _control_characters(facts, name, text)
    if text.startswith(BYTE_ORDER_MARK):  # the newest clients of the Hub read on behind it
        facts.set("card.byte_order_mark", value=True, place=Location(name, 1, 1))
        text = text[1:]
    match = FRONT_MATTER.match(text)
    body = match.end() if match else 0
    if match:
        _front_matter(facts, name, match)
    elif problem := why_unseen(text, FRONT_MATTER):
        facts.set("card.front_matter_problem", problem, Location(name, 1, 1))
        facts.set("card.stray_start", stray_start(text, FRONT_MATTER))
    collect_markdown(facts, name, text[body:], first_line=text.count("\n", 0, body) + 1)


def _control_characters(facts: Facts, name: str, text: str) -> None:
    # one more than is kept, so that the cut is noted; a file of nothing else must not take for ever
    for found in islice(CONTROL.finditer(text), MAX_ROWS + 1):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        facts.add("card.control_characters", Location(name, line, column), name=f"U+{ord(found[0][0]):04X}")


def _front_matter(facts: Facts, name: str, match: re.Match[str]) -> None:
    opening = match[1]
    first_line = opening.count("\n" if "\n" in opening else "\r") + 1
    try:
        located = load_yaml(match[2], first_line=first_line)
    except LocatedError as error:
        place = Location(name, error.line, error.column)
        facts.set("card.front_matter_problem", f"it is not valid YAML: {error.message}", place)
        facts.sources["results"] = Source("unavailable", f"the front matter is not valid YAML (line {error.line})")
        return
    if isinstance(located.value, dict):
        facts.set("card.has_front_matter", value=True, place=Location(name, 1, 1))
        _keys(facts, name, located)
        collect_metadata(facts, name, located)
        collect_results(facts, name, located)
    elif located.value is None:
        facts.set("card.front_matter_problem", "it is empty", Location(name, 1, 1))
    else:
        facts.set("card.front_matter_problem", "it is not a mapping of keys to values", Location(name, 1, 1))


def strings(value: Any) -> list[str]:
    """Return a front matter value as a list of strings, whether one or many were written."""
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else str(item) for item in items if item is not None and not isinstance(item, dict)]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, dict):
        return None
    return ", ".join(strings(value))


def _keys(facts: Facts, file: str, located: Located) -> None:
    data = located.value

    def place(*path: str | int) -> Location:
        return Location(file, *located.place(path))

    for key in data:
        facts.add("card.keys", place(key), key=key)
    for path, line, column in located.duplicates:
        facts.add("card.duplicate_keys", Location(file, line, column), key=str(path[-1]))
    for key in data.keys() & {"license", "pipeline_tag", "library_name"}:
        facts.set(f"card.{key}", _text(data[key]), place(key))
    for key in data.keys() & {"language", "tags", "base_model"}:
        facts.set(f"card.{key}", strings(data[key]), place(key))
    declared = data.get("datasets")
    for index, value in enumerate(declared if isinstance(declared, list) else [declared]):
        if value is not None:
            facts.add("card.datasets", place("datasets", index), value=str(value))
    for index, tag in enumerate(strings(data.get("tags"))):
        if found := ARXIV_TAG.match(tag):
            facts.add("card.papers", place("tags", index), kind="tag", ref=found[1])
