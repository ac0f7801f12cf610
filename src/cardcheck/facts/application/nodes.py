"""Small questions to nodes of a syntax tree."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def called(func: ast.expr) -> tuple[str, str]:
    """Return what a call is made on, and the name that is called."""
    if isinstance(func, ast.Attribute):
        return last(func.value), func.attr
    return "", func.id if isinstance(func, ast.Name) else ""


def last(node: ast.expr) -> str:
    """Return the last name of a dotted one; empty for anything else."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def argument(node: ast.Call, name: str) -> ast.expr | None:
    """Return the value of a keyword argument; None where it is not given."""
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)


def pairs(node: ast.expr | None) -> Iterator[tuple[str | None, ast.expr | ast.keyword, ast.expr]]:
    """Yield the keys of a mapping as texts, where each stands, and its value; None for a key that cannot be read."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else None, key or value, value
    elif isinstance(node, ast.Call) and called(node.func) == ("", "dict"):
        for keyword in node.keywords:
            yield keyword.arg, keyword, keyword.value
    else:
        yield None, ast.Constant(None), ast.Constant(None)


def is_value(node: ast.expr) -> bool:
    """Tell whether an expression is written out, or the default of a setting: calls of anything else are read as calls."""
    return not isinstance(node, ast.Call) or called(node.func)[1] in (
        "getenv",
        "get",
        "Field",
        "field",
        "config",
        "env",
        "str",
        "int",
        "Option",
    )
