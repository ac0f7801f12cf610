"""The Common Expression Language behind one small door.

A rule's expressions are compiled twice when it is loaded from its file. The first compile declares nullable facts as wrapper types, so
that a comparison of a text with a number is an error when the rule loads. The second declares them as dynamic, because cel-expr-python
0.1.3 cannot bind a plain Python value to a wrapper type. What it gives can be stored as bytes, which come back far faster than a compile.
"""

from __future__ import annotations

import functools
import math
import operator
import sys
from base64 import b64decode, b64encode
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cardcheck.facts.schema import FIELDS
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cel_expr_python import cel

MAX_INT = 2**62
MAX_DEPTH = 6
ENOUGH = 1 << 40
POSITION = Pattern(r"<input>:(\d+):(\d+): (.*)")


class CelError(ValueError):
    """An expression that does not compile or cannot be evaluated; `column` counts from 1 in the expression."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


@functools.cache
def _checking() -> cel.Env:
    """Return the environment that knows the type of every fact."""
    from cel_expr_python import cel

    wrapped = {name: cel.Type(f"google.protobuf.{name}Value") for name in ("String", "Int64", "Double", "Bool")}
    return _environment({"string?": wrapped["String"], "int?": wrapped["Int64"], "double?": wrapped["Double"], "bool?": wrapped["Bool"]})


@functools.cache
def _running() -> cel.Env:
    """Return the environment that evaluates."""
    return _environment({})


def _environment(nullable: Mapping[str, cel.Type]) -> cel.Env:
    """Declare the facts, and `it`; a kind of fact that may be null and is not in `nullable` is dynamic."""
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_strings

    _keep_none()
    kind = cel.Type
    kinds = {
        "string": kind.STRING,
        "int": kind.INT,
        "double": kind.DOUBLE,
        "bool": kind.BOOL,
        "strings": kind.List(kind.STRING),
        "rows": kind.List(kind.Map(kind.STRING, kind.DYN)),
        **nullable,
    }
    variables = {name: kinds.get(spec.kind, kind.DYN) for name, spec in FIELDS.items()}
    with _without_messages():
        return cel.NewEnv(variables=variables | {"it": kind.DYN}, extensions=[ext_strings.ExtStrings()])


@contextmanager
def _without_messages() -> Iterator[None]:
    """Let no protobuf package be found, as where only cardcheck is installed.

    With its first environment cel-expr-python 0.1.3 imports the package that another, such as onnxruntime, brought, to be able to take
    messages in. No fact is one, and the import takes a twelfth of a short run.
    """
    package = "google.protobuf"
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]  # as the import system documents it: not found
    try:
        yield
    finally:
        sys.modules.pop(package, None)


def _keep_none() -> None:
    """Keep None from being freed: cel-expr-python 0.1.3 gives away a reference to it with every null, and thousands end the process.

    From Python 3.12 on, None counts no references (PEP 683); before, a count that no leak uses up does the same.
    """
    if sys.version_info < (3, 12) and sys.implementation.name == "cpython":
        import ctypes

        count = ctypes.c_ssize_t.from_address(id(None))
        if count.value < ENOUGH:
            count.value += ENOUGH


class Expression:
    """A compiled expression over the declared facts and `it`, the row a message is about."""

    __slots__ = ("_compiled", "_stored", "returns", "text")

    def __init__(self, text: str) -> None:
        """Compile `text`; raises CelError with the place of the fault."""
        self.text = text
        try:
            checked = _checking().compile(text)
            self._compiled: cel.Expression | None = _running().compile(text)
        except RuntimeError as error:
            found = POSITION.search(str(error))
            if found:
                raise CelError(found[3], int(found[1]), int(found[2])) from None
            raise CelError(str(error).splitlines()[0]) from None
        self._stored = ""
        self.returns: str = checked.return_type().name()

    def stored(self) -> str:
        """Return the compiled expression as ASCII text."""
        return self._stored or b64encode(self._program().serialize()).decode("ascii")

    @classmethod
    def restore(cls, text: str, stored: str) -> Expression:
        """Return an expression that `stored` gave the text of; that is read when it is first evaluated, as one in ten is in a run."""
        expression = cls.__new__(cls)
        expression.text, expression.returns = text, ""
        expression._compiled, expression._stored = None, stored  # noqa: SLF001  # our own
        return expression

    def __reduce__(self) -> tuple[Any, ...]:
        return Expression.restore, (self.text, self.stored())

    def _program(self) -> cel.Expression:
        if self._compiled is None:
            try:
                self._compiled = _running().deserialize(b64decode(self._stored))
            except (RuntimeError, ValueError):  # a damaged store, or one of another version of the library
                self._compiled = _running().compile(self.text)
        return self._compiled

    def evaluate(self, activation: cel.Activation, *, most: int | None = None) -> Any:
        """Return the plain value; of a list no more than `most` items are made plain, and the others stand as None.

        Raises CelError where evaluation fails.
        """
        try:
            value = self._program().eval(activation)
        except RuntimeError as error:  # the iteration budget is used up
            raise CelError(str(error).splitlines()[0]) from None
        kind = value.type().name()
        if kind == "ERROR":
            raise CelError(str(value.value()).splitlines()[0])
        if most is not None and kind.startswith("LIST"):
            items = value.value()
            return [item.plain_value() for item in items[:most]] + [None] * (len(items) - most)
        return value.plain_value()


def activation(values: Mapping[str, Any], it: Any = None) -> cel.Activation:
    """Bind facts for evaluation."""
    return _running().Activation({**values, "it": normalise(it)})


def normalise(value: Any, depth: int = 0) -> Any:  # noqa: PLR0911  # a table of types
    """Make a value safe for the evaluator: finite numbers, integers of 64 bits, text that is valid UTF-8, no deep nesting.

    What is safe already comes back as it is, not as a copy: nearly all of thousands of rows are.
    """
    kind = type(value)
    if kind is str:
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if -MAX_INT < value < MAX_INT else None
    if kind is float:
        return value if math.isfinite(value) else None
    if kind in (list, tuple):
        if depth >= MAX_DEPTH:
            return None
        items = [normalise(item, depth + 1) for item in value]
        return value if kind is list and all(map(operator.is_, items, value)) else items
    if kind is dict:
        if depth >= MAX_DEPTH:
            return None
        changed = {key: new for key, item in value.items() if (new := normalise(item, depth + 1)) is not item or type(key) is not str}
        return {str(key): changed.get(key, item) for key, item in value.items()} if changed else value
    return str(value)
