"""Retrieval metrics, by trec_eval's own code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardcheck.spotcheck.setfiles import MAX_GRADE

if TYPE_CHECKING:
    from collections.abc import Mapping


def ndcg_at_10(qrels: Mapping[str, Mapping[str, int]], run: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return nDCG@10 (0 to 1) of each query in `run` that has judgements.

    Gains are the grades themselves and ties fall by document id, as in trec_eval (Järvelin and Kekäläinen 2002, TOIS 20(4), for the
    measure; pytrec-eval-terrier for the computation). Raises ValueError where a grade is so high that trec_eval would end the process.
    """
    import pytrec_eval

    judged = {query: dict(grades) for query, grades in qrels.items() if query in run}
    for query, grades in judged.items():
        if grade := next((grade for grade in grades.values() if abs(grade) > MAX_GRADE), 0):
            raise ValueError(f"the query {query[:20]} has the grade {str(grade)[:20]}, and the highest that counts is {MAX_GRADE}")
    evaluator = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut.10"})
    result = evaluator.evaluate({query: dict(scores) for query, scores in run.items()})
    return {query: float(values["ndcg_cut_10"]) for query, values in result.items()}
