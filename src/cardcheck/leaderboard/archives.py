"""Archives of the results repository: .tar with .gz, .zst or neither, and .zip. They are read through, never unpacked."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardcheck.errors import CardcheckError
from cardcheck.leaderboard.sources import INSIDE, MAX_BYTES, MAX_FILES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from cardcheck.leaderboard.sources import Source

MAX_TOTAL = 64_000_000_000  # bytes; the results repository has 2 billion
TARS = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst")


def find(path: Path) -> Source:
    """Return the source for an archive. Raises CardcheckError for another kind of file."""
    name = path.name.lower()
    if name.endswith(TARS):
        return Tar(str(path.absolute()), path)
    if name.endswith(".zip"):
        return Zip(str(path.absolute()), path)
    raise CardcheckError(
        f"{path} is no archive that is known", hint="it ends in .tar.zst, .tar.gz, .tar or .zip; a table goes with --table"
    )


def _state(path: Path) -> str:
    about = path.stat()
    return f"{about.st_size}:{about.st_mtime_ns}"


@dataclass(frozen=True)
class Tar:
    """A tar archive, compressed or not. Listing it means to read through it."""

    name: str
    path: Path
    splits: bool = False  # it is one stream

    def state(self) -> str:
        """Return the archive's size and time of change."""
        return _state(self.path)

    def stamps(self) -> dict[str, str]:
        """Return each file's size and time of change as the archive states them."""
        with self._opened() as tar:
            return {path: f"{member.size}:{member.mtime}" for path, member in self._members(tar)}

    def read(self, paths: Collection[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield the contents of some files."""
        wanted = frozenset(paths)
        with self._opened() as tar:
            for path, member in self._members(tar):
                if path in wanted:
                    file = tar.extractfile(member) if member.size <= MAX_BYTES else None
                    yield path, file.read(MAX_BYTES) if file else None

    def _members(self, tar: tarfile.TarFile) -> Iterator[tuple[str, tarfile.TarInfo]]:
        total = 0
        for count, member in enumerate(tar):
            tar.members.clear()  # type: ignore[attr-defined]  # which it keeps, and grow with every file
            total += member.size
            if count > MAX_FILES or total > MAX_TOTAL:
                raise CardcheckError(f"{self.path} has over {MAX_FILES} files or {MAX_TOTAL} bytes")
            if member.isreg() and (found := INSIDE.search(member.name)):
                yield found[1], member

    @contextmanager
    def _opened(self) -> Iterator[tarfile.TarFile]:
        try:
            with self.path.open("rb") as file, _plain(self.path.name.lower(), file) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
                yield tar
        except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
            raise CardcheckError(f"{self.path} cannot be read: {error}") from None


@contextmanager
def _plain(name: str, file: Any) -> Iterator[Any]:
    """Open what is inside a compressed file."""
    if name.endswith((".gz", ".tgz")):
        import gzip

        with gzip.open(file) as inner:
            yield inner
    elif name.endswith("zst"):
        import zstandard

        try:
            with zstandard.ZstdDecompressor().stream_reader(file) as inner:
                yield inner
        except zstandard.ZstdError as error:
            raise OSError(str(error)) from None
    else:
        yield file


@dataclass(frozen=True)
class Zip:
    """A zip archive."""

    name: str
    path: Path
    splits: bool = True

    def state(self) -> str:
        """Return the archive's size and time of change."""
        return _state(self.path)

    def stamps(self) -> dict[str, str]:
        """Return each file's size and checksum."""
        with self._opened() as archive:
            if len(archive.filelist) > MAX_FILES:
                raise CardcheckError(f"{self.path} has over {MAX_FILES} files")
            return {path: f"{info.file_size}:{info.CRC:x}" for path, info in self._members(archive)}

    def read(self, paths: Collection[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield the contents of some files."""
        wanted = frozenset(paths)
        with self._opened() as archive:
            for path, info in self._members(archive):
                if path in wanted:
                    yield path, self._contents(archive, info)

    @staticmethod
    def _contents(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes | None:
        """Return a member, of which no more is unpacked than a file may have, whatever the archive states."""
        try:
            with archive.open(info) as file:
                text = file.read(MAX_BYTES + 1)
        except (zipfile.BadZipFile, OSError, EOFError, zlib.error, RuntimeError, NotImplementedError):
            return None
        return text if len(text) <= MAX_BYTES else None

    @staticmethod
    def _members(archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
        for info in archive.infolist():
            if not info.is_dir() and (found := INSIDE.search(info.filename)):
                yield found[1], info

    @contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                yield archive
        except (zipfile.BadZipFile, OSError) as error:
            raise CardcheckError(f"{self.path} cannot be read: {error}") from None
