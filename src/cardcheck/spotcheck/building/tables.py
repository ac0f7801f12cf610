"""Rows of JSONL, CSV and Parquet, and folders in BEIR layout."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.building.document import MAX_DOCUMENTS, Digest, Document, Section, Source, decode, iso_date, paragraphs, read
from cardcheck.spotcheck.setfiles import MAX_GRADE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# The names under which a column is looked for, the first that a row has; the user may name another with --field.
FIELDS: dict[str, tuple[str, ...]] = {
    "text": ("text", "body", "content", "passage", "document", "answer", "abstract"),
    "title": ("title", "heading", "name", "subject"),
    "query": ("query", "queries", "question", "questions"),
    "date": ("date", "published", "created", "created_at", "timestamp"),
    "domain": ("domain", "category", "topic"),
    "id": ("_id", "id", "docid", "doc_id"),
}
QUERIES = frozenset((*FIELDS["query"], "anchor"))  # what sentence-transformers calls a query to train on
DEEP = 6  # lists and objects within each other in a row, the row among them
TABLES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet"}
csv.field_size_limit(10_000_000)


def table_kind(path: Path) -> str | None:
    """Return which kind of table a file is by its name; None where it is none."""
    name = path.name.removesuffix(".gz").removesuffix(".xz").removesuffix(".bz2")
    return TABLES.get(Path(name).suffix.lower())


def read_table(path: Path, named: Mapping[str, str]) -> Source:
    """Read rows as documents; a row that has queries stays whole. `named` are columns that the user named. Raises CardcheckError."""
    kind = table_kind(path) or "jsonl"
    data = read(path)
    source = Source(kind, str(path), [], _hash(path.name, data))
    columns = {field: (named[field],) if field in named else names for field, names in FIELDS.items()}
    missing, first = dict(named), list[str]()
    for number, row in enumerate(_rows(kind, path, data), 1):
        missing = {field: column for field, column in missing.items() if column not in row}
        first = first or [str(column)[:50] for column in row][:20]
        document = _document(row, columns, f"{path.name}:{number}")
        if document is None:
            source.skipped.append((f"{path.name}:{number}", f"it has no {' or '.join(columns['text'])}"))
            continue
        source.documents.append(document)
        if len(source.documents) > MAX_DOCUMENTS:
            raise CardcheckError(f"{path} has more than {MAX_DOCUMENTS:,} rows", hint="take a part of it")
    for field, column in missing.items():
        hint = f"its columns are {', '.join(first)}; name one with --field {field}=COLUMN"
        raise CardcheckError(f"no row of {path} has a column {column!r}", hint=hint)
    if not source.documents:
        hint = f"looked for {', '.join(columns['text'])}; name the column with --field text=COLUMN"
        raise CardcheckError(f"no row of {path} has a text", hint=hint)
    return source


def texts_of(path: Path) -> Iterator[tuple[bool, str]]:
    """Yield every text in a table, whatever its columns are called, and whether it is a query. Raises CardcheckError.

    A query is what stands in a column of queries, or in a file that is called so, or whose folder is.
    """
    queries = any(name.lower().startswith(("queries", "questions")) for name in (path.name, path.parent.name))
    for row in _rows(table_kind(path) or "jsonl", path, read(path)):
        yield from _texts(row, queries)


def _texts(value: object, queries: bool, depth: int = 0) -> Iterator[tuple[bool, str]]:  # noqa: FBT001  # part of what is yielded
    if isinstance(value, str):
        yield queries, value
    elif depth < DEEP and isinstance(value, dict):
        for key, one in value.items():
            if key not in FIELDS["id"]:
                yield from _texts(one, queries or key in QUERIES, depth + 1)
    elif depth < DEEP and isinstance(value, list):
        for one in value:
            yield from _texts(one, queries, depth + 1)


def _hash(name: str, data: bytes) -> str:
    digest = Digest()
    digest.add(name, data)
    return digest.hex()


def _rows(kind: str, path: Path, data: bytes) -> Iterator[Mapping[str, Any]]:
    if kind == "csv":
        yield from _csv(path, decode(data, str(path)))
    elif kind == "parquet":
        yield from _parquet(path, data)
    else:
        yield from rows_of(path, data)


def rows_of(path: Path, data: bytes) -> Iterator[dict[str, Any]]:
    """Yield the objects of JSON lines. Raises CardcheckError with the line of the first that is none."""
    for _, row in _numbered(path, data):
        yield row


def _numbered(path: Path, data: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(data.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise CardcheckError(f"{path}:{number} is no JSON object")
        yield number, row


def _csv(path: Path, text: str) -> Iterator[Mapping[str, Any]]:
    try:
        yield from csv.DictReader(io.StringIO(text), delimiter="\t" if ".tsv" in path.name else ",")
    except csv.Error as error:
        raise CardcheckError(f"{path} is no CSV that can be read: {error}") from None


def _parquet(path: Path, data: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise CardcheckError("reading Parquet needs pyarrow", hint="pip install 'cardcheck[heldout]'") from None
    try:
        for batch in parquet.ParquetFile(io.BytesIO(data)).iter_batches(1024):
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CardcheckError(f"{path} is no Parquet file that can be read: {str(error)[:200]}") from None


def _document(row: Mapping[str, Any], columns: Mapping[str, Iterable[str]], where: str) -> Document | None:
    def value(field: str) -> Any:
        return next((row[name] for name in columns[field] if row.get(name)), None)

    text = value("text")
    if not isinstance(text, str) or not text.strip():
        return None
    asked = value("query")
    queries = tuple(str(one).strip() for one in (asked if isinstance(asked, list) else [asked]) if one and str(one).strip())
    about = row.get("metadata") if isinstance(row.get("metadata"), dict) else {}
    return Document(
        title=str(value("title") or "").strip(),
        sections=(Section("", paragraphs(text)),),
        where=where,
        date=iso_date(value("date") or (about or {}).get("date")),
        domain=str(value("domain") or (about or {}).get("domain") or ""),
        key=str(value("id") or ""),
        queries=queries,
        whole=bool(queries),
    )


def is_beir(folder: Path) -> bool:
    """Tell whether a folder is in BEIR layout, the packaged sets' among it."""
    return (folder / "corpus.jsonl").is_file() and (folder / "queries.jsonl").is_file()


def read_beir(folder: Path) -> Source:
    """Read a folder in BEIR layout; only queries with judgements count. Titles become a part of the text, as MTEB has it.

    Raises CardcheckError.
    """
    if not is_beir(folder):
        raise CardcheckError(f"{folder} is no BEIR folder", hint="it has corpus.jsonl, queries.jsonl, and qrels/*.tsv or qrels.tsv")
    digest = Digest()
    read_files = {name: read(folder / name) for name in ("corpus.jsonl", "queries.jsonl")}
    found = sorted(folder.glob("qrels/*.tsv")) or sorted(folder.glob("qrels.tsv"))
    judgements = [path for path in found if path.is_file()]  # reading a pipe would never end
    if not judgements:
        raise CardcheckError(f"{folder} has no judgements", hint="a BEIR folder has qrels/*.tsv or qrels.tsv")
    source = Source("beir", str(folder), [], "")
    for path in judgements:
        data = read(path)
        digest.add(path.relative_to(folder).as_posix(), data)
        _judgements(path, decode(data, str(path)), source.judged)
    for name, data in read_files.items():
        digest.add(name, data)
    for key, row in _keyed(folder / "queries.jsonl", read_files["queries.jsonl"]):
        if key in source.judged and str(row.get("text") or "").strip():
            source.queries[key] = str(row["text"]).strip()
    for key, row in _keyed(folder / "corpus.jsonl", read_files["corpus.jsonl"]):
        text = f"{row.get('title') or ''} {row.get('text') or ''}".strip()
        about = row.get("metadata") if isinstance(row.get("metadata"), dict) else {}
        domain, date = (about or {}).get("domain") or "", (about or {}).get("date")
        source.documents.append(
            Document("", (Section("", (text,)),), f"corpus.jsonl:{key}", iso_date(date), str(domain), key=key, whole=True)
        )
    source.sha256 = digest.hex()
    return source


def _keyed(path: Path, data: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield rows with their ids. Raises CardcheckError where one has none, or another row's: which of them is judged is not known."""
    seen: set[str] = set()
    for number, row in _numbered(path, data):
        key = str(row["_id"]) if row.get("_id") is not None else ""
        if not key or key in seen:
            raise CardcheckError(f"{path}:{number} has {f'the _id {key[:50]} of another row' if key else 'no _id'}")
        seen.add(key)
        yield key, row


def _judgements(path: Path, text: str, judged: dict[str, dict[str, int]]) -> None:
    """Add the judgements of a file. Raises CardcheckError with the line of one that is none, or contradicts another."""
    for number, line in enumerate(text.split("\n"), 1):
        parts = line.split("\t") if "\t" in line else line.split()
        try:
            query, document, grade = parts if len(parts) == 3 else (parts[0], parts[2], parts[3])  # trec_eval's form has four
            value = float(grade)
        except (ValueError, IndexError):
            if number > 1 and line.strip():  # the first line may hold the names of the columns
                raise CardcheckError(f"{path}:{number} is no judgement: query, document and grade, with tabs between") from None
            continue
        if value.is_integer() and -MAX_GRADE <= value < 0:  # spam and the like in TREC's judgements: it does not answer
            value = 0.0
        if not (value.is_integer() and 0 <= value <= MAX_GRADE):
            said = f"the grade {grade[:20]} of the query {query[:20]} is no whole number from 0 to {MAX_GRADE}"
            raise CardcheckError(f"{path}:{number}: {said}", hint="what does not answer has 0, what answers a higher grade")
        if judged.setdefault(query, {}).setdefault(document, int(value)) != value:
            raise CardcheckError(f"{path}:{number}: {document[:50]} has another grade for the query {query[:20]} before")
