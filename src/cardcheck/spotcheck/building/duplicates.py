"""Removal of near duplicates, and of passages that stand in public sets which models are trained and tested on."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.building.document import normal, words
from cardcheck.spotcheck.building.tables import table_kind, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cardcheck.spotcheck.building.passages import Passage

SHINGLE = 3  # words; near duplicates share most of their runs of three
RUN = 8  # words; two texts that were written apart hardly share a run of eight (after Chowdhery et al. 2022, arXiv 2204.02311, section 8)
KNOWN_SHARE = 0.5  # of a passage's runs
KNOWN_HINT = "it is a folder in BEIR layout, or of JSON lines, CSV or Parquet"


@dataclass(frozen=True, slots=True)
class Removed:
    """A passage that was taken out, and why; `of` says what it is like."""

    passage: Passage
    reason: str
    of: str


@dataclass(slots=True)
class KnownTexts:
    """What was found in the user's known sets: the share of each passage's runs, in which set, and all their queries."""

    share: list[float]
    of: list[str]
    queries: set[str] = field(default_factory=set)
    texts: int = 0


def near_duplicates(
    passages: Sequence[Passage], least: float, progress: Callable[[int, int], None] = lambda _done, _total: None
) -> dict[int, int]:
    """Return which earlier passage each near duplicate is like, by their numbers.

    Two are near duplicates where the Jaccard index of their runs of three words is `least` or more. Exact: texts that are so alike share
    one of their rarest runs, and only these are looked up (prefix filter; Chaudhuri, Ganti and Kaushik 2006, ICDE; Bayardo, Ma and
    Srikant 2007, WWW). The rarest that they share says how many they can share at most, namely those that follow it in both (positional
    filter; Xiao et al. 2008, WWW): rows of one form, which share all but their rarest, are not compared one by one.
    """
    texts = [_runs(passage.text, SHINGLE) for passage in passages]
    often = Counter(run for runs in texts for run in runs)
    # for each run, those that have it among their rarest, by how many runs they have and which of them it is
    holders: dict[str, dict[tuple[int, int], list[int]]] = {}
    found: dict[int, int] = {}
    for number, runs in enumerate(texts):
        size = len(runs)
        rarest = sorted(runs, key=lambda run: (often[run], run))[: size - math.ceil(least * size - 1e-9) + 1]
        shareable = [(place, run) for place, run in enumerate(rarest) if often[run] > 1]
        candidates: set[int] = set()
        for place, run in shareable:
            for (other, other_place), numbers in holders.get(run, {}).items():
                most = min(size - place, other - other_place)
                if most >= least * (size + other - most) - 1e-9:
                    candidates.update(numbers)
        for candidate in sorted(candidates):
            shared = len(runs & texts[candidate])
            if shared >= least * (size + len(texts[candidate]) - shared) - 1e-9:
                found[number] = candidate
                break
        else:
            for place, run in shareable:
                holders.setdefault(run, {}).setdefault((size, place), []).append(number)
        if number % 100 == 99 or number + 1 == len(texts):
            progress(number + 1, len(texts))
    return found


def _runs(text: str, count: int) -> set[str]:
    found = words(text)
    return {" ".join(found[at : at + count]) for at in range(max(1, len(found) - count + 1))}


def find_known(
    passages: Sequence[Passage], folders: Sequence[Path], progress: Callable[[int, int], None] = lambda _done, _total: None
) -> KnownTexts:
    """Return which share of each passage's runs of eight words stands in the known sets.

    The runs that are kept are the passages', and the sets go by, so that these may be of any size.
    """
    runs = [_hashes(passage.text) for passage in passages]
    holders: dict[int, list[int]] = {}
    for number, hashes in enumerate(runs):
        for one in hashes:
            holders.setdefault(one, []).append(number)
    found = [0] * len(passages)
    known = KnownTexts([0.0] * len(passages), [""] * len(passages))
    files = [(folder, path) for folder in folders for path in _files(folder)]
    silent = set(folders)
    for done, (folder, path) in enumerate(files):
        progress(done, len(files))
        for is_query, text in texts_of(path):
            known.texts += 1
            silent.discard(folder)
            if is_query:
                known.queries.add(normal(text))
            for one in _hashes(text):
                for number in holders.pop(one, ()):  # a run counts once, however often it stands there
                    found[number] += 1
                    known.of[number] = known.of[number] or folder.name
    if silent:
        raise CardcheckError(f"--known {min(silent)} holds no texts", hint=KNOWN_HINT)
    known.share = [count / len(hashes) for count, hashes in zip(found, runs, strict=True)]
    progress(len(files), len(files))
    return known


def _hashes(text: str) -> set[int]:
    found = words(text)
    return {hash(tuple(found[at : at + RUN])) for at in range(max(1, len(found) - RUN + 1))}


def _files(folder: Path) -> list[Path]:
    if not folder.exists():
        raise CardcheckError(f"--known {folder} does not exist")
    inside = sorted(path for path in folder.rglob("*") if path.is_file() and table_kind(path))
    files = [folder] if folder.is_file() else [path for path in inside if "qrels" not in (path.parent.name, path.stem)]
    if not files:
        raise CardcheckError(f"--known {folder} holds no texts", hint=KNOWN_HINT)
    return files
