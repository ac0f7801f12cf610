"""Configuration files of transformers, sentence-transformers and the tokenizer."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from cardcheck.facts.files import LFS_POINTER, LFS_PROBLEM
from cardcheck.facts.located import Located, LocatedError, Location, load_json
from cardcheck.facts.model import Facts, Source

if TYPE_CHECKING:
    from cardcheck.facts.files import Listing

# Old and new (5.4 and later) names of sentence-transformers' pooling switches.
POOLING_SWITCHES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
LOCAL_PATH = re.compile(
    r"^(?:/(?:home|root|mnt|data|tmp|users|scratch|workspace|content|kaggle|gpfs|opt|storage)\w*/|[A-Za-z]:[\\/]|~/|\.\.?/)",
    re.IGNORECASE,
)
MAX_INTEGER = 2**62
PLACEHOLDER_LENGTH = 10_000_000
STANDARD_MODULES = ("sentence_transformers.",)


def collect_config(facts: Facts, listing: Listing) -> None:
    """Fill the groups `config`, `st` and `tokenizer`."""
    _transformers(facts, _load(facts, listing, "config.json", "config"))
    _sentence_transformers(facts, listing)
    _tokenizer(facts, _load(facts, listing, "tokenizer_config.json", "tokenizer"))


class _Json:
    """A JSON object from the subject, with typed access that takes nothing on trust."""

    def __init__(self, file: str, located: Located) -> None:
        self.file, self.located = file, located
        self.data: Any = located.value

    def place(self, *path: str | int) -> Location:
        return Location(self.file, *self.located.place(path))

    def text(self, key: str) -> str | None:
        value = self.data.get(key)
        return value if isinstance(value, str) else None

    def integer(self, key: str) -> int | None:
        value = self.data.get(key)
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < MAX_INTEGER
        return int(value) if number else None


def _load(facts: Facts, listing: Listing, path: str, source: str, *, expected: type = dict) -> _Json | None:
    """Read a JSON file; a broken one is a fact, not an error."""
    if path not in listing:
        return None
    try:
        text, cut = listing.read(path)
    except OSError as error:
        facts.sources[source] = Source("unavailable", f"{path} cannot be read: {error.strerror}")
        return None
    if cut:
        facts.sources[source] = Source("unavailable", f"{path} is larger than any configuration should be")
        return None
    facts.texts[path] = text
    try:
        located = load_json(text)
    except LocatedError as error:
        _broken(facts, path, source, LocatedError(LFS_PROBLEM) if text.startswith(LFS_POINTER) else error)
        return None
    if not isinstance(located.value, expected):
        _broken(facts, path, source, LocatedError(f"it is not a JSON {'object' if expected is dict else 'list'}"))
        return None
    if facts.sources[source].state == "absent":
        facts.sources[source] = Source("known")
    facts.places.setdefault(source, Location(path, 1, 1))
    return _Json(path, located)


def _broken(facts: Facts, path: str, source: str, error: LocatedError) -> None:
    facts.add("config.broken", Location(path, error.line, error.column), path=path, problem=error.message)
    facts.sources[source] = Source("unavailable", f"{path} cannot be read: {error.message}")


def _transformers(facts: Facts, config: _Json | None) -> None:
    if config is None:
        return
    facts.set("config.model_type", config.text("model_type"), config.place("model_type"))
    architectures = config.data.get("architectures")
    facts.set("config.architectures", [str(a) for a in architectures] if isinstance(architectures, list) else [])
    for name, aliases in (
        ("hidden_size", ("hidden_size", "d_model", "dim", "n_embd")),
        ("max_position_embeddings", ("max_position_embeddings", "n_positions", "max_seq_len")),
    ):
        key = next((alias for alias in aliases if config.integer(alias) is not None), None)
        if key:
            facts.set(f"config.{name}", config.integer(key), config.place(key))
    facts.set("config.name_or_path", config.text("_name_or_path"), config.place("_name_or_path"))
    auto_map = config.data.get("auto_map")
    if isinstance(auto_map, dict):
        facts.set("config.auto_map", sorted(map(str, auto_map)), config.place("auto_map"))
    _note_paths(facts, config)


def _note_paths(facts: Facts, config: _Json) -> None:
    for key, value in config.data.items():
        if isinstance(value, str) and LOCAL_PATH.match(value):
            facts.add("config.paths", config.place(key), key=key, value=value)


def _sentence_transformers(facts: Facts, listing: Listing) -> None:
    modules = _load(facts, listing, "modules.json", "st", expected=list)
    folders: dict[str, str] = {}
    if modules is not None:
        facts.set("st.has_modules", value=True, place=modules.place())
        folders = _modules(facts, listing, modules)
    limits = _load(facts, listing, "sentence_bert_config.json", "st")
    if limits is not None:
        facts.set("st.max_seq_length", limits.integer("max_seq_length"), limits.place("max_seq_length"))
    pooling = _load(facts, listing, str(PurePosixPath(folders.get("Pooling", "1_Pooling")) / "config.json"), "st")
    if pooling is not None:
        _pooling(facts, pooling)
    settings = _load(facts, listing, "config_sentence_transformers.json", "st")
    if settings is not None:
        facts.set("st.similarity", settings.text("similarity_fn_name"), settings.place("similarity_fn_name"))
        prompts = settings.data.get("prompts")
        for name, text in (prompts if isinstance(prompts, dict) else {}).items():
            facts.add("st.prompts", settings.place("prompts", name), name=name, text=str(text))


def _modules(facts: Facts, listing: Listing, modules: _Json) -> dict[str, str]:
    """Note the modules; return each kind's folder."""
    folders: dict[str, str] = {}
    for index, module in enumerate(modules.data):
        if not isinstance(module, dict):
            continue
        kind, path = str(module.get("type") or ""), str(module.get("path") or "")
        place = modules.place(index, "type")
        name = kind.rpartition(".")[2]
        folders.setdefault(name, path)
        # Normalize has no settings, so its folder is often not there at all
        folder = str(PurePosixPath(path)) + "/"
        missing = folder != "./" and name != "Normalize" and not any(file.startswith(folder) for file in listing.sizes)
        facts.add("st.modules", place, type=kind, path=path, missing=missing)
        if not kind.startswith(STANDARD_MODULES):
            facts.add("st.custom_modules", place, type=kind)
    facts.set("st.normalize", "Normalize" in folders)
    facts.set("st.has_dense", bool({"Dense", "LSTM", "CNN", "WeightedLayerPooling"} & set(folders)))
    return folders


def _pooling(facts: Facts, pooling: _Json) -> None:
    mode = pooling.data.get("pooling_mode")
    on = [mode] if isinstance(mode, str) else [str(m) for m in mode] if isinstance(mode, list) else []
    on += [name for switch, name in POOLING_SWITCHES.items() if pooling.data.get(switch) is True]
    first = next((switch for switch in POOLING_SWITCHES if pooling.data.get(switch) is True), "pooling_mode")
    facts.set("st.pooling", on, pooling.place(first))
    key = "embedding_dimension" if "embedding_dimension" in pooling.data else "word_embedding_dimension"
    facts.set("st.pooling_dimension", pooling.integer(key), pooling.place(key))


def _tokenizer(facts: Facts, config: _Json | None) -> None:
    if config is None:
        return
    facts.set("tokenizer.tokenizer_class", config.text("tokenizer_class"), config.place("tokenizer_class"))
    length = config.data.get("model_max_length")
    if isinstance(length, (int, float)) and not isinstance(length, bool):
        placeholder = not abs(length) <= PLACEHOLDER_LENGTH
        facts.set("tokenizer.placeholder_length", placeholder, config.place("model_max_length"))
        facts.set("tokenizer.model_max_length", None if placeholder else int(length), config.place("model_max_length"))
    _note_paths(facts, config)
