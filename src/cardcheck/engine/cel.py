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
from typing import TYPE_CHECKING, Any

from cardcheck.facts.schema import FIELDS
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

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
def _environments() -> tuple[cel.Env, cel.Env]:
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_strings

    _keep_none()
    kind = cel.Type
    rows = kind.List(kind.Map(kind.STRING, kind.DYN))
    plain = {
        "string": kind.STRING,
        "int": kind.INT,
        "double": kind.DOUBLE,
        "bool": kind.BOOL,
        "strings": kind.List(kind.STRING),
        "rows": rows,
    }
    wrapped = {name: kind(f"google.protobuf.{name}Value") for name in ("String", "Int64", "Double", "Bool")}
    nullable = {"string?": "String", "int?": "Int64", "double?": "Double", "bool?": "Bool"}
    checked = {name: plain.get(spec.kind) or wrapped[nullable[spec.kind]] for name, spec in FIELDS.items()}
    dynamic = {name: plain.get(spec.kind, kind.DYN) for name, spec in FIELDS.items()}
    item = {"it": kind.DYN}
    extensions = [ext_strings.ExtStrings()]
    return cel.NewEnv(variables=checked | item, extensions=extensions), cel.NewEnv(variables=dynamic | item, extensions=extensions)


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
        checking, running = _environments()
        try:
            checked = checking.compile(text)
            self._compiled: cel.Expression | None = running.compile(text)
        except RuntimeError as error:
            found = POSITION.search(str(error))
            if found:
                raise CelError(found[3], int(found[1]), int(found[2])) from None
            raise CelError(str(error).splitlines()[0]) from None
        self._stored = b""
        self.returns: str = checked.return_type().name()

    def stored(self) -> bytes:
        """Return the compiled expression as bytes."""
        return self._stored or bytes(self._program().serialize())

    @classmethod
    def restore(cls, text: str, stored: bytes) -> Expression:
        """Return an expression that `stored` gave the bytes of; they are read when it is first evaluated."""
        expression = cls.__new__(cls)
        expression.text, expression.returns = text, ""
        expression._compiled, expression._stored = None, stored  # noqa: SLF001  # our own
        return expression

    def __reduce__(self) -> tuple[Any, ...]:
        return Expression.restore, (self.text, self.stored())

    def _program(self) -> cel.Expression:
        if self._compiled is None:
            try:
                self._compiled = _environments()[1].deserialize(self._stored)
            except RuntimeError:  # a damaged store, or one of another version of the library
                self._compiled = _environments()[1].compile(self.text)
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
    return _environments()[1].Activation({**values, "it": normalise(it)})


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
