"""Nothing of a model is read from outside of its folder: links and paths that leave it are refused before anything is loaded.

Libraries follow both, and what they say of a file that they cannot read may hold some of it.
"""

from __future__ import annotations

import json
import os
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from cardcheck.spotcheck.backends import UnsupportedError
from cardcheck.subject import CACHE_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

# Files in which a path may stand that a library opens. Others (config.json, tokenizer_config.json) hold paths that nobody follows.
NAMING = ("modules.json", "sentence_*_config.json", "router_config.json", "adapter_config.json", "*.index.json")


def require_inside(folder: Path) -> None:
    """Raise UnsupportedError where a link in the folder, or a path in its settings, leads out of it, or a link to a folder.

    Files of a snapshot in the Hub's cache are links to the `blobs` beside it, and may be.
    """
    allowed = [folder.resolve(), *_blobs(folder)]
    for path in _files(folder):
        name = str(path.relative_to(folder))
        if path.is_symlink() and not _leads_into(path, allowed):
            raise UnsupportedError(f"{name} is a link that leaves the model's folder, and is not followed")
        if any(fnmatch(path.name, pattern) for pattern in NAMING) and path.is_file():
            for text in _strings(_json(path)):
                way = PurePosixPath(text)
                if way.is_absolute() or ".." in way.parts or any(map(_passed_over, way.parts)):
                    raise UnsupportedError(f"{name} names {text[:100]!r}, which leaves the model's folder, and is not followed")


def _blobs(folder: Path) -> list[Path]:
    """Return where the Hub's cache keeps the files of this folder, if it is a snapshot there."""
    whole = Path(os.path.abspath(folder))  # noqa: PTH100  # resolve() would follow links
    entry = whole.parent.parent
    return [(entry / "blobs").resolve()] if whole.parent.name == "snapshots" and CACHE_FOLDER.match(entry.name) else []


def _passed_over(name: str) -> bool:
    """Tell whether a folder of this name is none of the model's: a virtual environment beside it is full of links that leave it."""
    return name.startswith(".") or name == "node_modules"


def _files(folder: Path) -> Iterator[Path]:
    """Yield files and links to files. Raises UnsupportedError for a link to a folder and for a folder that cannot be listed."""

    def fail(error: OSError) -> None:
        raise UnsupportedError(f"a folder of the model cannot be listed: {error.strerror}")

    for parent, folders, files in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not _passed_over(name)]
        for name in folders:
            if (path := Path(parent, name)).is_symlink():
                raise UnsupportedError(f"{path.relative_to(folder)} is a link to a folder, and is not followed")
        yield from (Path(parent, name) for name in files)


def _leads_into(link: Path, allowed: list[Path]) -> bool:
    try:
        target = link.resolve()
    except (OSError, RuntimeError):  # it leads to itself
        return False
    return any(target.is_relative_to(folder) for folder in allowed)


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):  # who loads it says what is wrong with it
        return None


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _strings(part)
