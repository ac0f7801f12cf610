"""What score to expect of each model on tasks like the chosen ones, with an interval: the factor model of the credible order, and a lift.

The factor model says what all results of a model lead one to expect on each chosen task, also where it was not run. What a model's
results on the chosen tasks have in common beyond that (it is better in Polish than models like it) is its lift: one number a model,
drawn towards nothing the fewer results say so (a random effect; its variance by empirical Bayes, Efron and Morris 1975, JASA 70(350)).
A single odd result is not followed: noise has long tails, as in `credible_model`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cardcheck.catalogue import tasks
from cardcheck.leaderboard.credible import FOLDS, width
from cardcheck.leaderboard.credible_model import TAILS, expit, fit, logit
from cardcheck.leaderboard.credible_table import owner, relatives
from cardcheck.leaderboard.shortlist_facts import group_of
from cardcheck.leaderboard.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from cardcheck.leaderboard.credible_model import Factors
    from cardcheck.leaderboard.credible_table import Column, Scores

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

# What a result counts of an independent observation: on the chosen tasks, on others in the same language or of the same domain, and
# elsewhere. Chosen on public tasks, see docs/shortlist.md.
CHOSEN, KIN, ELSEWHERE = 1.0, 0.2, 0.05
LIFT = 0.05  # variance of lifts (squared logits) before any is seen
STEPS = 20
ENOUGH = 3  # results, for their median to say what they have in common


@dataclass(frozen=True, slots=True)
class Expected:
    """For each model the expected score (0 to 1), its 90 % interval, and how far each result lies off, in standard deviations.

    `calibrated` is how many left-out scores the intervals were measured on; none means that they are the model's own.
    """

    score: Array
    low: Array
    high: Array
    off: Array
    calibrated: int


def shares(columns: Sequence[Column], target: Mask) -> Array:
    """Return what each chosen column counts: each kind of task the same, in it all variants of one data set together the same."""
    kinds: dict[str, dict[str, list[int]]] = {}
    for at in np.flatnonzero(target).tolist():
        about = tasks.task(columns[at].task)
        kind = group_of(about.type) if about else ""
        kinds.setdefault(kind, {}).setdefault(min(tasks.variants(columns[at].task)), []).append(at)
    found = np.zeros(len(columns))
    for families in kinds.values():
        for held in families.values():
            found[held] = 1 / (len(kinds) * len(families) * len(held))
    return found


def weights(share: Array, kin: Mask) -> Array:
    """Return what a result of each column counts in the factor model."""
    return np.where(share > 0, CHOSEN, np.where(kin, KIN, ELSEWHERE))


def voices(share: Array) -> Array:
    """Return what a result counts when a model is lifted: a task that stands alone for its data counts 1, variants share it."""
    return share / max(float(share.max(initial=0.0)), 1e-12)


@one_thread()
def expected(scores: Scores, share: Array, kin: Mask) -> Expected:
    """Return what to expect of each model on the columns that have a share (they sum to 1). `kin` are columns near to those."""
    logits = logit(scores.matrix)
    factors = fit(logits, weights(share, kin))
    score, error, off = predict(logits, share, voices(share), factors)
    by, calibrated = calibration(scores, share, kin)
    odds = logit(score)
    return Expected(score, expit(odds - by * error), expit(odds + by * error), off, calibrated)


def predict(logits: Array, share: Array, voice: Array, factors: Factors) -> tuple[Array, Array, Array]:
    """Return the expected mean over the shares (one row for all models, or a row each), its logit's standard error, and residuals.

    `voice` is what a result in each column counts when models are lifted: 0 where it places a model only. Residuals are in standard
    deviations of a column's noise.
    """
    place, doubt = factors.place(logits)
    base = factors.expected(place)
    off = np.where(np.isfinite(logits), logits - base, 0.0)
    rise, unsure = _lift(off, np.where(np.isfinite(logits), voice, 0.0), factors)
    share = np.broadcast_to(share, logits.shape)
    score = (share * expit(base + rise[:, None])).sum(axis=1)
    along = share @ factors.loading
    error = np.sqrt(np.einsum("mi,mij,mj->m", along, doubt, along) + unsure + share**2 @ factors.spread)
    return score, error, off / np.sqrt(factors.spread)


def _lift(off: Array, voice: Array, factors: Factors) -> tuple[Array, Array]:
    """Return each model's lift and the variance that is left of it.

    A result counts less the further it lies from the lift, not from nothing: a model that is better on all chosen tasks is no odd one.
    Lifts have long tails too, as most models have none and those made for a language much. The search starts at the median of the
    residuals where there are enough for one; of fewer, a far one is taken for an accident.
    """
    rise = np.where((voice > 0).sum(axis=1) >= ENOUGH, _median(off, voice > 0), 0.0)
    has = (voice > 0).any(axis=1)
    scale, unsure = LIFT, np.full(len(off), LIFT)
    for _ in range(STEPS if has.any() else 0):
        pull = voice * (TAILS + 1) / (TAILS + (off - rise[:, None]) ** 2 / factors.spread) / factors.spread
        held = (TAILS + 1) / (TAILS + rise**2 / scale)
        unsure = 1 / (pull.sum(axis=1) + held / scale)
        rise = unsure * (pull * off).sum(axis=1)
        scale = max(float((held * (rise**2 + unsure))[has].mean()), 1e-6)
    return rise, np.where(has, unsure, scale)


def _median(values: Array, there: Mask) -> Array:
    """Return the median of what each row has, 0 where it has nothing."""
    ordered = np.sort(np.where(there, values, np.inf), axis=1)
    many = there.sum(axis=1)
    rows = np.arange(len(values))
    low, high = np.maximum(many - 1, 0) // 2, many // 2
    with np.errstate(invalid="ignore"):
        return np.where(many > 0, (ordered[rows, low] + ordered[rows, np.minimum(high, ordered.shape[1] - 1)]) / 2, 0.0)


def calibration(scores: Scores, share: Array, kin: Mask) -> tuple[float, int]:
    """Return what to multiply a standard error by for 90 % intervals, and how many misses say so.

    Owners are left out with all relatives; of their models half of the chosen tasks are hidden and foretold from everything else.
    """
    found = [misses(scores, share, kin, half) for half in halves(scores.columns, share)]
    truth, guess, error = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return width(truth, guess, error)


def halves(columns: Sequence[Column], share: Array) -> list[Mask]:
    """Return the chosen columns in two halves, with variants of a data set in one; a single family is a half alone."""
    families: dict[str, list[int]] = {}
    for at in np.flatnonzero(share).tolist():
        families.setdefault(min(tasks.variants(columns[at].task)), []).append(at)
    held = list(families.values())
    found = []
    for part in (held[::2], held[1::2]):
        mask = np.zeros(len(columns), dtype=bool)
        mask[[at for family in part for at in family]] = True
        found.append(mask)
    return [mask for mask in found if mask.any()]


def misses(scores: Scores, share: Array, kin: Mask, hidden: Mask) -> tuple[Array, Array, Array]:
    """Return of left-out owners' models the mean over the hidden columns that they have, what was foretold, and its standard error.

    NaN for models that have under half of them.
    """
    logits = logit(scores.matrix)
    own = np.where(hidden & np.isfinite(logits), share, 0.0)
    total = own.sum(axis=1)
    enough = total >= share[hidden].sum() / 2
    own = np.divide(own, total[:, None], out=np.zeros_like(own), where=total[:, None] > 0)
    truth = np.where(enough, (own * np.where(np.isfinite(scores.matrix), scores.matrix, 0.0)).sum(axis=1), np.nan)
    guess, error = np.full(len(truth), np.nan), np.full(len(truth), np.nan)
    owners = np.array([owner(model) for model in scores.models])
    names = sorted(set(owners[enough]))
    for fold in (set(names[at::FOLDS]) for at in range(FOLDS)):
        mine = np.isin(owners, sorted(fold)) & enough
        if not mine.any():
            continue
        seen = np.where(relatives(scores.models, fold)[:, None] & hidden, np.nan, logits)
        factors = fit(seen, weights(share, kin))
        foretold, doubt, _ = predict(seen, own, np.where(hidden, 0.0, voices(share)), factors)
        guess[mine], error[mine] = foretold[mine], doubt[mine]
    return truth, guess, error
