"""Safe fixes: an edit of one word in one line, taken only where the file then says the same but for the one key.

The text is patched at the place of the finding, so comments, quotes and order stay; the file is never written anew from parsed values.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardcheck.facts.card import FRONT_MATTER
from cardcheck.facts.located import LocatedError, load_json, load_yaml
from cardcheck.facts.unseen import INVISIBLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardcheck.engine.evaluate import Finding

MENDED = (".md", ".markdown", ".json", ".ipynb", ".yaml", ".yml", ".py", ".toml")  # files that can be read to see what an edit changes
MAX_READ = 10_000_000  # characters that are read again to see that an edit changes nothing else; edits beyond them are left for another run
LONE_RETURN = re.compile(r"\r(?!\n)")  # YAML takes it for a line break, editors do not: the finding's line would be another one here


@dataclass(frozen=True, slots=True)
class Fixed:
    """A file's new text, the findings that are mended in it, and those whose edit would have changed something else."""

    text: str
    mended: list[Finding]
    left: list[Finding]


def mend(name: str, text: str, findings: Iterable[Finding]) -> Fixed:
    """Apply the edits of `findings` to the text of the file called `name`, from the last line to the first."""
    mended: list[Finding] = []
    left: list[Finding] = []
    most = MAX_READ // (2 * len(text) + 1)
    order = sorted(findings, key=lambda finding: (finding.location.line or 0, finding.location.column or 0), reverse=True)
    for finding in order:
        new = _edited(text, finding)
        if new is not None and len(mended) < most and _same_but_one(name, text, new):
            text = new
            mended.append(finding)
        else:
            left.append(finding)
    return Fixed(text, mended, left)


def _edited(text: str, finding: Finding) -> str | None:
    """Return the text with the first `old` at or after the place replaced by `new`; None where it does not stand there."""
    if finding.edit is None or finding.location.line is None:
        return None
    old, new = finding.edit
    start = _offset(text, finding.location.line)
    if start is None:
        return None
    end = text.find("\n", start)
    line = text[start : end if end >= 0 else len(text)]
    if LONE_RETURN.search(text, 0, start + len(line) + 1):
        return None
    word = re.compile(rf"(?<![\w.-]){re.escape(old)}(?![\w.-])" if old[:1].isalnum() else re.escape(old))
    found = word.search(line, (finding.location.column or 1) - 1)
    if not found:
        return None
    return text[: start + found.start()] + new + text[start + found.end() :]


def _offset(text: str, line: int) -> int | None:
    offset = 0
    for _ in range(line - 1):
        offset = text.find("\n", offset) + 1
        if not offset:
            return None
    return offset


def _same_but_one(name: str, before: str, after: str) -> bool:
    """Tell whether two texts of a file say the same but for one key: its name, its value, or that it is read at all."""
    if before.lstrip(INVISIBLE) == after:
        return True
    try:
        old, old_rest = _meaning(name, before)
        new, new_rest = _meaning(name, after)
    except LocatedError:
        return False
    return old_rest == new_rest and isinstance(old, dict | list) and _changes(old, new) <= 1


def _meaning(name: str, text: str) -> tuple[Any, str]:
    """Return the values that a file holds and the text beside them; raises LocatedError."""
    if name.endswith(".py"):
        return _code(text), ""
    if name.endswith(".toml"):
        return _toml(text), ""
    if name.endswith((".json", ".ipynb")):
        located = load_json(text)
        if not located.places:  # the finding's place is then no more than the file's beginning
            raise LocatedError("no places are known in it")
        return located.value, ""
    if name.endswith((".yaml", ".yml")):
        return load_yaml(text).value, ""
    match = FRONT_MATTER.match(text)
    if match is None:
        raise LocatedError("there is no front matter")
    return load_yaml(match[2]).value, text[match.end() :]


def _code(text: str) -> list[str]:
    """Return what Python code consists of: each node with what it names or holds."""
    import ast

    try:
        tree = ast.parse(text)
        return [ast.dump(node) if not list(ast.iter_child_nodes(node)) else type(node).__name__ for node in ast.walk(tree)]
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise LocatedError(str(error) or "it cannot be read") from None


def _toml(text: str) -> Any:
    import tomllib

    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise LocatedError(str(error) or "it cannot be read") from None


def _changes(old: Any, new: Any) -> float:
    """Return how many keys and values are other ones, infinity where the shape is another; the depth is bounded by the loaders."""
    if isinstance(old, dict) and isinstance(new, dict) and len(old) == len(new):
        pairs = zip(old.items(), new.items(), strict=True)
        return sum(float(key != now) + _changes(item, other) for (key, item), (now, other) in pairs)
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return sum(map(_changes, old, new))
    if isinstance(old, dict | list) or isinstance(new, dict | list):
        return math.inf
    return int(type(old) is not type(new) or repr(old) != repr(new))
