"""What a built set says of itself: set.json and README.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardcheck.pattern import Pattern
from cardcheck.spotcheck.building.masked import masked
from cardcheck.spotcheck.heldout import LONGEST, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardcheck.spotcheck.building.document import Source
    from cardcheck.spotcheck.building.duplicates import Removed
    from cardcheck.spotcheck.building.separation import Check
    from cardcheck.spotcheck.building.written import Draft

UNSTATED = "not stated"
MARKS = Pattern(r"([\\`*_\[\]<>|])")  # what would be read as Markdown


def about(*, name: str, edition: int, date: str, language: str, license_: str, canary: str, provenance: dict[str, Any]) -> dict[str, Any]:
    """Return what set.json says, but for the hash."""
    return {
        "name": name,
        "edition": edition,
        "date": date,
        "language": language,
        "license": license_,
        "canary": canary,
        "provenance": provenance,
    }


def joined_license(sources: Sequence[Source]) -> str:
    """Return the licences of the sources and of their documents; it is not stated where one of them states none."""
    found: list[str] = []
    for source in sources:
        own = {document.license or source.license or UNSTATED for document in source.documents}
        found += [one for one in sorted(own) if one not in found]
    stated = " AND ".join("".join(letter for letter in one if letter != "#" and printable(letter)) for one in found)
    return stated if len(stated) <= LONGEST else f"{stated[: LONGEST - 1]}…"


def source(one: Source) -> dict[str, Any]:
    """Return what the manifest says of a source."""
    dates = sorted(document.date for document in one.documents if document.date)
    return {
        "kind": one.kind,
        "where": masked(one.where),
        "sha256": one.sha256,
        "documents": len(one.documents),
        "skipped": len(one.skipped),
        "license": joined_license([one]),
        "first_date": dates[0] if dates else None,
        "last_date": dates[-1] if dates else None,
        "undated": len(one.documents) - len(dates),
    }


def removed(one: Removed, of: Source) -> dict[str, Any]:
    """Return the row of a passage that was taken out."""
    return {"where": one.passage.where, "source": masked(of.where), "reason": one.reason, "of": one.of, "text": one.passage.text[:200]}


def readme(draft: Draft, found: Check) -> str:
    """Return the README of a set, which says how it was made and how it was found to separate."""
    told, counts = draft.about, draft.about["provenance"]["counts"]
    kinds = sorted({row["metadata"]["kind"] for row in draft.queries})
    said = {
        "heading": "titles and headings",
        "command": f"the command `{_plain(told['provenance']['query_command'])}`",
        "given": "the sources' own",
    }
    lines = [
        f"# {_plain(told['name'])}",
        "",
        f"{counts['passages']} passages and {counts['queries']} queries, language {_plain(told['language'])}, of {told['date']}, licence",
        f"{_plain(told['license'])}. A held-out retrieval set made by `cardcheck heldout build`. **Do not train on it.** Its canary",
        "string stands in `set.json` and in every row.",
        "",
        "- `corpus.jsonl`, `queries.jsonl`: BEIR layout (`_id`, `title`, `text`, `metadata`). `qrels.tsv`: query, passage, grade.",
        "- `set.json`: name, date, licence, canary, where everything came from, and the SHA-256 that cardcheck checks when it loads it.",
        *(["- `removed.jsonl`: what was taken out, and why."] if draft.removed else []),
        "",
        "| source | documents | dates | licence |",
        "| --- | --- | --- | --- |",
        *(_source_row(one) for one in told["provenance"]["sources"]),
        "",
        f"Queries come from {', '.join(said[kind] for kind in kinds)}. Grades: 2 answers, 1 helps, 0 was judged and is not relevant.",
        "",
        "| step | left or taken out |",
        "| --- | --- |",
        *(f"| {name.replace('_', ' ')} | {count} |" for name, count in counts.items()),
        "",
        "| retriever | nDCG@10 | 95 % interval |",
        "| --- | --- | --- |",
        *(f"| {_plain(one.name)} | {one.score:.1f} | {one.low:.1f} to {one.high:.1f} |" for one in found.scored if not one.problem),
        "",
        *(f"- {_plain(warning)}" for warning in found.warnings),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _source_row(one: dict[str, Any]) -> str:
    dates = f"{one['first_date']} to {one['last_date']}" if one["first_date"] else "unknown"
    return f"| {_plain(one['kind'])}: {_plain(one['where'])} | {one['documents']} | {dates} | {_plain(one['license'])} |"


def _plain(text: str) -> str:
    shown = "".join(letter for letter in " ".join(text.split())[:300] if letter.isprintable())
    return MARKS.sub(r"\\\1", shown)
