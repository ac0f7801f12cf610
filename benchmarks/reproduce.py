"""Published scores measured again: nDCG@10 of real models on MTEB's own tasks, by the spot check's engine, beside what MTEB publishes.

`make reproduce` runs all-MiniLM-L6-v2 (four minutes on two cores); `python benchmarks/reproduce.py MODEL …` others, `--dtype auto` as the
spot check would. Needs ../shared/data.
"""

from __future__ import annotations

import argparse
import sys

from real import SCORES
from reference_models import MODELS, fetch
from references import BUILD, read_beir, unpack_retrieval

from cardcheck.spotcheck.encode import Limits, encode
from cardcheck.spotcheck.metrics import ndcg_at_10
from cardcheck.spotcheck.search import search

XQUAD = {
    f"xquad-{language}": (("queries.jsonl", "test", "XQuADRetrieval", "validation", language),) for language in ("en", "de", "es", "zh")
}
# a set's folder, and of each of its splits: the file of its queries, its judgements, and the task, split and subset that MTEB publishes
SETS = XQUAD | {
    "legalquad": (("queries.jsonl", "test", "LegalQuAD", "test", "default"),),
    "scifact": (("queries.jsonl", "test", "SciFact", "test", "default"), ("queries-train.jsonl", "train", "SciFact", "train", "default")),
}
WITHIN = 0.002


def published(model: str) -> dict[tuple[str, str, str], float]:
    """Return MTEB's main scores of a model by task, split and subset."""
    import pyarrow.parquet as pq

    names = ["task", "split", "subset", "main_score"]
    rows = pq.read_table(SCORES, columns=names, filters=[("model", "==", model)]).to_pylist()
    return {(row["task"], row["split"], row["subset"]): float(row["main_score"]) for row in rows}


def main() -> int:
    """Measure and print; end with 1 where a score is not reproduced."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="*", default=["sentence-transformers/all-MiniLM-L6-v2"], metavar="MODEL")
    parser.add_argument("--dtype", default="exact", choices=["auto", "bfloat16", "float32", "exact"])
    given = parser.parse_args()
    sets = unpack_retrieval()
    if sets is None or not SCORES.is_file():
        print("skipped: ../shared/data is not there; it does not come with the project", file=sys.stderr)
        return 0
    missed = 0
    print(f"{'model':44}{'task':24}{'published':>10}{'measured':>10}{'difference':>12}")
    for model in (one for one in MODELS if one.id in given.models and one.safetensors):
        folder = (fetch(model, BUILD / "packages") / model.safetensors).parent
        known = published(model.id)
        for name, parts in SETS.items():
            read = [read_beir(sets / name, queries=file, split=split) for file, split, *_ in parts]
            corpus, texts = read[0][0], [text for _, queries, _ in read for text in queries.values()]
            found = encode(folder, texts, list(corpus.values()), limits=Limits(7200), dtype=given.dtype, chunks=BUILD / "encodings")
            start = 0
            for (_, queries, qrels), (_, split, task, part, subset) in zip(read, parts, strict=True):
                rows = found.queries[start : start + len(queries)]
                start += len(queries)
                scores = ndcg_at_10(qrels, search(rows, found.documents, list(queries), list(corpus)))
                measured, expected = sum(scores.values()) / len(scores), known[task, part, subset]
                missed += abs(measured - expected) > WITHIN
                label = f"{task} {split if subset == 'default' else subset}"
                print(f"{model.id:44}{label:24}{expected:10.5f}{measured:10.5f}{measured - expected:+12.5f}", flush=True)
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
