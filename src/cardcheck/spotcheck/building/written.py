"""A set on the disk, in the layout of the packaged ones: written whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.heldout import ABOUT, FILES, content_hash

if TYPE_CHECKING:
    from collections.abc import Mapping

REMOVED = "removed.jsonl"
OWN = frozenset((*FILES, ABOUT, REMOVED, "README.md", "LICENSE"))
NOTICE = "cardcheck held-out set, not for training: "


def fresh_canary() -> str:
    """Return a string that occurs nowhere yet; who trains on the set trains on it."""
    return f"{NOTICE}{uuid4()}"


@dataclass(slots=True)
class Draft:
    """A set before it is written. Rows have `_id`, `text` and `metadata`; `about` is what set.json says beside the hash."""

    about: dict[str, Any]
    corpus: list[dict[str, Any]]
    queries: list[dict[str, Any]]
    qrels: dict[str, dict[str, int]]
    readme: str
    removed: list[dict[str, Any]] = field(default_factory=list)
    license_text: str = ""


def write_set(draft: Draft, folder: Path, *, replace: bool = False) -> str:
    """Write a set and return its hash. What stands in the folder before stays until the new one is complete.

    Raises CardcheckError where the folder is there and is not to be replaced, is no set, or cannot be written.
    """
    check_target(folder, replace=replace)
    canary = {"canary": draft.about["canary"]}
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.") as temporary:
            new, old = Path(temporary, "new"), Path(temporary, "old")
            new.mkdir()
            for name, rows in (("corpus.jsonl", draft.corpus), ("queries.jsonl", draft.queries)):
                _write(new / name, "".join(_line(row | {"metadata": {**row["metadata"], **canary}}) for row in rows))
            lines = [f"{query}\t{document}\t{grade}\n" for query, grades in draft.qrels.items() for document, grade in grades.items()]
            _write(new / "qrels.tsv", "query-id\tcorpus-id\tscore\n" + "".join(lines))
            digest = content_hash(new)
            _write(new / ABOUT, json.dumps(_with_hash(draft.about, digest), indent=2, ensure_ascii=False) + "\n")
            _write(new / "README.md", draft.readme)
            if draft.removed:
                _write(new / REMOVED, "".join(_line(row) for row in draft.removed))
            if draft.license_text:
                _write(new / "LICENSE", draft.license_text)
            if folder.exists():
                folder.rename(old)
            new.rename(folder)
    except OSError as error:
        raise CardcheckError(f"cannot write {folder}: {error.strerror}") from None
    return digest


def check_target(folder: Path, *, replace: bool) -> None:
    """Raise CardcheckError where a set cannot be written there, before any work is done."""
    if not folder.exists():
        above = next(parent for parent in folder.absolute().parents if parent.exists())
        if not above.is_dir():
            raise CardcheckError(f"{folder} cannot be made: {above} is no folder", hint="name a folder that is not there yet")
        return
    is_set = (folder / ABOUT).is_file()
    if not folder.is_dir() or (any(folder.iterdir()) and not is_set):
        raise CardcheckError(f"{folder} is there and is no held-out set", hint="name a folder that is not there yet")
    if is_set and not replace:
        raise CardcheckError(f"{folder} is there already", hint="replace it with --force, or name another folder")
    if others := sorted(path.name for path in folder.iterdir() if path.name not in OWN):
        hint = "move it elsewhere, or name another folder"
        raise CardcheckError(f"{folder} holds {others[0]}, which is no file of a set and would be lost", hint=hint)


def _with_hash(about: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """Return what set.json says, with the hash where the packaged sets have it: before the provenance."""
    first = {key: value for key, value in about.items() if key != "provenance"}
    return {**first, "sha256": digest, **({"provenance": about["provenance"]} if "provenance" in about else {})}


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").replace("\x85", "\\u0085") + "\n"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="replace", newline="\n")  # half a surrogate pair is no text


def partial_folder(folder: Path) -> Path:
    """Return where a build keeps what took long, until its set is written."""
    return folder.parent / f".{folder.name}.partial"


def forget_partial(folder: Path) -> None:
    """Remove what a build kept."""
    shutil.rmtree(partial_folder(folder), ignore_errors=True)
