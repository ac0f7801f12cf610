"""Rebuild the packaged facts from an installed mteb: `python -m cardcheck.catalogue.build`.

Four files under data/, an item a line, so that a new version of mteb shows as a readable difference:

- models.json: sizes, limits, successors and the revision whose scores the leaderboard shows, of text models on the Hub. What mteb has
  wrong or does not know (interfaces of companies, renamed repositories) is kept by hand in models.extra.json, which wins.
- tasks.json: tasks and benchmarks. Left out is what most tasks share: see `TASK_DEFAULTS`.
- training.json: what mteb's annotators say of each model's training data.
- shortlist.json: what one chooses a model by (memory, licence, kind, languages, …), of every model and modality. Apart from models.json,
  so that linting does not read it.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardcheck.catalogue.tasks import TASK_DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DATA = Path(__file__).parent.parent / "data"
# Baselines, chat and vision models and plain encoders that mteb measures too: nobody who names one has chosen an embedding model.
NOT_EMBEDDING = re.compile(
    r"^(?:mteb/baseline|baseline/|google/flan-t5|meta-llama/|mistralai/|Qwen/Qwen2|Qwen/Qwen3-Omni|microsoft/speecht5|microsoft/xclip"
    r"|Salesforce/blip|nvidia/(?:audio-flamingo|omnivinci|PS3)|FacebookAI/xlm-roberta|KFST/|NbAiLab/nb-bert|DeepPavlov/(?:rubert-base-cased$|distil)"
    r"|deepvk/deberta|HooshvareLab/|sbunlp/fabert|PartAI/TookaBERT)"
)
ROLES = {"cross-encoder": "reranker", "sparse": "sparse", "late-interaction": "late", "dense": "embedding"}
COMMIT = re.compile(r"^[0-9a-f]{40}$")
SHORTENS = re.compile(r"matryoshka|(?:^|[-_/])mrl(?:[-_]|$)", re.IGNORECASE)
XLM_R_POSITIONS, XLM_R_TOKENS = 514, 512  # two of the positions are never given to a token
UNLIMITED = "unlimited"  # a static model, or one that cuts audio into windows
UNSTATED = ("not specified", "multiple")  # mteb's words where there is no one licence to name
RUNS_CODE = re.compile(r"trust_remote_code[\"']?\s*[=:]\s*True")


def facts_of(meta: Any) -> dict[str, Any] | None:
    """Return what the catalogue says of one mteb ModelMeta; None for what is no text embedding model on the Hub."""
    name, kinds = meta.name or "", list(meta.model_type)
    if not meta.open_weights or "text" not in meta.modalities or "/" not in name or " " in name or NOT_EMBEDDING.match(name):
        return None
    role = next((ROLES[kind] for kind in ROLES if kind in kinds), "embedding") if len(kinds) == 1 else "embedding"
    sizes = meta.embed_dim if isinstance(meta.embed_dim, list) else [meta.embed_dim]
    limit = meta.max_tokens if meta.max_tokens and math.isfinite(meta.max_tokens) else None
    found: dict[str, Any] = {"role": role}
    if role == "embedding" and sizes[0]:
        found["dimension"] = max(sizes)
    if limit:
        found["max_tokens"] = XLM_R_TOKENS if limit == XLM_R_POSITIONS else int(limit)
    if len(sizes) > 1 or SHORTENS.search(name):
        found["shortens"] = True
    if meta.loader_kwargs.get("trust_remote_code"):
        found["remote_code"] = True
    if meta.superseded_by and meta.superseded_by != name:
        found["successor"] = meta.superseded_by
    if meta.revision and COMMIT.match(meta.revision):
        found["revision"] = meta.revision
    return {key: value for key, value in found.items() if (key, value) != ("role", "embedding")}


def choice_facts(meta: Any) -> dict[str, Any]:
    """Return what one chooses a model by. What mteb does not know is left out, as is what most models share: see `shortlist_facts`."""
    sizes = meta.embed_dim if isinstance(meta.embed_dim, list) else [meta.embed_dim]
    limit = meta.max_tokens
    facts: dict[str, Any] = {
        "memory": round(meta.memory_usage_mb, 1) if meta.memory_usage_mb else None,
        "parameters": meta.n_parameters or None,
        "dimensions": sorted((size for size in sizes if size), reverse=True),
        "tokens": None if not limit else UNLIMITED if math.isinf(limit) else XLM_R_TOKENS if limit == XLM_R_POSITIONS else int(limit),
        "licence": str(meta.license) if meta.license and meta.license not in UNSTATED else None,
        "closed": not meta.open_weights,
        "code": _runs_code(meta),
        "modalities": sorted(set(meta.modalities) or {"text"}),
        "kind": next((ROLES.get(kind, kind) for kind in meta.model_type if kind != "dense"), "embedding"),
        "languages": " ".join(sorted({code.partition("-")[0] for code in meta.languages or ()})),
        "successor": meta.superseded_by if meta.superseded_by != meta.name else None,
    }
    unsaid: tuple[Any, ...] = (None, False, [], "", ["text"], "embedding")
    return {key: value for key, value in facts.items() if value not in unsaid}


def _runs_code(meta: Any) -> bool | str | None:
    """Tell whether mteb runs code of the model's repository in order to load it; "unknown" where it has no way to load it."""
    if meta.loader is None and meta.open_weights:
        return "unknown"
    if meta.loader_kwargs.get("trust_remote_code"):
        return True
    try:
        return RUNS_CODE.search(inspect.getsource(meta.loader)) is not None
    except (OSError, TypeError):
        return "unknown" if meta.open_weights else None


def task_facts(metadata: Any) -> dict[str, Any]:
    """Return what the catalogue says of a task, from its mteb TaskMetadata; what is as usual is left out."""
    facts = {
        "type": metadata.type,
        "data": metadata.dataset.get("path"),
        "revision": metadata.dataset.get("revision"),
        "splits": list(metadata.eval_splits),
        "score": metadata.main_score,
        "languages": " ".join(sorted(metadata.languages)),
        "domains": sorted(metadata.domains or ()),
        "date": [str(day) for day in metadata.date or ()],
        "modalities": sorted(metadata.modalities),
        "public": bool(metadata.is_public),
        "adapted_from": list(metadata.adapted_from or ()),
        "superseded_by": metadata.superseded_by,
        "beta": bool(metadata.is_beta),
    }
    return {key: value for key, value in facts.items() if value != TASK_DEFAULTS[key]}


def training_facts(meta: Any, listed: dict[frozenset[str], str]) -> dict[str, Any]:
    """Return what the annotators say of a model; `data` is missing where they say nothing, and `=NAME` where it is as NAME's.

    `listed` keeps the first model of each list: a few dozen lists serve hundreds of models.
    """
    facts: dict[str, Any] = {}
    if meta.training_datasets is not None:
        names = frozenset(meta.training_datasets)
        first = listed.setdefault(names, meta.name) if names else meta.name
        facts["data"] = sorted(names) if first == meta.name else f"={first}"
    if meta.adapted_from:
        facts["adapted_from"] = meta.adapted_from
    if meta.release_date:
        facts["released"] = str(meta.release_date)
    if meta.public_training_data:
        facts["public_data"] = str(meta.public_training_data) if meta.public_training_data is not True else True
    if meta.public_training_code:
        facts["public_code"] = True
    if meta.open_weights:
        facts["open"] = True
    return facts


def _object(items: Mapping[str, Any]) -> str:
    """Return a JSON object with an item a line, in the order of the names whatever their case."""
    lines = [
        f"{json.dumps(name, ensure_ascii=False)}: {json.dumps(items[name], ensure_ascii=False, separators=(',', ':'))}"
        for name in sorted(items, key=lambda name: (name.lower(), name))
    ]
    return "{\n" + ",\n".join(lines) + "\n}"


def _write(file: str, parts: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
    head = json.dumps({"mteb": version("mteb"), "license": "Apache-2.0"})[:-1]
    body = ", ".join(f'"{key}": {_object(items)}' for key, items in parts)
    (DATA / file).write_text(f"{head}, {body}}}\n", encoding="utf-8")


def main() -> None:
    """Write the files."""
    import mteb

    every, registry = import_module("mteb.get_tasks"), import_module("mteb.models.get_model_meta")
    metas = sorted(mteb.get_model_metas(), key=lambda meta: (meta.name.lower(), meta.name))
    _write("models.json", [("models", {meta.name: facts for meta in metas if (facts := facts_of(meta)) is not None})])
    tasks = {task.metadata.name: task_facts(task.metadata) for task in every.TASK_LIST}
    benchmarks = {board.name: sorted({task.metadata.name for task in board.tasks}) for board in mteb.get_benchmarks()}
    _write("tasks.json", [("tasks", tasks), ("benchmarks", benchmarks)])
    listed: dict[frozenset[str], str] = {}
    training = {meta.name: training_facts(meta, listed) for meta in metas}
    _write("shortlist.json", [("models", {meta.name: choice_facts(meta) for meta in metas})])
    _write("training.json", [("models", training), ("renamed", dict(registry._MODEL_RENAMES))])  # noqa: SLF001  # it has no public name


if __name__ == "__main__":
    main()
