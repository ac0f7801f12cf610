"""The user's cache folder: what cardcheck can make again, and would rather not with every start.

Whatever is kept here is named after what it was made of. Without the folder everything works, only later.
"""

from __future__ import annotations

import os
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

KEPT = 8  # files of a kind; an editor's preview, a checkout and an installation do not push each other out


def cache_folder() -> Path | None:
    """Return where cardcheck keeps what it can make again; None where the user wants no such folder (`CARDCHECK_CACHE` is empty)."""
    if (given := os.environ.get("CARDCHECK_CACHE")) is not None:
        return Path(given) if given else None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")  # noqa: PTH111  # an unknown home must not raise
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(base) / "cardcheck" if base and not base.startswith("~") else None


def made_of(files: Iterable[str | Path], *words: str) -> str:
    """Return a name for what is made of these files as they are now, by their sizes and times of change, and of these words.

    Raises OSError for a file that is not there.
    """
    digest = sha256("\0".join(words).encode())
    for path in files:
        status = os.stat(path)  # noqa: PTH116  # hundreds of them with every start
        digest.update(os.fsencode(path) + f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()[:32]


def load(kind: str, name: str) -> bytes | None:
    """Return what is kept under a name; None where nothing is, or it cannot be read, or is not what was kept.

    A hash in its first line shows damage. Whoever may write in this folder is trusted, as with Python's own compiled modules.
    """
    folder = cache_folder()
    if folder is None:
        return None
    path = folder / f"{kind}-{name}"
    try:
        if not path.is_file():  # a pipe would be waited for
            return None
        digest, _, kept = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    return kept if digest == _digest(kept) else None


def sealed(kept: bytes) -> bytes:
    """Return the content of a file: the hash, and what is kept."""
    return _digest(kept) + b"\n" + kept


def _digest(kept: bytes) -> bytes:
    return sha256(kept).hexdigest().encode("ascii")


def save(kind: str, name: str, text: str) -> None:
    """Keep ASCII text under a name, whole or not at all; where the folder cannot be written, nothing is kept."""
    folder = cache_folder()
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        half = folder / f".{kind}-{name}.{os.getpid()}"
        half.write_bytes(sealed(text.encode("ascii")))
        half.replace(folder / f"{kind}-{name}")
        old = sorted(folder.glob(f"{kind}-*"), key=lambda path: path.stat().st_mtime, reverse=True)[KEPT:]
        for path in old:
            path.unlink(missing_ok=True)
    except OSError:
        return
