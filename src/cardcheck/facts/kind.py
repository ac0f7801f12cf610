"""What kind of model the subject is, from all that the other collectors found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.model import Facts

TASKS = frozenset({"sentence-similarity", "text-ranking", "visual-document-retrieval"})
MAYBE = "feature-extraction"  # encoders of every purpose carry it, so it does not tell by itself
TAGS = frozenset({"sentence-transformers", "mteb", "text-embeddings-inference", "sentence-similarity", "sparse-encoder", "cross-encoder"})
LIBRARIES = frozenset({"sentence-transformers", "model2vec"})
TITLE = Pattern(r"embed|sentence|\bsts\b|retriev|rerank|\b(?:gte|bge|e5|sbert|labse|colbert|splade|simcse)\b", re.IGNORECASE)


def collect_model(facts: Facts, *, embedding: bool = False) -> None:
    """Fill the group `model`; `embedding` where it is known from elsewhere what the subject is."""
    tags = {tag.lower() for tag in facts["card.tags"]}
    is_embedding = (
        embedding
        or facts["card.pipeline_tag"] in TASKS
        or facts["card.library_name"] in LIBRARIES
        or bool(tags & TAGS)
        or facts["st.has_modules"]
        or any((row["dataset"] or "").startswith("MTEB ") for row in facts["results.entries"][:50])
        or (facts["card.pipeline_tag"] == MAYBE and bool(TITLE.search(facts["card.title"] or facts["subject.name"] or "")))
    )
    facts.set("model.is_embedding", is_embedding)
