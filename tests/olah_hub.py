"""olah, a mirror of the Hub, as the Hub of a test: it serves git repositories of this machine, with their files in Git LFS.

It knows the revisions, trees, commits and files of a repository. The rest it does not know (a model without a revision, owners, papers,
discussions, scans), and HubDouble answers that: `Olah.answer` is what it takes as `behind`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
from werkzeug import Response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug import Request

PROGRAM = Path(sys.executable).parent / "olah-cli"
SERVED = re.compile(r"/api/models/(?P<of_api>[^/]+/[^/]+)/(?:revision|tree|commits)/.+|/(?P<of_file>[^/]+/[^/]+)/resolve/.+")
HOP_BY_HOP = frozenset({"connection", "transfer-encoding", "date", "server"})
START_SECONDS = 60
SETTINGS = """\
[basic]
host = "127.0.0.1"
port = 0
repos-path = "{folder}/cache"
mirrors-path = ["{folder}/mirrors"]

[accessibility]
offline = true
"""
# Whoever runs the tests may sign commits, use LFS' filters, or be in the middle of a commit.
ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "HF_", "HUGGING", "OLAH_"))} | {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


@dataclass(frozen=True, slots=True)
class Olah:
    """A server that runs: its folder, which holds the repositories and its log, and its address."""

    folder: Path
    url: str

    def commit(self, name: str, source: Path, title: str) -> str:
        """Make the files of the folder `source` the next commit of a model's main branch, weights in LFS; return its hash."""
        repository = self.folder / "mirrors" / "models" / name
        if not repository.is_dir():
            repository.mkdir(parents=True)
            _git(repository, "init", "--quiet", "--initial-branch", "main")
        for path in (path for path in source.rglob("*") if path.is_file()):
            target = repository / path.relative_to(source)
            target.parent.mkdir(exist_ok=True, parents=True)
            if path.suffix == ".safetensors":
                target.write_bytes(_stored(repository, path))
            else:
                shutil.copyfile(path, target)
        _git(repository, "add", "--all")
        _git(repository, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--quiet", "--message", title)
        return _git(repository, "rev-parse", "HEAD")

    def answer(self, request: Request) -> Response | None:
        """Hand a request on, the token with it as the Hub would get it; None where this is not for olah."""
        served = SERVED.fullmatch(request.path)
        if served is None or not (self.folder / "mirrors" / "models" / (served["of_api"] or served["of_file"])).is_dir():
            return None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in ("host", "accept-encoding")}
        address = f"{self.url}{request.full_path.rstrip('?')}"
        with httpx2.Client(trust_env=False, follow_redirects=True, timeout=START_SECONDS) as client:
            found = client.request(request.method, address, headers=headers | {"accept-encoding": "identity"})
        kept = [(name, value) for name, value in found.headers.multi_items() if name.lower() not in HOP_BY_HOP]
        return Response(found.content or None, status=found.status_code, headers=kept)  # b"" would set the length that HEAD tells to 0

    def log(self) -> str:
        """Return all that it wrote: its log, and what it printed."""
        files = [*(self.folder / "logs").iterdir(), self.folder / "printed.txt"]
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


@contextmanager
def started(folder: Path) -> Iterator[Olah]:
    """Run olah in an empty folder, on a port that it finds itself."""
    settings, printed = folder / "olah.toml", folder / "printed.txt"
    settings.write_text(SETTINGS.format(folder=folder.as_posix()), encoding="utf-8")
    with printed.open("wb") as out:
        server = subprocess.Popen([PROGRAM, "--config", settings], cwd=folder, env=ENVIRONMENT, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield Olah(folder, _address(server, printed))
    finally:
        server.terminate()
        server.wait(timeout=START_SECONDS)


def _address(server: subprocess.Popen[bytes], printed: Path) -> str:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        if found := re.search(r"running on (http://127\.0\.0\.1:\d+)", printed.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(0.05)
    raise AssertionError(f"olah does not start: {printed.read_text(encoding='utf-8')[-2000:]}")


def _stored(repository: Path, path: Path) -> bytes:
    """Put a file into the repository's LFS store, as a link, and return the pointer that is committed in its place."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    place = repository / ".git" / "lfs" / "objects" / digest[:2] / digest[2:4] / digest
    if not place.exists():
        place.parent.mkdir(parents=True)
        place.symlink_to(path.resolve())
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {path.stat().st_size}\n".encode()


def _git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=repository, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    return done.stdout.strip()
