"""The answers of a dated public source: from files that were kept, or from the network through the project's guarded client."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from cardcheck.errors import AbsentError, CardcheckError, UnavailableError
from cardcheck.spotcheck.building.document import Digest, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MAX_FILES = 10_000


@dataclass(slots=True)
class Asking:
    """How sources are asked: which hosts may lie on this machine, how many documents are wanted, how long to wait between answers."""

    allow: tuple[str, ...] = ()
    most: int = 1000
    after: str = ""
    pause: float = 3.0  # seconds; arXiv asks for three between requests, and nobody is hurt by them
    progress: Callable[[int, int], None] = lambda _done, _total: None
    _last: float = field(default=0.0, repr=False)

    @property
    def first(self) -> str:
        """The first day after the date."""
        return (date.fromisoformat(self.after) + timedelta(days=1)).isoformat()

    def get(self, url: str) -> bytes:
        """Return an answer. Raises CardcheckError with the reason, and what to do instead."""
        from cardcheck.net.download import Downloads

        if self._last:
            time.sleep(max(0.0, self._last + self.pause - time.monotonic()))
        try:
            return Downloads(self.allow).get(url)
        except (AbsentError, UnavailableError) as error:
            hint = "save the answers to files elsewhere, and name the folder instead of the address"
            raise CardcheckError(f"{url.partition('?')[0]} cannot be read: {error}", hint=hint) from None
        finally:
            self._last = time.monotonic()


def is_address(where: str) -> bool:
    """Tell whether a source is an address."""
    return where.startswith(("http://", "https://"))


def kept(where: str, suffixes: tuple[str, ...], digest: Digest) -> Iterator[tuple[str, bytes]]:
    """Yield name and contents of the files of a folder with one of the suffixes, or of the one file. Raises CardcheckError."""
    root = Path(where)
    if not root.exists():
        raise CardcheckError(f"{where} does not exist")
    files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.name.endswith(suffixes) and path.is_file())
    if not files:
        raise CardcheckError(f"{where} holds no file that ends in {' or '.join(suffixes)}")
    if len(files) > MAX_FILES:
        raise CardcheckError(f"{where} holds more than {MAX_FILES:,} files", hint="take a part of it")
    for path in files:
        data = read(path)
        name = path.relative_to(root).as_posix() if path != root else path.name
        digest.add(name, data)
        yield name, data
