"""Planted frauds and honest variants of real models, judged by the spot check's tests: how many are caught, how many honest ones are not.

`make bench-fraud`: needs ../shared/data/retrieval and the models' packages; resumable (build/fraud). Prints the tables of docs/frauds.md.
Most variants are maps over stored embeddings (variants.py); the real fine-tunes that finetunes.py has made are judged with them.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import itertools
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import finetunes
import numpy as np
import variants
from embeddings import PublicSet, embeddings, load
from finetunes import TUNES
from reference_models import MODELS, ReferenceModel
from references import BUILD, lexical_scores
from variants import Pairs, Variant, noisy, pairs_of, pruned, quantised, same, trained, truncated

from cardcheck.spotcheck import heldout, paired, panel, references, sharp, statistics
from cardcheck.spotcheck import verdict as verdicts
from cardcheck.spotcheck.metrics import ndcg_at_10
from cardcheck.spotcheck.search import search
from cardcheck.spotcheck.verdict import Kind, Outcome, judged, residual_outcome, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

FOLDER = BUILD / "fraud"
FLOOR = "stanfordnlp/glove-6B-50d"  # nobody would tune a mean of word vectors; all other models are bases
SEEDS = (21, 22, 23)  # the tests were chosen with smaller ones in sight, and with the variants that have none
PARTS = ("test", "other", "reworded")
UNRELATED = ("xquad-en", "cranfield")
CUT = 10
DISCOUNT = 1 / np.log2(np.arange(2, CUT + 2))
SMALL = 1e-6
REPLICATES = 2000  # a fifth of what an audit takes: the standard error is then known to 2 %, and hundreds are judged in minutes
STEPS = (1, 2, 3, 4, 5, 6, 8, 12, 40)
AIM = 0.01  # of honest variants may be called unexplained
RERUN_NOISE = 0.1  # points by which a faithful rerun differs
VERBATIM_TUNE, REWORDED_TUNE = "full fine-tune, verbatim", "full fine-tune, reworded"
DECLARED = "trained on the train split"  # as an honest card says: no rewording difference, and the task is left out of the panel level


@dataclass(frozen=True, slots=True)
class World:
    """A base model's vectors on all sets, and what is known of the queries."""

    base: ReferenceModel
    task: PublicSet
    vectors: dict[str, NDArray[np.float32]]
    held: dict[str, NDArray[np.float32]]
    unrelated: dict[str, Pairs]


class Judge:
    """nDCG@10 by query on one corpus, many times: gains and ideal gains are looked up once."""

    def __init__(self, document_ids: list[str], queries: list[str], qrels: Mapping[str, Mapping[str, int]]) -> None:
        place = {name: at for at, name in enumerate(document_ids)}
        self.gains = np.zeros((len(queries), len(document_ids)), dtype=np.float32)
        for row, query in enumerate(queries):
            for name, grade in qrels[query].items():
                if name in place and grade > 0:
                    self.gains[row, place[name]] = grade
        ideal = -np.sort(-self.gains, axis=1)[:, :CUT] @ DISCOUNT
        self.ideal = np.maximum(ideal, 1e-12)

    def __call__(self, queries: NDArray[np.float32], documents: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return each query's nDCG@10, from 0 to 1 (grades as gains, as trec_eval has it)."""
        scores = queries @ documents.T
        top = np.argpartition(-scores, CUT, axis=1)[:, :CUT]
        order = np.take_along_axis(top, np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable"), axis=1)
        return np.asarray(np.take_along_axis(self.gains, order, axis=1) @ DISCOUNT / self.ideal, dtype=np.float64)


def models() -> list[ReferenceModel]:
    """Return the models of which none is another's copy."""
    return [model for model in MODELS if model.independent]


def world(model: ReferenceModel, task: PublicSet, held_set: PublicSet, others: dict[str, PublicSet]) -> World:
    """Return a base model with everything that its variants need."""
    unrelated = {}
    for name, given in others.items():
        vectors = embeddings(model, given)
        places = {document: at for at, document in enumerate(given.document_ids)}
        split = given.splits["test"]
        unrelated[name] = Pairs(vectors["test"], vectors["corpus"], pairs_of(split.ids, places, split.qrels))
    return World(model, task, embeddings(model, task), embeddings(model, held_set), unrelated)


def pairs(given: World, *parts: str, share: float = 1.0, seed: int = 0) -> Pairs:
    """Return the relevant pairs of a share of the queries of these parts."""
    places = {document: at for at, document in enumerate(given.task.document_ids)}
    found, start = [], 0
    for part in parts:
        split = given.task.splits[part]
        kept = set(np.random.default_rng(seed).permutation(len(split.ids))[: round(share * len(split.ids))].tolist())
        of = pairs_of(split.ids, places, split.qrels)
        found.append(of[[int(row) in kept for row in of[:, 0]]] + np.array([start, 0]))
        start += len(split.ids)
    queries = np.concatenate([given.vectors[part] for part in parts])
    return Pairs(queries, given.vectors["corpus"], np.concatenate(found))


def frauds(given: World) -> Iterator[Variant]:
    """Yield the frauds of one base model."""
    base, corpus = given.base.id, given.vectors["corpus"]
    for steps in STEPS:
        for seed in SEEDS[:2]:
            for share in (1.0, 0.5):
                data = pairs(given, "test", share=share, seed=seed)
                yield Variant(
                    base, "verbatim", f"{steps} steps, {share:.0%}, seed {seed}", trained(data, steps=steps, seed=seed), honest=False
                )
            data = pairs(given, "reworded")
            yield Variant(base, "reworded", f"{steps} steps, seed {seed}", trained(data, steps=steps, seed=seed), honest=False)
    for steps in (2, 5, 8, 20):
        for seed in SEEDS[:2]:
            change = trained(pairs(given, "test", "other"), steps=steps, seed=seed)
            yield Variant(base, "verbatim, both splits", f"{steps} steps, seed {seed}", change, honest=False)
    rows = np.stack([np.arange(len(corpus))] * 2, axis=1)
    for steps in (10, 40):  # each document with a distorted copy of itself, as dropout makes it (SimCSE, arXiv 2104.08821)
        change = trained(Pairs(noisy(0.3, 5)(corpus), corpus, rows), steps=steps, seed=SEEDS[0])
        yield Variant(base, "test corpus only", f"{steps} steps", change, honest=False)
    for points in (2.0, 3.0, 4.0, 5.5, 7.0, 10.0):
        yield Variant(base, "raised claim", f"{points:g} points", same, honest=False, claimed=points)


def honest(given: World) -> Iterator[Variant]:
    """Yield the honest variants of one base model."""
    yield Variant(given.base.id, "itself", "", same, honest=True)
    yield from _reduced(given)
    base = given.base.id
    for name, data in given.unrelated.items():
        for steps in (5, 20, 60):
            for seed in SEEDS:
                change = trained(data, steps=steps, seed=seed)
                yield Variant(base, "trained on other data", f"{name}, {steps} steps, seed {seed}", change, honest=True)
    for steps in (3, 8, 20, 40):
        for seed in SEEDS:
            change = trained(pairs(given, "other"), steps=steps, seed=seed)
            yield Variant(base, DECLARED, f"{steps} steps, seed {seed}", change, honest=True)


def _reduced(given: World) -> Iterator[Variant]:
    """Yield what loses precision or dimensions, or comes of another seed."""
    base, corpus = given.base.id, given.vectors["corpus"]
    for bits in (8, 6, 5, 4, 3, 2, 1):
        yield Variant(base, "quantised", f"{bits} bit", quantised(bits, corpus), honest=True)
    for share in (0.9, 0.75, 0.66, 0.5, 0.4, 0.33, 0.25, 0.16, 0.125):
        yield Variant(base, "truncated", f"{share:.0%}", truncated(round(share * corpus.shape[1])), honest=True)
    for share in (0.1, 0.2, 0.3, 0.4, 0.5, 0.6):
        for seed in SEEDS[:2]:
            yield Variant(base, "pruned", f"{share:.0%}, seed {seed}", pruned(share, seed), honest=True)
    for scale in (0.1, 0.2, 0.3, 0.4, 0.5):
        for seed in SEEDS:
            yield Variant(base, "another seed", f"{scale:g}, seed {seed}", noisy(scale, seed), honest=True)


@dataclass(frozen=True, slots=True)
class Court:
    """What all variants are judged by: the sets' judges and the other models' scores."""

    judges: dict[str, Judge]
    held: Judge
    references: dict[str, dict[str, NDArray[np.float64]]]
    lexical: dict[str, NDArray[np.float64]]
    heldout_references: dict[str, tuple[NDArray[np.float64], float]]
    base_stays: bool = False

    def scores(self, given: World, variant: Variant) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]]:
        """Return a variant's nDCG@10 by query: on the task's parts, and on the held-out set."""
        documents = variant.change(given.vectors["corpus"])
        parts = {part: self.judges[part](variant.change(given.vectors[part]), documents) for part in PARTS}
        return parts, self.held(variant.change(given.held["test"]), variant.change(given.held["corpus"]))

    def judge(
        self, variant: Variant, parts: dict[str, NDArray[np.float64]], held: NDArray[np.float64], seed: int, *, declared: bool
    ) -> dict[str, Any]:
        """Judge scores as the spot check does, by all models but the one that it was made of, or by that one too (`base_stays`)."""
        base, claimed = "" if self.base_stays and variant.form != "left out" else variant.base, variant.claimed
        names = [name for name in self.references if name != base]
        table = references.PublicReferences(
            tuple(names),
            {part: np.array([self.references[name][part] for name in names]) for part in PARTS},
            list(range(len(parts["reworded"]))),
            self.lexical,
        )
        measured = float(parts["test"].mean() * 100)
        published = measured + claimed + np.random.default_rng(seed).normal(0, RERUN_NOISE)
        differences = [one for one in sharp.paired(parts, table, seed=0) if not (declared and one.kind == "rewording")]
        level = None if declared else panel.level({"SciFact": published}, "claimed")
        kinds: set[Kind] = {"reproduction", *(one.kind for one in differences), *(("residual",) if level else ())}
        outcomes = [sharp.outcome(one, "SciFact", kinds) for one in differences]
        outcomes.append(sharp.reproduction(published, measured, "SciFact", len(parts["test"]), kinds))
        others = [one for name, one in self.heldout_references.items() if name != base]
        if level is not None:
            found = statistics.judge(
                held, np.array([row for row, _ in others]), np.array([place for _, place in others]), level.value, level.standard_error
            )
            outcomes.insert(0, residual_outcome(found, "held-out", len(held), len(others), kinds))
        outcomes = judged(outcomes)
        return {
            "verdict": verdict(outcomes),
            "references": len(names),
            "measured": measured,
            "claimed": claimed,
            "heldout": float(held.mean() * 100),
            "tests": {one.kind: {"statistic": one.statistic, "p": one.p, "rejected": one.rejected, "error": one.error} for one in outcomes},
        }


def court(task: PublicSet, held_set: PublicSet, *, words: bool, base_stays: bool) -> Court:
    """Return the judges and the reference models' scores, and BM25's where `words` are to be regressed on."""
    judges = {part: Judge(task.document_ids, task.splits[part].ids, task.splits[part].qrels) for part in PARTS}
    split = held_set.splits["test"]
    held = Judge(held_set.document_ids, split.ids, split.qrels)
    known, held_scores = {}, {}
    packaged = {model.id: model.panel for model in references.references(held_set.name, heldout.load(held_set.name).sha256)}
    for model in models():
        vectors = embeddings(model, task)
        known[model.id] = {part: judges[part](vectors[part], vectors["corpus"]) for part in PARTS}
        own = embeddings(model, held_set)
        place = packaged.get(model.id)
        if place:
            held_scores[model.id] = (held(own["test"], own["corpus"]), place.value)
    lexical = {part: np.array([scores]) for part, scores in lexical_scores(task).items()} if words else {}
    return Court(judges, held, known, lexical, held_scores, base_stays)


def heldout_set(name: str) -> PublicSet:
    """Return a packaged held-out set in the form of the others."""
    from embeddings import Split

    found = heldout.load(name)
    return PublicSet(
        name,
        list(found.corpus),
        list(found.corpus.values()),
        {"test": Split(list(found.queries), list(found.queries.values()), found.qrels)},
    )


def check_judge(given: Court, task: PublicSet) -> None:
    """End where the quick nDCG@10 is another than trec_eval's."""
    model = models()[0]
    vectors = embeddings(model, task)
    split = task.splits["test"]
    slow = ndcg_at_10(split.qrels, search(vectors["test"], vectors["corpus"], split.ids, task.document_ids))
    quick = given.references[model.id]["test"]
    worst = max(abs(slow[query] - quick[at]) for at, query in enumerate(split.ids))
    if worst > SMALL:
        sys.exit(f"nDCG@10 differs from trec_eval's by {worst}")


def run(limit: float, *, words: bool = True, base_stays: bool = False) -> list[dict[str, Any]]:
    """Judge all variants, from where an earlier run stopped."""
    started = time.monotonic()
    paired.RESAMPLES = statistics.REPLICATES = REPLICATES
    task, held_set = load("scifact"), heldout_set(heldout.DEFAULT)
    others = {name: load(name) for name in UNRELATED}
    given = court(task, held_set, words=words, base_stays=base_stays)
    check_judge(given, task)
    file = FOLDER / f"{key(given)}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = finished(file)
    done = {(row["base"], row["form"], row["strength"]) for row in rows}
    by_id = {model.id: model for model in models()}
    with file.open("a", encoding="utf-8") as out:

        def keep(row: dict[str, Any]) -> None:
            rows.append(row)
            out.write(json.dumps(row) + "\n")
            out.flush()

        for name, (held, _) in given.heldout_references.items():
            if (name, "left out", "") not in done:
                parts = given.references[name]
                keep(record(given, Variant(name, "left out", "", same, honest=True), (parts, held), float(parts["test"].mean() * 100)))
        for tune in TUNES:
            base, form = finetunes.BASE, f"full fine-tune, {tune.form}"
            if (base, form, tune.name) in done or not finetunes.is_made(tune, (task, held_set)):
                continue
            here = finetunes.vectors(tune, task)
            scores = {part: given.judges[part](here[part], here["corpus"]) for part in PARTS}
            there = finetunes.vectors(tune, held_set)
            own = float(given.references[base]["test"].mean() * 100)
            variant = Variant(base, form, tune.name, same, honest=tune.honest)
            keep(record(given, variant, (scores, given.held(there["test"], there["corpus"])), own))
        for base in (model.id for model in models() if model.id != FLOOR):
            base_world = world(by_id[base], task, held_set, others)
            own = float(given.references[base]["test"].mean() * 100)
            for variant in itertools.chain(honest(base_world), frauds(base_world)):
                if (base, variant.form, variant.strength) in done:
                    continue
                if time.monotonic() - started > limit:
                    print("stopped at the time limit; run again to go on", file=sys.stderr)
                    return rows
                keep(record(given, variant, given.scores(base_world, variant), own))
    return rows


def finished(file: Path) -> list[dict[str, Any]]:
    """Return the rows that an earlier run wrote whole, and leave no other in the file."""
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True) if file.is_file() else []
    whole = [line for line in lines if line.endswith("}\n")]
    if whole != lines:
        file.write_text("".join(whole), encoding="utf-8")
    return [json.loads(line) for line in whole]


def record(
    given: Court, variant: Variant, scores: tuple[dict[str, NDArray[np.float64]], NDArray[np.float64]], own: float
) -> dict[str, Any]:
    """Judge a variant; `own` is what its base model has on the test queries."""
    seed = int(hashlib.sha256(f"{variant.form}{variant.strength}".encode()).hexdigest()[:8], 16)
    declared = DECLARED in variant.form
    found = given.judge(variant, *scores, seed=seed, declared=declared)
    silent = given.judge(variant, *scores, seed=seed, declared=False)["verdict"] if declared else found["verdict"]
    about = {"base": variant.base, "form": variant.form, "strength": variant.strength, "honest": variant.honest, "undeclared": silent}
    return about | found | {"raised": found["measured"] + variant.claimed - own}


def key(given: Court) -> str:
    """Return a name for results that can be joined: the same references and sets, judged by the same code."""
    digest = hashlib.sha256()
    for module in (paired, sharp, statistics, verdicts, panel, variants):
        digest.update(Path(str(module.__file__)).read_bytes())
    for name in sorted(given.references):
        digest.update(name.encode() + b"".join(given.references[name][part].tobytes() for part in PARTS))
    for name in sorted(given.heldout_references):
        scores, level = given.heldout_references[name]
        digest.update(name.encode() + scores.tobytes() + str(level).encode())
    digest.update(b"".join(table.tobytes() for table in given.lexical.values()) + inspect.getsource(Court).encode())
    digest.update(str(given.base_stays).encode())
    return digest.hexdigest()[:12]


def report(rows: list[dict[str, Any]]) -> None:
    """Print what came out."""
    fair = [row for row in rows if row["honest"]]
    alarms = [row for row in fair if row["verdict"] == "unexplained"]
    print(f"honest: {len(fair)}, called unexplained {len(alarms)} ({len(alarms) / len(fair):.1%})")
    for row in alarms:
        print(
            "  ",
            row["base"],
            row["form"],
            row["strength"],
            {kind: round(test["statistic"], 1) for kind, test in row["tests"].items() if test["rejected"]},
        )
    silent = sum(row["undeclared"] == "unexplained" for row in fair)
    print(f"  had those trained on the train split not declared it: {silent} ({silent / len(fair):.1%})")
    for form in sorted({row["form"] for row in fair}):
        of = [row for row in fair if row["form"] == form]
        print(f"  {form}: {len(of)}, unexplained {sum(row['verdict'] == 'unexplained' for row in of)}")
    least = min(row["references"] for row in rows)
    print(f"reference models that judge a variant: {least} at least")
    for kind in ("residual", "split", "rewording"):
        errors = [row["tests"][kind]["error"] for row in fair if kind in row["tests"]]
        print(f"standard error of {kind} on honest variants, median: {np.median(errors):.1f} points")
    print("frauds, by the points they put on the public score: caught / made")
    unfair = [row for row in rows if not row["honest"]]
    for form in sorted({row["form"] for row in unfair}):
        cells = []
        for low, high in ((-99, 2), (2, 3.5), (3.5, 5), (5, 7), (7, 10), (10, 99)):
            of = [row for row in unfair if row["form"] == form and low <= row["raised"] < high]
            cells.append(
                f"{low if low > 0 else '<'}–{high if high < 99 else ''}: {sum(row['verdict'] == 'unexplained' for row in of)}/{len(of)}"
            )
        print(f"  {form}: " + "  ".join(cells))
    aims = (
        ("verbatim, 7 points and more", ("verbatim", VERBATIM_TUNE), 7, 99),
        ("verbatim, 5 points and more", ("verbatim", VERBATIM_TUNE), 5, 99),
        ("verbatim, 5 to 7 points", ("verbatim", VERBATIM_TUNE), 5, 7),
        ("reworded, 7 points and more", ("reworded", REWORDED_TUNE), 7, 99),
        ("claims raised by more than 5 points", ("raised claim",), 5, 99),
    )
    rates = (statistics.ERROR_RATE, 0.048, 0.046, 0.044, 0.042, 0.04)
    fits = next((rate for rate in rates if np.mean([called(row, rate) for row in fair]) <= AIM), rates[-1])
    for rate in dict.fromkeys((statistics.ERROR_RATE, fits)):
        print(f"at a joint error rate of {rate:.1%}: {sum(called(row, rate) for row in fair)} of {len(fair)} honest variants")
        for label, names, low, high in aims:
            seen = [called(row, rate) for row in unfair if row["form"] in names and low <= row["raised"] < high]
            print(f"  {label}: {sum(seen)} of {len(seen)} ({sum(seen) / max(1, len(seen)):.1%})")


def called(row: dict[str, Any], rate: float) -> bool:
    """Tell whether a variant is called unexplained at another joint error rate."""
    none = statistics.Interval(0.0, 0.0)
    tests = [Outcome(kind, "", test["statistic"], none, test["p"], 0.0, 0.0, 0, 0) for kind, test in row["tests"].items()]
    return any(one.rejected for one in judged(tests, rate))


def draw(rows: list[dict[str, Any]], file: Path) -> None:
    """Draw the power of the check by form of fraud: the share that is caught, by the points put on the public score."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "cardcheck"  # the same rows give the same file
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.2, 4.2), layout="constrained")
    forms = {
        "claims raised": ("raised claim",),
        "test pairs verbatim": ("verbatim", VERBATIM_TUNE),
        "reworded": ("reworded", REWORDED_TUNE),
        "test and train pairs verbatim": ("verbatim, both splits",),
    }
    line = np.linspace(0, 15, 151)
    for (label, names), marker in zip(forms.items(), "^osd", strict=True):
        of = [row for row in rows if row["form"] in names]
        points, caught = np.array([row["raised"] for row in of]), np.array([row["verdict"] == "unexplained" for row in of], dtype=float)
        (drawn,) = axes.plot(line, kernel(points, caught, line), label=f"{label} ({len(of)})")
        axes.plot(points, caught + np.random.default_rng(0).uniform(-0.02, 0.02, len(of)), marker, ms=3, alpha=0.5, color=drawn.get_color())
    axes.set(xlabel="points of nDCG@10 put on the public score", ylabel="called unexplained", xlim=(0, 15), ylim=(-0.05, 1.05))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    figure.savefig(file, metadata={"Date": None})


def kernel(points: NDArray[np.float64], caught: NDArray[np.float64], line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the share that is caught along a line: Nadaraya and Watson's mean, normal kernel a point wide, NaN far from all."""
    weights = np.exp(-0.5 * (line[:, None] - points[None, :]) ** 2)
    total = weights.sum(axis=1)
    return np.where(total > 0.5, (weights @ caught) / np.maximum(total, 1e-12), np.nan)


def main() -> None:
    """Run, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit", type=float, default=5400, help="seconds after which to stop; finished variants are kept")
    parser.add_argument("--draw", type=Path, metavar="FILE", help="draw the power curves as SVG")
    parser.add_argument("--without-bm25", action="store_true", help="regress on the reference models alone, to see what BM25 adds")
    parser.add_argument("--with-base", action="store_true", help="let a variant's base stay among the references, as where it is not told")
    given = parser.parse_args()
    rows = run(given.limit, words=not given.without_bm25, base_stays=given.with_base)
    report(rows)
    if given.draw:
        draw(rows, given.draw)


if __name__ == "__main__":
    main()
