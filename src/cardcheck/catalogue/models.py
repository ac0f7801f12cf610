"""The embedding models that are known by name: their size, their limit, what came after them. Read in a few milliseconds."""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

DATA = Path(__file__).parent.parent / "data"
SENTENCE_TRANSFORMERS = "sentence-transformers"  # whose models may be named without their owner
NO_WORD = re.compile(r"[-_. ]+")
DIGITS = re.compile(r"\d+")
# These do not keep copies of one another's models, so a model of one under the name of another is a slip.
PUBLISHERS = frozenset({
    "sentence-transformers", "cross-encoder", "BAAI", "intfloat", "thenlper", "Alibaba-NLP", "jinaai", "nomic-ai", "mixedbread-ai",
    "Snowflake", "openai", "google", "Qwen", "Salesforce", "ibm-granite", "hkunlp", "facebook", "WhereIsAI", "NovaSearch", "moka-ai",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Model:
    """What is known of a model. None stands for what is not known.

    `role` is `embedding`, `reranker`, `sparse` or `late` (a vector a token). `shortens` says whether its vectors are made to be cut.
    `revision` is the commit whose scores the leaderboard shows. `shut_down` is the day from which a company no longer serves it.
    """

    id: str
    kind: Literal["hub", "api"]
    role: str = "embedding"
    dimension: int | None = None
    max_tokens: int | None = None
    shortens: Literal["yes", "no", "unknown"] = "unknown"
    remote_code: bool = False
    successor: str | None = None
    revision: str | None = None
    deprecated: bool = False
    shut_down: str | None = None
    local_server: bool = False


@dataclass(frozen=True, slots=True)
class _Catalogue:
    models: dict[str, dict[str, Any]]
    api: dict[str, dict[str, Any]]
    moved: dict[str, str]
    fixed: tuple[str, ...]
    source: str


@functools.cache
def _catalogue() -> _Catalogue:
    built = json.loads((DATA / "models.json").read_bytes())
    extra = json.loads((DATA / "models.extra.json").read_bytes())
    models = built["models"]
    for name, facts in extra["hub"].items():
        models[name] = {**models.get(name, {}), **facts}
    return _Catalogue(models, extra["api"], extra["moved"], tuple(extra["fixed"]), f"mteb {built['mteb']}")


@functools.cache
def _by_lower_case() -> dict[str, str]:
    return {name.lower(): name for name in (*_catalogue().moved, *_catalogue().models)}


@functools.cache
def _by_name() -> dict[str, list[str]]:
    """Return the ids by what follows their owner, reduced to letters and digits."""
    found: dict[str, list[str]] = {}
    for name in _catalogue().models:
        found.setdefault(_bare(name.partition("/")[2]), []).append(name)
    return found


def _bare(name: str) -> str:
    return NO_WORD.sub("", name.lower())


def _model(name: str, kind: Literal["hub", "api"], facts: dict[str, Any]) -> Model:
    shortens: Literal["yes", "no", "unknown"] = "unknown"
    if facts.get("shortens"):
        shortens = "yes"
    elif name.startswith(_catalogue().fixed):
        shortens = "no"
    return Model(**{**facts, "id": name, "kind": kind, "shortens": shortens})


@functools.lru_cache(maxsize=4096)
def hub(name: str) -> Model | None:
    """Return the Hub's model of exactly this id."""
    facts = _catalogue().models.get(name)
    return None if facts is None else _model(name, "hub", facts)


@functools.lru_cache(maxsize=4096)
def api(name: str) -> Model | None:
    """Return the model that a company, or Ollama, serves under exactly this name."""
    facts = _catalogue().api.get(name)
    return None if facts is None else _model(name, "api", facts)


@functools.cache
def owners() -> dict[str, int]:
    """Return who publishes the known models on the Hub, with how many."""
    return Counter(name.partition("/")[0] for name in _catalogue().models)


def short(name: str) -> str | None:
    """Return the full id of a model of sentence-transformers that is named without its owner."""
    full = f"{SENTENCE_TRANSFORMERS}/{name}"
    return full if "/" not in name and full in _catalogue().models else None


def moved(name: str) -> str | None:
    """Return the id that a repository has now, where it once had this one."""
    return _catalogue().moved.get(name)


def is_known(name: str) -> bool:
    """Tell whether this is the exact name of an embedding or ranking model, or of a sentence-transformers model without its owner."""
    known = _catalogue()
    return name in known.models or name in known.api or name in known.moved or short(name) is not None


def other_case(name: str) -> str | None:
    """Return the id that differs from `name` in capitals only."""
    found = _by_lower_case().get(name.lower())
    return found if found not in (None, name) else None


@functools.lru_cache(maxsize=4096)
def meant(name: str) -> str | None:
    """Return the one known id that `name`, which is none, is most likely a misspelling of; None where that is not all but certain.

    Numbers tell versions and sizes apart, so names that differ in one are two models, not a slip.
    """
    if "/" not in name or name.count("/") > 1 or is_known(name) or other_case(name):
        return None
    owner, _, rest = name.partition("/")
    same = _by_name().get(_bare(rest), [])
    if same:
        right = [known for known in same if _same_owner(owner, known.partition("/")[0])]
        return right[0] if len(right) == 1 else None
    if len(rest) < 10:
        return None
    near = [
        known
        for known in _catalogue().models
        if known.partition("/")[0].lower() == owner.lower() and _one_word_off(rest.lower(), known.partition("/")[2].lower())
    ]
    return near[0] if len(near) == 1 else None


def _same_owner(given: str, right: str) -> bool:
    """Tell whether an owner is another's name with a letter wrong or its end missing, or both publish their own models only."""
    a, b = _bare(given), _bare(right)
    return a == b or _slip(a, b) or (len(a) >= 4 and b.startswith(a)) or (given in PUBLISHERS and right in PUBLISHERS)


def _one_word_off(given: str, right: str) -> bool:
    """Tell whether all words of two names are the same but one, of four letters or more, in which one letter is wrong."""
    words, others = NO_WORD.split(given), NO_WORD.split(right)
    if len(words) != len(others):
        return False
    wrong = [(a, b) for a, b in zip(words, others, strict=True) if a != b]
    return len(wrong) == 1 and len(wrong[0][1]) >= 4 and _slip(*wrong[0])


def _slip(given: str, right: str) -> bool:
    """Tell whether one letter is missing, too many, wrong, or two are exchanged; the numbers must be the same."""
    if DIGITS.findall(given) != DIGITS.findall(right) or abs(len(given) - len(right)) > 1 or given == right:
        return False
    start = 0
    while start < min(len(given), len(right)) and given[start] == right[start]:
        start += 1
    a, b = given[start:], right[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (len(a) > 1 and a[:2] == b[1::-1] and a[2:] == b[2:])
