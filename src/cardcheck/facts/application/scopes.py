"""What the names in a Python file stand for, as far as it can be read without running it.

One pass over the syntax tree notes every assignment by the scope it is in; a name is followed only where one value is all it can have.
"""

from __future__ import annotations

import ast
import functools
from collections import defaultdict
from typing import Any

from cardcheck.facts.application.nodes import last

MAX_STEPS = 6  # from a name to a name to a value; nobody writes longer chains
MAX_PARTS = 20
MAX_KEYS = 500  # of a mapping that is read for one call
MAX_FOLLOWED = 300_000  # expressions in one file: texts made of texts made of texts would never end
MAX_VALUES = 4  # of a name; with more of them, one that is all it can have is not to be found
GETTERS = frozenset({"getenv", "get", "config", "env", "str", "setdefault", "get_env", "getenv_or_default", "get_or_default", "int"})
WRAPPERS = frozenset({"str", "int", "Path", "SecretStr", "cast", "expandvars", "expanduser"})
FIELDS = frozenset({"Field", "field", "FieldInfo", "Option", "Argument", "Parameter", "Query", "Body", "ConfigField", "Setting"})
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
BRANCHES = (ast.If, ast.IfExp, ast.Match, ast.Try, ast.While, ast.ExceptHandler)


# Nodes that assign or begin a scope, those that are looked at afterwards, and those that hold nothing.
ENTERED = frozenset({
    ast.Assign, ast.AnnAssign, ast.NamedExpr, ast.AugAssign, ast.For, ast.AsyncFor, ast.Import, ast.ImportFrom, ast.ClassDef, *FUNCTIONS, *BRANCHES,
})  # fmt: skip
WANTED = frozenset({ast.Call, ast.Dict, ast.JoinedStr})
LEAVES = (
    ast.Name,
    ast.expr_context,
    ast.operator,
    ast.cmpop,
    ast.boolop,
    ast.unaryop,
    ast.Pass,
    ast.Break,
    ast.Continue,
    ast.alias,
    ast.arg,
)


@functools.cache
def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    """Return the names under which a node of this class may hold others, the last first."""
    return tuple(
        name
        for name in reversed(kind._fields)
        if name not in ("ctx", "op", "ops", "type_comment", "id", "attr", "name", "lineno", "type_ignores")
    )


Value = tuple[ast.expr | None, "Scope"]  # what is assigned, None where that is not known, and the scope it is written in


class Scope:
    """A module, class or function: the values that are assigned in it, and the scope around it."""

    __slots__ = ("is_class", "optional", "parent", "values")

    def __init__(self, parent: Scope | None, *, is_class: bool = False, optional: bool = False) -> None:
        """Take `optional` as: what stands in here runs under a condition."""
        self.parent, self.is_class, self.optional = parent, is_class, optional
        self.values: dict[str, list[Value]] = defaultdict(list)

    @property
    def holder(self) -> int:
        """Return a number that tells classes apart; 0 outside of classes."""
        scope: Scope | None = self
        while scope is not None and not scope.is_class:
            scope = scope.parent
        return id(scope.values) if scope is not None else 0


class Module:
    """A parsed file: its nodes with their scopes, and its imports."""

    def __init__(self, tree: ast.Module) -> None:
        self.top = Scope(None)
        self.classes: dict[str, Scope] = {}
        self.modules: dict[str, str] = {}  # name here → dotted module it comes from
        self.original: dict[str, str] = {}  # name here → name there
        self.nodes: list[tuple[ast.AST, Scope]] = []  # those that may say something, with the scope they are in
        self.followed = 0
        self.offered: set[int] = set()  # calls and mappings that stand in a list beside others of their kind: things to choose from
        stack: list[tuple[ast.AST, Scope]] = [(tree, self.top)]
        while stack:
            node, scope = stack.pop()
            kind = node.__class__
            if kind in ENTERED:
                inner = self._enter(node, scope)
                self.nodes.append((node, inner if kind in FUNCTIONS else scope))
                scope = inner
            elif kind in WANTED:
                self.nodes.append((node, scope))
            elif isinstance(node, (ast.List, ast.Tuple)):
                self._offer(node.elts)
            for name in _fields(kind):  # type: ignore[arg-type]  # typeshed says that classes of nodes cannot be hashed
                value = getattr(node, name, None)
                for item in reversed(value) if value.__class__ is list else (value,):  # what is pushed last is read first
                    if item.__class__ is ast.Constant:
                        if isinstance(item.value, str) and "vec" in item.value:
                            self.nodes.append((item, scope))
                    elif isinstance(item, ast.AST) and not isinstance(item, LEAVES):
                        stack.append((item, scope))

    def _enter(self, node: ast.AST, scope: Scope) -> Scope:  # noqa: C901  # one branch a kind of node
        """Note what a node assigns; return the scope of what is inside it."""
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._assign(target, node.value, scope)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
            if node.value is not None:
                self._assign(node.target, node.value, scope)
        elif isinstance(node, (ast.AugAssign, ast.For, ast.AsyncFor)):
            self._forget(node.target, scope)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                name = alias.asname or alias.name
                self.modules[name] = f"{getattr(node, 'module', None) or ''}.{alias.name}".lstrip(".")
                self.original[name] = alias.name.rpartition(".")[2]
        elif isinstance(node, FUNCTIONS):
            return self._function(node, scope)
        elif isinstance(node, ast.ClassDef):
            self.classes[node.name] = inner = Scope(scope, is_class=True, optional=scope.optional)
            return inner
        elif isinstance(node, BRANCHES):
            inner = Scope(scope, optional=True)
            inner.values, inner.is_class = scope.values, scope.is_class  # a branch is no scope of its own
            inner.parent = scope.parent
            return inner
        return scope

    def _offer(self, elements: list[ast.expr]) -> None:
        """Note the mappings of a list, and the calls in it of one thing, where there are several."""
        kinds: dict[str, list[int]] = defaultdict(list)
        for element in elements:
            if isinstance(element, ast.Dict):
                kinds["{"].append(id(element))
            elif isinstance(element, ast.Call):
                kinds[last(element.func)].append(id(element))
        for members in kinds.values():
            if len(members) > 1:
                self.offered.update(members)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, scope: Scope) -> Scope:
        inner = Scope(scope, optional=False)
        positional = [*node.args.posonlyargs, *node.args.args]
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(node.args.defaults)) + list(node.args.defaults)
        for argument, default in [*zip(positional, defaults, strict=True), *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]:
            inner.values[argument.arg].append((default, scope))
        for star in (node.args.vararg, node.args.kwarg):
            if star:
                inner.values[star.arg].append((None, scope))
        return inner

    def _assign(self, target: ast.expr, value: ast.expr, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            scope.values[target.id].append((value, scope))
        elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            holder = self._holder(target.value.id, scope)
            if holder is not None:
                holder.values[target.attr].append((value, scope))
        elif isinstance(target, (ast.Tuple, ast.List)):
            same = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts)
            for index, part in enumerate(target.elts):
                if same and isinstance(value, (ast.Tuple, ast.List)):
                    self._assign(part, value.elts[index], scope)
                else:
                    self._forget(part, scope)

    def _forget(self, target: ast.expr, scope: Scope) -> None:
        for part in target.elts if isinstance(target, (ast.Tuple, ast.List)) else [target]:
            if isinstance(part, ast.Name):
                scope.values[part.id].append((None, scope))

    def _holder(self, name: str, scope: Scope | None) -> Scope | None:
        """Return the class that `self`, a class's name or an instance of one stands for."""
        if name in ("self", "cls"):
            while scope is not None and not scope.is_class:
                scope = scope.parent
            return scope
        if name in self.classes:
            return self.classes[name]
        for value, _ in self.top.values.get(name, ())[:MAX_VALUES]:
            if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in self.classes:
                return self.classes[value.func.id]
        return None

    def follow(self, node: ast.expr | None, scope: Scope, steps: int = MAX_STEPS) -> tuple[ast.expr, Scope] | None:  # noqa: PLR0911
        """Return the expression that another one stands for in the end, where only one can be; None where that is not known."""
        self.followed += 1
        if node is None or steps <= 0 or self.followed > MAX_FOLLOWED:
            return None
        if isinstance(node, ast.Name):
            return self._name(node.id, scope, steps)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            holder = self._holder(node.value.id, scope)
            if holder is None or node.attr not in holder.values:
                return None
            return self._one(holder.values[node.attr], steps)
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            return self.follow(node.values[-1], scope, steps - 1)
        if isinstance(node, ast.Call):
            return self._call(node, scope, steps)
        if isinstance(node, ast.Subscript):
            return self._item(node, scope, steps)
        return node, scope

    def _name(self, name: str, scope: Scope, steps: int) -> tuple[ast.expr, Scope] | None:
        here: Scope | None = scope
        while here is not None:
            if name in here.values and (not here.is_class or here is scope):
                return self._one(here.values[name], steps, own=name)
            here = here.parent
        return None

    def _one(self, values: list[Value], steps: int, *, own: str = "") -> tuple[ast.expr, Scope] | None:
        """Follow the only value there is; a parameter that is set to `itself or "default"` has that default."""
        if len(values) > MAX_VALUES:
            return None
        known = [value for value in values if not (isinstance(value[0], ast.Constant) and value[0].value is None)]
        if len(known) == 2 and _defaults(known[1][0], own):
            known = known[1:]
        if len(known) != 1 or known[0][0] is None:
            return None
        value, scope = known[0]
        if isinstance(value, ast.Name) and value.id == own and scope.parent is not None:
            scope = scope.parent
        return self.follow(value, scope, steps - 1)

    def _call(self, node: ast.Call, scope: Scope, steps: int) -> tuple[ast.expr, Scope] | None:
        """Follow calls that give back a text of the file: defaults of settings, and conversions."""
        name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        default = next((keyword.value for keyword in node.keywords if keyword.arg in ("default", "default_value")), None)
        if name == "dict" and not node.args:
            return node, scope
        if name in WRAPPERS and len(node.args) == 1:
            return self.follow(node.args[0], scope, steps - 1)
        if name in ("strip", "lower", "rstrip") and isinstance(node.func, ast.Attribute) and not node.args:
            return self.follow(node.func.value, scope, steps - 1)
        if name in FIELDS:
            return self.follow(default or (node.args[0] if node.args else None), scope, steps - 1)
        if name in GETTERS:
            return self.follow(default or (node.args[1] if len(node.args) == 2 else None), scope, steps - 1)
        return None

    def _item(self, node: ast.Subscript, scope: Scope, steps: int) -> tuple[ast.expr, Scope] | None:
        found = self.follow(node.value, scope, steps - 1)
        if found and isinstance(found[0], ast.Dict) and isinstance(node.slice, ast.Constant) and len(found[0].keys) <= MAX_KEYS:
            for key, value in zip(found[0].keys, found[0].values, strict=True):
                if isinstance(key, ast.Constant) and key.value == node.slice.value:
                    return self.follow(value, found[1], steps - 1)
        return None

    def text(self, node: ast.expr | None, scope: Scope, steps: int = MAX_STEPS) -> tuple[str, ast.expr] | None:
        """Return the text that an expression stands for, and where it is written."""
        found = self.follow(node, scope, steps)
        if found is None:
            return None
        node, scope = found
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value, node
        parts: list[ast.expr] = []
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.FormattedValue) else part for part in node.values]
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            parts = [node.left, node.right]
        if not parts or len(parts) > MAX_PARTS:
            return None
        texts = [self.text(part, scope, steps - 1) for part in parts]
        return ("".join(text[0] for text in texts if text), node) if all(texts) else None

    def number(self, node: ast.expr | None, scope: Scope) -> tuple[int, ast.expr] | None:
        """Return the whole number that an expression stands for, and where it is written."""
        found = self.follow(node, scope)
        if found and isinstance(found[0], ast.Constant):
            value: Any = found[0].value
            if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 8:
                value = int(value)
            if isinstance(value, int) and not isinstance(value, bool):
                return value, found[0]
        return None

    def imports(self, *packages: str) -> bool:
        """Tell whether anything of these packages is imported."""
        return any(module.startswith(packages) for module in self.modules.values())


def _defaults(value: ast.expr | None, name: str) -> bool:
    """Tell whether a value is `name or "something"`."""
    return isinstance(value, ast.BoolOp) and isinstance(value.values[0], ast.Name) and value.values[0].id == name
