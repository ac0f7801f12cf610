"""The model card: front matter as the Hub sees it, and the facts of its text."""

from __future__ import annotations

import re
from typing import Any

from cardcheck.facts.files import Listing
from cardcheck.facts.located import Located, LocatedError, Location, load_yaml
from cardcheck.facts.markdown import collect_markdown
from cardcheck.facts.model import Facts, Source
from cardcheck.facts.results import collect_results

CARD = "README.md"

# What the Hub's client takes for front matter (huggingface_hub.repocard, pattern of 2.4.0).
FRONT_MATTER = re.compile(r"^(\s*---(?:\r\n|\r|\n))([\S\s]*?)((?:\r\n|\r|\n)---[ \t]*(?:\r\n|\n|$))")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
ARXIV_TAG = re.compile(r"^arxiv:(\d{4}\.\d{4,5})")


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
    facts.sources["card"] = Source("known")
    facts.places["card"] = Location(name, 1, 1)
    facts.texts[name] = text
    facts.set("card.truncated", cut)
    for found in CONTROL.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        column = found.start() - text.rfind("\n", 0, found.start())
        facts.add("card.control_characters", Location(name, line, column), name=f"U+{ord(found[0]):04X}")

    match = FRONT_MATTER.match(text)
    body_start = match.end() if match else 0
    problem = None if match else _why_unseen(text)
    if match:
        first_line = match[1].count("\n") + 1 + (match[1].count("\r") if "\n" not in match[1] else 0)
        try:
            located = load_yaml(match[2], first_line=first_line)
        except LocatedError as error:
            problem = f"it is not valid YAML: {error.message}"
            facts.places["card.front_matter_problem"] = Location(name, error.line, error.column)
            facts.sources["results"] = Source("unavailable", f"the front matter is not valid YAML (line {error.line})")
        else:
            if isinstance(located.value, dict):
                facts.set("card.has_front_matter", value=True, place=Location(name, 1, 1))
                _collect_front_matter(facts, name, located)
                collect_results(facts, name, located)
            elif located.value is not None:
                problem = "it is not a mapping of keys to values"
    if problem:
        facts.set("card.front_matter_problem", problem, facts.places.get("card.front_matter_problem", Location(name, 1, 1)))
    collect_markdown(facts, name, text[body_start:], first_line=text.count("\n", 0, body_start) + 1)


def _why_unseen(text: str) -> str | None:
    """Say why the Hub does not see front matter that somebody wrote; None where there is none to see."""
    head = text[:20_000]
    if re.match(r"\s*---[ \t]*(\r\n|\r|\n)---", head):
        return "it is empty"
    if head.startswith("\ufeff"):
        return "a byte order mark stands before it" if "---" in head[:5] else None
    if re.match(r"\s*---[ \t]+[\r\n]", head):
        return "spaces follow the opening ---"
    if re.match(r"\s*---[\r\n]", head):
        return "its closing --- is missing"
    if re.search(r"\n---[ \t]*\r?\n(?:[\w-]+:.*\r?\n)+(?:[-\w ].*\r?\n)*?---[ \t]*\r?\n", head):
        return "text stands before it"
    return None


def strings(value: Any) -> list[str]:
    """Return a front matter value as a list of strings, whether one or many were written."""
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else str(item) for item in items if item is not None and not isinstance(item, dict)]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, dict):
        return None
    return ", ".join(strings(value))


def _collect_front_matter(facts: Facts, file: str, located: Located) -> None:
    data = located.value

    def place(*path: str | int) -> Location:
        return Location(file, *located.place(path))

    for key in data:
        facts.add("card.keys", place(key), key=key)
    for path, line, column in located.duplicates:
        facts.add("card.duplicate_keys", Location(file, line, column), key=str(path[-1]))
    for key in ("license", "pipeline_tag", "library_name"):
        if key in data:
            facts.set(f"card.{key}", _text(data[key]), place(key))
    for key in ("language", "tags", "base_model"):
        if key in data:
            facts.set(f"card.{key}", strings(data[key]), place(key))
    declared = data.get("datasets")
    for index, value in enumerate(declared if isinstance(declared, list) else [declared]):
        if value is not None:
            item = value if isinstance(value, str) else str(value)
            facts.add("card.datasets", place("datasets", index), value=item)
    for index, tag in enumerate(strings(data.get("tags"))):
        if found := ARXIV_TAG.match(tag):
            facts.add("card.papers", place("tags", index), kind="tag", ref=found[1])
