"""The compiled rules of the last run, kept in the user's cache folder.

Reading, checking and compiling two hundred rule files takes half a second, which every commit would pay again. The store is named
after what it was made of, so a rule that changes makes a new one; it holds no code.
"""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cardcheck
from cardcheck import cache
from cardcheck.engine.cel import Expression
from cardcheck.engine.rule import Rule
from cardcheck.facts import schema

if TYPE_CHECKING:
    from collections.abc import Iterable

EXAMPLES = ("fails_on", "passes_on")  # which are not stored


def key(files: Iterable[str | Path]) -> str:
    """Return a name for the rules in `files` as they are now, under this version of the facts and of cardcheck."""
    return cache.made_of((Path(schema.__file__), Path(__file__), *files), cardcheck.__version__, sys.version)


def load(name: str) -> list[Rule] | None:
    """Return the rules stored under `name`, without their examples; None where there is no such store, or it cannot be read."""
    stored = cache.load("rules", name)
    try:
        return _unpacked(json.loads(stored)) if stored else None
    except (ValueError, TypeError, LookupError, AttributeError):
        return None


def save(name: str, rules: Iterable[Rule]) -> None:
    """Store rules under `name`; where the cache folder cannot be written, nothing is stored."""
    cache.save("rules", name, json.dumps(_packed(rules)))


def _packed(rules: Iterable[Rule]) -> dict[str, Any]:
    """Return plain data in which a number stands for an expression: many rules share a condition, and rows name their parts alike."""
    numbers: dict[str, int] = {}
    expressions: list[tuple[str, str]] = []

    def pack(value: Any) -> Any:
        if isinstance(value, Expression):
            if value.text not in numbers:
                numbers[value.text] = len(expressions)
                expressions.append((value.text, value.stored()))
            return numbers[value.text]
        if isinstance(value, tuple):
            return [pack(item) for item in value]
        return str(value) if isinstance(value, Path) else value

    names = [field.name for field in fields(Rule) if field.name not in EXAMPLES]
    return {"rules": [{name: pack(getattr(rule, name)) for name in names} for rule in rules], "expressions": expressions}


def _unpacked(stored: dict[str, Any]) -> list[Rule]:
    expressions = [Expression.restore(text, compiled) for text, compiled in stored["expressions"]]

    def unpack(value: Any) -> Any:
        if type(value) is int:
            return expressions[value]
        return tuple(map(unpack, value)) if type(value) is list else value

    rules = []
    for item in stored["rules"]:
        values: dict[str, Any] = {name: value if type(value) is str else unpack(value) for name, value in item.items()}
        values["path"] = Path(values["path"])
        rules.append(Rule(**values, fails_on=(), passes_on=()))
    return rules
