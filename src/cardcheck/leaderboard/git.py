"""The results repository through git, where it is installed: its last commit without history, in the cache folder, never checked out."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.leaderboard.sources import INSIDE, MAX_BYTES
from cardcheck.pattern import Pattern

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

NAMED = {"hub": "https://huggingface.co/datasets/mteb/results", "github": "https://github.com/embeddings-benchmark/results"}
ADDRESS = Pattern(r"(?:(?:https?|ssh|git|file)://|[\w.-]{1,64}@[\w.-]{1,255}:)[^\s\x00-\x1f]{1,2000}")
TIME = 3600  # seconds for fetching; the repository has 2 GB
ENVIRONMENT = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file",  # not ext, which runs a command that the address names
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}


def is_address(text: str) -> bool:
    """Tell whether a text names a git repository elsewhere."""
    return text in NAMED or ADDRESS.fullmatch(text) is not None


def is_bare(path: Path) -> bool:
    """Tell whether a folder is a git repository without a checkout."""
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and not (path / "results").exists()


@dataclass(frozen=True)
class Repository:
    """A git repository."""

    name: str
    cache: Path
    splits: bool = True

    @property
    def _folder(self) -> Path:
        return self.cache / "git" / hashlib.sha256(self.name.encode()).hexdigest()[:16]

    def state(self) -> str:
        """Fetch the last commit, and return its name."""
        folder = self._folder
        for left in folder.glob("*.lock"):  # of a fetch that was killed: who syncs holds the store's own lock
            left.unlink(missing_ok=True)
        self._run("init", "--quiet", "--bare", str(folder), at=None)
        address = NAMED.get(self.name, self.name)
        self._run("fetch", "--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--force", address, "+HEAD:refs/heads/results")
        return self._run("rev-parse", "refs/heads/results").decode().strip()

    def stamps(self) -> dict[str, str]:
        """Return each file with the name of its contents, which is a hash of them."""
        found: dict[str, str] = {}
        for line in self._run("ls-tree", "-r", "-z", "refs/heads/results").split(b"\0"):
            about, _, path = line.decode(errors="replace").partition("\t")
            mode, _, blob = about.partition(" blob ")
            if mode in ("100644", "100755") and (inside := INSIDE.search(path)):
                found[inside[1]] = blob
        return found

    def read(self, paths: Collection[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield the contents of some files, which one process of git hands out one after the other."""
        stamps = self.stamps()
        wanted = [(path, stamps[path]) for path in paths if path in stamps]
        with subprocess.Popen(  # noqa: S603  # no shell; the arguments are ours
            [_git(), "-C", str(self._folder), "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()
        ) as child:
            assert child.stdin is not None and child.stdout is not None  # noqa: S101, PT018  # both are pipes
            for path, blob in wanted:
                child.stdin.write(f"{blob}\n".encode())
                child.stdin.flush()
                yield path, _answer(child)
            child.stdin.close()

    def _run(self, *arguments: str, at: str | None = "") -> bytes:
        place = [] if at is None else ["-C", str(self._folder)]
        self.cache.mkdir(parents=True, exist_ok=True)
        try:
            done = subprocess.run(  # noqa: S603  # no shell
                [_git(), *place, "-c", "gc.autoDetach=false", *arguments],
                capture_output=True,
                env=_environment(),
                timeout=TIME,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CardcheckError(f"git had not fetched {self.name} after {TIME} seconds") from None
        if done.returncode:
            reason = done.stderr.decode(errors="replace").strip().splitlines() or ["it does not say why"]
            raise CardcheckError(f"git could not read {self.name}: {reason[-1][:300]}")
        return done.stdout


def _answer(child: subprocess.Popen[bytes]) -> bytes | None:
    """Return the next file that `git cat-file --batch` writes: a line with its size, that many bytes, and the end of a line."""
    assert child.stdout is not None  # noqa: S101  # it is a pipe
    head = child.stdout.readline().split()
    if len(head) != 3:
        return None
    size = int(head[2])
    text = child.stdout.read(min(size, MAX_BYTES + 1))
    rest = size - len(text)
    while rest > 0 and (skipped := child.stdout.read(min(rest, 1 << 20))):
        rest -= len(skipped)
    child.stdout.read(1)
    return text if size <= MAX_BYTES else None


def _git() -> str:
    found = shutil.which("git")
    if found is None:
        raise CardcheckError("git is not installed", hint="install it, or give a checkout or an archive of the results repository")
    return found


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_") or key in ("GIT_SSL_CAINFO", "GIT_SSH_COMMAND")}
    return kept | ENVIRONMENT
