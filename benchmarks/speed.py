"""The spot check's speed: SciFact from end to end against sentence-transformers and mteb, same model, same machine, in turns.

    python benchmarks/speed.py --mteb /path/to/python     # an interpreter with mteb; without it that row is left out
    python benchmarks/speed.py --documents 1000           # a part of the corpus, the judged documents among it
    python benchmarks/speed.py --documents 100000 --device cuda --save FILE    # filled up with passages drawn from its sentences
    python benchmarks/speed.py --model large              # random weights of BERT-large's architecture, 335 million parameters
    python benchmarks/speed.py --kills 50                 # instead: kill -9 at random points, then resume

Each run is a process of its own, timed from its start to its nDCG@10: imports, loading, encoding, searching and scoring. The runs
alternate, and the best of each counts, because other work on the machine only ever makes a run slower.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "build/models/all-MiniLM-L6-v2"
DATA = ROOT / "build/retrieval"
SET = "scifact"
CONTENDERS = ("cardcheck", "default", "tuned-16", "tuned-32", "tuned-64")  # smaller batches were slower on two cores
LARGE: dict[str, Any] = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
MOST_COUNTED = 6_000  # texts: of more a part is counted
PUBLISHED = 0.64508  # MTEB's result for all-MiniLM-L6-v2 on SciFact
LIBRARIES = ("torch", "transformers", "sentence-transformers", "numpy")

Texts = dict[str, str]
Qrels = dict[str, dict[str, int]]


def unpack() -> None:
    """Unpack the retrieval sets, once; end with a message where they are absent."""
    from references import unpack_retrieval  # not for the contenders, one of which may lack cardcheck

    if unpack_retrieval() is None:
        sys.exit("skipped: ../shared/data/retrieval is not there; it does not come with the project")


def read(count: int | None) -> tuple[Texts, Texts, Qrels]:
    """Return queries, corpus and judgements; with a count a part of the corpus, the judged documents first."""
    folder = DATA / SET
    qrels: Qrels = {}
    for line in (folder / "qrels/test.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, document, grade = line.split("\t")
        qrels.setdefault(query, {})[document] = int(grade)
    rows = {name: [json.loads(line) for line in (folder / f"{name}.jsonl").open(encoding="utf-8")] for name in ("queries", "corpus")}
    queries = {row["_id"]: row["text"] for row in rows["queries"] if row["_id"] in qrels}
    corpus = {row["_id"]: f"{row.get('title', '')} {row['text']}".strip() for row in rows["corpus"]}
    judged = {document for grades in qrels.values() for document in grades}
    kept = set(sorted(corpus, key=lambda document: document not in judged)[:count])
    chosen = {document: corpus[document] for document in corpus if document in kept}
    return queries, chosen | recombined(corpus, (count or 0) - len(corpus)), qrels


def recombined(corpus: Texts, count: int) -> Texts:
    """Return `count` further passages, as long as those of the corpus and made of its sentences, drawn by chance with a fixed seed."""
    chance = random.Random(0)  # noqa: S311  # not for secrets
    texts = [text.split(". ") for text in corpus.values()]
    sentences = [sentence for text in texts for sentence in text]
    lengths = [len(text) for text in texts]
    return {f"recombined-{i}": ". ".join(chance.choices(sentences, k=chance.choice(lengths))) for i in range(count)}


def large() -> Path:
    """Return the folder of a model with BERT-large's architecture, random weights and MiniLM's tokenizer, made once.

    What every text has in common (positions) and what mixes tokens is scaled down, so that the vectors tell texts apart, as a trained
    model's do: bfloat16 is only taken where it keeps their order.
    """
    folder = MODEL.with_name("random-large")
    if (folder / "modules.json").is_file():
        return folder
    import torch
    from sentence_transformers import SentenceTransformer, models  # type: ignore[attr-defined, unused-ignore]
    from transformers import AutoTokenizer, BertConfig, BertModel

    torch.manual_seed(0)
    inner = BertModel(BertConfig(vocab_size=30522, initializer_range=0.05, **LARGE))
    with torch.no_grad():
        for name, weight in inner.named_parameters():
            if name.endswith(("output.dense.weight", "position_embeddings.weight", "token_type_embeddings.weight")):
                weight.mul_(0.1)
    with tempfile.TemporaryDirectory() as saved:
        inner.save_pretrained(saved)
        AutoTokenizer.from_pretrained(MODEL).save_pretrained(saved)
        encoder = models.Transformer(saved, max_seq_length=256)
        SentenceTransformer(modules=[encoder, models.Pooling(LARGE["hidden_size"])], device="cpu").save(str(folder))
    return folder


def run_cardcheck(args: argparse.Namespace) -> dict[str, Any]:
    """Encode, search and score as an audit does."""
    from cardcheck.spotcheck.measure import Corpus, Options, measure

    queries, corpus, qrels = read(args.documents)
    found = measure(args.model, Corpus(corpus, {"test": queries}, {"test": qrels}), Options(device=args.device), lambda _count: None)
    scores = found.scores["test"]
    return {"ndcg": sum(scores.values()) / len(scores), "encode_s": found.encoding["encode_s"], "about": found.encoding}


def run_sentence_transformers(args: argparse.Namespace) -> dict[str, Any]:
    """Encode with SentenceTransformer.encode: at its defaults, or in bfloat16 with the batch size that is asked for."""
    import torch
    from sentence_transformers import SentenceTransformer

    from cardcheck.spotcheck.metrics import ndcg_at_10
    from cardcheck.spotcheck.search import search

    queries, corpus, qrels = read(args.documents)
    model = SentenceTransformer(str(args.model), device=args.device)
    if args.batch:
        model.to(torch.bfloat16)
    options = {"batch_size": args.batch} if args.batch else {}
    started = time.perf_counter()
    rows = [model.encode(list(texts.values()), show_progress_bar=False, **options) for texts in (queries, corpus)]
    encoded = time.perf_counter()
    first, second = (torch.as_tensor(part).float().numpy() for part in rows)
    scores = ndcg_at_10(qrels, search(first, second, list(queries), list(corpus), device=args.device))
    return {"ndcg": sum(scores.values()) / len(scores), "encode_s": encoded - started}


def run_mteb(args: argparse.Namespace) -> dict[str, Any]:
    """Evaluate with mteb, the task's data taken from here instead of from the Hub."""
    import mteb
    from datasets import Dataset  # type: ignore[import-not-found, unused-ignore]  # mteb brings it
    from mteb.abstasks.retrieval import AbsTaskRetrieval
    from sentence_transformers import SentenceTransformer

    queries, corpus, qrels = read(args.documents)

    class LocalSciFact(AbsTaskRetrieval):  # type: ignore[misc, unused-ignore]
        metadata = mteb.get_task("SciFact").metadata.model_copy(update={"name": "LocalSciFact"})

        def load_data(self, *_args: Any, **_options: Any) -> None:
            self.dataset = {
                "default": {
                    "test": {
                        "queries": Dataset.from_list([{"id": name, "text": text} for name, text in queries.items()]),
                        "corpus": Dataset.from_list([{"id": name, "title": "", "text": text} for name, text in corpus.items()]),
                        "relevant_docs": qrels,
                        "top_ranked": None,
                    }
                }
            }
            self.data_loaded = True

    model = SentenceTransformer(str(args.model), device=args.device)
    result = mteb.evaluate(model, LocalSciFact(), cache=None, show_progress_bar=False, co2_tracker=False)
    return {"ndcg": float(result.task_results[0].get_score()), "mteb": importlib.metadata.version("mteb")}


def measure(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Run one contender in a process of its own; return what it says, with its seconds from start to end, and the CPU's."""
    python = args.mteb if name == "mteb" else sys.executable
    command = [python, __file__, "--contender", name, "--model", str(args.model), "--device", args.device]
    command += ["--documents", str(args.documents)] if args.documents else []
    command += ["--batch", name.rpartition("-")[2]] if name.startswith("tuned-") else []
    with tempfile.TemporaryDirectory(prefix="cardcheck-speed-") as cache:  # no encoding of an earlier run is gone on from
        started, used = time.perf_counter(), _cpu_seconds()
        environment = os.environ | {"HF_HUB_OFFLINE": "1", "CARDCHECK_CACHE": cache}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        seconds = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found | {"seconds": seconds, "cpu_s": _cpu_seconds() - used}


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def matrix_rate(device: str, dtype: str) -> float:
    """Return the most floating-point operations a second that a matrix product reached here."""
    import torch

    best = 0.0
    shapes = [(4096, 384, 1536), (4096, 1536, 384), (2048, 2048, 2048)]
    if device.startswith("cuda"):
        shapes = [(8192, 8192, 8192), (65536, 1024, 4096), (65536, 384, 1536)]
    for rows, inner, columns in shapes:
        left, right = (torch.randn(shape, device=device).to(getattr(torch, dtype)) for shape in ((rows, inner), (columns, inner)))
        for _ in range(6):
            if device.startswith("cuda"):
                torch.cuda.synchronize()
            started = time.perf_counter()
            for _ in range(3):
                torch.nn.functional.linear(left, right)
            if device.startswith("cuda"):
                torch.cuda.synchronize()
            best = max(best, 6 * rows * inner * columns / (time.perf_counter() - started))
    return best


def operations(args: argparse.Namespace) -> float:
    """Return the floating-point operations in the encoder's matrix products for these texts, without padding."""
    import torch
    from sentence_transformers import SentenceTransformer

    queries, corpus, _ = read(args.documents)
    model = SentenceTransformer(str(args.model), device="cpu")
    texts = [*queries.values(), *corpus.values()]
    step = 1 + len(texts) // MOST_COUNTED
    texts = texts[::step]
    lengths = [len(ids) for ids in model.tokenizer(texts, truncation=True, max_length=model.max_seq_length)["input_ids"]]
    inner: Any = model.transformers_model
    layers = [module for name, module in inner.named_modules() if isinstance(module, torch.nn.Linear) and "pooler" not in name]
    weights = sum(layer.weight.numel() for layer in layers)
    config = inner.config
    attention = 4 * config.num_hidden_layers * config.hidden_size * sum(length**2 for length in lengths)
    return float(step * (2 * weights * sum(lengths) + attention))


def compare(args: argparse.Namespace) -> None:
    """Run the contenders in turns and print the table."""
    names = [*args.contenders, *(["mteb"] if args.mteb else [])]
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    rates = dict.fromkeys(("float32", "bfloat16"), 0.0)
    for turn in range(args.repeats):
        rates |= {dtype: max(rate, matrix_rate(args.device, dtype)) for dtype, rate in rates.items()}
        for name in names:
            runs[name].append(measure(name, args))
            print(f"# turn {turn + 1}, {name}: {runs[name][-1]['seconds']:.1f} s, CPU {runs[name][-1]['cpu_s']:.1f} s", file=sys.stderr)
            if args.save:
                with args.save.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(_setting(args) | {"matrix_rate": rates, "contender": name} | runs[name][-1]) + "\n")
    best = {name: min(found, key=lambda run: run["seconds"]) for name, found in runs.items()}
    cpu = {name: min(run["cpu_s"] for run in found) for name, found in runs.items()}
    tuned = min((name for name in names if name.startswith("tuned-")), key=lambda name: best[name]["seconds"], default="")
    work = operations(args)
    first = best.get("cardcheck") or best[names[0]]
    own = first["about"]["dtype"] if "about" in first else ""
    setting = _setting(args)
    print(f"SciFact, {setting['documents']:,} documents and 300 queries, {args.model.name}; best of {args.repeats} alternated runs")
    print(", ".join(f"{name} {value}" for name, value in setting.items() if name not in {"documents", "model"}))
    print("; ".join(f"matrix rate in {dtype} {rate / 1e9:.0f} GFLOP/s" for dtype, rate in rates.items()))
    print(f"{'':36}{'seconds':>9}{'ratio':>8}{'CPU s':>9}{'ratio':>8}{'nDCG@10':>10}{'of the matrix rate':>20}")
    labels = {"cardcheck": f"cardcheck ({own})", "default": "SentenceTransformer.encode, default", "mteb": "mteb.evaluate"}
    labels |= {name: f"SentenceTransformer, bfloat16, {name[6:]}" for name in names if name.startswith("tuned-")}
    for name in names:
        dtype = own if name == "cardcheck" else "bfloat16" if name.startswith("tuned-") else "float32"
        share = f"{work / best[name]['encode_s'] / rates[dtype]:.0%} of {dtype}" if "encode_s" in best[name] else ""
        ratio = best[name]["seconds"] / first["seconds"]
        mark = " *" if name == tuned else ""
        times = f"{best[name]['seconds']:9.1f}{ratio:8.2f}{cpu[name]:9.1f}{cpu[name] / first['cpu_s']:8.2f}"
        print(f"{labels[name]:36.36}{times}{best[name]['ndcg']:10.5f}{share:>20}{mark}")
    print(f"* the best of its batch sizes. MTEB publishes {PUBLISHED} for all-MiniLM-L6-v2 on the whole corpus.")


def _setting(args: argparse.Namespace) -> dict[str, Any]:
    """Return what was run on what."""
    import torch

    machine = {"device": args.device, "cpu": _cpu(), "cpus": len(os.sched_getaffinity(0))}
    if args.device.startswith("cuda"):
        machine["device"] = torch.cuda.get_device_name(args.device)
    versions = {name: importlib.metadata.version(name) for name in LIBRARIES}
    documents = args.documents or len(read(None)[1])
    return {"model": args.model.name, "documents": documents, **machine, **versions, "date": f"{datetime.now(UTC):%Y-%m-%d}"}


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    flags = {
        flag
        for line in lines
        if line.startswith("flags")
        for flag in line.split()
        if flag in {"amx_bf16", "avx2", "avx512_bf16", "avx512f"}
    }
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return f"{model} ({' '.join(sorted(flags))})"


def run_once(args: argparse.Namespace) -> None:
    """Encode into a chunks folder, to be killed meanwhile."""
    import numpy as np

    from cardcheck.spotcheck.encode import encode

    queries, corpus, _ = read(args.documents or 300)
    encoded = encode(args.model, list(queries.values()), list(corpus.values()), chunks=args.chunks, window=16, device=args.device)
    if args.vectors:
        np.savez(args.vectors, queries=encoded.queries, documents=encoded.documents, reused=encoded.about["reused_texts"])


def kill(args: argparse.Namespace) -> None:
    """Kill runs at random points, process and child, until the encoding is done; compare with one that was left alone."""
    import numpy as np

    chance, damaged, resumed, killed = random.Random(args.seed), 0, 0, 0  # noqa: S311  # not for secrets
    base = [sys.executable, __file__, "--contender", "once", "--model", str(args.model), "--device", args.device]
    base += ["--documents", str(args.documents)] if args.documents else []
    with tempfile.TemporaryDirectory(prefix="cardcheck-kills-") as folder:
        whole, vectors = Path(folder) / "whole.npz", Path(folder) / "vectors.npz"
        started = time.perf_counter()
        subprocess.run([*base, "--vectors", str(whole)], check=True, stderr=subprocess.DEVNULL)
        usual, expected = time.perf_counter() - started, np.load(whole)
        number = 0
        while killed < args.kills:
            chunks = Path(folder) / f"chunks{number}"
            number += 1
            for _ in range(min(5, args.kills - killed)):
                process = subprocess.Popen([*base, "--chunks", str(chunks)], stderr=subprocess.DEVNULL)
                try:
                    process.wait(chance.uniform(0.3, 1.0) * usual)
                except subprocess.TimeoutExpired:
                    _kill_with_children(process.pid)
                    killed += 1
                process.wait()
            subprocess.run([*base, "--chunks", str(chunks), "--vectors", str(vectors)], check=True, stderr=subprocess.DEVNULL)
            found = np.load(vectors)
            resumed += int(found["reused"] > 0)
            damaged += int(not all(np.array_equal(found[part], expected[part]) for part in ("queries", "documents")))
            print(f"# {killed} kills, {int(found['reused'])} texts reused", file=sys.stderr)
    print(f"{killed} processes killed (seed {args.seed}): {resumed} of {number} runs went on from chunks, {damaged} gave other vectors")
    if damaged:
        raise SystemExit(1)


def _kill_with_children(pid: int) -> None:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text(encoding="ascii").split():
            os.kill(int(child), signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)


def main() -> None:
    """Compare, or kill, or be one of the processes that do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default=str(MODEL), help="a folder, or `large`: random weights")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--documents", type=int)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--contenders", nargs="*", default=list(CONTENDERS), help="cardcheck, default, tuned-N (bfloat16, N texts a batch)")
    parser.add_argument("--save", type=Path, metavar="FILE", help="append every run as a line of JSON")
    parser.add_argument("--mteb", metavar="PYTHON", help="an interpreter that has mteb")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--contender", help=argparse.SUPPRESS)
    parser.add_argument("--batch", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--chunks", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--vectors", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.model = large() if args.model == "large" else Path(args.model)
    if not args.contender:
        unpack()
    if args.contender == "once":
        run_once(args)
    elif args.contender:
        contenders = {"cardcheck": run_cardcheck, "mteb": run_mteb}
        print(json.dumps(contenders.get(args.contender, run_sentence_transformers)(args)))
    elif args.kills:
        kill(args)
    else:
        compare(args)


if __name__ == "__main__":
    main()
