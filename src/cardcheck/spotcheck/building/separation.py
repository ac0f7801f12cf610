"""Whether a set tells good retrievers from bad ones: BM25, random order, and the user's models on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import sqrt
from typing import TYPE_CHECKING

from cardcheck.spotcheck.building.document import IDEOGRAPH, words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from cardcheck.spotcheck.heldout import HeldOutSet

DEPTH = 10
MOST_QUERIES = 2000  # a score is then known within a point or two
FEW_QUERIES, FEW_PASSAGES = 100, 100
SPREAD = 50.0  # nDCG@10 points; 1.96 times the usual deviation between queries
EASY = 90.0  # nDCG@10 points; where counting words gets so far, nothing is left for a model to show
HARD = 20.0
SHARED = 0.6  # of a query's content words
STOP_WORDS = {
    "en": "STOPWORDS_EN_PLUS", "zh": "STOPWORDS_CHINESE", "da": "STOPWORDS_DANISH", "nl": "STOPWORDS_DUTCH", "fr": "STOPWORDS_FRENCH",
    "de": "STOPWORDS_GERMAN", "it": "STOPWORDS_ITALIAN", "ko": "STOPWORDS_KOREAN", "no": "STOPWORDS_NORWEGIAN",
    "pt": "STOPWORDS_PORTUGUESE", "ru": "STOPWORDS_RUSSIAN", "es": "STOPWORDS_SPANISH", "sv": "STOPWORDS_SWEDISH",
    "tr": "STOPWORDS_TURKISH",
}  # fmt: skip
STEMMERS = {
    "ar": "arabic", "ca": "catalan", "cs": "czech", "da": "danish", "de": "german", "el": "greek", "en": "english", "es": "spanish",
    "fi": "finnish", "fr": "french", "hi": "hindi", "hu": "hungarian", "it": "italian", "nl": "dutch", "no": "norwegian", "pl": "polish",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "tr": "turkish",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scored:
    """What one retriever has on the set, nDCG@10 in points with its 95 % interval; `problem` says why a model has nothing."""

    name: str
    score: float = 0.0
    low: float = 0.0
    high: float = 0.0
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two neighbours in the order of scores; they are told apart where the interval of their difference lies above zero."""

    better: str
    worse: str
    difference: float
    low: float
    high: float

    @property
    def apart(self) -> bool:
        """Tell whether the set tells them apart."""
        return self.low > 0


@dataclass(slots=True)
class Check:
    """What the check found on so many of the queries.

    `shared` is the median share of a query's content words that its best passage has too.
    """

    queries: int = 0
    scored: list[Scored] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    shared: float = 0.0
    warnings: list[str] = field(default_factory=list)


class Terms:
    """Cuts text into the stems of its content words, as far as stop words and a stemmer of the language are known."""

    def __init__(self, language: str) -> None:
        import bm25s.stopwords

        self.stop = frozenset(getattr(bm25s.stopwords, STOP_WORDS.get(language, ""), ()))
        self.stemmer = None
        try:
            import Stemmer

            name = STEMMERS.get(language)
            self.stemmer = Stemmer.Stemmer(name) if name in Stemmer.algorithms() else None
        except ImportError:
            pass

    def of(self, text: str) -> list[str]:
        """Return the terms of a text."""
        found = [word for word in words(text) if word not in self.stop and (len(word) > 1 or IDEOGRAPH.match(word) or word.isdigit())]
        return list(self.stemmer.stemWords(found)) if self.stemmer else found


def check(
    held_out: HeldOutSet,
    models: Sequence[Path] = (),
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Check:
    """Check a set, where it is very large with a sample of its queries; `progress` is told of the texts that the models have encoded."""
    import numpy as np

    from cardcheck.spotcheck.metrics import ndcg_at_10
    from cardcheck.spotcheck.statistics import mean_interval

    terms = Terms(held_out.language)
    whole, held_out = held_out, held_out.sample(MOST_QUERIES, seed)
    found = Check(queries=len(held_out.queries))
    runs: dict[str, dict[str, dict[str, float]] | str] = {
        "BM25": bm25(held_out.corpus, held_out.queries, terms),
        "random order": _random(held_out, seed),
    }
    texts = len(held_out.queries) + len(held_out.corpus)
    for number, model in enumerate(models):
        name = model.name if model.name not in runs else str(model)
        runs[name] = _model_run(held_out, model, seed, device, _counting(progress, number * texts, len(models) * texts))
    values = {}
    for name, run in runs.items():
        if isinstance(run, str):
            found.scored.append(Scored(name, problem=run))
            continue
        scores = ndcg_at_10(held_out.qrels, run)
        values[name] = np.array([scores.get(query, 0.0) for query in held_out.queries])
        interval = mean_interval(values[name], seed)
        found.scored.append(Scored(name, float(values[name].mean() * 100), interval.low, interval.high))
    found.scored.sort(key=lambda one: (bool(one.problem), -one.score))
    for better, worse in pairwise(one.name for one in found.scored if not one.problem):
        difference = values[better] - values[worse]
        interval = mean_interval(difference, seed)
        found.pairs.append(Pair(better, worse, float(difference.mean() * 100), interval.low, interval.high))
    found.shared = _shared(held_out, terms)
    found.warnings = _warnings(whole, found)
    return found


def bm25(corpus: Mapping[str, str], queries: Mapping[str, str], terms: Terms) -> dict[str, dict[str, float]]:
    """Return each query's best documents by BM25."""
    import bm25s
    import numpy as np

    index = bm25s.BM25()
    documents = [terms.of(text) for text in corpus.values()]
    run: dict[str, dict[str, float]] = {query: {} for query in queries}
    if not any(documents):
        return run
    index.index(documents, show_progress=False)
    ids = list(corpus)
    size = min(DEPTH, len(ids))
    for query, text in queries.items():
        if asked := terms.of(text):
            scores = index.get_scores(asked)
            best = np.argpartition(-scores, size - 1)[:size]
            run[query] = {ids[at]: float(scores[at]) for at in best if scores[at] > 0}
    return run


def _random(held_out: HeldOutSet, seed: int) -> dict[str, dict[str, float]]:
    import numpy as np

    rng = np.random.default_rng(seed)
    ids = list(held_out.corpus)
    size = min(DEPTH, len(ids))
    return {
        query: {ids[at]: float(size - rank) for rank, at in enumerate(rng.choice(len(ids), size=size, replace=False))}
        for query in held_out.queries
    }


def _model_run(
    held_out: HeldOutSet, model: Path, seed: int, device: str, progress: Callable[[int], None]
) -> dict[str, dict[str, float]] | str:
    """Return what a model finds, or why it finds nothing."""
    from cardcheck.spotcheck.children import EncodingError
    from cardcheck.spotcheck.encode import encode
    from cardcheck.spotcheck.search import SIMILARITIES, search

    try:
        encoded = encode(
            model, list(held_out.queries.values()), list(held_out.corpus.values()), device=device, seed=seed, progress=progress
        )  # fmt: skip
        similarity = encoded.about.get("similarity")
        return search(
            encoded.queries, encoded.documents, list(held_out.queries), list(held_out.corpus),
            similarity=similarity if similarity in SIMILARITIES else "cosine", device=device,
        )  # fmt: skip
    except (EncodingError, ValueError, OSError, ImportError) as error:
        return str(error)[:300]


def _counting(progress: Callable[[int, int], None], start: int, total: int) -> Callable[[int], None]:
    done = start

    def count(more: int) -> None:
        nonlocal done
        done += more
        progress(done, total)

    return count


def _shared(held_out: HeldOutSet, terms: Terms) -> float:
    """Return the median over queries of how many of their content words stand in the best passage."""
    from statistics import median

    shares = []
    for query, text in held_out.queries.items():
        asked = set(terms.of(text))
        grades = held_out.qrels[query]
        best = [document for document, grade in grades.items() if grade > 0 and grade == max(grades.values())]
        if asked and best:
            shares.append(max(len(asked & set(terms.of(held_out.corpus[document]))) for document in best) / len(asked))
    return median(shares) if shares else 0.0


def _warnings(held_out: HeldOutSet, found: Check) -> list[str]:
    """Say what makes the set a poor measure."""
    by_name = {one.name: one for one in found.scored}
    lexical, chance = by_name["BM25"], by_name["random order"]
    queries, passages = len(held_out.queries), len(held_out.corpus)
    # one query, or some that all get the same, have an interval of no width, which says nothing of other queries
    half = max((lexical.high - lexical.low) / 2, SPREAD / sqrt(queries))
    known = f"only known within ± {half:.0f} points"
    models = [one for one in found.scored if one.name not in ("BM25", "random order") and not one.problem]
    names = {one.name for one in models}
    same = [f"{pair.better} and {pair.worse}" for pair in found.pairs if not pair.apart and {pair.better, pair.worse} <= names]
    said = [
        (
            queries < FEW_QUERIES,
            f"{_many(queries, 'query is', 'queries are')} few: a score is {known}; take at least {FEW_QUERIES}",
        ),
        (
            passages < FEW_PASSAGES,
            f"{_many(passages, 'passage is', 'passages are')} few: chance alone gets {chance.score:.0f} points",
        ),
        (lexical.score > EASY, f"BM25 gets {lexical.score:.0f} points: the set is too easy to tell models apart"),
        (
            found.shared > SHARED,
            f"queries share {found.shared:.0%} of their content words with their passages; --query-command can word them otherwise",
        ),
        (
            max(one.score for one in found.scored) < HARD,
            f"nothing gets over {HARD:.0f} points: do the queries say what their passages are about?",
        ),
        (lexical.low <= chance.high, "BM25 cannot be told from random order: are the judgements right, and the language?"),
        (bool(same), f"not told apart: {'; '.join(same)}; more queries would help"),
    ]
    return [text for applies, text in said if applies] + [f"{one.name}: {one.problem}" for one in found.scored if one.problem]


def _many(count: int, one: str, more: str) -> str:
    return f"{count} {one if count == 1 else more}"
