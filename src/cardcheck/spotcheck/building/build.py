"""Building a set from end to end: sources, passages, removal, queries, the check, and the files."""

from __future__ import annotations

import random
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Protocol

import cardcheck
from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.building import duplicates, manifest
from cardcheck.spotcheck.building.answers import Asking
from cardcheck.spotcheck.building.command import Answers, Command, from_command
from cardcheck.spotcheck.building.document import length, normal
from cardcheck.spotcheck.building.duplicates import KNOWN_SHARE, Removed
from cardcheck.spotcheck.building.folders import OTHER
from cardcheck.spotcheck.building.masked import masked
from cardcheck.spotcheck.building.passages import Passage, split
from cardcheck.spotcheck.building.queries import Dropped, Query, as_given, from_headings, usable
from cardcheck.spotcheck.building.separation import Check, check
from cardcheck.spotcheck.building.sources import read_source
from cardcheck.spotcheck.building.written import Draft, check_target, forget_partial, fresh_canary, partial_folder, write_set
from cardcheck.spotcheck.heldout import HeldOutSet, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from cardcheck.spotcheck.building.document import Source

NEAR = "near duplicate"


class Bar(Protocol):
    """Shows how far a piece of work is."""

    def __call__(self, what: str, unit: str) -> AbstractContextManager[Callable[[int, int], None]]:
        """Open a bar."""


def no_bar(what: str, unit: str) -> AbstractContextManager[Callable[[int, int], None]]:
    """Show nothing."""
    del what, unit
    return nullcontext(lambda _done, _total: None)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be built. `words` is how long a passage may be, `least_words` how short; `after` leaves out what is not younger."""

    folder: Path
    sources: tuple[str, ...]
    language: str
    date: str
    name: str = ""
    edition: int = 1
    license: str = ""
    domain: str = ""
    after: str = ""
    words: int = 200
    least_words: int = 15
    near: float = 0.7
    known: tuple[Path, ...] = ()
    older: tuple[Path, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    command: Command | None = None
    queries: int | None = None
    most: int = 1000
    models: tuple[Path, ...] = ()
    device: str = "cpu"
    seed: int = 0
    allow: tuple[str, ...] = ()
    replace: bool = False
    command_line: str = ""


@dataclass(slots=True)
class Built:
    """What was built, and how many of what were left at each step."""

    folder: Path
    name: str
    sha256: str
    counts: dict[str, int]
    dropped: dict[str, int]
    skipped: list[tuple[str, str]]
    check: Check


@dataclass(slots=True)
class _Work:
    """What a build has so far. `kept` are the numbers of the passages that stay, each with those that were removed as like it."""

    plan: Plan
    bar: Bar
    sources: list[Source] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)
    kept: dict[int, list[int]] = field(default_factory=dict)
    removed: list[Removed] = field(default_factory=list)
    known_queries: set[str] = field(default_factory=set)
    counts: dict[str, int] = field(default_factory=dict)
    dropped: Dropped = field(default_factory=Dropped)


def build(plan: Plan, bar: Bar = no_bar) -> Built:
    """Build a set and write it. Raises CardcheckError; what the user's command had answered by then is kept."""
    _require_packages()
    check_target(plan.folder, replace=plan.replace)
    for what, text in (("name", plan.name or plan.folder.name), ("language", plan.language), ("license", plan.license)):
        if not printable(text):  # the set could not be used
            said = f"the set's {what} is too long or holds characters that no terminal should be sent"
            raise CardcheckError(said, hint=f"say another with --{what}")
    if plan.command:
        plan.command.arguments()
    work = _Work(plan, bar)
    _read(work)
    _split(work)
    _clean(work)
    queries = _queries(work)
    left_out = {reason: count for reason, count in work.dropped.counts.items() if count}
    if not queries:
        reasons = "; ".join(f"{count} {reason}" for reason, count in left_out.items())
        hint = "mend the command and build again" if plan.command else "ask for some with --query-command"
        if plan.command and (kept := partial_folder(plan.folder)).exists():
            hint = f"what the command answered is kept in {kept}; delete it to ask a mended one again"
        raise CardcheckError(f"no query is left: {reasons or 'none was given'}", hint=hint)
    work.counts |= {"queries_left_out": sum(left_out.values()), "queries": len(queries)}
    draft, held_out = _draft(work, queries)
    with bar("encoding", "texts") as update:
        found = check(held_out, plan.models, seed=plan.seed, device=plan.device, progress=update)
    draft.about["provenance"] |= {"counts": work.counts, "queries_left_out": left_out, "check": asdict(found)}
    draft.readme = manifest.readme(draft, found)
    digest = write_set(draft, plan.folder, replace=plan.replace)
    forget_partial(plan.folder)
    skipped = [told for source in work.sources for told in _skipped(source)]
    return Built(plan.folder, draft.about["name"], digest, work.counts, left_out, skipped, found)


def _skipped(source: Source) -> Iterator[tuple[str, str]]:
    """Yield what was not read and why; files of other kinds are told together."""
    others = [where for where, reason in source.skipped if reason == OTHER]
    if others:
        kinds = sorted({PurePosixPath(where).suffix.lower()[:20] or "no suffix" for where in others})
        shown = ", ".join(kinds[:5]) + ("…" if len(kinds) > 5 else "")
        yield source.where, f"{len(others)} file{'s' if len(others) > 1 else ''} of other kinds ({shown})"
    yield from ((f"{source.where}: {where}", reason) for where, reason in source.skipped if reason != OTHER)


def _require_packages() -> None:
    """Raise CardcheckError where a package is missing that the check at the end needs, before any work is done."""
    from importlib.util import find_spec

    if missing := [name for name in ("numpy", "bm25s", "pytrec_eval") if find_spec(name) is None]:
        raise CardcheckError(f"{', '.join(missing)} not installed", hint="pip install 'cardcheck[heldout]'")


def _read(work: _Work) -> None:
    plan = work.plan
    for given in plan.sources:
        with work.bar(given[:40], "documents") as update:
            asking = Asking(allow=plan.allow, most=plan.most, after=plan.after, progress=update)
            work.sources.append(read_source(given, asking, plan.fields, plan.older))
    work.counts["documents"] = sum(len(source.documents) for source in work.sources)


def _split(work: _Work) -> None:
    """Split what is young enough; a document without a date is not known to be young, and is left out where a date is asked for."""
    plan, counts = work.plan, work.counts
    counts |= dict.fromkeys(("not_younger", "undated", "empty", "passages_too_short"), 0)
    for number, source in enumerate(work.sources):
        for place, document in enumerate(source.documents):
            if plan.after and not document.date > plan.after:
                counts["not_younger" if document.date else "undated"] += 1
                continue
            pieces = list(split(document, plan.words, number, place))
            counts["empty"] += not pieces  # or nothing but its title
            long = [piece for piece in pieces if document.whole or length(piece.text) >= plan.least_words]
            counts["passages_too_short"] += len(pieces) - len(long)
            work.passages += long
    if not work.passages:
        left_out = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items() if count)
        raise CardcheckError(f"no passage is left ({left_out})", hint="is --after too late, or --min-words too many?")
    counts["passages_read"] = len(work.passages)


def _clean(work: _Work) -> None:
    """Take out near duplicates and what stands in the known sets."""
    plan, passages = work.plan, work.passages
    with work.bar("near duplicates", "passages") as update:
        like = duplicates.near_duplicates(passages, plan.near, update)
    share, where = [0.0] * len(passages), [""] * len(passages)
    if plan.known:
        with work.bar("known sets", "files") as update:
            known = duplicates.find_known(passages, plan.known, update)
        share, where, work.known_queries = known.share, known.of, known.queries
        work.counts |= {"known_texts": known.texts, "known_queries": len(known.queries)}
    for number, passage in enumerate(passages):
        if share[number] >= KNOWN_SHARE:
            work.removed.append(Removed(passage, f"{share[number]:.0%} of it stands in a known set", where[number]))
        elif number in like and not _told_apart(work.sources, passage, passages[like[number]]):
            work.removed.append(Removed(passage, NEAR, passages[like[number]].where))
            work.kept.get(like[number], []).append(number)
        else:
            work.kept[number] = []
    near = sum(one.reason == NEAR for one in work.removed)
    work.counts |= {"near_duplicates": near, "in_known_sets": len(work.removed) - near, "passages": len(work.kept)}
    if not work.kept:
        raise CardcheckError("no passage is left after the removal of duplicates and known passages")


def _told_apart(sources: Sequence[Source], one: Passage, other: Passage) -> bool:
    """Tell whether a source's own judgements give two passages different grades: then what little differs is the point.

    Where nothing differs the judgements contradict each other, and tell nothing apart.
    """
    if one.source != other.source or normal(one.text) == normal(other.text):
        return False
    judged = sources[one.source].judged.values()
    return any(one.key in grades and other.key in grades and grades[one.key] != grades[other.key] for grades in judged)


def _queries(work: _Work) -> list[Query]:
    """Ask the command, or take what the sources give, or titles and headings."""
    plan, passages = work.plan, work.passages
    rng = random.Random(plan.seed)  # noqa: S311  # reproducible, not secret
    if plan.command:
        numbers = list(work.kept)
        if plan.queries and plan.queries < len(numbers) * plan.command.most:
            numbers = sorted(rng.sample(numbers, -(-plan.queries // plan.command.most)))
        answers = Answers(partial_folder(plan.folder) / "queries.jsonl")
        with work.bar("queries", "passages") as update:
            asked = from_command(passages, numbers, plan.command, answers, work.dropped, progress=update)
    else:
        asked = []
        stays = {one: number for number, like in work.kept.items() for one in (number, *like)}
        for number, source in enumerate(work.sources):
            own = {one: stays.get(one) for one, passage in enumerate(passages) if passage.source == number}
            given = as_given(source, passages, own)
            asked += given or from_headings(passages, own, work.dropped)
    queries = usable(asked, passages, work.known_queries, work.dropped)
    if plan.queries and plan.queries < len(queries):
        chosen = set(rng.sample(range(len(queries)), plan.queries))
        work.dropped.counts["beyond --queries"] += len(queries) - plan.queries
        queries = [query for at, query in enumerate(queries) if at in chosen]
    return queries


def _draft(work: _Work, queries: list[Query]) -> tuple[Draft, HeldOutSet]:
    """Give passages and queries their ids, and set them out as rows and as a set in memory."""
    plan = work.plan
    chosen = [work.passages[number] for number in work.kept]
    for place, passage in enumerate(chosen, 1):
        passage.id = f"p{place:05d}"
    corpus: list[dict[str, Any]] = [
        {"_id": one.id, "title": "", "text": one.text, "metadata": _metadata(one, plan)} for one in chosen
    ]  # fmt: skip
    rows: list[dict[str, Any]] = []
    qrels: dict[str, dict[str, int]] = {}
    for place, query in enumerate(queries, 1):
        key, domain = f"q{place:05d}", plan.domain or query.domain
        rows.append({"_id": key, "text": query.text, "metadata": {**({"domain": domain} if domain else {}), "kind": query.kind}})
        qrels[key] = {work.passages[number].id: grade for number, grade in query.grades.items()}
    about = manifest.about(
        name=plan.name or plan.folder.name, edition=plan.edition, date=plan.date, language=plan.language,
        license_=plan.license or manifest.joined_license(work.sources), canary=fresh_canary(),
        provenance={
            "cardcheck": cardcheck.__version__,
            "command": masked(plan.command_line),
            "sources": [manifest.source(one) for one in work.sources],
            "known": [str(path) for path in plan.known],
            "query_command": masked(plan.command.line) if plan.command else "",
        },
    )  # fmt: skip
    gone = [manifest.removed(one, work.sources[one.passage.source]) for one in work.removed]
    held_out = HeldOutSet(
        about["name"], plan.date, plan.language, about["canary"], "", {row["_id"]: row["text"] for row in corpus},
        {row["_id"]: row["text"] for row in rows}, qrels,
    )  # fmt: skip
    return Draft(about, corpus, rows, qrels, "", gone), held_out


def _metadata(passage: Passage, plan: Plan) -> dict[str, Any]:
    about = {"domain": plan.domain or passage.domain, "date": passage.date, "where": passage.where, "title": passage.title}
    return {key: value for key, value in about.items() if value}
