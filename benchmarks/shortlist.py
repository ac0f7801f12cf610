"""Ten questions to the short list, and what hidden halves of chosen tasks say of its score. Run as `python benchmarks/shortlist.py`.

Reads the scores of the public MTEB results repository (CC0) from ../shared/data/leaderboard; `--write` puts the answers into
docs/shortlist.md, where each keeps the judgement that somebody wrote under it; `--answers` leaves the rest out.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command does

import numpy as np
from scipy.stats import kendalltau

from cardcheck.leaderboard import shortlist_score as scoring
from cardcheck.leaderboard import store
from cardcheck.leaderboard.credible import width
from cardcheck.leaderboard.credible_model import logit
from cardcheck.leaderboard.credible_table import owner
from cardcheck.leaderboard.shortlist import shortlist
from cardcheck.leaderboard.shortlist_facts import Limits
from cardcheck.leaderboard.shortlist_tasks import Choice, chosen, is_kin, is_target, table
from cardcheck.leaderboard.shortlist_words import megabytes, tokens, trained
from cardcheck.leaderboard.tables import sync_table

if TYPE_CHECKING:
    from cardcheck.leaderboard.shortlist import Entry, Shortlist
    from cardcheck.leaderboard.store import Store

ROOT = Path(__file__).parent.parent
SCORES = ROOT.parent / "shared/data/leaderboard/scores-2026-08-20.parquet"
PAGE = ROOT / "docs/shortlist.md"
MARK = "## Ten questions\n"
JUDGED = re.compile(r"^### \d{1,2}\. (.{1,80})\n(?:(?!###).{0,400}\n){1,40}?\*\*Judged:\*\* (.{0,2000})$", re.MULTILINE)
SHOWN, LOOSE = 5, 2
QUESTIONS: tuple[tuple[str, Choice, Limits], ...] = (
    ("Legal Chinese under 500 MB", Choice(languages=("zh",), domains=("legal",)), Limits(memory=500)),
    ("Polish retrieval with 8k tokens", Choice(languages=("pl",), types=("retrieval",)), Limits(tokens=8000)),
    ("Audio and text", Choice(modalities=("audio", "text")), Limits()),
    ("Images under 200 MB", Choice(modalities=("image",)), Limits(memory=200)),
    (
        "English retrieval under 100 MB, for commercial use", Choice(languages=("en",), types=("retrieval",)),
        Limits(memory=100, licences=("commercial",)),
    ),
    ("German with 8k tokens, open weights", Choice(languages=("de",)), Limits(tokens=8000, open_weights=True)),
    (
        "Multilingual, under 1 GB, at most 384 dimensions", Choice(benchmark="MTEB(Multilingual, v2)", types=("retrieval",)),
        Limits(memory=1024, dimension=384),
    ),
    ("Code", Choice(domains=("code",)), Limits()),
    ("Medical English", Choice(languages=("en",), domains=("medical",)), Limits()),
    ("Documents as pictures", Choice(modalities=("document",)), Limits()),
)  # fmt: skip
# Choices on which the score was held against hidden halves of the chosen tasks.
HELD_OUT: tuple[tuple[str, Choice], ...] = (
    *((f"retrieval in {code}", Choice(languages=(code,))) for code in ("pl", "de", "en", "zh", "fr", "ja")),
    ("medical English", Choice(languages=("en",), domains=("medical",))),
    ("code", Choice(domains=("code",))),
    ("legal", Choice(domains=("legal",))),
    ("images", Choice(modalities=("image",))),
    ("retrieval of images", Choice(modalities=("image",), types=("retrieval",))),
    ("audio", Choice(modalities=("audio",))),
    ("video", Choice(modalities=("video",))),
    ("documents", Choice(modalities=("document",))),
)


def opened(folder: Path) -> Store:
    """Return a store of the published table."""
    sync_table(SCORES, folder / "store.parquet")
    return store.open_store(folder / "store.parquet")


def row(entry: Entry, found: Shortlist) -> str:
    """Return a model as a line of a Markdown table."""
    one, about = entry.placed, entry.about
    score = f"{100 * one.score:.1f} [{100 * one.low:.0f}, {100 * one.high:.0f}]"
    licence = "?" if about.licence is None else "its own" if "://" in about.licence else about.licence
    cells = (
        ("* " if entry.front else "") + one.model, score, entry.official or "–", megabytes(about.memory),
        about.dimensions[0] if about.dimensions else "?", tokens(about.tokens), licence, trained(entry, found.trainable),
        f"{one.tasks}/{len(found.tasks)}",
    )  # fmt: skip
    return f"| {' | '.join(map(str, cells))} |"


def answer(number: int, title: str, found: Shortlist, judgement: str, seconds: float) -> str:
    """Return a question with its answer in Markdown."""
    firm = [entry for entry in found.entries if entry.firm]
    loose = [entry for entry in found.entries if not entry.firm]
    meet = f"{len(found.entries)} meet the limits ({len(loose)} placed loosely)"
    lines = [
        f"### {number}. {title}",
        f"{len(found.tasks)} tasks, {found.ranked} models with results, {meet}; {seconds:.1f} s.",
        "",
        "| model | score [90 %] | MTEB | memory | vector | tokens | licence | trained | ran |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *(row(entry, found) for entry in firm[:SHOWN]),
        *(row(entry, found).replace("| ", "| *loosely:* ", 1) for entry in loose[:LOOSE]),
    ]
    unclear = "; ".join(f"{why}: {len(models)}" for why, models in found.unjudged.items())
    lines += ["", f"Not judged: {unclear}."] if unclear else []
    return "\n".join([*lines, "", f"**Judged:** {judgement}", ""]) + "\n"


def hidden_halves(kept: Store, choice: Choice) -> list[tuple[int, float, float, float, float, float]]:
    """Return for each half: how many models, tau of the expected and of the plain mean, their errors, and the share in 90 % intervals.

    Models that ran half of what is shown and half of what is hidden; their owners and relatives are left out.
    """
    scores = table(kept, choice, board := chosen(choice))
    target = np.array([is_target(column, choice, board) for column in scores.columns], dtype=bool)
    kin = np.array([is_kin(column, choice) for column in scores.columns], dtype=bool)
    share = scoring.shares(scores.columns, target)
    found = []
    for half in scoring.halves(scores.columns, share):
        truth, guess, error = scoring.misses(scores, share, kin, half)
        seen = np.isfinite(scores.matrix) & target & ~half
        weight = seen * share
        shown = weight.sum(axis=1) >= share[target & ~half].sum() / 2
        plain = (weight * np.where(seen, scores.matrix, 0)).sum(axis=1) / np.maximum(weight.sum(axis=1), 1e-9)
        rows = np.isfinite(truth) & shown
        inside = coverage(scores.models, truth, guess, error)
        found.append((int(rows.sum()), *_taus(truth[rows], guess[rows], plain[rows]), inside))
    return found


def _taus(truth: Any, guess: Any, plain: Any) -> tuple[float, float, float, float]:
    def off(values: Any) -> float:
        return float(np.sqrt(np.mean((values - truth) ** 2)))

    return float(kendalltau(guess, truth)[0]), float(kendalltau(plain, truth)[0]), off(guess), off(plain)


def coverage(models: tuple[str, ...], truth: Any, guess: Any, error: Any) -> float:
    """Return the share of models inside their interval, which is as wide as all other owners' misses ask for."""
    owners = np.array([owner(model) for model in models])
    off = np.abs(logit(truth) - logit(guess)) / error
    there = np.isfinite(off)
    inside = [
        off[mine] <= width(truth[~(owners == name)], guess[~(owners == name)], error[~(owners == name)])[0]
        for name in np.unique(owners[there])
        if (mine := (owners == name) & there).any()
    ]
    return float(np.concatenate(inside).mean())


def main() -> int:
    """Print the held-out figures and the answers; with --write, put the answers into docs/shortlist.md."""
    if not SCORES.is_file():
        print(f"skipped: {SCORES} is not here", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        kept = opened(Path(folder))
        page = PAGE.read_text(encoding="utf-8")
        judged = dict(JUDGED.findall(page))
        answers = []
        for number, (title, choice, limits) in enumerate(QUESTIONS, 1):
            start = time.perf_counter()
            found = shortlist(kept, choice, limits)
            answers.append(answer(number, title, found, judged.get(title, ""), time.perf_counter() - start))
        print("".join(answers))
        if "--write" in sys.argv:
            PAGE.write_text(page.partition(MARK)[0] + MARK + "\n" + "".join(answers).rstrip() + "\n", encoding="utf-8")
        if "--answers" in sys.argv:
            return 0
        print("| hidden half of | models | tau: expected | tau: plain mean of the shown half | error | plain | inside 90 % |")
        every = []
        for name, choice in HELD_OUT:
            for models, *figures in hidden_halves(kept, choice):
                every.append(figures)
                print(f"| {name} | {models} | " + " | ".join(f"{figure:.3f}" for figure in figures) + " |")
        print("| mean | | " + " | ".join(f"{figure:.3f}" for figure in np.mean(every, axis=0)) + " |")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
