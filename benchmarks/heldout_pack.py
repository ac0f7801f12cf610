"""Pack the parts of the held-out set's second edition into sets of the packaged layout.

    python benchmarks/heldout_pack.py --parts ../heldout2 --out src/cardcheck/data/heldout --date 2026-11-26 [SET...]

A part is a folder with passages.jsonl and queries.jsonl, the judgements inside the queries. A set that is there already keeps its
canary, so that packing again gives the same bytes. Prints what BM25 and random order get, and what `cardcheck heldout verify` finds.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck import heldout
from cardcheck.spotcheck.building.document import length
from cardcheck.spotcheck.building.separation import check
from cardcheck.spotcheck.building.verify import verify
from cardcheck.spotcheck.building.written import Draft, fresh_canary, write_set

POOLED = {"en": "all-MiniLM-L6-v2, bge-small-en-v1.5 and universal-sentence-encoder-multilingual"}
POOLED_ELSE = "multilingual-e5-small and universal-sentence-encoder-multilingual"
LICENSE = heldout.packaged() / heldout.DEFAULT / "LICENSE"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Set:
    """A set of the second edition and the parts it is made of."""

    name: str
    language: str
    tongue: str
    parts: tuple[str, ...]


SETS = (
    Set("velmarch-en-2", "en", "English", ("en-general", "en-legal", "en-medical", "en-support", "en-technical")),
    Set("almenara-es-2", "es", "Spanish", ("es",)),
    Set("vauxmarne-fr-2", "fr", "French", ("fr",)),
    Set("lindoldau-de-2", "de", "German", ("de",)),
    Set("zawierskie-pl-2", "pl", "Polish", ("pl",)),
    Set("lanchuan-zh-2", "zh", "Chinese", ("zh",)),
)
README = """# {name}: a held-out retrieval set in {tongue} about what does not exist

{passages} passages and {queries} queries in {tongue}: general texts, law, technical documentation, medicine and customer support, all of
it about places, firms, laws, products, illnesses and drugs that were made up for this set. Nobody can have been trained on these facts.
Second edition, {date}, CC0-1.0. **Do not train on it.** Its canary string stands in `set.json` and in every row.

- `corpus.jsonl`, `queries.jsonl`: BEIR layout (`_id`, `title`, `text`, `metadata`). `qrels.tsv`: query, passage, grade.
- `set.json`: name, date, licence, canary, and the SHA-256 that cardcheck checks when it loads the set.

| domain | passages | queries | paraphrase | plain |
| --- | --- | --- | --- | --- |
{domains}

**How it was written.** Language models wrote it on instruction, passage by passage, without templates, in the language itself and
translated from nothing: documents of the kinds that each domain has (contracts and rulings, manuals and changelogs, leaflets and
discharge letters, help-centre articles and ticket replies, notices and columns). They stand in {clusters} clusters of look-alikes: versions
with another behaviour, a rule and its exception, the same drug for others, an older and a newer tariff. Passages have {shortest} to
{longest} words (two Chinese characters count as one), {median} in the middle. No embedding model had a part in the writing.

**Queries.** {paraphrase} of kind `paraphrase` describe the situation in other words, often by inference, and share no stem of a content
word with the passage that answers but names and one unavoidable word; {named} of all queries name the thing they are about. {plain} of kind
`plain` use some of the passage's words and no run of three.

**Judgements.** 2 answers the query, 1 helps without answering, 0 was looked at and is not relevant. After the writing, the best seven
passages of BM25 and of {pooled} were pooled for every query, and a second judge who had not written it read all passages once and went
through the pools. Over the edition's six sets that were 745 queries and 10,989 further pairs: no further full answer was found, 11 grades
were corrected, 27 queries reworded (17 of them Chinese).

**Known weaknesses.** Small; the second judge went through the pools by opening words, with the passages read before; once published it can
be trained on, so later editions will replace it and the canary will tell. An answer may be guessed from common sense. The order of the
reference models on it, with intervals, is what `make references` prints.
"""


def read_rows(path: Path) -> list[Row]:
    """Return the objects of a file of JSON lines. Raises CardcheckError where there is no file, or with the line that is none."""
    rows: list[Row] = []
    if not path.is_file():
        raise CardcheckError(f"{path} is not there yet")
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise CardcheckError(f"{path}:{number} is no JSON: {error}") from None
    return rows


def kept_canary(folder: Path) -> str:
    """Return the canary of the set that is there, else a new one."""
    return heldout.about(folder).canary if (folder / heldout.ABOUT).is_file() else fresh_canary()


def draft_of(one: Set, parts: Path, date: str, canary: str) -> Draft:
    """Put a set's parts together. Raises CardcheckError where a part is not there or its rows do not fit together."""
    passages: list[Row] = []
    queries: list[Row] = []
    for part in one.parts:
        passages += read_rows(parts / part / "passages.jsonl")
        queries += read_rows(parts / part / "queries.jsonl")
    for rows in (passages, queries):
        if twice := [key for key, times in Counter(row["_id"] for row in rows).items() if times > 1]:
            raise CardcheckError(f"{one.name}: more than once: {', '.join(twice[:9])}")
    qrels = {row["_id"]: dict(row["qrels"]) for row in queries}
    keys = {row["_id"] for row in passages}
    if lost := [f"{query} {document}" for query, grades in qrels.items() for document in grades if document not in keys]:
        raise CardcheckError(f"{one.name}: judged passages that are not there: {', '.join(lost[:9])}")
    about = {"name": one.name, "edition": 2, "date": date, "language": one.language, "license": "CC0-1.0", "canary": canary}
    corpus, asked = ([{key: row[key] for key in keys if key in row} for row in rows] for rows, keys in (
        (passages, ("_id", "title", "text", "metadata")), (queries, ("_id", "text", "metadata")),
    ))  # fmt: skip
    return Draft(about, corpus, asked, qrels, readme(one, date, passages, queries), license_text=LICENSE.read_text(encoding="utf-8"))


def readme(one: Set, date: str, passages: list[Row], queries: list[Row]) -> str:
    """Return the README, with figures from the rows."""
    domains = sorted({row["metadata"]["domain"] for row in passages})
    kinds = Counter((row["metadata"]["domain"], row["metadata"]["kind"]) for row in queries)
    texts = Counter(row["metadata"]["domain"] for row in passages)
    lengths = sorted(length(row["text"]) for row in passages)
    rows = [
        f"| {domain} | {texts[domain]} | {kinds[domain, 'paraphrase'] + kinds[domain, 'plain']} | {kinds[domain, 'paraphrase']} "
        f"| {kinds[domain, 'plain']} |"
        for domain in domains
    ]
    return README.format(
        name=one.name, tongue=one.tongue, date=date, passages=len(passages), queries=len(queries), domains="\n".join(rows),
        pooled=POOLED.get(one.language, POOLED_ELSE), clusters=len({row["_id"].rpartition("-")[0] for row in passages}),
        shortest=lengths[0], longest=lengths[-1], median=lengths[len(lengths) // 2],
        paraphrase=sum(kinds[domain, "paraphrase"] for domain in domains), plain=sum(kinds[domain, "plain"] for domain in domains),
        named=sum(bool(row["metadata"].get("named")) for row in queries),
    )  # fmt: skip


def main() -> int:
    """Pack the sets that are named, or all; 1 where one of them could not be packed or is found faulty."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"of {', '.join(one.name for one in SETS)}; all where none is named")
    parser.add_argument("--parts", type=Path, required=True, help="the folder of the parts")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write the sets into")
    parser.add_argument("--date", required=True, help="the edition's date, such as 2026-11-26")
    given = parser.parse_args()
    if unknown := set(given.sets) - {one.name for one in SETS}:
        parser.error(f"there is no set {', '.join(sorted(unknown))}")
    status = 0
    for one in SETS:
        if given.sets and one.name not in given.sets:
            continue
        folder = given.out / one.name
        try:
            digest = write_set(draft_of(one, given.parts, given.date, kept_canary(folder)), folder, replace=True)
        except (CardcheckError, KeyError) as error:
            print(f"{one.name}: {error}", file=sys.stderr)
            status = 1
            continue
        held_out, problems = heldout.load(folder), verify(folder)
        scores = ", ".join(f"{row.name} {row.score:.1f}" for row in check(held_out).scored)
        print(f"{one.name}: {len(held_out.corpus)} passages, {len(held_out.queries)} queries, {digest[:12]}…; nDCG@10: {scores}")
        for problem in problems:
            print(f"  {problem}")
        status = max(status, int(bool(problems)))
    return status


if __name__ == "__main__":
    raise SystemExit(main())
