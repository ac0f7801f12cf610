"""`.eval_results/*.yaml`: the newer place for a model's scores, which the Hub shows on the model's page and on leaderboards.

Each file is a list of {dataset {id, task_id, revision}, value, verifyToken, date, source {url, name, user, org}, notes}; the Hub passes a
file that it cannot read over without a word to the reader.
"""

from __future__ import annotations

import itertools
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from cardcheck.facts.datasets import id_problem, is_commit, task_name
from cardcheck.facts.located import LocatedError, Location, load_yaml
from cardcheck.facts.model import Source
from cardcheck.facts.names import plain
from cardcheck.facts.results import MAX_UNKNOWN, near_key, number
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from cardcheck.facts.files import Listing
    from cardcheck.facts.located import Located
    from cardcheck.facts.model import Facts

FOLDER = ".eval_results"
SUFFIXES = (".yaml", ".yml")
# Folders and endings that authors use and the Hub does not look at.
ASTRAY = Pattern(r"^(?:\.?eval[_-]?results?/[^/]{1,200}\.(?:ya?ml)|\.eval_results/[^/]{1,200}\.json|\.eval_results\.ya?ml)$", re.IGNORECASE)
MAX_FILES = 300
MAX_BYTES = 8_000_000
MAX_ASTRAY = 20
MAX_ASTRAY_BYTES = 200_000
MAX_WRITTEN = 60
KEYS = {
    "an entry": ("dataset", "value", "verifyToken", "date", "source", "notes", "evaluation_framework"),
    "dataset": ("id", "task_id", "revision", "config", "split"),
    "source": ("url", "name", "user", "org"),
}
TOKEN = Pattern(r"^[\w.+/=:-]{20,20000}$")
DATE = Pattern(r"^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?\s?(?:Z|[+-]\d\d:?\d\d)?)?$")
VERIFIED = Pattern(r"(?<!un)(?<!not )(?<!not yet )(?<!non-)\bverified\b", re.IGNORECASE)
URL = Pattern(r"^https?://[\w.-]{1,253}\.[a-z]{2,63}(?:[:/?#]|$)", re.IGNORECASE)
TOLERANCE = 0.06


def collect_eval_results(facts: Facts, listing: Listing) -> None:
    """Fill the group `evalresults`; the card was read before."""
    paths = sorted(path for path in listing.sizes if path.startswith(f"{FOLDER}/") and path.endswith(SUFFIXES) and path.count("/") == 1)
    astray = (path for path in listing.sizes if path[:1] in ".eE" and path not in paths and ASTRAY.match(path))
    for path in itertools.islice(astray, MAX_ASTRAY):
        if _holds_results(listing, path):
            facts.add("evalresults.astray", Location(path), path=path)
    if not paths:
        return
    facts.sources["evalresults"] = Source("known")
    facts.places["evalresults"] = Location(paths[0], 1, 1)
    reader = _Reader(facts)
    room = MAX_BYTES
    for path in paths[:MAX_FILES]:
        if path in listing.elsewhere:
            facts.sources["evalresults"] = Source("unavailable", f"{path} was not fetched")
            continue
        try:
            text, cut = listing.read(path)
        except OSError as error:
            facts.sources["evalresults"] = Source("unavailable", f"{path} cannot be read: {error.strerror}")
            continue
        room -= len(text)
        if cut or room < 0:
            facts.sources["evalresults"] = Source("unavailable", f"{path} is larger than results should be")
            return
        facts.texts[path] = text
        reader.read(path, text)
    if len(paths) > MAX_FILES:
        facts.values["facts.capped"].append("evalresults.entries")
    reader.compare()


def _holds_results(listing: Listing, path: str) -> bool:
    """Tell whether a file in another place is meant for the Hub: logs of evaluations lie in such folders as well."""
    if path in listing.elsewhere or listing.sizes[path] > MAX_ASTRAY_BYTES:
        return False
    try:
        text, _ = listing.read(path)
    except OSError:
        return False
    return all(word in text for word in ("dataset", "task_id", "value")) and text.lstrip("-\ufeff \r\n")[:40].startswith(
        ("-", "[", "dataset")
    )


class _Reader:
    """Reads the files the way huggingface_hub does, and notes what that would stop at."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.file = ""
        self.located: Located
        self.seen: dict[tuple[str, ...], dict[str, Any]] = {}
        self.near: dict[tuple[str, str], str | None] = {}

    def place(self, *path: str | int) -> Location:
        return Location(self.file, *self.located.place(path))

    def read(self, file: str, text: str) -> None:
        self.file = file
        try:
            self.located = load_yaml(text)
        except LocatedError as error:
            self.facts.add(
                "evalresults.malformed", Location(file, error.line, error.column), problem=f"it is not valid YAML: {error.message}"
            )
            return
        entries = self.located.value
        if not isinstance(entries, list):
            problem = "it is empty" if entries is None else "it is not a list of results"
            self.facts.add("evalresults.malformed", Location(file, 1, 1), problem=problem)
            return
        for at, entry in enumerate(entries):
            if isinstance(entry, dict):
                self.entry(at, entry)
            else:
                self.wrong("an entry is not a mapping", at)

    def wrong(self, problem: str, *path: str | int) -> None:
        self.facts.add("evalresults.malformed", self.place(*path), problem=problem)

    def known_keys(self, given: dict[str, Any], what: str, *path: str | int) -> None:
        for key in given.keys() - set(KEYS[what]):
            if (what, key) not in self.near and len(self.near) < MAX_UNKNOWN:
                self.near[what, key] = near_key(key, KEYS[what])
            replacement = self.near.get((what, key))
            if replacement and replacement not in given:
                self.facts.add("evalresults.misspelt", self.place(*path, key), key=key, replacement=replacement)

    def mapping(self, given: dict[str, Any], key: str, at: int) -> dict[str, Any] | None:
        value = given.get(key)
        if isinstance(value, dict):
            self.known_keys(value, key, at, key)
            return value
        if value is not None:
            self.wrong(f"{key} is not a mapping", at, key)
        return None

    def entry(self, at: int, entry: dict[str, Any]) -> None:
        self.known_keys(entry, "an entry", at)
        dataset, source = self.mapping(entry, "dataset", at), self.mapping(entry, "source", at)
        if entry.get("dataset") is None:
            self.wrong("an entry has no dataset", at)
        for key in ("id", "task_id") if dataset is not None else ():
            if dataset is not None and not _text(dataset.get(key)):
                self.wrong(f"dataset has no {key}", at, "dataset")
        if entry.get("value") is None:
            self.wrong("an entry has no value", at)
        url = _text((source or {}).get("url"))
        if source is not None and not url:
            self.wrong("source has no url", at, "source")
        row = {
            "dataset": _text((dataset or {}).get("id")),
            "task": _text((dataset or {}).get("task_id")),
            "value": number(entry.get("value")),
            "written": str(entry.get("value"))[:MAX_WRITTEN],
            "source": url,
            "token": bool(entry.get("verifyToken")),
        }
        place = self.place(at, "value")
        self.facts.add("evalresults.entries", place, **row)
        self.values(at, entry, dataset or {}, row)
        self.proof(at, entry, source or {})
        self.repeat({**row, "place": place, "file": self.file}, (_text(entry.get("notes")), _text((dataset or {}).get("split")), url))

    def values(self, at: int, entry: dict[str, Any], dataset: dict[str, Any], row: dict[str, Any]) -> None:
        """Note a value, date, id, revision or address that is none."""
        add = self.facts.add
        if row["value"] is None and entry.get("value") is not None:
            add("evalresults.values", self.place(at, "value"), dataset=row["task"] or row["dataset"], written=row["written"])
        if (date := entry.get("date")) is not None and (problem := _date_problem(str(date))):
            add("evalresults.dates", self.place(at, "date"), written=str(date)[:MAX_WRITTEN], problem=problem)
        if row["dataset"] and (problem := id_problem(row["dataset"])):
            add("evalresults.dataset_ids", self.place(at, "dataset", "id"), id=row["dataset"][:MAX_WRITTEN], problem=problem)
        revision = _text(dataset.get("revision"))
        if revision and not is_commit(revision):
            add("evalresults.revisions", self.place(at, "dataset", "revision"), revision=revision[:MAX_WRITTEN])
        if row["source"] and not URL.match(row["source"]):
            add("evalresults.urls", self.place(at, "source", "url"), url=row["source"][:MAX_WRITTEN])

    def proof(self, at: int, entry: dict[str, Any], source: dict[str, Any]) -> None:
        """Note what claims to be verified and is not."""
        token = entry.get("verifyToken")
        if "verifyToken" in entry:
            written = "" if token is None else str(token)
            if not TOKEN.match(written):
                text = f"verifyToken is {written[:20]!r}" if written.strip() else "verifyToken is empty"
                self.facts.add("evalresults.unproven", self.place(at, "verifyToken"), text=text)
            return
        if entry.get("verified") is True:
            self.facts.add("evalresults.unproven", self.place(at, "verified"), text="it says `verified: true` and has no verifyToken")
            return
        for path, words in ((("notes",), entry.get("notes")), (("source", "name"), source.get("name"))):
            if isinstance(words, str) and VERIFIED.search(words[:2000]) and not _has_token(entry):
                text = f"it says {words[:40]!r} and has no verifyToken"
                self.facts.add("evalresults.unproven", self.place(at, *path), text=text)
                return

    def repeat(self, row: dict[str, Any], variant: tuple[str, ...]) -> None:
        key = (row["dataset"], row["task"], *variant)
        if not row["dataset"] or row["value"] is None:
            return
        first = self.seen.setdefault(key, row)
        if abs(first["value"] - row["value"]) > 1e-9:
            what = f"{row['task']} of {row['dataset']}"
            where = "" if first["file"] == row["file"] else first["file"]
            self.facts.add("evalresults.conflicts", row["place"], what=what, first=first["written"], second=row["written"], where=where)

    def compare(self) -> None:
        """Note results that model-index gives as well, and with other values only."""
        index: dict[str, list[dict[str, Any]]] = {}
        configs: dict[str, set[str]] = {}
        for row in self.facts["results.entries"]:
            if row["value"] is not None and row["range"]:
                task = plain(task_name(row["dataset"]))
                index.setdefault(task, []).append(row)
                configs.setdefault(task, set()).add(f"{row['config']} {row['split']}")
        for row in self.seen.values():
            name, _, part = (row["task"] or "").partition("_")
            task = plain(name)
            rows = [other for other in index.get(task, ()) if _same_data(other["dataset_id"], row["dataset"]) and _same_part(other, part)]
            if not rows or len(configs[task]) > 1:
                continue
            values = [other["value"] * factor for other in rows for factor in (1, 100, 0.01)]
            if not any(abs(value - row["value"]) <= TOLERANCE * (1 if abs(row["value"]) > 1 else 0.01) for value in values):
                place, best = row["place"], _headline(rows)
                self.facts.add(
                    "evalresults.contradictions",
                    place,
                    task=row["task"],
                    stated=row["written"],
                    metric=best["metric"],
                    indexed=best["written"],
                )


def _has_token(entry: dict[str, Any]) -> bool:
    """Tell whether there is a token under a misspelt key: that is a finding of its own."""
    return any("verif" in key.lower() and "token" in key.lower() for key in entry)


def _same_data(first: str | None, second: str | None) -> bool:
    """Tell whether two ids can name the same data set; the same name under another owner may be a copy."""
    one, two = (PurePosixPath(text or "").name.lower() for text in (first, second))
    return not one or not two or one == two


def _same_part(row: dict[str, Any], part: str) -> bool:
    """Tell whether what follows a task's name can be this row's configuration or split: ESC50_Zeroshot is a task of its own."""
    config, split = row["config"], row["split"]
    return not part or not config or part.startswith((config, split or config))


def _headline(rows: list[dict[str, Any]]) -> dict[str, Any]:
    names = ("main_score", "ndcg_at_10", "map", "accuracy", "v_measure", "cosine_spearman", "cos_sim_spearman", "f1", "max_ap")
    return next((row for name in names for row in rows if row["metric"] == name), rows[0])


def _text(value: Any) -> str:
    """Return a scalar as text; nothing for everything else."""
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _date_problem(written: str) -> str | None:
    import datetime as dt

    found = DATE.match(written.strip())
    if not found:
        return "is no date of the form YYYY-MM-DD"
    try:
        date = dt.date(int(found[1]), int(found[2]), int(found[3]))
        dt.time(int(found[4] or 0), int(found[5] or 0), min(int(found[6] or 0), 59))
    except ValueError:
        return "is not in the calendar"
    tomorrow = dt.datetime.now(tz=dt.UTC).date() + dt.timedelta(days=1)
    return "lies ahead" if date > tomorrow else None
