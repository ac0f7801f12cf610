"""How often the spot check errs: false alarms on honest models, and how often it sees a gap of a given size. Run as `make error-rate`.

First the real reference models, each judged by the others. Then simulated worlds in the geometry of the real ones: honest models
scatter about a line in logits as the real ones do, per-query scores are drawn around them with the real queries' difficulty.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np

from cardcheck.spotcheck import heldout, references
from cardcheck.spotcheck.panel import expit, logit
from cardcheck.spotcheck.statistics import ERROR_RATE, fit, judge

if TYPE_CHECKING:
    from numpy.typing import NDArray

GAPS = (0, 5, 10, 15, 20)
POPULATION = 3000


def leave_one_out(levels: NDArray[np.float64], errors: list[float], scores: NDArray[np.float64], names: list[str]) -> int:
    """Judge each reference model by the others; return the number of false alarms."""
    alarms = 0
    print(f"{'reference model, judged by the others':50} {'gap':>6} {'90 % interval':>16} {'would see':>9}  verdict")
    for at, name in enumerate(names):
        others = np.arange(len(names)) != at
        judged = judge(scores[at], scores[others], levels[others], float(levels[at]), errors[at])
        alarms += judged.verdict == "unexplained"
        interval = f"{judged.gap_interval.low:+6.1f} to {judged.gap_interval.high:+5.1f}"
        print(f"{name:50} {judged.gap:+6.1f} {interval:>16} {judged.detectable:9.1f}  {judged.verdict}")
    return alarms


def world(rng: np.random.Generator, centres: NDArray[np.float64], difficulty: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw per-query scores (models, queries) from a population of queries on which the models' means are `centres` (logits)."""
    population = rng.choice(difficulty, size=POPULATION)
    noise = 1.5 * rng.logistic(size=(len(centres), POPULATION))
    raw = 1 / (1 + np.exp(-2.5 * (centres[:, None] + population[None] + noise)))
    wanted = np.array([expit(centre) / 100 for centre in centres])
    low, high = np.full(len(centres), -6.0), np.full(len(centres), 6.0)  # the exponent's logarithm, by bisection: it fixes the mean
    for _ in range(30):
        middle = (low + high) / 2
        above = (raw ** np.exp(middle)[:, None]).mean(axis=1) > wanted
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    scores: NDArray[np.float64] = raw ** np.exp(low)[:, None]
    return scores[:, rng.integers(POPULATION, size=len(difficulty))]


def simulate(levels: NDArray[np.float64], scores: NDArray[np.float64], trials: int, at: float) -> None:
    """Print how often a subject at panel level `at` is called unexplained, by the size of its true gap."""
    rng = np.random.default_rng(0)
    x = np.array([logit(value) for value in levels])
    slope, intercept, scatter = fit(levels, scores)
    shares = scores.mean(axis=0).clip(0.02, 0.98)
    difficulty = np.log(shares / (1 - shares))
    difficulty -= difficulty.mean()
    print(f"\nsimulated: {len(x)} reference models, scatter {scatter:.2f} in logits, subject at level {at:.0f}, {trials} trials")
    for gap in GAPS:
        alarms, promised = 0, []
        for _ in range(trials):
            honest = expit(intercept + slope * logit(at) + scatter * rng.standard_normal())
            truth = np.array([*(intercept + slope * x + scatter * rng.standard_normal(len(x))), logit(max(1.0, honest - gap))])
            drawn = world(rng, truth, difficulty)
            judged = judge(drawn[-1], drawn[:-1], levels, at, 0.0, seed=int(rng.integers(2**31)))
            alarms += judged.verdict == "unexplained"
            promised.append(judged.detectable)
        kind = f"false alarms (meant: {ERROR_RATE:.0%})" if gap == 0 else "seen"
        print(f"  true gap {gap:2d} points: {alarms / trials:6.1%} {kind}; the checks said {np.mean(promised):.1f} points for 80 %")


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=300)
    trials = parser.parse_args().trials
    held_out = heldout.load()
    models = [(model, place) for model in references.references(held_out.name, held_out.sha256) if (place := model.panel)]
    scores = np.array([[model.per_query[query] for query in held_out.queries] for model, _ in models])
    levels = np.array([place.value for _, place in models])
    alarms = leave_one_out(levels, [place.standard_error for _, place in models], scores, [model.id for model, _ in models])
    print(f"false alarms: {alarms} of {len(models)}")
    for at in (42.0, 58.0):
        simulate(levels[1:], scores[1:], trials, at)


if __name__ == "__main__":
    main()
