"""Keys and values, whatever syntax they were written in: which of them choose a model or state the size of vectors."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from cardcheck.catalogue import models
from cardcheck.facts.application import names
from cardcheck.facts.application.calls import LOADERS
from cardcheck.facts.application.command import EMBEDDING_SERVER, Token, read_command, tokens_of
from cardcheck.facts.application.found import Choice, Dimension, Found, Place
from cardcheck.facts.application.sql import read_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from cardcheck.facts.application.calls import Loader
    from cardcheck.facts.located import Path

Scalar = str | int | float | bool | None
Context = Literal["embedding", "reranker", "other", ""]
# What these keys hold says what the keys beside them are about.
TELLING = frozenset({
    "image", "type", "class", "_target_", "provider", "kind", "task", "component", "class_name", "backend", "framework", "name", "library",
    "model_type", "pipeline_type", "mode", "engine_type",
})  # fmt: skip
OTHER_MODELS = frozenset({
    "llm", "llms", "chat", "completion", "completions", "generation", "generator", "generative", "chatbot", "agent", "agents", "whisper", "stt",
    "tts", "vision", "vlm", "judge", "classifier", "classification", "ner", "translation", "translator", "summarizer", "summarization", "image",
    "asr", "ocr", "speech", "diffusion", "tokenizer", "dataset", "datasets",
})  # fmt: skip
COMMANDS = frozenset({"command", "args", "entrypoint", "cmd", "script", "run", "scripts"})
SETTINGS = frozenset({"environment", "env", "build_args", "args", "variables", "envs", "env_vars"})
VECTOR_TYPES = frozenset({"dense_vector", "knn_vector", "vector", "float_vector", "vectorsearch", "halfvec"})
SIZES = ("dims", "dimension", "dimensions", "numdimensions", "dim", "size", "vector_size")
CUTS = frozenset({"truncate_dim", "output_dimensionality", "output_dimension", "matryoshka_dim", "truncate_dimension"})
SHOWN = frozenset({"example", "examples"})  # what stands below these shows a form and chooses nothing
MAX_LEVELS = 4
MAX_REVISIONS = 20


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value that is neither a mapping nor a list, its path, and where it stands."""

    path: Path
    value: Scalar
    place: Place


class Tree:
    """The leaves of one document, by the mapping or list that holds them."""

    def __init__(
        self,
        leaves: Iterable[Leaf],
        *,
        about: str = "",
        data: bool = False,
        offered: bool = False,
        find: Callable[[str, Place], Place] | None = None,
    ) -> None:
        """Take `about` as what the whole is about (a file's name), `data` as: this syntax holds data more often than settings.

        `offered` says that the whole stands in a list beside others like it.
        """
        self.about, self.data, self.offered = about, data, offered
        self.find = find or (lambda _needle, place: place)
        self.groups: dict[Path, dict[str | int, Leaf]] = defaultdict(dict)
        self.members: dict[Path, set[int]] = defaultdict(set)
        self._told: dict[Path, Context] = {}
        self._said: dict[Path, str] = {}
        self._revisions: dict[Path, tuple[list[tuple[str, str]], bool]] = {}
        self._codes: dict[Path, Place | None] = {}
        for leaf in leaves:
            self.groups[leaf.path[:-1]][leaf.path[-1]] = leaf
            for depth, key in enumerate(leaf.path[:-1]):
                if isinstance(key, int):
                    self.members[leaf.path[:depth]].add(key)
        self._settings_in_lists()

    def _settings_in_lists(self) -> None:
        """Turn lists of `NAME=value`, and of mappings with a name and a value, into what they mean."""
        for path in list(self.groups):
            group = self.groups[path]
            if path and isinstance(path[-1], int) and isinstance(name := _text(group.get("name")), str) and "value" in group:
                self.groups[(*path[:-1], "=")].setdefault(name, group["value"])
            elif path and all(isinstance(key, int) for key in group) and "_".join(names.words(str(path[-1]))) in SETTINGS:
                for leaf in list(group.values()):
                    key, equals, value = (_text(leaf) or "").partition("=")
                    if equals and key.isidentifier():
                        place = (leaf.place[0], leaf.place[1] + len(key) + 1)
                        self.groups[(*path, "=")].setdefault(
                            key, Leaf((*path, "=", key), value, self.find(value, place) if value else place)
                        )

    def read(self, found: Found) -> None:
        """Add what the document chooses and declares."""
        for path, group in self.groups.items():
            for key, leaf in group.items():
                if isinstance(leaf.value, str) and isinstance(key, str):
                    self._text(path, key, leaf, found)
                elif isinstance(leaf.value, str) and "vector" in leaf.value:
                    read_sql(leaf.value, found, lambda offset, leaf=leaf: self._inside(leaf, offset))  # type: ignore[misc]
            self._sizes(path, group, found)
            if path and path[-1] in COMMANDS and all(isinstance(key, int) for key in group):
                tokens = [(str(leaf.value), leaf.place) for _, leaf in sorted(group.items(), key=lambda item: int(item[0]))]
                if any(" " in text for text, _ in tokens):  # a list of whole commands, or a shell and its script
                    for leaf in group.values():
                        self._command(path, leaf, found)
                else:
                    read_command(tokens, found, around=self._words_around(path), variables=self._variables(path))

    def _text(self, path: Path, key: str, leaf: Leaf, found: Found) -> None:
        value = str(leaf.value).strip()
        if "_".join(names.words(key)) in COMMANDS and len(value) > 8:
            self._command(path, leaf, found)
        elif len(value) > 30 and "vec" in value.lower():
            read_sql(value, found, lambda offset: self._inside(leaf, offset))
        if not 2 < len(value) < 200 or "\n" in value or " " in value or key in COMMANDS:
            return
        if choice := self._choice(path, key, value, leaf):
            found.add(choice)

    def _choice(self, path: Path, key: str, value: str, leaf: Leaf) -> Choice | None:
        role, weight = names.role_of_key(key), names.generic(key)
        if not (role or weight) or any(part in SHOWN for part in path):
            return None
        sure = bool(role) and not names.is_location(key)
        how = key
        if loader := self._loader(path, key):
            known = loader[1]
            return self._with_options(path, Choice(value, loader[0], leaf.place, known.library, known.role, loads=known.loads))
        if not role:
            if not weight or self._is_option(path):
                return None
            context = self._context(path)
            if context == "other" or (weight == "weak" and not self._parent_speaks(path)) or (self.data and not context):
                return None
            sure, role = bool(context) and weight == "model", "reranker" if context == "reranker" else "embedding"
            parent = next((str(part) for part in reversed(path) if isinstance(part, str) and part != "="), "")
            how = f"{parent}.{key}" if parent and path[-1] != "=" and not key.isupper() else key
        around = self._words_around(path)
        server = bool(EMBEDDING_SERVER.search(around)) and weight == "model"
        choice = Choice(value, how, leaf.place, "server" if server else _library(around), role, sure=sure, loads=server)
        return self._with_options(path, choice)

    def _loader(self, path: Path, key: str) -> tuple[str, Loader] | None:
        """Return the class that a mapping, or the one around it, is made for, where the key is its parameter for a model's name."""
        for depth in (len(path), len(path) - 1):
            for leaf in self._telling(path[: max(depth, 0)]):
                module, _, name = str(leaf.value).rpartition(".")
                loader = LOADERS.get(name)
                if loader and key in loader.names and (not loader.guard or module.startswith(loader.guard)):
                    return name, loader
        return None

    def _with_options(self, path: Path, choice: Choice) -> Choice:
        """Add the revision that stands beside a choice, whether vectors are cut, and whether code of the repository may run."""
        revisions, choice.shortened = self._beside(path)
        for other, revision in revisions:
            if names.subject_of(other) in ("", choice.role):
                choice.revision = revision
        choice.remote_code = self._remote_code(path)
        return choice

    def _beside(self, path: Path) -> tuple[list[tuple[str, str]], bool]:
        """Return the revisions that a mapping holds, and whether it cuts vectors."""
        if path not in self._revisions:
            held = [*self.groups[path].items(), *self.groups.get((*path, "model_kwargs"), {}).items()]
            texts = [(key, leaf) for key, leaf in held if isinstance(key, str)]
            found = [(key, leaf.value) for key, leaf in texts if names.is_revision_key(key) and isinstance(leaf.value, str)]
            self._revisions[path] = found[:MAX_REVISIONS], any("_".join(names.words(key)) in CUTS for key, _ in texts)
        return self._revisions[path]

    def _remote_code(self, path: Path) -> Place | None:
        if path not in self._codes:
            held = [self.groups.get(where, {}) for where in (path, (*path, "model_kwargs"), (*path, "kwargs"), (*path, "hf_kwargs"))]
            leaves = (
                leaf for group in held for key, leaf in group.items() if "_".join(names.words(str(key))).endswith("trust_remote_code")
            )
            self._codes[path] = next((leaf.place for leaf in leaves if str(leaf.value).lower() in ("true", "1")), None)
        return self._codes[path]

    def _is_option(self, path: Path) -> bool:
        """Tell whether a mapping is one of several in a list: things to choose from, not a choice."""
        if self.offered:
            return True
        for depth, key in enumerate(path):
            siblings = isinstance(key, int) and len(self.members[path[:depth]]) > 1
            if (
                siblings
                and "=" not in path
                and (not depth or str(path[depth - 1]) not in ("containers", "initContainers", "stages", "steps"))
            ):
                return True
        return False

    def _parent_speaks(self, path: Path) -> bool:
        above = next((part for part in reversed(path) if isinstance(part, str)), self.about)
        return bool(names.role_of_key(above) or names.subject_of(above)) and len(names.words(above)) <= 3

    def _context(self, path: Path) -> Context:
        """Return what surrounds a mapping speaks of; what is nearest counts."""
        for depth in range(len(path), max(-1, len(path) - MAX_LEVELS), -1):
            here = path[:depth]
            if here not in self._told:
                telling = (_about(str(leaf.value)) for leaf in self._telling(here))
                self._told[here] = next((told for told in telling if told), "")
            if told := self._told[here]:
                return told
            if depth and isinstance(key := path[depth - 1], str) and (told := _about(key)):
                return told
        return _about(self.about)

    def _telling(self, path: Path) -> list[Leaf]:
        """Return the texts of a mapping that say what the others are about."""
        group = self.groups.get(path, {})
        return [leaf for key, leaf in group.items() if isinstance(key, str) and key.lower() in TELLING and isinstance(leaf.value, str)]

    def _words_around(self, path: Path) -> str:
        """Return names of images, classes and services around a mapping, and the words of its commands."""
        around = []
        for depth in range(len(path), max(-1, len(path) - MAX_LEVELS), -1):
            here = path[:depth]
            if here not in self._said:
                said = [str(leaf.value)[:400] for leaf in self._telling(here)]
                for key in COMMANDS:
                    leaf = self.groups.get(here, {}).get(key)
                    said += [str(leaf.value)[:400]] if leaf else []
                    said += [str(item.value)[:200] for item in list(self.groups.get((*here, key), {}).values())[:20]]
                self._said[here] = " ".join(said).lower()
            around.append(self._said[here])
        return " ".join(around)

    def _variables(self, path: Path) -> dict[str, Token]:
        """Return the environment that is set beside a command."""
        above = path[:-1]
        beside = [self.groups.get((*above, key), {}) for key in ("environment", "env")]
        beside += [self.groups.get((*above, key, "="), {}) for key in ("environment", "env")]
        return {str(key): (str(leaf.value), leaf.place) for group in beside for key, leaf in group.items() if isinstance(leaf.value, str)}

    def _command(self, path: Path, leaf: Leaf, found: Found) -> None:
        text = str(leaf.value)[:20_000]
        tokens = tokens_of(text.replace("\\\n", "  "), lambda offset: self._inside(leaf, offset))
        read_command(tokens, found, around=self._words_around(path), variables=self._variables((*path, "")))

    def _inside(self, leaf: Leaf, offset: int) -> Place:
        """Return the place of an offset in a text: where the word that stands there is found in the file."""
        words = str(leaf.value)[offset : offset + 60].split(maxsplit=1)
        return self.find(words[0].strip("\"'"), leaf.place) if words else leaf.place

    def _sizes(self, path: Path, group: dict[str | int, Leaf], found: Found) -> None:
        lower = {key.lower(): leaf for key, leaf in group.items() if isinstance(key, str)}
        kind = lower.get("type") or lower.get("data_type") or lower.get("datatype")
        declared = str(kind.value).lower() if kind else ""
        vectors = declared in VECTOR_TYPES or (
            ("distance" in lower or "similarity" in lower) and ("size" in lower or "numdimensions" in lower)
        )
        vectors = vectors or (declared.startswith("float") and "dim" in lower)
        if vectors and (size := next((lower[key] for key in SIZES if key in lower and _size(lower[key].value)), None)):
            found.add(Dimension(_size(size.value), declared if "vec" in declared else "the vectors", size.place))
        if self._is_option(path) or any(isinstance(part, str) and models.is_known(part) for part in path[-3:]):
            return  # a list or a table of models and their sizes
        inside = ""
        for key, leaf in group.items():
            if isinstance(key, str) and _size(leaf.value) and names.is_dimension_key(key, inside=True):
                inside = inside or self._context(path) or "nothing"
                if names.is_dimension_key(key, inside=inside == "embedding") and not vectors:
                    found.add(Dimension(_size(leaf.value), key, leaf.place, setting=True))


def _text(leaf: Leaf | None) -> str | None:
    return leaf.value if leaf is not None and isinstance(leaf.value, str) else None


def _size(value: Scalar) -> int:
    """Return a size that vectors may have; 0 for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 6:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 2 <= value <= 65_536 else 0


def _about(text: str) -> Context:
    """Return what a key, an image or the name of a class speaks of."""
    low = text.lower()
    if told := names.subject_of(text[-100:]):
        return told
    if "text-embeddings" in low or "infinity_emb" in low or "embedder" in low or "embedding" in low:
        return "embedding"
    return "other" if OTHER_MODELS & set(names.words(text[:100])) else ""


def _library(around: str) -> str:
    """Return the library whose names are used, as far as the words around tell."""
    known = (("ollama", "ollama"), ("sentence", "sentence-transformers"), ("fastembed", "fastembed"), ("litellm", "litellm"))
    return next((library for word, library in known if word in around), "")
