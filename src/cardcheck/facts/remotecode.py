"""Python code that comes with a repository, or from another one, and how the card's code asks for it."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from cardcheck.facts.located import Located, LocatedError, Location, load_json
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.files import Listing
    from cardcheck.facts.model import Facts

# Where transformers looks for classes that are code.
CONFIGS = (
    "config.json",
    "tokenizer_config.json",
    "processor_config.json",
    "preprocessor_config.json",
    "video_preprocessor_config.json",
    "feature_extractor_config.json",
    "generation_config.json",
)
# Packages that bring modules for sentence-transformers: what they name is installed, not fetched.
PACKAGES = frozenset(
    {"pylate", "model2vec", "setfit", "transformers", "torch", "InstructorEmbedding", "span_marker", "angle_emb", "FlagEmbedding"}
)
REFERENCE = Pattern(r"(?:(?P<repository>[\w.-]{1,96}/[\w.-]{1,96})--)?(?P<module>[\w.-]{1,200})\.(?P<class>\w{1,100})$")

TURNED_ON = Pattern(r"trust_remote_code[\"']?\s{0,3}[=:]\s{0,3}True\b|--trust[-_]remote[-_]code\b(?![= ]{1,2}[Ff]alse)")
HUB_ID = r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}"
QUOTED_ID = Pattern(rf"[\"']({HUB_ID})[\"']")
COMMAND_ID = Pattern(rf"(?:--model(?:[-_](?:id|name|path))?[= ]{{1,3}}|serve\s{{1,3}}|\s)[\"']?({HUB_ID})(?=[\s\"'\\]|$)")
FIRST_NAME = Pattern(r"\(\s{0,99}(?:[\w-]{1,60}\s{0,3}=\s{0,3})?([A-Za-z_]\w{0,60})\s{0,9}[,)]")
AROUND = 600  # characters of a call before and after


def collect_remote_code(facts: Facts, listing: Listing) -> None:
    """Fill `hazards.remote`: one row for each file and each repository that its classes come from."""
    for path in CONFIGS:
        text = facts.texts.get(path)
        if text is None and path in listing and path not in listing.elsewhere:
            try:
                text = listing.read(path)[0]
            except OSError:
                continue
        if text and ('"auto_map"' in text or '"custom_pipelines"' in text):
            _classes(facts, listing, path, text)
    for row in facts["st.custom_modules"][:100]:
        found = REFERENCE.match(row["type"])
        if found and found["module"].split(".")[0] not in PACKAGES:
            place = Location(row["file"], row["line"], row["column"])
            repository = _other(facts, found["repository"])
            facts.add(
                "hazards.remote", place, kind="module", path=row["file"], classes=row["type"][:100], repository=repository, missing=""
            )


def _classes(facts: Facts, listing: Listing, path: str, text: str) -> None:
    try:
        located = load_json(text)
    except LocatedError:
        return
    facts.texts.setdefault(path, text)
    by_repository: dict[str, list[str]] = {}
    missing: list[str] = []
    places: dict[str, Location] = {}
    for name, reference, place in _references(located, path):
        found = REFERENCE.match(reference)
        if found is None:
            continue
        repository = _other(facts, found["repository"])
        by_repository.setdefault(repository, []).append(name)
        places.setdefault(repository, place)
        file = found["module"].replace(".", "/") + ".py"
        if not repository and file not in listing and file not in missing:
            missing.append(file)
    for repository, names in by_repository.items():
        classes = ", ".join(dict.fromkeys(names))[:200]
        gone = "" if repository else ", ".join(missing)[:200]
        facts.add("hazards.remote", places[repository], kind="class", path=path, classes=classes, repository=repository, missing=gone)


def _references(located: Located, path: str) -> Iterator[tuple[str, str, Location]]:
    """Yield (what for, the reference, its place) of every class that is code."""
    data: Any = located.value
    if not isinstance(data, dict):
        return
    classes = data.get("auto_map")
    for name, value in islice(classes.items(), 100) if isinstance(classes, dict) else ():
        place = Location(path, *located.place(("auto_map", name)))
        for reference in value[:4] if isinstance(value, list) else [value]:
            if isinstance(reference, str):
                yield str(name), reference, place
    pipelines = data.get("custom_pipelines")
    for name, value in islice(pipelines.items(), 100) if isinstance(pipelines, dict) else ():
        if isinstance(value, dict) and isinstance(value.get("impl"), str):
            yield f"pipeline {name}"[:60], value["impl"], Location(path, *located.place(("custom_pipelines", name)))


def _other(facts: Facts, repository: str | None) -> str:
    """Return the repository that code comes from, or an empty text where it is this one."""
    mine = facts["subject.id"]
    return "" if not repository or (mine and repository.lower() == mine.lower()) else repository


def collect_usage(facts: Facts) -> None:
    """Fill `hazards.calls`: where the card's code turns remote code on, for which repository, and whether a revision is pinned."""
    blocks, unpinned = facts["card.code"], set[str]()
    for row in blocks:
        if "trust" not in row["text"]:
            continue
        for found in islice(TURNED_ON.finditer(row["text"]), 100):
            call = _line(row["text"], found) if found[0].startswith("--") else _call(row["text"], found)
            line = row["line"] + row["text"].count("\n", 0, found.start())
            repository = _repository(call, row["text"], blocks, command=found[0].startswith("--"))
            place = Location(row["file"], line, found.start() - row["text"].rfind("\n", 0, found.start()))
            pinned = "revision" in call
            first = not pinned and repository not in unpinned
            keys = {"id": repository, "own": _is_own(facts, repository), "pinned": pinned, "first": first}
            facts.add("hazards.calls", place, written=found[0][:60], **keys)
            unpinned |= set() if pinned else {repository}


def _is_own(facts: Facts, repository: str) -> bool:
    """Tell whether code loads the subject itself: by its id, or without one, because the card's code loads nothing else."""
    if facts["subject.id"]:
        return repository.lower() == str(facts["subject.id"]).lower()
    loaded = {row["id"].lower() for row in facts["card.loads"]}
    return bool(repository) and loaded == {repository.lower()}


def _call(text: str, found: re.Match[str]) -> str:
    """Return the call that an argument stands in, from its opening parenthesis to its closing one."""
    start, depth = max(0, found.start() - AROUND), 0
    for at in range(found.start() - 1, start - 1, -1):
        depth += (text[at] == ")") - (text[at] == "(")
        if depth < 0:
            start = at
            break
    depth = 0
    for at in range(start, min(len(text), found.end() + AROUND)):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0 and at >= found.end():
            return text[start : at + 1]
    return text[start : found.end() + AROUND]


def _line(text: str, found: re.Match[str]) -> str:
    """Return the command that an option stands in; a backslash carries it on."""
    start, end = found.start(), found.end()
    while (line := text.rfind("\n", 0, start)) > 0 and text[line - 1] == "\\":
        start = line - 1
    while (line := text.find("\n", end)) > 0 and text[line - 1] == "\\":
        end = line + 1
    return text[line + 1 if (line := text.rfind("\n", 0, start)) >= 0 else 0 : line if (line := text.find("\n", end)) >= 0 else len(text)]


def _repository(call: str, block: str, blocks: list[dict[str, Any]], *, command: bool) -> str:
    """Return the repository that a call names, itself or by a variable, or an empty text."""
    if command:
        found = COMMAND_ID.search(call)
        return found[1] if found else ""
    if found := QUOTED_ID.search(call):
        return found[1]
    if not (name := FIRST_NAME.match(call)):
        return ""
    assigned = Pattern(rf"(?<![\w.]){re.escape(name[1])}\s{{0,3}}=\s{{0,3}}[\"']({HUB_ID})[\"']")
    for text in (block, *(row["text"] for row in blocks[:20])):
        if found := assigned.search(text):
            return found[1]
    return ""
