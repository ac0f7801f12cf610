"""The examples in a rule's file: made-up subjects, and what the outside says of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardcheck.facts.board import ROWS, SEEN
from cardcheck.facts.probe import PROBED
from cardcheck.facts.weights import DTYPES
from cardcheck.net.answers import METHODS

EXAMPLE_KEYS = frozenset({"card", "files", "weights", "links", "id", "repeat", "application", "online", "probe", "board"})
MAX_EXAMPLE = 1_000_000


@dataclass(frozen=True, slots=True)
class Example:
    """A made-up subject: its card (the text `repeat` times over), other text files, weights, symbolic links and Hub id.

    `weights` maps path → tensor → [dtype, shape]. `application` says that the files are no model's, but those of who chooses one.
    `online` is what the outside answers (see recorded.py), None where it is not asked. `probe` is what measuring the model gave, `board`
    what the audit of a leaderboard saw of it, None where nobody measured or looked.
    """

    card: str | None
    files: dict[str, str]
    weights: dict[str, dict[str, Any]]
    links: dict[str, str]
    hub_id: str | None
    application: bool = False
    online: dict[str, dict[str, Any]] | None = None
    probe: dict[str, Any] | None = None
    board: dict[str, Any] | None = None


def read_example(item: Any) -> Example:
    """Return an example from what its rule file says; raises ValueError with what is wrong with it."""
    if not isinstance(item, dict) or set(item) - EXAMPLE_KEYS:
        raise ValueError("an example has the keys card, repeat, files, weights, links, id, application, online, probe and board")
    files, weights, links = (item.get(key) or {} for key in ("files", "weights", "links"))
    if not all(isinstance(group, dict) for group in (files, weights, links)):
        raise ValueError("files, weights and links of an example map paths to contents")
    for path in (*files, *weights, *links):
        if Path(path).is_absolute() or ".." in Path(path).parts:
            raise ValueError(f"the path {path} of an example leaves its folder")
    card, times, hub_id = item.get("card"), item.get("repeat", 1), item.get("id")
    if not isinstance(times, int) or times < 1 or times * len(str(card)) > MAX_EXAMPLE:
        raise ValueError(f"repeat must be a number that makes a card of at most {MAX_EXAMPLE:,} characters")
    if hub_id is not None and not isinstance(hub_id, str):
        raise ValueError("the id of an example is text")
    if not all(isinstance(target, str) for target in links.values()):
        raise ValueError("links of an example map paths to paths")
    if not all(_is_tensors(tensors) for tensors in weights.values()):
        raise ValueError(f"weights map a path to tensors, and these to [dtype, shape]; dtypes are {', '.join(DTYPES)}")
    texts = {str(path): "" if content is None else str(content) for path, content in files.items()}
    online = item.get("online")
    if online is not None and not (isinstance(online, dict) and set(online) <= METHODS and all(map(_is_mapping, online.values()))):
        raise ValueError(f"online of an example has the keys {', '.join(sorted(METHODS))}, each a mapping")
    whole = None if card is None else str(card) * times
    probe = _group("probe", item.get("probe"), PROBED, ("prompts", "prefixes"))
    board = _group("board", item.get("board"), SEEN, ROWS)
    return Example(whole, texts, weights, links, hub_id, item.get("application") is True, online, probe, board)


def _group(name: str, values: Any, keys: frozenset[str], lists: tuple[str, ...]) -> dict[str, Any] | None:
    """Return what measuring or looking gave, each list in it a list of rows."""
    if values is None:
        return None
    if not isinstance(values, dict) or set(values) - keys:
        raise ValueError(f"{name} of an example has the keys {', '.join(sorted(keys))}")
    given = [values[key] for key in lists if key in values]
    if not all(isinstance(rows, list) and all(map(_is_mapping, rows)) for rows in given):
        raise ValueError(f"{' and '.join(lists)} in the {name} of an example are lists of mappings")
    return values


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _is_tensors(tensors: Any) -> bool:
    """Tell whether this is a mapping of names to [dtype, shape]."""
    return isinstance(tensors, dict) and all(
        isinstance(tensor, list)
        and len(tensor) == 2
        and tensor[0] in DTYPES
        and isinstance(tensor[1], list)
        and all(isinstance(length, int) and 0 < length < 2**31 for length in tensor[1])
        for tensor in tensors.values()
    )
