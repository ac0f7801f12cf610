"""Where the model comes from and what it is called: base models, declared and told in the text, and names that do not fit the subject."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cardcheck.facts.citations import collect_citations
from cardcheck.facts.families import CANONICAL, HUB, ID, MODELS, PART, architectures, contradicts
from cardcheck.facts.identity import collect_identity
from cardcheck.facts.located import Location
from cardcheck.facts.names import plain
from cardcheck.facts.origin import collect_origin
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts
    from cardcheck.facts.prose import Prose

HUB_ADDRESS = Pattern(rf"^{HUB}(?:models/)?({PART}(?:/{PART})?)(?:/(?:tree|blob|resolve)/[^\s]{{0,100}})?/?(?:[?#]\S{{0,100}})?$")
ELSEWHERE = Pattern(r"(?:https?|s3|gs|hf)://|www\.|(?:huggingface\.co|hf\.co|github\.com)/", re.IGNORECASE)
LOCAL = Pattern(r"^(?:[./~\\]|[A-Za-z]:[\\/])|\\|^[\w.-]{1,96}/[\w.-]{1,96}/|/checkpoint-\d{1,9}$", re.ASCII)
FOLDERS = frozenset({
    "output", "outputs", "checkpoint", "checkpoints", "ckpt", "ckpts", "results", "runs", "saved_model", "saved_models", "trained_models",
    "tmp", "local", "workspace", "content", "model_output", "fine_tuned_models",
})  # fmt: skip
NOTHING = frozenset(
    {"none", "null", "n/a", "na", "-", "unknown", "tbd", "todo", "", "?", "custom", "scratch", "from scratch", "no", "self"}
)
RELATIONS = ("finetune", "adapter", "quantized", "merge")
MAX_LOOKED_AT = 300  # links or ids of one card

OPENING = Pattern(
    r"\b(?:based on|built (?:up)?on(?: top of)?|fine-?tuned (?:from|version of)|lora (?:adapter )?(?:for|of|on)|initiali[sz]ed (?:from"
    r"|with)|(?:this|it) is an? (?:[\w-]{1,20} ){0,2}?)[\s:]{0,2}(?:the |an? )?[*`\[]{0,3}([A-Za-z][\w.-]{1,60})",
    re.IGNORECASE,
)
CONVERSION_NAME = Pattern(
    r"(?:^|[-_.])(?:gguf|ggml|gptq|awq|onnx|exl2|mlx|openvino|bnb|int[48]|fp8|[48]-?bits?|q[2-8](?:_\w{1,3}){0,2}|coreml|ct2|ctranslate2"
    r"|quantized|quantised|w[48]a(?:8|16)|tflite)(?:$|[-_.])",
    re.IGNORECASE,
)
CONVERSION_TAGS = frozenset({"gguf", "gptq", "awq", "exl2", "mlx", "openvino", "ct2", "ctranslate2", "llamafile", "ggml"})
CONVERSION_WORDS = (
    "onnx", "gguf", "ggml", "gptq", "awq", "quanti", "convert", "conversion", "export", " port", "copy of", "mlx", "openvino",
    "int8", "ctranslate", "core", "transformers version of", "mirror of", "upload of", "clone of",
)  # fmt: skip
CONVERSION_TEXT = Pattern(
    r"\bwith onnx weights\b|\b(?:onnx|gguf|ggml|gptq|awq|ctranslate2?|openvino|core ?ml|int8|quanti[sz]ed|mlx)\b[^.\n]{0,30}\b(?:port"
    r"|conversion|version|export|weights|files?|format|quanti[sz]ations?|repack\w{0,6})\b[^.\n]{0,20}\b(?:of|for|from)\b"
    r"|\b(?:converted|conversion|exported|quanti[sz]ed|quanti[sz]ations?|ported)\b(?![^.\n]{0,60}\bavailable)[^.\n]{0,60}\b(?:of|from)\b"
    r"[^.\n]{0,60}huggingface\.co"
    r"|\b(?:converted|ported) from (?:the )?(?:original )?(?:tensorflow|tf|jax|flax|fairseq|checkpoints?|weights)\b"
    r"|\bsentence-?\s?transformers version of (?:the )?\[|\b(?:mirror|re-?upload|clone) of (?:the )?\[?[\w.-]{1,60}/"
    r"|\b(?:conversion|port|copy) of (?:the |an? )?\[|\bport of the \w{1,40} model\b|\bquanti[sz]ed version of\b|\bpytorch (?:conversion"
    r"|port)\b",
)  # fmt: skip


def collect_lineage(facts: Facts, prose: Prose) -> None:
    """Fill the group `lineage`; the card and the configuration must have been read."""
    if facts.sources["card"].state != "known":
        return
    _declared(facts)
    relation = _relation(facts)
    _other_base(facts)
    converted = relation == "quantized" or _is_conversion(facts, prose)
    facts.set("lineage.is_conversion", converted)
    facts.set("lineage.is_untrained", converted or (bool(facts["card.base_model"]) and _is_composed(facts, relation)))
    _opening(facts, prose)
    collect_origin(facts, prose)
    collect_identity(facts, prose)
    _architecture(facts, prose)
    collect_citations(facts, prose)


def _declared(facts: Facts) -> None:
    """Note the declared base models, each with what keeps it from being an id."""
    start = facts.places.get("card.base_model")
    lines = facts.texts.get(start.file, "").split("\n") if start else []
    at = (start.line or 1) - 1 if start else 0
    me = (facts["subject.id"] or "").lower()
    for value in facts["card.base_model"]:
        problem, replacement = base_problem(value)
        # the first line at or after the key's that holds the value
        line = next((n for n in range(at, min(at + 400, len(lines))) if value in lines[n]), None)
        if line is not None and start:
            place = Location(start.file, line + 1, lines[line].find(value) + 1)
            at = line
        else:
            place = start or Location("README.md", 1, 1)
        facts.add(
            "lineage.bases",
            place,
            value=value[:120],
            problem=problem,
            replacement=replacement or value[:120],
            itself=bool(me) and value.lower() == me,
        )


def base_problem(value: str) -> tuple[str, str]:
    """Say what keeps a text from being a model's id (empty where nothing does), and the id that it must mean (empty where it is not sure).

    The problems are `address`, `elsewhere` (an address off the Hub), `path`, `nothing`, `text` and `owner` (there is none).
    """
    text = value.strip()
    if found := HUB_ADDRESS.match(text):
        return "address", found[1]
    if not ID.match(text) and re.fullmatch(PART, text) and text.lower() not in NOTHING:
        return ("", "") if CANONICAL.match(text) else ("owner", MODELS.get(text.lower(), ""))
    problem = ""
    if ELSEWHERE.match(text):
        problem = "elsewhere"
    elif text.lower() in NOTHING:
        problem = "nothing"
    elif re.search(r"\s", text):
        problem = "text"
    elif LOCAL.search(text) or (text.partition("/")[0].lower() in FOLDERS and "/" in text):
        problem = "path"
    elif not ID.match(text):
        problem = "text"
    return problem, ""


def _opening(facts: Facts, prose: Prose) -> None:
    """Note the first line of the text, at which findings on the text as a whole point."""
    start = len(prose.visible) - len(prose.visible.lstrip())
    if line := prose.visible[start : start + 120].partition("\n")[0].strip():
        facts.set("lineage.opening", line, prose.at(start))


def _is_composed(facts: Facts, relation: str) -> bool:
    """Tell whether the model was put together from others without training: a merge, or static vectors read off another model."""
    tags = {tag.lower() for tag in facts["card.tags"]}
    return relation == "merge" or bool(tags & {"merge", "mergekit"}) or (facts["card.library_name"] or "").lower() == "model2vec"


def _relation(facts: Facts) -> str:
    """Note a relation to the base model that the Hub does not know, and a newer version; return the relation, empty where none is told."""
    relation = ""
    for row in facts["card.keys"]:
        if row["key"] not in ("base_model_relation", "new_version"):
            continue
        line = next(iter(facts.texts.get(row["file"], "").split("\n")[row["line"] - 1 : row["line"]]), "")
        value = line.partition(":")[2].partition(" #")[0].strip().strip("\"'")
        place = Location(row["file"], row["line"], row["column"])
        if row["key"] == "new_version":
            facts.set("lineage.new_version", value[:120] or None, place)
            continue
        relation = value
        if value and value not in RELATIONS:
            facts.set("lineage.unknown_relation", value[:80], place)
    return relation


def _other_base(facts: Facts) -> None:
    """Note the base that adapter_config.json or config.json names, where it is none of the declared ones by any spelling."""
    declared = {_bare(base) for base in facts["card.base_model"]} - {""}
    mine = _bare(facts["subject.id"] or "")
    for source, key in (("adapter.base", "adapter_base"), ("config.name_or_path", "config_base")):
        value: str = facts[source] or ""
        name = _bare(value)
        if not declared or not name or base_problem(value)[0] or name == mine:
            continue
        if not any(name in base or base in name for base in declared):
            facts.set(f"lineage.{key}", value, facts.places.get(source))


def _bare(name: str) -> str:
    """Return a model's name without owner, marks and the endings of copies in another number format."""
    return plain(re.sub(r"(?:[-_.](?:unsloth|bnb|4bit|8bit|gptq|awq|int[48]|fp16|bf16|hf|gguf)){1,4}$", "", name.lower()))


def _is_conversion(facts: Facts, prose: Prose) -> bool:
    """Tell whether the repository holds another model's weights in another format: what that was trained on is told there."""
    name = facts["subject.name"] or facts["card.title"] or ""
    head = prose.words_lower[:2500]
    return bool(
        CONVERSION_NAME.search(name.replace(" ", "-"))
        or {tag.lower() for tag in facts["card.tags"]} & CONVERSION_TAGS
        or (facts["card.library_name"] or "").lower() in ("transformers.js", "gguf", "mlx", "openvino", "ctranslate2", "llama.cpp")
        or (any(word in head for word in CONVERSION_WORDS) and CONVERSION_TEXT.search(head))
    )


def _architecture(facts: Facts, prose: Prose) -> None:
    """Note that the configuration is of another architecture than all models that this one is said to be made from, or its title."""
    kind = facts["config.model_type"]
    if not kind or "distil" in facts["card.text"].lower():
        return
    claims = [(base, "base_model") for base in facts["card.base_model"]] + [(row["id"], "text") for row in facts["lineage.stated"]]
    if not claims:
        opening = [(found[1], "text") for found in OPENING.finditer(prose.words, 0, 3000)]
        claims = [claim for claim in opening if architectures(claim[0])[0]][:1] or [(facts["card.title"] or "", "title")]
    told = [(name, where, *architectures(name)) for name, where in claims]
    fitting = {prefix for *_, types in told for prefix in types}
    if contradicts(kind, fitting) and all(labels for *_, labels, _ in told):
        name, where, labels, _ = told[0]
        facts.add(
            "lineage.architecture",
            facts.places.get("config.model_type", Location("config.json", 1, 1)),
            claim=name[:120],
            where=where,
            told=" or ".join(labels),
            found=kind,
        )
