"""Where results are read from: a folder, an archive, or a git repository. Each lists its files with their states, and reads some of them.

Files are named as in the results repository: `results/OWNER__NAME/REVISION/TASK.json`, or with `experiments/NAME/` before the task.
Nothing is unpacked or checked out, and what is a link is left alone.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cardcheck.errors import CardcheckError
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

MAX_BYTES = 64_000_000  # of a file; the largest real one has 15 million
MAX_FILES = 2_000_000
INSIDE = Pattern(r"(?:^|/)(results/[^/]{1,300}/[^/]{1,300}/(?:experiments/[^/]{1,300}/)?[^/]{1,300}\.json)$")


class Source(Protocol):
    """What a sync reads."""

    @property
    def name(self) -> str:
        """What the source is known by."""

    @property
    def splits(self) -> bool:
        """Whether several processes may read from it at once."""

    def state(self) -> str:
        """Return the state of the whole where that is known without looking at every file, else nothing."""

    def stamps(self) -> dict[str, str]:
        """Return all files, each with its state."""

    def read(self, paths: Collection[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield the contents of some files, in any order; None for one that is too large or cannot be read."""


def find(text: str, cache: Path) -> Source:
    """Return the source that the user named. Raises CardcheckError where there is none."""
    from cardcheck.leaderboard import archives, git

    if git.is_address(text):
        return git.Repository(text, cache)
    path = Path(text).expanduser()
    if path.is_dir():
        return git.Repository(str(path.absolute()), cache) if git.is_bare(path) else Folder(str(path.absolute()))
    if not path.is_file():
        raise CardcheckError(
            f"{text} is no folder, no file and no address", hint="give a checkout, an archive, hub, github, or a git address"
        )
    return archives.find(path)


@dataclass(frozen=True)
class Folder:
    """A checkout of the results repository, or its folder `results`."""

    name: str
    splits: bool = True

    @property
    def _top(self) -> Path:
        inside = Path(self.name) / "results"
        return inside if inside.is_dir() else Path(self.name)

    def state(self) -> str:
        """Return nothing: a folder is known by its files only."""
        return ""

    def stamps(self) -> dict[str, str]:
        """Return each file's size and time of change."""
        found: dict[str, str] = {}
        for model in _folders(self._top):
            for revision in _folders(model.path):
                at = f"results/{model.name}/{revision.name}/"
                _list(revision.path, at, found)
                for experiment in _folders(f"{revision.path}/experiments"):
                    _list(experiment.path, f"{at}experiments/{experiment.name}/", found)
        return found

    def read(self, paths: Collection[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield the contents of some files."""
        top = str(self._top)
        for path in paths:
            yield path, _contents(f"{top}/{path.removeprefix('results/')}")


def _folders(path: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return [entry for entry in entries if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")]
    except OSError:
        return []


def _list(folder: str, at: str, found: dict[str, str]) -> None:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(".json") and entry.is_file(follow_symlinks=False):
                    about = entry.stat(follow_symlinks=False)
                    found[at + entry.name] = f"{about.st_size}:{about.st_mtime_ns}"
    except OSError:
        return
    if len(found) > MAX_FILES:
        raise CardcheckError(f"there are over {MAX_FILES} results files in {folder} and before")


def _contents(path: str) -> bytes | None:
    """Return a file's contents. It is opened first and looked at then, so that it cannot become a pipe in between."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    try:
        about = os.fstat(handle)
        if not stat.S_ISREG(about.st_mode) or about.st_size > MAX_BYTES:
            return None
        text = os.read(handle, about.st_size + 1)
        while len(text) < about.st_size and (more := os.read(handle, about.st_size - len(text))):
            text += more
    except OSError:
        return None
    else:
        return text
    finally:
        os.close(handle)
