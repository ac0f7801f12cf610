"""Measuring a model on one corpus: all texts are encoded in a child process, then each part's queries are searched."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cardcheck.cache import cache_folder
from cardcheck.spotcheck.encode import Limits, encode
from cardcheck.spotcheck.metrics import ndcg_at_10
from cardcheck.spotcheck.search import SIMILARITIES, search

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from cardcheck.spotcheck.encode import Backend

    Qrels = Mapping[str, Mapping[str, int]]


LATER = ("torch", "scipy.stats")  # what searching and judging import


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure.

    `set` is a held-out set by name or folder, else the newest in `language`, else the usual one; `domain` takes its queries of one domain,
    `queries` a sample of so many. `public` is a folder with the data of public tasks, which are else fetched from the Hub, unless
    `offline`; `heldout_only` leaves the tests on them out, and so does a `budget` (seconds for all of it) that they would overstep.
    `backend` is what runs the model, mteb's own loader by the name `hub_id`.
    """

    device: str = "cpu"
    seed: int = 0
    queries: int | None = None
    set: str | None = None
    language: str | None = None
    domain: str | None = None
    limits: Limits = field(default_factory=Limits)
    trust_remote_code: bool = False
    public: Path | None = None
    heldout_only: bool = False
    offline: bool = False
    budget: float | None = None
    backend: Backend = "auto"
    hub_id: str = ""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Documents by id, and the queries and judgements of each part that is searched in them."""

    documents: Mapping[str, str]
    queries: Mapping[str, Mapping[str, str]]
    qrels: Mapping[str, Qrels]

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self.documents) + sum(map(len, self.queries.values()))

    @property
    def letters(self) -> int:
        """The length of all texts: what encoding takes goes by it."""
        return sum(map(len, self.documents.values())) + sum(len(text) for part in self.queries.values() for text in part.values())


@dataclass(frozen=True, slots=True)
class Measured:
    """nDCG@10 (0 to 1) of each query by part, how the vectors were made, and the seconds that it took."""

    scores: dict[str, dict[str, float]]
    encoding: dict[str, Any]
    isolation: dict[str, bool]
    search_s: float
    seconds: float


def measure(path: Path, corpus: Corpus, options: Options, progress: Callable[[int], None]) -> Measured:
    """Encode and search one corpus; `progress` is told how many more texts are encoded.

    Raises EncodingError where the model cannot be run, ValueError where its vectors are not finite.
    """
    begun = time.perf_counter()
    folder = cache_folder()
    queries = [text for part in corpus.queries.values() for text in part.values()]
    with ThreadPoolExecutor(1, thread_name_prefix="import") as beside:
        for name in LATER:  # while the child imports its own; a GPU is the child's alone until it ends
            beside.submit(import_module, name)
        encoded = encode(
            path, queries, list(corpus.documents.values()), device=options.device, seed=options.seed, limits=options.limits,
            trust_remote_code=options.trust_remote_code, progress=progress, chunks=folder / "encodings" if folder else None,
            backend=options.backend, mteb_name=options.hub_id if options.backend == "mteb" else "",
        )  # fmt: skip
    started = time.perf_counter()
    similarity = encoded.about["similarity"] if encoded.about["similarity"] in SIMILARITIES else "cosine"
    scores: dict[str, dict[str, float]] = {}
    at = 0
    for part, texts in corpus.queries.items():
        own = encoded.queries[at : at + len(texts)]
        at += len(texts)
        run = search(own, encoded.documents, list(texts), list(corpus.documents), similarity=similarity, device=options.device)
        scores[part] = ndcg_at_10(corpus.qrels[part], run)
    done = time.perf_counter()
    return Measured(scores, encoded.about, encoded.isolation, done - started, done - begun)
