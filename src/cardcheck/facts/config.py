"""Configuration files of transformers, PEFT and the tokenizer; those of sentence-transformers are read in modules.py."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from cardcheck.facts.jsonfile import JsonFile, load, note_type
from cardcheck.facts.located import Location
from cardcheck.facts.modules import collect_modules, encoder_folder
from cardcheck.facts.scripts import collect_scripts
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.files import Listing
    from cardcheck.facts.model import Facts

PLACEHOLDER_LENGTH = 10_000_000
INTEGERS = ("hidden_size", "max_position_embeddings", "vocab_size", "num_attention_heads", "num_hidden_layers", "intermediate_size")
# Families with a learned vector for each position: a text that is longer cannot be encoded at all. Those of the second group
# count from the padding token's id on, so that they take fewer tokens than they have positions.
ABSOLUTE = frozenset({"bert", "distilbert", "electra", "albert", "ernie", "mobilebert", "splinter", "layoutlm", "roc_bert", "convbert"})
ABSOLUTE_AFTER_PADDING = frozenset(
    {"roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "mpnet", "longformer", "data2vec-text", "xmod", "roberta-prelayernorm"}
)
# Files that a training run leaves behind and that no user of the model needs.
LEFTOVERS = Pattern(
    r"(?:^|/)(?:(?:optimizer|scheduler|scaler)\.(?:pt|bin)|optimizer_\d+\.bin|random_states_\d+\.pkl|rng_state(?:_\d+)?\.pth|trainer_state\.json"
    r"|training_args\.bin|events\.out\.tfevents[^/]{0,200}|[^/]{1,100}_optim_states\.pt|zero_to_fp32\.py|wandb/[^\n]{0,300}|\.ipynb_checkpoints/[^\n]{0,300}"
    r"|nohup\.out|\.DS_Store)$"
)
CHECKPOINT = Pattern(r"(?:^|/)checkpoint-\d{1,9}/")


def collect_config(facts: Facts, listing: Listing) -> None:
    """Fill the groups `config`, `st`, `tokenizer` and `adapter`, and what training left behind."""
    modules = load(facts, listing, "modules.json", "st", expected=list)
    folder = encoder_folder(modules, listing)
    config = load(facts, listing, f"{folder}config.json", "config")
    if config is not None:
        _transformers(facts, config)
    collect_modules(facts, listing, modules, folder)
    tokenizer = load(facts, listing, f"{folder}tokenizer_config.json", "tokenizer")
    if tokenizer is not None:
        _tokenizer(facts, tokenizer)
    collect_scripts(facts, listing, folder)
    _adapter(facts, listing)
    _token_limit(facts)
    for path in listing.sizes:
        if LEFTOVERS.search(path) or CHECKPOINT.search(path):
            facts.add("files.leftovers", Location(path), path=path, bytes=listing.sizes[path])


def _transformers(facts: Facts, config: JsonFile) -> None:
    facts.set("config.model_type", config.text("model_type"), config.place("model_type"))
    architectures = config.data.get("architectures")
    facts.set("config.architectures", [str(a) for a in architectures] if isinstance(architectures, list) else [])
    for name, aliases in (
        ("hidden_size", ("hidden_size", "d_model", "dim", "n_embd")),
        ("max_position_embeddings", ("max_position_embeddings", "n_positions", "max_seq_len")),
        ("attention_heads", ("num_attention_heads", "n_heads", "n_head", "num_heads")),
        ("vocab_size", ("vocab_size",)),
        ("embedding_size", ("embedding_size", "word_embed_proj_dim")),
    ):
        key = next((alias for alias in aliases if config.integer(alias) is not None), None)
        if key:
            facts.set(f"config.{name}", config.integer(key), config.place(key))
    for key in ("dtype", "torch_dtype"):
        if config.text(key):
            facts.set("config.dtype", str(config.text(key)).removeprefix("torch."), config.place(key))
    facts.set("config.name_or_path", config.text("_name_or_path"), config.place("_name_or_path"))
    facts.set("config.head_dim", "head_dim" in config.data or "d_kv" in config.data or "attention_head_size" in config.data)
    facts.set("config.is_pooling", any(key.startswith("pooling_mode") for key in config.data), config.place())
    auto_map = config.data.get("auto_map")
    if isinstance(auto_map, dict):
        facts.set("config.auto_map", sorted(map(str, auto_map)), config.place("auto_map"))
    _positions(facts, config)
    note_type(facts, config, INTEGERS, "a whole number", (int, float))
    note_type(facts, config, ("model_type", "_name_or_path"), "text", (str,))


def _positions(facts: Facts, config: JsonFile) -> None:
    """Set how many tokens the positions allow, where each position has a vector of its own."""
    family, positions = config.text("model_type"), facts["config.max_position_embeddings"]
    if positions is None or facts["config.auto_map"] or config.data.get("position_embedding_type", "absolute") != "absolute":
        return
    if family in ABSOLUTE:
        facts.set("config.usable_positions", positions, facts.places["config.max_position_embeddings"])
    elif family in ABSOLUTE_AFTER_PADDING:
        padding = config.integer("pad_token_id")
        used = min(positions, 1 if padding is None else max(padding, 0)) + 1
        facts.set("config.usable_positions", positions - used, facts.places["config.max_position_embeddings"])


def _tokenizer(facts: Facts, config: JsonFile) -> None:
    facts.set("tokenizer.tokenizer_class", config.text("tokenizer_class"), config.place("tokenizer_class"))
    lower = config.data.get("do_lower_case")
    facts.set("tokenizer.lower_case", lower if isinstance(lower, bool) else None, config.place("do_lower_case"))
    length = config.data.get("model_max_length")
    if isinstance(length, (int, float)) and not isinstance(length, bool):
        placeholder = not abs(length) <= PLACEHOLDER_LENGTH
        facts.set("tokenizer.placeholder_length", placeholder, config.place("model_max_length"))
        facts.set("tokenizer.model_max_length", None if placeholder else int(length), config.place("model_max_length"))
    note_type(facts, config, ("model_max_length",), "a number", (int, float))
    added = config.data.get("added_tokens_decoder")
    numbers = [key for key in added if key.isdecimal() and len(key) < 10] if isinstance(added, dict) else []
    if numbers:
        last = max(numbers, key=int)
        token = added[last].get("content") if isinstance(added[last], dict) else None
        place = config.place("added_tokens_decoder", last)
        facts.set("tokenizer.last_added", int(last), place)
        facts.set("tokenizer.last_added_text", str(token or "")[:60], place)


def _adapter(facts: Facts, listing: Listing) -> None:
    adapter = load(facts, listing, "adapter_config.json", "")
    if adapter is not None:
        facts.set("adapter.has_config", value=True, place=adapter.place())
        facts.set("adapter.base", adapter.text("base_model_name_or_path"), adapter.place("base_model_name_or_path"))
    weights = [path for path in listing.sizes if PurePosixPath(path).name in ("adapter_model.safetensors", "adapter_model.bin")]
    for path in weights:
        folder = str(PurePosixPath(path).parent / "adapter_config.json")
        facts.add("adapter.weights", Location(path), path=path, described=folder in listing)


def _token_limit(facts: Facts) -> None:
    """Set the limit that is in force where a library encodes text: sentence-transformers' own, else the tokenizer's."""
    limit = "st.max_seq_length" if facts["st.max_seq_length"] is not None else "tokenizer.model_max_length"
    if facts[limit] is None or facts[limit] < 1:
        return
    name = limit
    if facts["config.usable_positions"] is not None and facts["config.usable_positions"] < facts[limit]:
        name = "config.usable_positions"
    facts.set("st.token_limit", facts[name], facts.places.get(name))
