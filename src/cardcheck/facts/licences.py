"""Licences that the front matter declares, and what the base model demands."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from cardcheck.facts.located import Located, Location
from cardcheck.facts.unseen import INVISIBLE
from cardcheck.facts.vocabulary import LICENCES, PERMISSIVE
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts

SUMMARISED = 80  # characters of a value in a message
MAX_NAME = 120

NOISE = Pattern(r"\b(?:the|licen[cs]ed?|licen[cs]es|version|ver|agreement|international|unported)\b|[^a-z0-9.+]{1,99}")
WORDS = (
    (Pattern(r"creative[\s_-]{0,3}commons?"), "cc"),
    (Pattern(r"non[\s_-]{0,3}commercial"), "nc"),
    (Pattern(r"share[\s_-]{0,3}alike"), "sa"),
    (Pattern(r"no[\s_-]{0,3}deriv(?:ative)?s?"), "nd"),
    (Pattern(r"attribution"), "by"),
)
VERSION = Pattern(r"v\.?(?=\d)")
# Names beyond the identifiers themselves, squeezed together; those in UNSURE leave something open.
ALIASES = {
    "apachesoftware2.0": "apache-2.0", "apachesoftware2": "apache-2.0", "asl2.0": "apache-2.0", "asl2": "apache-2.0",
    "mitmit": "mit", "expat": "mit", "x11": "mit", "bsd2": "bsd-2-clause", "bsd3": "bsd-3-clause", "newbsd": "bsd-3-clause",
    "modifiedbsd": "bsd-3-clause", "simplifiedbsd": "bsd-2-clause", "cc0": "cc0-1.0", "cczero": "cc0-1.0", "cczero1.0": "cc0-1.0",
    "gnugeneralpublic3.0": "gpl-3.0", "gnugeneralpublic3": "gpl-3.0", "gnugpl3.0": "gpl-3.0", "gnugpl3": "gpl-3.0",
    "gnugeneralpublic2.0": "gpl-2.0", "gnugeneralpublic2": "gpl-2.0", "gnugpl2": "gpl-2.0",
    "gnuaffero3.0": "agpl-3.0", "gnuafferogeneralpublic3.0": "agpl-3.0", "gnuagpl3": "agpl-3.0",
    "gnulessergeneralpublic3.0": "lgpl-3.0", "gnulgpl3": "lgpl-3.0", "mozillapublic2.0": "mpl-2.0", "mozilla2.0": "mpl-2.0",
    "eclipsepublic2.0": "epl-2.0", "boostsoftware1.0": "bsl-1.0", "theunlicense": "unlicense", "openrailm++": "openrail++",
    "openrail++m": "openrail++", "creativemlopenrail": "creativeml-openrail-m", "creativeml": "creativeml-openrail-m",
    "bigscienceopenrail": "bigscience-openrail-m", "llama2community": "llama2", "llama3community": "llama3",
    "llama3.1community": "llama3.1", "llama3.2community": "llama3.2", "llama3.3community": "llama3.3", "llama4community": "llama4",
    "gemmatermsofuse": "gemma", "odbl1.0": "odbl", "odcby1.0": "odc-by", "pddl1.0": "pddl", "ofl": "ofl-1.1", "silofl1.1": "ofl-1.1",
}  # fmt: skip
UNSURE = {
    "apache": "apache-2.0", "ccby": "cc-by-4.0", "ccbysa": "cc-by-sa-4.0", "ccbync": "cc-by-nc-4.0", "ccbyncsa": "cc-by-nc-sa-4.0",
    "ccbyncnd": "cc-by-nc-nd-4.0", "ccbynd": "cc-by-nd-4.0", "bsdclause": "bsd", "mpl": "mpl-2.0", "agpl": "agpl-3.0", "afl": "afl-3.0",
    "gpl3.0orlater": "gpl-3.0", "gpl3.0only": "gpl-3.0", "gpl3.0+": "gpl-3.0", "gpl2.0orlater": "gpl-2.0", "gpl2.0only": "gpl-2.0",
    "agpl3.0orlater": "agpl-3.0", "agpl3.0only": "agpl-3.0", "lgpl3.0orlater": "lgpl-3.0", "llama": "llama2", "openrailm": "openrail",
    "none": "", "custom": "other", "proprietary": "other", "commercial": "other", "noncommercial": "other",
}  # fmt: skip


def _squeezed(text: str) -> str:
    text = text.lower()
    for pattern, short in WORDS:
        text = pattern.sub(short, text)
    return NOISE.sub("", VERSION.sub("", text)).strip(".")


@functools.cache
def _names() -> dict[str, str]:
    """Return the identifiers by all names that mean one of them and no other; most licences are written as identifiers, and need none."""
    identifiers = {squeezed: name for name in sorted(LICENCES) if (squeezed := _squeezed(name))}
    short = {squeezed.removesuffix(".0"): name for squeezed, name in identifiers.items() if squeezed.endswith(".0")}
    return ALIASES | short | identifiers


def identifier(written: str) -> tuple[str, bool]:
    """Return the Hub's identifier that is meant, or an empty text, and whether it can be nothing else."""
    squeezed = _squeezed(written[:MAX_NAME])
    if squeezed in _names():
        return _names()[squeezed], True
    return UNSURE.get(squeezed, ""), False


def collect_licences(facts: Facts, file: str, located: Located) -> None:
    """Fill the licence fields of the group `metadata` from the front matter."""
    data = located.value
    declared = data.get("license")
    many = isinstance(declared, list)
    for index, written in enumerate(declared if isinstance(declared, list) else [declared]):
        place = Location(file, *located.place(("license", index) if many else ("license",)))
        if isinstance(written, str) and written.strip():
            right, sure = (written, True) if written in LICENCES else identifier(written)
            short = written[:SUMMARISED]
            hidden = not short.isprintable() or any(sign in short for sign in INVISIBLE)
            row = {"written": short, "right": right, "sure": sure, "edited": right if sure else short, "listed": many, "hidden": hidden}
            facts.add("metadata.licenses", place, **row)
    for key in ("license_name", "license_link"):
        if isinstance(data.get(key), str) and data[key].strip():
            facts.set(f"metadata.{key}", data[key], Location(file, *located.place((key,))))
    name = facts["metadata.license_name"]
    right, sure = identifier(name) if name else ("", False)
    if sure and right not in ("other", "unknown"):
        facts.set("metadata.license_of_name", right)
    _base_licences(facts, file, located)


# Base models whose own card on the Hub names a stricter licence that derived models stay under. Only what was read there.
BASES: tuple[tuple[Pattern, str], ...] = tuple(
    (Pattern(pattern, re.IGNORECASE), licence)
    for pattern, licence in (
        (r"(?:meta-llama|nousresearch|unsloth)/llama-?2-", "llama2"),
        (r"codellama/codellama-", "llama2"),
        (r"(?:meta-llama|nousresearch|unsloth)/(?:meta-)?llama-3-", "llama3"),
        (r"(?:meta-llama|nousresearch|unsloth)/(?:meta-)?llama-3\.1-", "llama3.1"),
        (r"(?:meta-llama|nousresearch|unsloth)/llama-3\.2-", "llama3.2"),
        (r"(?:meta-llama|nousresearch|unsloth)/llama-3\.3-", "llama3.3"),
        (r"(?:meta-llama|unsloth)/llama-4-", "llama4"),
        (
            r"(?:google|unsloth)/(?:gemma-(?:1\.1-|2-|3-|3n-|\d{1,2}b)|embeddinggemma-|codegemma-|recurrentgemma-|paligemma2?-|t5gemma-)",
            "gemma",
        ),
        (r"jinaai/jina-(?:embeddings-v3|clip-v2|colbert-v2|reranker-v2-base-multilingual|reranker-m0)$", "cc-by-nc-4.0"),
        (r"nvidia/nv-embed-v[12]$", "cc-by-nc-4.0"),
        (r"salesforce/sfr-embedding-(?:mistral|2_r)$", "cc-by-nc-4.0"),
        (r"linq-ai-research/linq-embed-mistral$", "cc-by-nc-4.0"),
        (r"tencentbac/conan-embedding-v1$", "cc-by-nc-4.0"),
        (r"facebook/nllb-200-", "cc-by-nc-4.0"),
        (r"(?:cohereforai|coherelabs)/(?:c4ai-command-r|aya-23|aya-expanse)", "cc-by-nc-4.0"),
        (r"naver/splade[-_]", "cc-by-nc-sa-4.0"),
        (r"qwen/qwen2\.5-(?:coder-)?3b(?:-instruct)?$|qwen/qwen2\.5-vl-3b-instruct$", "qwen-research"),
        (r"mistralai/(?:ministral-8b-instruct-2410|codestral-22b)", "a non-production or research licence of Mistral AI"),
    )
)


def _base_licences(facts: Facts, file: str, located: Located) -> None:
    """Note base models that are under a stricter licence than the one that is declared here."""
    declared = located.value.get("license")
    if declared not in PERMISSIVE if isinstance(declared, str) else True:
        return
    bases = located.value.get("base_model")
    owner = (facts["subject.id"] or "").partition("/")[0].lower()
    for index, base in enumerate(bases if isinstance(bases, list) else [bases]):
        if not isinstance(base, str) or base.partition("/")[0].lower() == owner:  # who made the base may license it anew
            continue
        licence = next((licence for pattern, licence in BASES if pattern.match(base)), None)
        if licence:
            place = Location(file, *located.place(("base_model", index) if isinstance(bases, list) else ("base_model",)))
            facts.add("metadata.stricter_bases", place, base=base[:SUMMARISED], licence=licence, declared=declared)
