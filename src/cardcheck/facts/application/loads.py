"""Calls in Python that load a model: its name, the revision, whether code of the repository may run, and the format of the weights."""

from __future__ import annotations

import ast
from itertools import islice

from cardcheck.facts.application import names
from cardcheck.facts.application.calls import ENCODERS, LOADERS, PRETRAINED, RANKERS, TOKENIZERS, Loader
from cardcheck.facts.application.found import Choice, Found, Hazard, Place
from cardcheck.facts.application.nodes import called, last, pairs
from cardcheck.facts.application.scopes import MAX_KEYS, Module, Scope
from cardcheck.facts.application.structured import finder
from cardcheck.facts.application.tree import CUTS

CUT = (*CUTS, "dimensions", "embed_dim", "embedding_dim", "mrl_dim")
REDUCES = ("truncate_dim", "atryoshka", "PCA(", "UMAP(", "TruncatedSVD(", "RandomProjection(", "[:, :", "output_dimensionality")
TRAINS = ("torch.nn", "nn.Module", "nn.Embedding")


class Loads:
    """Reads the calls of one file that load a model."""

    def __init__(self, tree: ast.Module, text: str, found: Found) -> None:
        self.module, self.found = Module(tree), found
        self.lines = text.split("\n")
        self.find = finder(self.lines)
        found.reduces = any(word in text for word in REDUCES)
        self.trains = any(word in text for word in TRAINS)
        self.embeds = "embed" in text or "Embed" in text
        self.seen: set[int] = set()  # nodes that are read as a part of another one

    def place(self, node: ast.expr | ast.keyword) -> Place:
        """Return where a node stands; the parser counts bytes, people count letters."""
        line = self.lines[node.lineno - 1] if node.lineno <= len(self.lines) else ""
        column = node.col_offset if line.isascii() else len(line.encode()[: node.col_offset].decode("utf-8", "replace"))
        quoted = isinstance(node, ast.Constant) and isinstance(node.value, str)
        while quoted and column < len(line) and line[column] in "rRbBuUfF":
            column += 1
        return node.lineno, column + 1 + (1 if quoted and line[column : column + 1] in ("'", '"') else 0)

    def _pretrained(self, node: ast.Call, scope: Scope, owner: str) -> None:
        if owner in PRETRAINED or owner in LOADERS:
            self._load(node, scope, PRETRAINED.get(owner) or LOADERS[owner], owner)
        elif owner in ENCODERS or owner in RANKERS or owner in TOKENIZERS:
            role = "reranker" if owner in RANKERS else "tokenizer" if owner in TOKENIZERS else "embedding"
            spoken = isinstance(node.args[0] if node.args else None, (ast.Name, ast.Attribute)) and names.role_of_key(last(node.args[0]))
            loader = Loader("transformers", ("pretrained_model_name_or_path",), 0, role, loads=role != "tokenizer")  # type: ignore[arg-type]
            self._load(node, scope, loader, f"{owner}.from_pretrained", sure=bool(spoken) and role == "embedding")

    def _load(self, node: ast.Call, scope: Scope, loader: Loader, how: str, *, sure: bool = True) -> None:
        """Read a call that loads a model."""
        argument = next((keyword.value for keyword in node.keywords if keyword.arg in loader.names), None)
        if argument is None and 0 <= loader.position < len(node.args):
            argument = node.args[loader.position]
        options, open_ended = self._options(node, scope)
        code = options.get("trust_remote_code")
        runs_code = self.place(code[0]) if code and self._is(code[1], scope, value=True) else None
        revision, known = self._revision(options, scope)
        named = self.module.text(argument, scope)
        if named is None:
            self._unnamed(argument, open_ended=open_ended, loader=loader, runs_code=None if revision or not known else runs_code, sure=sure)
            return
        text, where = named
        choice = Choice(
            text, how, self.place(where), loader.library, loader.role, sure, loads=loader.loads and known and not open_ended, revision=revision,
            asked=not known, remote_code=runs_code, shortened=any(name in options for name in CUT), trains="num_labels" in options, optional=scope.optional,
            within=scope.holder,
        )  # fmt: skip
        self.found.add(choice)
        if "use_safetensors" in options and self._is(options["use_safetensors"][1], scope, value=False):
            self.found.hazards.append(Hazard("use_safetensors=False", self.place(options["use_safetensors"][0]), sure))

    def _unnamed(self, argument: ast.expr | None, *, open_ended: bool, loader: Loader, runs_code: Place | None, sure: bool) -> None:
        if runs_code and loader.loads and (sure or (self.embeds and loader.role == "embedding")):
            self.found.unnamed_remote_code.append(runs_code)
        if not sure or loader.role != "embedding":
            return
        if argument is None and loader.default and not open_ended:
            self.found.by_default += 1
        else:
            self.found.at_run_time += 1

    def _revision(self, options: dict[str, tuple[ast.expr | ast.keyword, ast.expr]], scope: Scope) -> tuple[str | None, bool]:
        """Return the revision, and whether it is known: one that is worked out at run time may be a commit."""
        given = options.get("revision")
        if given is None or (isinstance(given[1], ast.Constant) and given[1].value is None):
            return None, True
        text = self.module.text(given[1], scope)
        return (text[0], True) if text else (None, False)

    def _options(self, node: ast.Call, scope: Scope) -> tuple[dict[str, tuple[ast.expr | ast.keyword, ast.expr]], bool]:
        """Return a call's keywords with those of its *_kwargs, and whether there may be more that are not seen."""
        options: dict[str, tuple[ast.expr | ast.keyword, ast.expr]] = {}
        open_ended = False
        for keyword in node.keywords:
            if keyword.arg and not keyword.arg.endswith("kwargs"):
                options[keyword.arg] = (keyword, keyword.value)
                continue
            if keyword.arg in ("encode_kwargs", "query_encode_kwargs", "tokenizer_kwargs", "processor_kwargs"):
                continue
            found = self.module.follow(keyword.value, scope)
            for name, where, value in islice(pairs(found[0] if found else None), MAX_KEYS):
                if name is None:
                    open_ended = True
                else:
                    options.setdefault(name, (where, value))
        return options, open_ended

    def _is(self, node: ast.expr, scope: Scope, *, value: bool) -> bool:
        found = self.module.follow(node, scope)
        return found is not None and isinstance(found[0], ast.Constant) and found[0].value is value

    def _hazard(self, node: ast.Call, name: str) -> None:
        for keyword in node.keywords:
            off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
            if off and keyword.arg == "weights_only" and name == "load":
                self.found.hazards.append(Hazard("weights_only=False", self.place(keyword), sure=False))

    def _registered(self, func: ast.expr) -> str:
        """Return the name that LanceDB's registry is asked for: get_registry().get("…").create(…)."""
        got = func.value if isinstance(func, ast.Attribute) else None
        asked = isinstance(got, ast.Call) and called(got.func)[1] == "get" and got.args
        return str(got.args[0].value) if asked and isinstance(got, ast.Call) and isinstance(got.args[0], ast.Constant) else ""
