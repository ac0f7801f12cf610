"""Measure the reference models and write src/cardcheck/data/references.json. Run as `make references`.

Each model encodes the packaged held-out sets; those without published scores encode the panel tasks that ../shared/data/retrieval holds as
well, and all SciFact with its rewordings (embeddings.py). What is finished is kept in build/references, so an interrupted
run goes on where it was. Prints the table of each held-out set.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from real import SCORES
from reference_models import MODELS, Encoder, ReferenceModel, fetch

from cardcheck.spotcheck import heldout, public
from cardcheck.spotcheck.building.separation import Terms, bm25
from cardcheck.spotcheck.metrics import ndcg_at_10
from cardcheck.spotcheck.panel import level, published
from cardcheck.spotcheck.search import search
from cardcheck.spotcheck.statistics import mean_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embeddings import PublicSet
    from numpy.typing import NDArray

ROOT = Path(__file__).parent.parent
BUILD = ROOT / "build"
RETRIEVAL = ROOT.parent / "shared/data/retrieval/retrieval.tar.zst"
TARGET = ROOT / "src/cardcheck/data/references.json"
PANEL_TASKS = {"SciFact": "scifact", "MLQuestions": "mlquestions", "XQuADRetrieval": "xquad-en"}
PRIVATE = {  # MTEB's retrieval tasks that nobody can train on, by the language of their texts
    "en": ("EnglishFinance1Retrieval", "EnglishFinance2Retrieval", "Code1Retrieval"),
    "fr": ("French1Retrieval",),
    "de": ("GermanLegal1Retrieval",),
}
REPLICATES = 4000
Scores = dict[str, float]


def write_atomically(path: Path, data: Any) -> None:
    """Write JSON so that an interruption leaves the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as file:
        json.dump(data, file, ensure_ascii=False)
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

        BUILD.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=BUILD) as temporary:
            with (
                RETRIEVAL.open("rb") as file,
                zstandard.ZstdDecompressor().stream_reader(file) as stream,
                tarfile.open(fileobj=stream, mode="r|") as archive,
            ):
                archive.extractall(temporary, filter="data")
            Path(temporary, "retrieval").rename(folder)
    return folder


def read_beir(
    folder: Path, *, queries: str = "queries.jsonl", split: str = "test"
) -> tuple[dict[str, str], dict[str, str], dict[str, dict[str, int]]]:
    """Return corpus, queries and qrels of a set in BEIR layout; only queries with judgements."""

    def rows(name: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]

    qrels: dict[str, dict[str, int]] = {}
    for line in (folder / f"qrels/{split}.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        qrels.setdefault(query, {})[document] = int(grade)
    corpus = {row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in rows("corpus.jsonl")}
    return corpus, {row["_id"]: row["text"] for row in rows(queries) if row["_id"] in qrels}, qrels


def measure_model(model: ReferenceModel, held_out: list[heldout.HeldOutSet], wanted: list[str], sets: Path | None) -> dict[str, Any]:
    """Return a model's record, from build/references what was measured on these versions of the sets before; `wanted` are panel tasks."""
    kept = BUILD / "references" / f"{slug(model)}.json"
    record: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.is_file() else {}
    record = {"sets": record.get("sets", {}), "weights": record.get("weights", []), "measured": record.get("measured", {})}
    missing = [one for one in held_out if record["sets"].get(one.name, {}).get("sha256") != one.sha256]
    needed = [name for name in wanted if sets is not None and name not in record["measured"]]
    if not missing and not needed:
        return record
    folder = fetch(model, BUILD / "packages")
    encoder = model.load(folder)
    record["weights"] = [sha256(folder / model.safetensors)] if model.safetensors else []
    for one in missing:
        record["sets"][one.name] = {"sha256": one.sha256, "scores": measure(encoder, one.corpus, one.queries, one.qrels)}
        write_atomically(kept, record)
    for name in needed:
        assert sets is not None, "nothing is needed without them"  # noqa: S101  # for the type checker
        print(f"  {model.id}: {name} …", file=sys.stderr, flush=True)
        scores = measure(encoder, *read_beir(sets / PANEL_TASKS[name]))
        record["measured"][name] = round(float(np.mean(list(scores.values()))) * 100, 2)
        write_atomically(kept, record)
    return record


def public_scores(models: list[ReferenceModel]) -> dict[str, Any]:
    """Return the models' nDCG@10 by query on the public tasks, all parts."""
    from embeddings import embeddings, load

    found = {}
    for task in public.TASKS:
        given = load(task.name.lower())
        scores: dict[str, dict[str, list[float]]] = {}
        for model in models:
            vectors = embeddings(model, given)
            scores[model.id] = {}
            for part, split in given.splits.items():
                run = search(vectors[part], vectors["corpus"], split.ids, given.document_ids)
                by_query = ndcg_at_10(split.qrels, run)
                scores[model.id][part] = [round(by_query[query], 4) for query in split.ids]
        queries = {part: split.ids for part, split in given.splits.items()}
        found[task.name] = {"sha256": given.sha256, "queries": queries, "ndcg_at_10": scores, "lexical": {"BM25": lexical_scores(given)}}
    return found


def lexical_scores(given: PublicSet) -> dict[str, list[float]]:
    """Return BM25's nDCG@10 by query on all parts of an English set."""
    corpus, terms, found = dict(zip(given.document_ids, given.documents, strict=True)), Terms("en"), {}
    for part, split in given.splits.items():
        by_query = ndcg_at_10(split.qrels, bm25(corpus, dict(zip(split.ids, split.texts, strict=True)), terms))
        found[part] = [round(by_query.get(query, 0.0), 4) for query in split.ids]
    return found


def slug(model: ReferenceModel) -> str:
    """Return a file name for a model."""
    return f"{model.id}--{model.note}".replace("/", "--").replace(" ", "_")


def sha256(path: Path) -> str:
    """Return a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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
    """Measure what is missing, write the file, print the tables."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    BUILD.mkdir(exist_ok=True)
    held_out, sets = [heldout.load(name) for name in heldout.names()], unpack_retrieval()
    if sets is None:
        print(f"{RETRIEVAL} is not here: what was measured with it before is kept", file=sys.stderr)
    packaged = json.loads(TARGET.read_text(encoding="utf-8"))
    old = {model["id"]: model["measured"] for model in packaged["models"]}
    records, models = {}, []
    for model in MODELS:
        print(f"{model.id} ({model.note}) …", file=sys.stderr, flush=True)
        known = published(model.id) or old.get(model.id)
        record = records[model] = measure_model(model, held_out, [] if known else list(PANEL_TASKS), sets)
        if model.independent:  # a copy's points would count its original twice; it is shown, not kept
            measured = record["measured"] or old.get(model.id, {})
            models.append({"id": model.id, "note": model.note, "independent": True, "weights": record["weights"], "measured": measured})
    scores = {one.name: heldout_scores(one, records, packaged["heldout"].get(one.name, {})) for one in held_out}
    tasks = public_scores([model for model in MODELS if model.independent]) if sets else packaged.get("public", {})
    write_atomically(TARGET, {"models": models, "heldout": scores, "public": tasks})
    levels = {model["id"]: level(published(model["id"]) or model["measured"], "") for model in models}
    for one in held_out:
        print_set(one, records, {name: place.value for name, place in levels.items() if place})
    if SCORES.is_file():
        print_order([one for one in held_out if one.language in PRIVATE], records)
    return 0


def heldout_scores(held_out: heldout.HeldOutSet, records: dict[ReferenceModel, dict[str, Any]], packaged: dict[str, Any]) -> dict[str, Any]:
    """Return what the package holds of one set: nDCG@10 by query of the independent models, measured now or before on the same set."""
    before = packaged.get("ndcg_at_10", {}) if packaged.get("sha256") == held_out.sha256 else {}
    scores = {}
    for model, record in records.items():
        found = record["sets"].get(held_out.name, {})
        if found.get("sha256") == held_out.sha256:
            scores[model.id] = [round(found["scores"][query], 4) for query in held_out.queries]
        elif model.id in before:
            scores[model.id] = before[model.id]
    independent = {model.id for model in records if model.independent}
    kept = {name: values for name, values in scores.items() if name in independent}
    return {"sha256": held_out.sha256, "queries": list(held_out.queries), "ndcg_at_10": kept}


def print_order(held_out: list[heldout.HeldOutSet], records: dict[ReferenceModel, dict[str, Any]]) -> None:
    """Print Kendall's tau of each set's order of the models with their order on MTEB's private tasks, where both are known."""
    import pyarrow.parquet as pq
    from scipy.stats import kendalltau

    tasks = [name for names in PRIVATE.values() for name in names]
    rows = pq.read_table(SCORES, columns=["model", "task", "main_score"], filters=[("task", "in", tasks)]).to_pylist()
    private = {(row["model"], row["task"]): row["main_score"] for row in rows}
    for one in held_out:
        names = PRIVATE[one.language]
        there = {model: [private.get((model.id, name), np.nan) for name in names] for model in records if model.independent}
        both = [model for model in there if one.name in records[model]["sets"] and not np.isnan(there[model]).any()]
        here = [float(np.mean(list(records[model]["sets"][one.name]["scores"].values()))) for model in both]
        tau = kendalltau(here, [np.mean(there[model]) for model in both]).statistic
        print(f"\n{one.name} against {', '.join(names)}: Kendall's tau {tau:+.2f}, n = {len(both)}")
        for model, score in zip(both, here, strict=True):
            print(f"  {model.id:50} {score * 100:5.1f} {np.mean(there[model]) * 100:5.1f}")


def print_set(held_out: heldout.HeldOutSet, records: dict[ReferenceModel, dict[str, Any]], levels: dict[str, float]) -> None:
    """Print the table of one held-out set."""
    rows: list[tuple[str, str, Scores, float | None]] = [
        (model.id, model.note, record["sets"][held_out.name]["scores"], levels.get(model.id))
        for model, record in records.items()
        if held_out.name in record["sets"]
    ]
    rows += [
        ("BM25", "", ndcg_at_10(held_out.qrels, bm25(held_out.corpus, held_out.queries, Terms(held_out.language))), None),
        ("random vectors", "", measure(RandomEncoder(), held_out.corpus, held_out.queries, held_out.qrels), None),
    ]
    print(f"\n{held_out.name}: {len(held_out.queries)} queries, {len(held_out.corpus)} passages", end="")
    print_table(rows, list(held_out.queries))


if __name__ == "__main__":
    raise SystemExit(main())
