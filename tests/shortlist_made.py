"""A store of made-up results of real models on real tasks, whose truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cardcheck.catalogue import tasks
from cardcheck.leaderboard import boards, store
from cardcheck.leaderboard.credible_model import expit
from cardcheck.leaderboard.tables import sync_table

if TYPE_CHECKING:
    from pathlib import Path

    from cardcheck.leaderboard.store import Store

# Of each: how good it is, in logits.
MODELS = {
    "Qwen/Qwen3-Embedding-8B": 1.6, "BAAI/bge-m3": 1.0, "intfloat/multilingual-e5-large": 0.9, "intfloat/multilingual-e5-base": 0.7,
    "intfloat/multilingual-e5-small": 0.5, "sentence-transformers/all-MiniLM-L6-v2": 0.0, "sentence-transformers/all-mpnet-base-v2": 0.2,
    "BAAI/bge-small-en-v1.5": 0.1, "BAAI/bge-base-en-v1.5": 0.3, "BAAI/bge-large-en-v1.5": 0.4, "minishlab/potion-base-8M": -0.8,
    "thenlper/gte-small": 0.1, "thenlper/gte-base": 0.3, "thenlper/gte-large": 0.4, "jinaai/jina-embeddings-v3": 1.1,
    "Snowflake/snowflake-arctic-embed-xs": 0.0, "Snowflake/snowflake-arctic-embed-m": 0.3, "openai/text-embedding-3-small": 0.8,
    "openai/text-embedding-3-large": 1.2, "castorini/repllama-v1-7b-lora-passage": 0.9, "mteb/baseline-bm25s": -0.2,
    "Qwen/Qwen3-Embedding-0.6B": 0.9, "sentence-transformers/LaBSE": -0.3, "BAAI/bge-reranker-v2-m3": 1.3, "nobody/knows-this": 0.5,
}  # fmt: skip
SPECIALIST, SMALL = (
    "sdadas/mmlw-roberta-base",
    "mixedbread-ai/mxbai-embed-xsmall-v1",
)  # the one is better in Polish, of the other no memory is known


def text_tasks(language: str, many: int) -> list[str]:
    """Return public retrieval tasks in this one language, each on data of its own."""
    held: dict[str, str] = {}
    for name in tasks.names():
        about = tasks.task(name)
        if (
            about
            and about.type == "Retrieval"
            and about.modalities == ("text",)
            and about.languages == (language,)
            and about.public
            and "CQA" not in name
        ):
            held.setdefault(min(tasks.variants(name)), name)
    return sorted(held.values())[:many]


def make(folder: Path, *, seed: int = 1) -> Store:
    """Return a store: ten Polish and fifteen English tasks, noise of a fifth of a logit, a tenth of the cells missing."""
    draw = np.random.default_rng(seed)
    skills = MODELS | {SPECIALIST: 0.0, SMALL: 0.2}
    rows = []
    for language, many in (("pol", 10), ("eng", 15)):
        for task in text_tasks(language, many):
            level = draw.normal(0, 0.6)
            for model, skill in skills.items():
                lift = 1.5 if (model, language) == (SPECIALIST, "pol") else 0.0
                score = float(expit(np.array(skill + lift + level + draw.normal(0, 0.2))))
                if draw.random() > 0.1:
                    rows += [(model, task, split, subset, score) for split in tasks_splits(task) for subset in boards.scope(task).subsets]
    return keep(folder, rows)


def keep(folder: Path, rows: list[tuple[str, str, str, str, float]]) -> Store:
    """Return a store of rows: model, task, split, subset, score."""
    model, task, split, subset, score = (list(column) for column in zip(*rows, strict=True))
    revision = [boards.main_revision(name) or "0" for name in model]
    table = {"model": model, "revision": revision, "task": task, "split": split, "subset": subset, "main_score": score}
    pq.write_table(pa.table(table), folder / "table.parquet")
    sync_table(folder / "table.parquet", folder / "store.parquet")
    return store.open_store(folder / "store.parquet")


def tasks_splits(task: str) -> tuple[str, ...]:
    """Return the splits that a task is evaluated on."""
    about = tasks.task(task)
    assert about
    return about.splits
