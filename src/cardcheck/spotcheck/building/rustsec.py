"""RustSec: security advisories as its database has them, Markdown that begins with a block of TOML, in a folder or an archive."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import tomllib
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.pattern import Pattern
from cardcheck.spotcheck.building.answers import Asking, is_address, kept
from cardcheck.spotcheck.building.document import MAX_FILE, Digest, Document, Section, Source, decode, iso_date, paragraphs, read, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

LICENSE = "CC0-1.0"
MAX_ADVISORY, MAX_ADVISORIES = 200_000, 50_000
BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error)
# The block is fenced in today's files; those of before 2021 had it between lines of +++.
FRONT = Pattern(r"\A\s{0,99}(?:```toml|\+\+\+)[ \t]{0,9}\n(.{0,50000}?)\n(?:```|\+\+\+)[ \t]{0,9}\n", 16)  # re.DOTALL
TITLE = Pattern(r"\A\s{0,99}#[ \t]{1,9}([^\n]{1,300})\n")


def read_rustsec(where: str, asking: Asking) -> Source:
    """Read advisories from a folder, a zip or tar archive, or an archive at an address. Raises CardcheckError."""
    digest = Digest()
    source = Source("rustsec", where, [], "", license=LICENSE)
    for name, data in _files(where, asking, digest):
        found = _advisory(name, decode(data, name))
        if isinstance(found, str):
            source.skipped.append((name, found))
        else:
            source.documents.append(found)
    if not source.documents:
        raise CardcheckError(f"rustsec:{where} has no advisory", hint="it is a folder or archive of RUSTSEC-….md")
    source.documents = source.documents[: asking.most]
    source.sha256 = digest.hex()
    return source


def _files(where: str, asking: Asking, digest: Digest) -> Iterator[tuple[str, bytes]]:
    path = Path(where)
    if is_address(where) or path.is_file():
        data = unpack(where, asking.get(where)) if is_address(where) else read(path)
        digest.add(where.rpartition("/")[2], data)
        yield from _members(where, data)
        return
    for name, data in kept(where, (".md",), digest):
        if name.rpartition("/")[2].startswith("RUSTSEC-"):
            yield name, data


def _members(where: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the advisories of an archive, none of them larger than one is, and not more than there can be."""
    size = 0
    try:
        for name, member in _zipped(data) if zipfile.is_zipfile(io.BytesIO(data)) else _tarred(data):
            size += len(member)
            if size > MAX_FILE:
                raise CardcheckError(f"{where} is larger than {MAX_FILE:,} bytes when unpacked")
            yield name, member
    except (*BROKEN, OSError, EOFError, ValueError, RuntimeError) as error:  # RuntimeError: packed in a way that is not known, or locked
        raise CardcheckError(f"{where} is no archive that can be read: {str(error)[:100]}") from None


def _zipped(data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for info, _ in zip(filter(lambda one: _named(one.filename), archive.infolist()), range(MAX_ADVISORIES), strict=False):
            with archive.open(info) as file:
                yield info.filename, file.read(MAX_ADVISORY)


def _tarred(data: bytes) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member, _ in zip(archive, range(10 * MAX_ADVISORIES), strict=False):
            file = archive.extractfile(member) if member.isfile() and _named(member.name) else None
            if file:
                yield member.name, file.read(MAX_ADVISORY)


def _named(name: str) -> bool:
    return name.rpartition("/")[2].startswith("RUSTSEC-") and name.endswith(".md")


def _advisory(name: str, text: str) -> Document | str:
    """Return an advisory, or why it is none."""
    front = FRONT.match(text)
    try:
        about = tomllib.loads(front[1]).get("advisory") if front else None
    except (ValueError, RecursionError):  # a number of 5,000 digits is no fault of TOML's
        about = None
    if front is None or not isinstance(about, dict):
        return "it is no advisory"
    if about.get("withdrawn"):
        return "it was withdrawn"
    body = text[front.end() :]
    found = TITLE.match(body)
    title, body = (found[1].strip(), body[found.end() :]) if found else (str(about.get("title") or ""), body)
    categories = about.get("categories")
    domain = str(categories[0]) if isinstance(categories, list) and categories else ""
    where = str(about.get("id") or name)
    license_ = str(about.get("license") or LICENSE)
    return Document(title, (Section("", paragraphs(body)),), where, iso_date(about.get("date")), domain, license_)
