"""Python code that chooses an embedding model, declares vectors or cuts texts into chunks: read from its syntax tree, never run."""

from __future__ import annotations

import ast
import warnings
from typing import TYPE_CHECKING

from cardcheck.facts.application import names
from cardcheck.facts.application.calls import CHUNKED, FETCHERS, LOADERS, PIPELINES, SIZED, Loader
from cardcheck.facts.application.command import read_command
from cardcheck.facts.application.found import Choice, Chunk, Dimension, Found
from cardcheck.facts.application.loads import Loads
from cardcheck.facts.application.nodes import argument, called, is_value, last
from cardcheck.facts.application.scopes import FUNCTIONS, Scope
from cardcheck.facts.application.sql import read_sql
from cardcheck.facts.application.tree import Leaf, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardcheck.facts.located import Path

MAX_TEXT = 1_000_000  # characters; a syntax tree takes two hundred times as much memory as the text
MAX_NODES = 400_000
MAX_WORDS = 200  # of a command
STARTS = frozenset({"run", "Popen", "call", "check_call", "check_output"})


def read_python(text: str, found: Found) -> None:
    """Read a Python file; one that cannot be parsed is noted as a problem."""
    if len(text) > MAX_TEXT:
        found.problem = (f"is larger than {MAX_TEXT:,} characters", (1, 1))
        return
    try:
        tree = parse(text)
    except SyntaxError as error:
        found.problem = (f"is no Python that can be parsed: {error.msg}", (max(error.lineno or 1, 1), max(error.offset or 1, 1)))
        return
    except (RecursionError, MemoryError, ValueError) as error:
        found.problem = (f"is no Python that can be parsed: {str(error) or 'it is nested too deeply'}", (1, 1))
        return
    _Reader(tree, text, found).read()


def parse(text: str) -> ast.Module:
    """Return the syntax tree; raises SyntaxError, RecursionError, MemoryError or ValueError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the code's own escapes and comparisons
        flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT  # notebooks await in the open
        tree = compile(text.removeprefix("\ufeff"), "<application>", "exec", flags=flags, dont_inherit=True)
    return tree if isinstance(tree, ast.Module) else ast.Module([], [])


class _Reader(Loads):
    """Reads all that a file says."""

    def read(self) -> None:
        for node, scope in self.module.nodes[:MAX_NODES]:
            if isinstance(node, ast.Call):
                self._call(node, scope)
        for node, scope in self.module.nodes[:MAX_NODES]:
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                self._assignment(node, scope)
            elif isinstance(node, FUNCTIONS):
                self._parameters(node, scope)
            elif isinstance(node, ast.Dict) and id(node) not in self.seen:
                self._dict(node, "")
            elif isinstance(node, (ast.Constant, ast.JoinedStr)):
                self._sql(node, scope)

    def _call(self, node: ast.Call, scope: Scope) -> None:
        owner, name = called(node.func)
        name = self.module.original.get(name, name) if not owner else name
        loader = LOADERS.get(name)
        if name in ("from_pretrained", "from_finetuned"):
            self._pretrained(node, scope, self.module.original.get(owner, owner))
        elif loader and (not loader.guard or self.module.imports(*loader.guard)):
            self._load(node, scope, loader, name)
        elif name in FETCHERS:
            self._load(node, scope, Loader("transformers", ("repo_id",), 0, loads=True), name, sure=False)
        elif (
            name == "pipeline"
            and (task := self.module.text(node.args[0] if node.args else argument(node, "task"), scope))
            and task[0] in PIPELINES
        ):
            role = "reranker" if PIPELINES[task[0]] == "reranker" else "embedding"
            self._load(node, scope, Loader("transformers", ("model",), 1, role, loads=True), f"pipeline({task[0]})")  # type: ignore[arg-type]
        else:
            self._service(node, scope, owner, name)
        self._declared(node, scope, name)
        self._hazard(node, name)

    def _service(self, node: ast.Call, scope: Scope, owner: str, name: str) -> None:
        """Read a call that asks a service for embeddings, that reads a setting, or that hands a model's name to somebody."""
        asks = name == "create" and owner in ("embeddings", "Embedding")
        if asks or name == "embed_content" or (owner == "litellm" and "embedding" in name):
            library = "litellm" if owner == "litellm" else "google" if name == "embed_content" else "api"
            self._load(node, scope, Loader(library, ("model", "engine"), -1), "embeddings.create" if library == "api" else name)
            return
        if owner == "ollama" and name in ("embeddings", "embed"):
            self._load(node, scope, Loader("ollama", ("model",), 0), f"ollama.{name}")
            return
        if name in STARTS and node.args and isinstance(node.args[0], (ast.List, ast.Tuple)):
            words = [self.module.text(part, scope) for part in node.args[0].elts[:MAX_WORDS]]
            read_command([(text, self.place(where)) for text, where in (word or ("?", node.args[0]) for word in words)], self.found)
            return
        if name == "create" and self._registered(node.func) in ("sentence-transformers", "huggingface"):
            self._load(node, scope, Loader("sentence-transformers", ("name",), default=True), "get_registry().get().create")
            return
        first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
        if (
            isinstance(first, str)
            and first
            and len(node.args) <= 2
            and name in ("getenv", "get", "add_argument", "option", "setdefault", "config", "env")
        ):
            default = argument(node, "default") or (node.args[1] if len(node.args) == 2 else None)
            self._setting(first.lstrip("-"), default, scope)
        for keyword in node.keywords if id(node) not in self.module.offered else ():
            if keyword.arg:
                self._setting(keyword.arg, keyword.value, scope, literal=True)

    def _setting(self, key: str, value: ast.expr | None, scope: Scope, *, literal: bool = False) -> None:
        """Read a value under a name: a model where the name says so or the catalogue knows it, or the size of vectors."""
        role, weight = names.role_of_key(key), names.generic(key)
        if value is None or (literal and not isinstance(value, ast.Constant)):
            return
        if (role or weight == "model") and (text := self.module.text(value, scope)) and 2 < len(text[0]) < 200:
            sure = bool(role) and not names.is_location(key)
            self.found.add(Choice(text[0], key, self.place(text[1]), role=role or "embedding", sure=sure, optional=scope.optional))
        elif (
            not self.trains
            and not literal
            and names.is_dimension_key(key, inside=False)
            and (size := self.module.number(value, scope))
            and 2 <= size[0] <= 65_536
        ):
            self.found.add(Dimension(size[0], key, self.place(size[1]), setting=True))

    def _assignment(self, node: ast.Assign | ast.AnnAssign, scope: Scope) -> None:
        for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
            key = last(target)
            if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str):
                key = target.slice.value
            if not key or node.value is None:
                continue
            if isinstance(node.value, ast.Dict):
                self._dict(node.value, key)
            elif isinstance(node.value, (ast.Constant, ast.Call, ast.BoolOp, ast.JoinedStr)) and is_value(node.value):
                self._setting(key, node.value, scope)
            if key == "chunk_size" and isinstance(target, ast.Attribute) and self.module.imports("llama_index"):
                self._chunk("Settings.chunk_size", node.value, scope)

    def _parameters(self, node: ast.AST, scope: Scope) -> None:
        for key, values in scope.values.items() if isinstance(node, FUNCTIONS) else ():
            default, around = values[0]
            if isinstance(default, (ast.Constant, ast.Call)) and is_value(default):
                self._setting(key, default, around)

    def _dict(self, node: ast.Dict, about: str) -> None:
        """Read a mapping as a file of settings would be read; what its values stand for is not followed."""
        leaves = list(self._leaves(node))
        if any(isinstance(leaf.value, (str, int)) for leaf in leaves):
            Tree(leaves, about=about, offered=id(node) in self.module.offered, find=self.find).read(self.found)

    def _leaves(self, node: ast.Dict) -> Iterator[Leaf]:
        stack: list[tuple[Path, ast.expr]] = [((), node)]
        while stack:
            path, part = stack.pop()
            self.seen.add(id(part))
            if isinstance(part, ast.Dict):
                pairs = [(key.value, value) for key, value in zip(part.keys, part.values, strict=True) if isinstance(key, ast.Constant)]
                stack += [((*path, key), value) for key, value in reversed(pairs) if isinstance(key, str)] if len(path) < 30 else []
            elif isinstance(part, (ast.List, ast.Tuple)):
                stack += [((*path, index), value) for index, value in enumerate(part.elts)][::-1] if len(path) < 30 else []
            elif isinstance(part, ast.Constant) and path and isinstance(part.value, (str, int, float, bool)):
                yield Leaf(path, part.value, self.place(part))

    def _declared(self, node: ast.Call, scope: Scope, name: str) -> None:
        """Read sizes of vectors and of chunks."""
        if (sized := SIZED.get(name)) and (not sized.guard or self.module.imports(*sized.guard)):
            told = " ".join(last(value) for value in [*node.args[:3], *(keyword.value for keyword in node.keywords)][:8])
            value = next((keyword.value for keyword in node.keywords if keyword.arg in sized.names), None)
            if value is None and 0 <= sized.position < len(node.args):
                value = node.args[sized.position]
            size = self.module.number(value, scope) if "BINARY" not in told and "SPARSE" not in told else None
            if size and 2 <= size[0] <= 65_536:
                self.found.add(Dimension(size[0], name, self.place(size[1])))
        elif (
            name == "list_"
            and len(node.args) == 2
            and isinstance(node.args[0], ast.Call)
            and "float" in called(node.args[0].func)[1]
            and (size := self.module.number(node.args[1], scope))
            and 2 <= size[0] <= 65_536
        ):
            self.found.add(Dimension(size[0], "list_", self.place(size[1])))
        if (chunked := CHUNKED.get(name)) and (not chunked[1] or self.module.imports(*chunked[1])):
            self._chunk(name, next((keyword.value for keyword in node.keywords if keyword.arg in chunked[0]), None), scope)

    def _chunk(self, what: str, value: ast.expr | None, scope: Scope) -> None:
        if (size := self.module.number(value, scope)) and 1 < size[0] < 1_000_000:
            self.found.chunks.append(Chunk(size[0], what, self.place(size[1])))

    def _sql(self, node: ast.Constant | ast.JoinedStr, scope: Scope) -> None:
        """Read SQL that stands in a text, also where a name of the file is put into it."""
        if isinstance(node, ast.JoinedStr):
            if not any(isinstance(part, ast.Constant) and "vector(" in str(part.value).lower() for part in node.values):
                return
            parts = [str(part.value) if isinstance(part, ast.Constant) else self._number_in(part, scope) for part in node.values]
            text = "".join(parts)
        elif isinstance(node.value, str) and "vec" in node.value and len(node.value) > 12:
            text = node.value
        else:
            return
        place = self.place(node)
        read_sql(text, self.found, lambda offset: self.find(text[offset:].split("(", 1)[0] + "(", place))

    def _number_in(self, part: ast.AST, scope: Scope) -> str:
        number = self.module.number(part.value, scope) if isinstance(part, ast.FormattedValue) else None
        return str(number[0]) if number else " "
