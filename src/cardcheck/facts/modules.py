"""Configuration files of sentence-transformers: the modules, what they do to a text, prompts and similarity."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from cardcheck.facts.jsonfile import JsonFile, load, note_type
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.files import Listing
    from cardcheck.facts.model import Facts

# Old and new (5.4 and later) names of sentence-transformers' pooling switches.
POOLING_SWITCHES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
POOLING_KEYS = frozenset({*POOLING_SWITCHES, "word_embedding_dimension", "embedding_dimension", "pooling_mode", "include_prompt"})
DENSE_KEYS = frozenset(
    {"in_features", "out_features", "bias", "activation_function", "module_input_name", "module_output_name", "use_residual"}
)
TRANSFORMER_KEYS = frozenset({
    "max_seq_length", "do_lower_case", "model_args", "tokenizer_args", "config_args", "tokenizer_name_or_path", "cache_dir", "backend",
    "model_kwargs", "processor_kwargs", "config_kwargs", "transformer_task", "modality_config", "module_output_name", "processing_kwargs",
    "unpad_inputs", "query_length", "document_length", "query_expansion",
})  # fmt: skip
# Keys that people write into config_sentence_transformers.json for those that are read; what is unknown is passed over in silence.
SETTINGS_MISNAMED = {
    "prompt": "prompts",
    "default_prompt": "default_prompt_name",
    "prompt_name": "default_prompt_name",
    "similarity_fn": "similarity_fn_name",
    "similarity_function": "similarity_fn_name",
    "similarity_function_name": "similarity_fn_name",
    "similarity": "similarity_fn_name",
    "truncate_dimension": "truncate_dim",
}
STANDARD = "sentence_transformers."
LEGACY = "sentence_transformers.models."
CLASSES = frozenset({
    "Transformer", "Asym", "BoW", "CLIPModel", "CNN", "Dense", "Dropout", "LSTM", "LayerNorm", "Normalize", "Pooling", "Router",
    "StaticEmbedding", "WeightedLayerPooling", "WordEmbeddings", "WordWeights",
})  # fmt: skip
# Packages that are not sentence_transformers, and are not there under these names either.
MISSPELT = Pattern(r"^(?:sentence[-_ ]?transformers?|sentance_transformers?|SentenceTransformers?)$", re.IGNORECASE)
AFTER_TOKENS = frozenset({"Pooling", "Normalize", "Dense", "Dropout", "LayerNorm", "WeightedLayerPooling", "CNN", "LSTM", "WordWeights"})
KEEP_DIMENSION = frozenset({"Normalize", "Dropout", "LayerNorm", "WeightedLayerPooling", "WordWeights"})
TRANSFORMER_SETTINGS = tuple(
    f"sentence_{name}_config.json" for name in ("bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet")
)
MODULE_FOLDER = Pattern(r"^(\d{1,2}_(?:Dense|LSTM|CNN)\w{0,40})/")


def encoder_folder(modules: JsonFile | None, listing: Listing) -> str:
    """Return the folder of the encoder's files with a slash, or nothing: the root, as all but the oldest models have it."""
    for module in modules.data if modules is not None else ():
        if isinstance(module, dict) and _class(module) == "Transformer" and isinstance(module.get("path"), str):
            folder = str(PurePosixPath(module["path"])) + "/"
            return folder if f"{folder}config.json" in listing else ""
    return ""


def collect_modules(facts: Facts, listing: Listing, modules: JsonFile | None, folder: str) -> None:
    """Fill the group `st`; `folder` is where the encoder's files lie."""
    if modules is not None:
        facts.set("st.has_modules", value=True, place=modules.place())
        _modules(facts, listing, modules)
    rows = facts["st.modules"]
    classes = [row["class"] for row in rows]
    limits = next((load(facts, listing, folder + name, "st") for name in TRANSFORMER_SETTINGS if folder + name in listing), None)
    if limits is not None:
        _limits(facts, limits, own=not rows or (rows[0]["class"] == "Transformer" and rows[0]["type"].startswith(STANDARD)))
    path = next((row["path"] for row in rows if row["class"] == "Pooling"), "1_Pooling")
    pooling = load(facts, listing, str(PurePosixPath(path) / "config.json"), "st")
    if pooling is not None:
        _pooling(facts, pooling, own=all(row["type"].startswith(STANDARD) for row in rows if row["class"] == "Pooling"))
    _dimension(facts, listing, classes)
    settings = load(facts, listing, "config_sentence_transformers.json", "st")
    if settings is not None:
        _settings(facts, settings)
    # of files that were named one by one, nobody can say that there are no settings
    looked = settings is not None or (facts["st.has_modules"] and facts.sources["files"].state == "known")
    facts.set("st.prompts_known", looked and not any(row["path"] == "config_sentence_transformers.json" for row in facts["config.broken"]))


def _class(module: dict[Any, Any]) -> str:
    return str(module.get("type") or "").rpartition(".")[2]


def _modules(facts: Facts, listing: Listing, modules: JsonFile) -> None:
    names: set[str] = set()
    for index, module in enumerate(modules.data[:200]):
        place = modules.place(index)
        absent = [key for key in ("type", "path", "name") if not isinstance(module, dict) or not isinstance(module.get(key), str)]
        if absent:
            facts.add("st.module_faults", place, kind="malformed", text=f"entry {index + 1} has no {' and no '.join(absent)}")
        if not isinstance(module, dict):
            continue
        kind, path, name = str(module.get("type") or ""), str(module.get("path") or ""), module.get("name")
        if isinstance(name, str) and name in names:
            text = f'the name "{name[:40]}" stands twice'
            facts.add("st.module_faults", modules.place(index, "name"), kind="repeated", text=text)
        names.add(str(name))
        # Normalize has no settings, so its folder is often not there at all
        inside = str(PurePosixPath(path)) + "/"
        missing = inside != "./" and _class(module) != "Normalize" and not any(file.startswith(inside) for file in listing.sizes)
        code = _code(kind)
        lacks = code is not None and code not in listing
        row = {"class": _class(module), "path": path, "missing": missing, "importable": _importable(kind), "code": code if lacks else None}
        place = modules.place(index, "type")
        facts.add("st.modules", modules.place(index, "path") if missing else place, type=kind, **row)
        if not kind.startswith(STANDARD):
            facts.add("st.custom_modules", place, type=kind)
    _order(facts, modules)
    classes = {row["class"] for row in facts["st.modules"]}
    facts.set("st.normalize", "Normalize" in classes)
    facts.set("st.has_dense", bool({"Dense", "LSTM", "CNN", "WeightedLayerPooling"} & classes))


def _importable(kind: str) -> bool:
    """Tell whether the class can be there; of modules that newer releases may have, it is taken to be."""
    package = kind.partition(".")[0]
    if package == "sentence_transformers":
        return not kind.startswith(LEGACY) or kind.count(".") > 2 or kind.rpartition(".")[2] in CLASSES
    return not MISSPELT.match(package)


def _code(kind: str) -> str | None:
    """Return the Python file of the repository that a module's class comes from, where it comes from one."""
    file, dot, name = kind.rpartition(".")
    return f"{file}.py" if dot and name and file and "." not in file and "--" not in file and not MISSPELT.match(file) else None


def _order(facts: Facts, modules: JsonFile) -> None:
    rows = facts["st.modules"]
    own = [row["class"] if row["type"].startswith(STANDARD) else "" for row in rows]
    place = modules.place(0, "type")
    if own and own[0] in AFTER_TOKENS:
        facts.add("st.module_faults", place, kind="order", text=f"the first module is {own[0]}, which takes vectors, not text")
    elif "Normalize" in own and "Pooling" in own[own.index("Normalize") :] and "Pooling" not in own[: own.index("Normalize")]:
        facts.add("st.module_faults", place, kind="order", text="Normalize stands before Pooling")
    elif rows and rows[0]["type"] == f"{LEGACY}Transformer" and set(own[1:]) <= {"Dense", "Normalize", "Dropout", "LayerNorm"}:
        facts.set("st.pooling_missing", value=True, place=place)
    numbers = [module.get("idx") for module in modules.data[:200] if isinstance(module, dict)]
    if numbers != list(range(len(numbers))) and all(type(number) is int for number in numbers):
        text = f"idx counts {', '.join(str(number)[:12] for number in numbers[:8])}"
        facts.add("st.module_faults", modules.place(0, "idx"), kind="index", text=text)


def _limits(facts: Facts, limits: JsonFile, *, own: bool) -> None:
    facts.set("st.max_seq_length", limits.integer("max_seq_length"), limits.place("max_seq_length"))
    facts.set("st.task", limits.text("transformer_task"), limits.place("transformer_task"))
    note_type(facts, limits, ("max_seq_length",), "a whole number", (int, float))
    note_type(facts, limits, ("do_lower_case",), "true or false", (bool,))
    if own:
        _unknown(facts, limits, TRANSFORMER_KEYS)


def _unknown(facts: Facts, document: JsonFile, known: frozenset[str]) -> None:
    """Note keys that the class does not take: it is made with all keys as arguments, so that one too many stops it."""
    unknown = [key for key in document.data if key not in known and not key.startswith("_")]
    if not unknown:
        return
    from difflib import get_close_matches

    for key in unknown[:20]:
        near = get_close_matches(key[:80], sorted(known), 1, 0.75)
        facts.add("st.unknown_keys", document.place(key), path=document.file, key=key[:80], near=near[0] if near else "")


def _pooling(facts: Facts, pooling: JsonFile, *, own: bool) -> None:
    mode = pooling.data.get("pooling_mode")
    on = [mode] if isinstance(mode, str) else [str(m) for m in mode] if isinstance(mode, list) else []
    if "pooling_mode" not in pooling.data:
        on = [name for switch, name in POOLING_SWITCHES.items() if pooling.data.get(switch) is True]
    first = next((switch for switch in POOLING_SWITCHES if pooling.data.get(switch) is True), "pooling_mode")
    facts.set("st.pooling", ["mean_sqrt_len" if name == "mean_sqrt_len_tokens" else name for name in on[:20]], pooling.place(first))
    facts.set("st.has_pooling", value=True, place=pooling.place())
    key = "embedding_dimension" if "embedding_dimension" in pooling.data else "word_embedding_dimension"
    facts.set("st.pooling_dimension", pooling.integer(key), pooling.place(key))
    note_type(facts, pooling, (key,), "a whole number", (int, float))
    note_type(facts, pooling, tuple(POOLING_SWITCHES), "true or false", (bool,))
    if own:
        _unknown(facts, pooling, POOLING_KEYS)


def _dimension(facts: Facts, listing: Listing, classes: list[str]) -> None:
    """Follow the vectors through the modules; where one of them has a size that no file tells, the rest is unknown."""
    size: int | None = None
    pooled = facts["st.pooling_dimension"] * len(facts["st.pooling"]) if facts["st.pooling_dimension"] and facts["st.pooling"] else None
    place = facts.places.get("st.pooling_dimension")
    if not facts["st.has_modules"]:
        # without the list of modules, the pooling is the last word only if the folder has no other module
        whole = facts.sources["files"].state == "known" and not any(MODULE_FOLDER.match(path) for path in listing.sizes)
        facts.set("st.dimension", pooled if whole else None, place)
        return
    for row, kind in zip(facts["st.modules"], classes, strict=True):
        if not row["type"].startswith(STANDARD):
            size = None
        elif kind == "Transformer":
            size = facts["config.hidden_size"]
        elif kind == "Pooling":
            size = pooled if classes.count("Pooling") == 1 else None
        elif kind == "Dense":
            dense = load(facts, listing, str(PurePosixPath(row["path"]) / "config.json"), "st")
            size = _dense(facts, dense, size) if dense is not None else None
            place = facts.places.get("st.dimension", place)
        elif kind not in KEEP_DIMENSION:
            size = None
    facts.set("st.dimension", size, place)


def _dense(facts: Facts, dense: JsonFile, incoming: int | None) -> int | None:
    entering, leaving = dense.integer("in_features"), dense.integer("out_features")
    own_input = dense.data.get("module_input_name") in (None, "sentence_embedding") and dense.data.get("module_output_name") in (
        None,
        "sentence_embedding",
    )
    given = {"path": dense.file, "in_features": entering, "out_features": leaving}
    facts.add("st.dense", dense.place("in_features"), **given, incoming=incoming if own_input else None)
    note_type(facts, dense, ("in_features", "out_features"), "a whole number", (int, float))
    _unknown(facts, dense, DENSE_KEYS)
    facts.places["st.dimension"] = dense.place("out_features")
    return leaving if own_input else None


def _settings(facts: Facts, settings: JsonFile) -> None:
    facts.set("st.has_settings", value=True, place=settings.place())
    facts.set("st.model_class", settings.text("model_type"), settings.place("model_type"))
    facts.set("st.similarity", settings.text("similarity_fn_name"), settings.place("similarity_fn_name"))
    facts.set("st.default_prompt", settings.text("default_prompt_name"), settings.place("default_prompt_name"))
    note_type(facts, settings, ("similarity_fn_name", "default_prompt_name"), "text", (str,))
    note_type(facts, settings, ("truncate_dim",), "a whole number", (int,))
    size = settings.integer("truncate_dim")
    if size is not None and size > 0:
        facts.set("st.truncate_dim", size, settings.place("truncate_dim"))
        if facts["st.dimension"] is not None and size < facts["st.dimension"]:
            facts.set("st.dimension", size, settings.place("truncate_dim"))
    prompts = settings.data.get("prompts")
    if prompts is not None and not isinstance(prompts, dict):
        facts.set("st.prompts_problem", f"prompts is {_kind(prompts)}, not names with their texts", settings.place("prompts"))
    for name, text in (prompts if isinstance(prompts, dict) else {}).items():
        written = text if isinstance(text, str) else ""
        short = " ".join(written.split())
        short = short if len(short) <= 50 else short[:50] + "…"
        facts.add("st.prompts", settings.place("prompts", name), name=name[:80], text=written, short=short)
        if text is not None and not isinstance(text, str):
            facts.set("st.prompts_problem", f'the prompt "{name[:60]}" is {_kind(text)}, not a text', settings.place("prompts", name))
    for key, meant in SETTINGS_MISNAMED.items():
        if key in settings.data and meant not in settings.data:
            facts.add("st.misnamed_settings", settings.place(key), key=key, replacement=meant)


def _kind(value: Any) -> str:
    return (
        "a list"
        if isinstance(value, list)
        else "an object"
        if isinstance(value, dict)
        else "a text"
        if isinstance(value, str)
        else "a value"
    )
