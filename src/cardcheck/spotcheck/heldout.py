"""Held-out retrieval sets: corpus, queries and relevance judgements (qrels) that the subject cannot have been trained on.

Sets lie in the package, or in a folder of the user's that `cardcheck heldout build` wrote; both have the same layout.
"""

from __future__ import annotations

import hashlib
import json
import random
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck import setfiles

DEFAULT = "quellmark-en-1"
FILES = ("corpus.jsonl", "queries.jsonl", "qrels.tsv")
ABOUT = "set.json"
LONGEST = 500  # characters of a name or licence
JOINERS = "\u200c\u200d"
# Codes that leaderboards and cards use beside the two letters of ISO 639-1, for the languages that there are sets in.
LONG_CODES = {
    "eng": "en", "spa": "es", "fra": "fr", "fre": "fr", "deu": "de", "ger": "de", "pol": "pl", "zho": "zh", "chi": "zh", "cmn": "zh",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeldOutSet:
    """A retrieval set in memory; ids in file order. Grades: 2 answers the query, 1 helps, 0 judged and not relevant.

    `domains` has the domain of each query, empty where none is stated.
    """

    name: str
    date: str
    language: str
    canary: str
    sha256: str
    corpus: dict[str, str]
    queries: dict[str, str]
    qrels: dict[str, dict[str, int]]
    domains: dict[str, str] = field(default_factory=dict)
    license: str = ""
    edition: int = 1

    def sample(self, count: int, seed: int) -> HeldOutSet:
        """Return the set with `count` of its queries, drawn by `seed`; all of them where `count` is larger."""
        if count >= len(self.queries):
            return self
        return self._only(set(random.Random(seed).sample(list(self.queries), count)))  # noqa: S311  # reproducible, not secret

    def select(self, domain: str) -> HeldOutSet:
        """Return the set with the queries of one domain and the whole corpus, so that scores of the whole set stay valid, query by query.

        Raises CardcheckError where the set has no such domain.
        """
        drawn = {query for query, found in self.domains.items() if found and found.casefold() == domain.casefold()}
        if not drawn:
            known = sorted(set(filter(None, self.domains.values())))
            hint = f"it has {', '.join(known)}" if known else "its queries state no domain"
            raise CardcheckError(f"the held-out set {self.name} has no domain {domain!r}", hint=hint)
        return self._only(drawn)

    def _only(self, drawn: set[str]) -> HeldOutSet:
        """Return the set with these queries; judgements of the others stay, and harm nobody."""
        return replace(
            self,
            queries={query: text for query, text in self.queries.items() if query in drawn},
            domains={query: domain for query, domain in self.domains.items() if query in drawn},
        )


@dataclass(frozen=True, slots=True)
class About:
    """What `set.json` says of a set, without its texts."""

    name: str
    edition: int
    date: str
    language: str
    license: str
    canary: str
    sha256: str
    folder: Path


def content_hash(folder: Path) -> str:
    """Return the SHA-256 over the three files of a set, each preceded by its name and length. Raises OSError where one is no file."""
    digest = hashlib.sha256()
    for name in FILES:
        if not (folder / name).is_file():  # reading a pipe would never end
            raise FileNotFoundError(f"{name} is missing")
        data = (folder / name).read_bytes()
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def packaged() -> Path:
    """Return the folder of the packaged sets."""
    return Path(__file__).parent.parent / "data" / "heldout"


def names() -> list[str]:
    """Return the names of the packaged sets."""
    return sorted(path.parent.name for path in packaged().glob(f"*/{ABOUT}"))


def folder_of(name: str | Path) -> Path:
    """Return the folder of a packaged set by its name, or a folder of the user's. Raises CardcheckError where there is none."""
    if isinstance(name, str) and name in names():
        return packaged() / name
    if (Path(name) / ABOUT).is_file():
        return Path(name)
    hint = f"packaged are {', '.join(names())}; a set of your own is named by its folder, which holds {ABOUT}"
    raise CardcheckError(f"there is no held-out set {str(name)!r}", hint=hint)


def about(name: str | Path) -> About:
    """Return what a set says of itself. Raises CardcheckError where there is no such set, or it says too little."""
    folder = folder_of(name)
    try:
        told = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        text = {key: str(told[key]) for key in ("name", "date", "language", "canary", "sha256")}
        text["license"] = str(told.get("license") or "")
        if odd := [key for key, value in text.items() if not printable(value)]:
            raise ValueError(f"its {odd[0]} is too long or holds characters that no terminal should be sent")  # noqa: TRY301
        return About(**text, edition=int(told.get("edition") or 1), folder=folder)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error).splitlines()[0][:200]
        raise CardcheckError(f"{folder / ABOUT} cannot be used: {reason}", hint=_mend(folder)) from None


def printable(text: str) -> bool:
    """Tell whether a text can go to a terminal or a log as it is: no control or hidden formatting characters, no line breaks, no commands.

    Joiners, which Persian and Indic scripts need, hide nothing.
    """
    kinds = {unicodedata.category(letter) for letter in text if letter not in JOINERS}
    return len(text) <= LONGEST and "##" not in text and not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def load(name: str | Path = DEFAULT) -> HeldOutSet:
    """Load a packaged set by its name, or a set of the user's by its folder.

    Raises CardcheckError where there is no such set, its files differ from the hash they were published with, or do not fit together.
    """
    told = about(name)
    folder = told.folder
    try:
        found = content_hash(folder)
        if found != told.sha256:
            raise CardcheckError(
                f"the held-out set {told.name} was changed: its hash is {found[:12]}…, published as {told.sha256[:12]}…",
                hint=f"{_mend(folder)}; a changed set cannot be compared with the reference models",
            )
        rows, asked = (setfiles.rows(folder / file) for file in FILES[:2])
        judged = setfiles.judgements(folder / FILES[2])
        if problem := next(setfiles.problems(rows, asked, judged), None):
            raise ValueError(problem)  # noqa: TRY301  # told as every other fault of the files
    except (OSError, ValueError) as error:
        raise CardcheckError(f"the held-out set in {folder} cannot be read: {str(error)[:200]}", hint=_mend(folder)) from None
    corpus, queries = ({row["_id"]: row["text"] for row in some} for some in (rows, asked))
    domains = {row["_id"]: str((row.get("metadata") or {}).get("domain") or "") for row in asked}
    qrels: dict[str, dict[str, int]] = {query: {} for query in queries}
    for query, document, grade in judged:
        qrels[query][document] = grade
    return HeldOutSet(
        told.name, told.date, told.language, told.canary, told.sha256, corpus, queries, qrels, domains, told.license, told.edition
    )  # fmt: skip


def for_language(language: str) -> HeldOutSet:
    """Load the newest edition of the packaged sets in a language (`de`, `de-AT`, `deu-Latn`). Raises CardcheckError where there is none."""
    sets = [about(name) for name in names()]
    found = [one for one in sets if one.language == short_code(language)]
    if not found:
        known = ", ".join(f"{one.language} ({one.name})" for one in sets)
        hint = f"there are sets in {known}; `cardcheck heldout build` makes one from your own documents"
        raise CardcheckError(f"there is no held-out set in the language {language!r}", hint=hint)
    return load(max(found, key=lambda one: (one.edition, one.date)).name)


def could_have_seen(model_date: str, set_date: str, *, instead: str = "") -> str | None:
    """Say so where a model is as new as a held-out set, and may have seen it; None where it is older.

    Both are ISO dates or times; `instead` names a set that serves. A date that cannot be read is no sign that the model is older.
    """
    model, published = _day(model_date), _day(set_date)
    serves = f"{instead} is newer than the model" if instead else "a set of your own documents serves: `cardcheck heldout build`"
    if model is None or published is None:
        return f"whether the model is older than the held-out set cannot be told from their dates; {serves}"
    if model < published:
        return None
    return f"the model is of {model}, the held-out set was published on {published}: the model could have seen it; {serves}"


def newer_than(model_date: str, language: str) -> str:
    """Return the name of the newest packaged set in a language that was published after a model; empty where there is none."""
    model = _day(model_date)
    sets = [one for one in map(about, names()) if one.language == short_code(language)]
    newer = [one for one in sets if model is not None and (day := _day(one.date)) is not None and day > model]
    return max(newer, key=lambda one: (one.edition, one.date)).name if newer else ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10])
    except ValueError:
        return None


def short_code(language: str) -> str:
    """Return the code by which sets name a language: two letters where there are any."""
    code = language.replace("_", "-").partition("-")[0].strip().lower()
    return LONG_CODES.get(code, code)


def _mend(folder: Path) -> str:
    return "reinstall cardcheck" if folder.parent == packaged() else "build it again with `cardcheck heldout build`"
