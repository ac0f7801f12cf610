"""Where documents come from: `[KIND:]WHERE` as the user writes it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.spotcheck.building import arxiv, debian, folders, rustsec, tables, wikipedia

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cardcheck.spotcheck.building.answers import Asking
    from cardcheck.spotcheck.building.document import Source

KINDS = ("folder", "beir", "table", "arxiv", "wikipedia", "debian", "rustsec")


def read_source(given: str, asking: Asking, fields: Mapping[str, str], older: tuple[Path, ...] = ()) -> Source:
    """Read a source. Raises CardcheckError where it is none, or holds nothing."""
    kind, colon, where = given.partition(":")
    if not colon or kind not in KINDS:
        kind, where = _kind_of(given), given
    readers: dict[str, Callable[[], Source]] = {
        "folder": lambda: folders.read_folder(_existing(where)),
        "beir": lambda: tables.read_beir(_existing(where)),
        "table": lambda: tables.read_table(_existing(where), fields),
        "arxiv": lambda: arxiv.read_arxiv(where, asking),
        "wikipedia": lambda: wikipedia.read_wikipedia(where, asking),
        "debian": lambda: debian.read_debian(where, asking, older),
        "rustsec": lambda: rustsec.read_rustsec(where, asking),
    }
    source = readers[kind]()
    source.clean()
    return source


def _kind_of(given: str) -> str:
    path = _existing(given)
    if path.is_dir():
        return "beir" if tables.is_beir(path) else "folder"
    if tables.table_kind(path):
        return "table"
    if path.suffix.lower() in folders.KNOWN:
        return "folder"
    hint = f"name its kind before it, such as rustsec:{given}; kinds are {', '.join(KINDS)}"
    raise CardcheckError(f"what {given} is cannot be told from its name", hint=hint)


def _existing(where: str) -> Path:
    path = Path(where).expanduser()
    if not path.exists():
        raise CardcheckError(
            f"the source {where} does not exist", hint=f"a source is a path, or a kind and where it is: {', '.join(KINDS[3:])}"
        )
    return path
