"""Whether the weights here are those on the Hub's main branch: by size, and in a folder by sha256."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from cardcheck.facts.located import Location
from cardcheck.facts.model import Source
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from pathlib import Path

    from cardcheck.facts.model import Facts
    from cardcheck.net.answers import File

MAX_HASHED = 5_000_000_000  # bytes of one subject; that takes some six seconds
SHA256 = Pattern(r"[0-9a-f]{64}")
SHOWN = 12  # digits of a hash


def collect_tree(facts: Facts, tree: list[File], folder: Path | None) -> None:
    """Fill the group `tree`. Where weights cannot be read or are too many to be hashed, it is unavailable unless something differs.

    Without a `folder` the weights are what huggingface_hub fetched, and their sizes alone are compared.
    """
    there = {file.path: file for file in tree}
    facts.set("tree.files", len(tree))
    alike: list[tuple[int, File]] = []
    sizes = _sizes(facts, folder)
    if not any(path in there for path in sizes):
        facts.sources["tree"] = Source("absent", "no weights of the same name are here and on the main branch")
        return
    for path, here in sizes.items():
        file = there.get(path)
        if file is None or not file.size:
            continue
        if file.size != here:
            facts.add("tree.differ", Location(path), path=path, here=f"{here} bytes", there=f"{file.size} bytes")
        elif SHA256.fullmatch(file.sha256):  # small files that the Hub keeps in git have none
            alike.append((here, file))
    if folder is not None:
        unread = _hashes(facts, folder, sorted(alike, key=lambda one: one[0]))
        if unread and not facts["tree.differ"]:
            facts.sources["tree"] = Source("unavailable", unread)


def _sizes(facts: Facts, folder: Path | None) -> dict[str, int]:
    """Return the sizes of weights that are here or were on the Hub, by their paths."""
    sizes: dict[str, int] = {row["path"]: row["bytes"] for row in facts["weights.safetensors"] + facts["weights.pickle"]}
    for path in facts["weights.onnx"] + facts["weights.gguf"] if folder is not None else ():
        try:
            sizes[path] = (folder / path).stat().st_size
        except OSError:  # it was there a moment ago
            continue
    return sizes


def _hashes(facts: Facts, folder: Path, alike: list[tuple[int, File]]) -> str:
    """Note weights that have another hash here than there; return why some were not looked at, empty where all were."""
    read = 0
    for at, (size, file) in enumerate(alike):
        read += size
        if read > MAX_HASHED:
            left = sum(size for size, _ in alike[at:]) / 1e9
            return f"the sha256 of weights of {left:.1f} GB, more than is hashed, was not held against the Hub's"
        try:
            with (folder / file.path).open("rb") as opened:
                here = hashlib.file_digest(opened, "sha256").hexdigest()
        except OSError as error:
            return f"{file.path} cannot be read: {error.strerror}"
        facts.set("tree.hashed", at + 1)
        if here != file.sha256:
            shown = {"here": f"sha256 {here[:SHOWN]}…", "there": f"sha256 {file.sha256[:SHOWN]}…"}
            facts.add("tree.differ", Location(file.path), path=file.path, **shown)
    return ""
