"""Measure the reference models and write src/cardcheck/data/references.json. Run as `make references`.

Each model encodes the held-out set; those without published scores encode the panel tasks that ../shared/data/retrieval holds as well.
Finished models are kept in build/references, so an interrupted run goes on where it was. Prints the table of the held-out set.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from reference_models import MODELS, Encoder, ReferenceModel, fetch

from cardcheck.spotcheck import heldout
from cardcheck.spotcheck.metrics import ndcg_at_10
from cardcheck.spotcheck.panel import level, published
from cardcheck.spotcheck.search import search
from cardcheck.spotcheck.statistics import mean_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build"
RETRIEVAL = ROOT.parent / "shared/data/retrieval/retrieval.tar.zst"
TARGET = ROOT / "src/cardcheck/data/references.json"
PANEL_TASKS = {"SciFact": "scifact", "MLQuestions": "mlquestions", "XQuADRetrieval": "xquad-en"}
REPLICATES = 4000
Scores = dict[str, float]


def write_atomically(path: Path, data: Any) -> None:
    """Write JSON so that an interruption leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        json.dump(data, file, indent=1, ensure_ascii=False)
        file.write("\n")
    Path(file.name).chmod(0o644)
    Path(file.name).replace(path)


def measure(encoder: Encoder, corpus: Mapping[str, str], queries: Mapping[str, str], qrels: Mapping[str, Mapping[str, int]]) -> Scores:
    """Return each query's nDCG@10 (0 to 1)."""
    documents, probes = encoder.encode(list(corpus.values()), query=False), encoder.encode(list(queries.values()), query=True)
    return ndcg_at_10(qrels, search(probes, documents, list(queries), list(corpus)))


def unpack_retrieval() -> Path | None:
    """Return the folder of the retrieval sets, or None where they are not on this machine."""
    folder = BUILD / "retrieval"
    if not RETRIEVAL.is_file():
        return None
    if not folder.is_dir():
        import zstandard

        with tempfile.TemporaryDirectory(dir=BUILD) as temporary:
            with (
                RETRIEVAL.open("rb") as file,
                zstandard.ZstdDecompressor().stream_reader(file) as stream,
                tarfile.open(fileobj=stream, mode="r|") as archive,
            ):
                archive.extractall(temporary, filter="data")
            Path(temporary, "retrieval").rename(folder)
    return folder


def read_beir(folder: Path) -> tuple[dict[str, str], dict[str, str], dict[str, dict[str, int]]]:
    """Return corpus, queries and qrels of a set in BEIR layout; only queries with judgements."""

    def rows(name: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]

    qrels: dict[str, dict[str, int]] = {}
    for line in (folder / "qrels/test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        qrels.setdefault(query, {})[document] = int(grade)
    corpus = {row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in rows("corpus.jsonl")}
    return corpus, {row["_id"]: row["text"] for row in rows("queries.jsonl") if row["_id"] in qrels}, qrels


def measure_model(model: ReferenceModel, held_out: heldout.HeldOutSet, sets: Path | None) -> dict[str, Any]:
    """Return a model's record, from build/references where it was measured on this version of the held-out set before."""
    kept = BUILD / "references" / f"{slug(model)}.json"
    record: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    needed = [] if published(model.id) or sets is None else [name for name in PANEL_TASKS if name not in record.get("measured", {})]
    if record.get("sha256") == held_out.sha256 and not needed:
        return record
    folder = fetch(model, BUILD / "packages")
    encoder = model.load(folder)
    if record.get("sha256") != held_out.sha256:
        started = time.perf_counter()
        scores = measure(encoder, held_out.corpus, held_out.queries, held_out.qrels)
        seconds = time.perf_counter() - started
        weights = [sha256(folder / model.safetensors)] if model.safetensors else []
        record = {
            "sha256": held_out.sha256,
            "scores": scores,
            "seconds": seconds,
            "weights": weights,
            "measured": record.get("measured", {}),
        }
        write_atomically(kept, record)
    for name in needed:
        print(f"  {model.id}: {name} …", file=sys.stderr, flush=True)
        if sets is not None:
            scores = measure(encoder, *read_beir(sets / PANEL_TASKS[name]))
            record["measured"][name] = round(float(np.mean(list(scores.values()))) * 100, 2)
            write_atomically(kept, record)
    return record


def slug(model: ReferenceModel) -> str:
    """Return a file name for a model."""
    return f"{model.id}--{model.note}".replace("/", "--").replace(" ", "_")


def sha256(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def bm25(held_out: heldout.HeldOutSet) -> Scores:
    """Return BM25's nDCG@10 with English stop words and stemming, as mteb's baseline has them."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")

    def tokens(texts: list[str]) -> Any:
        return bm25s.tokenize(texts, stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False)

    index = bm25s.BM25()
    index.index(tokens(list(held_out.corpus.values())), show_progress=False)
    run = {}
    for query, terms in zip(held_out.queries, tokens(list(held_out.queries.values())), strict=True):
        run[query] = dict(zip(held_out.corpus, map(float, index.get_scores(terms)), strict=True))
    return ndcg_at_10(held_out.qrels, run)


class RandomEncoder:
    """Gives vectors drawn at random: what a model measures that understands nothing."""

    def encode(self, texts: list[str], *, query: bool) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), 384)."""
        return np.random.default_rng(int(query)).standard_normal((len(texts), 384)).astype(np.float32)


def print_table(rows: list[tuple[str, str, Scores, float | None]], queries: list[str]) -> None:
    """Print each model's score with its interval, its panel level, and how often a resample keeps it ahead of the next."""
    rows = sorted(rows, key=lambda row: -float(np.mean(list(row[2].values()))))
    matrix = np.array([[scores[query] for query in queries] for _, _, scores, _ in rows])
    drawn = np.random.default_rng(0).integers(len(queries), size=(REPLICATES, len(queries)))
    means = np.stack([row[drawn].mean(axis=1) for row in matrix])
    print(f"\n{'model':52} {'nDCG@10':>8} {'95 % interval':>15} {'panel':>6} {'ahead of next':>14}")
    for at, (name, note, _, panel) in enumerate(rows):
        interval = mean_interval(matrix[at], 0)
        ahead = f"{(means[at] > means[at + 1]).mean():.1%}" if at + 1 < len(rows) else ""
        label = f"{name} ({note})" if note else name
        shown = f"{panel:.1f}" if panel is not None else "–"
        print(f"{label:52} {matrix[at].mean() * 100:8.1f} {interval.low:7.1f} to {interval.high:4.1f} {shown:>6} {ahead:>14}")


def main() -> int:
    """Measure what is missing, write the file, print the table."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    BUILD.mkdir(exist_ok=True)
    held_out, sets = heldout.load(), unpack_retrieval()
    if sets is None:
        print(f"{RETRIEVAL} is not here: models without published scores keep what was measured before", file=sys.stderr)
    old = {model["id"]: model for model in json.loads(TARGET.read_text(encoding="utf-8"))["models"]} if TARGET.is_file() else {}
    models, scores, rows = [], {}, []
    for model in MODELS:
        print(f"{model.id} ({model.note}) …", file=sys.stderr, flush=True)
        record = measure_model(model, held_out, sets)
        measured = record["measured"] or old.get(model.id, {}).get("measured", {})
        panel = level(published(model.id) or measured, "")
        rows.append((model.id, model.note, record["scores"], panel.value if panel else None))
        if not model.independent:
            continue  # a copy's points would count its original twice; it is shown, not kept
        models.append(
            {
                "id": model.id,
                "note": model.note,
                "independent": True,
                "weights": record["weights"],
                "measured": measured,
            }
        )
        scores[model.id] = [round(record["scores"][query], 4) for query in held_out.queries]
    data = {
        "models": models,
        "heldout": {held_out.name: {"sha256": held_out.sha256, "queries": list(held_out.queries), "ndcg_at_10": scores}},
    }
    write_atomically(TARGET, data)
    rows += [
        ("BM25", "", bm25(held_out), None),
        ("random vectors", "", measure(RandomEncoder(), held_out.corpus, held_out.queries, held_out.qrels), None),
    ]
    print_table(rows, list(held_out.queries))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
