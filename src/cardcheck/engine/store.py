"""The compiled rules of the last run, kept in the user's cache folder.

Reading, checking and compiling two hundred rule files takes half a second, which every commit would pay again. The store is named
after what it was made of, so a rule that changes makes a new one; it holds no code.
"""

from __future__ import annotations

import json
import sys
from base64 import b64decode, b64encode
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


def key(files: Iterable[Path]) -> str:
    """Return a name for the rules in `files` as they are now, under this version of the facts and of cardcheck."""
    return cache.made_of((Path(schema.__file__), Path(__file__), *files), cardcheck.__version__, sys.version)


def load(name: str) -> list[Rule] | None:
    """Return the rules stored under `name`, without their examples; None where there is no such store, or it cannot be read."""
    stored = cache.load("rules", name)
    try:
        return [_rule(item) for item in json.loads(stored)] if stored else None
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def save(name: str, rules: Iterable[Rule]) -> None:
    """Store rules under `name`; where the cache folder cannot be written, nothing is stored."""
    cache.save("rules", name, json.dumps([_plain(rule) for rule in rules]))


def _plain(rule: Rule) -> dict[str, Any]:
    values = {field.name: getattr(rule, field.name) for field in fields(Rule)}
    del values["fails_on"], values["passes_on"]
    return {name: _pack(value) for name, value in values.items()}


def _pack(value: Any) -> Any:
    if isinstance(value, Expression):
        return {"cel": value.text, "compiled": b64encode(value.stored()).decode("ascii")}
    if isinstance(value, tuple):
        return [_pack(item) for item in value]
    return str(value) if isinstance(value, Path) else value


def _rule(item: dict[str, Any]) -> Rule:
    values = {name: _unpack(value) for name, value in item.items()}
    return Rule(**values | {"path": Path(values["path"])}, fails_on=(), passes_on=())


def _unpack(value: Any) -> Any:
    if isinstance(value, dict):
        return Expression.restore(value["cel"], b64decode(value["compiled"]))
    return tuple(_unpack(item) for item in value) if isinstance(value, list) else value
