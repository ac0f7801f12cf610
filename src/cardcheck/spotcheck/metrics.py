"""Retrieval metrics, by trec_eval's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


def ndcg_at_10(qrels: Mapping[str, Mapping[str, int]], run: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return nDCG@10 (0 to 1) of each query in `run` that has judgements.

    Gains are the grades themselves and ties fall by document id, as in trec_eval (Järvelin and Kekäläinen 2002, TOIS 20(4), for the
    measure; pytrec-eval-terrier for the computation).
    """
    import pytrec_eval

    judged = {query: dict(grades) for query, grades in qrels.items() if query in run}
    evaluator = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut.10"})
    result = evaluator.evaluate({query: dict(scores) for query, scores in run.items()})
    return {query: float(values["ndcg_cut_10"]) for query, values in result.items()}
