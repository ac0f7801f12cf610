"""Debian: what packages are, from lists of packages and of their translated descriptions (Packages, Translation-xx).

A package has no date: what an older release's list has is left out, and what is left is new since that release.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.pattern import Pattern
from cardcheck.spotcheck.building.answers import Asking, is_address, kept
from cardcheck.spotcheck.building.document import Digest, Document, Section, Source, decode, read, unpack

if TYPE_CHECKING:
    from collections.abc import Iterator

MIRROR = "https://deb.debian.org/debian/dists/sid/main/i18n/Translation-{}.bz2"
LANGUAGE = Pattern(r"[a-z]{2,3}(?:_[A-Z]{2})?")
EMPTY_LINE = Pattern(r"\n \.(?=\n|$)")
LICENSE = "the packages' own, mixed and free"
LISTS = tuple(f"{end}{packed}" for end in ("Packages",) for packed in ("", ".gz", ".xz", ".bz2"))


def read_debian(where: str, asking: Asking, older: tuple[Path, ...] = ()) -> Source:
    """Read descriptions from lists on this machine, or fetch those of a language. Raises CardcheckError."""
    digest = Digest()
    source = Source("debian", where, [], "", license=LICENSE)
    known = {package for path in older for package, _, _, _ in _descriptions(decode(read(path), str(path)))}
    seen: set[str] = set()
    old: set[str] = set()
    for name, data in _lists(where, asking, digest):
        for package, section, synopsis, text in _descriptions(decode(data, name)):
            if package in known:
                old.add(package)
            elif synopsis and text and package not in seen:
                seen.add(package)
                parts = tuple(" ".join(part.split()) for part in EMPTY_LINE.split(text))
                where_ = f"{name}: {package}"
                source.documents.append(Document(synopsis, (Section("", parts),), where_, "", section, LICENSE))
    if not source.documents:
        raise CardcheckError(f"debian:{where} has no description", hint="Packages of a release since 2012 has none: take Translation-en")
    source.skipped += [(f"{len(old)} packages", "an older release has them")] if old else []
    source.documents = source.documents[: asking.most]
    source.sha256 = digest.hex()
    return source


def _lists(where: str, asking: Asking, digest: Digest) -> Iterator[tuple[str, bytes]]:
    path = Path(where)
    if path.is_dir():
        found = sorted(
            one for one in path.rglob("*") if one.is_file() and (one.name.startswith("Translation-") or one.name.endswith(LISTS))
        )
        if not found:
            raise CardcheckError(f"{where} holds no Packages and no Translation-xx")
        for one in found:
            yield from kept(str(one), (), digest)
    elif path.exists():
        yield from kept(where, (), digest)
    elif is_address(where) or LANGUAGE.fullmatch(where):
        address = where if is_address(where) else MIRROR.format(where)
        data = asking.get(address)
        digest.add(address, data)
        yield address.rpartition("/")[2], unpack(address, data)
    else:
        raise CardcheckError(f"debian:{where} is neither there nor a language", hint="write debian:de, or name a file")


def _descriptions(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Yield package, section, synopsis and long description of each paragraph of a list (Debian policy, 5.1)."""
    for stanza in text.split("\n\n"):
        fields: dict[str, str] = {}
        name = ""
        for line in stanza.split("\n"):
            if line[:1] in (" ", "\t") and name:
                fields[name] += f"\n{line}"
            elif ":" in line:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
        described = next((key for key in fields if key.startswith("Description") and key != "Description-md5"), "")
        synopsis, _, long = fields.get(described, "").partition("\n")
        if package := fields.get("Package", ""):
            yield package, fields.get("Section", ""), synopsis.strip(), long
