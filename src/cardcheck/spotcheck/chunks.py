"""Finished chunks of an encoding on disk, from which an interrupted run goes on.

A chunk is written whole or not at all and carries its length and hash: one that was cut off or changed is made again. What a chunk is
of stands in the name of its folder, a hash over the model's files, the texts, the settings, the libraries and this package's own code.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

MAGIC = b"cardcheck-chunk-1\n"
HEADER = 512  # bytes at most
KEPT_BYTES = 2 << 30
NOT_HASHED = (".md", ".png", ".jpg", ".h5", ".msgpack", ".ot", "pytorch_model.bin", ".pt", ".ckpt", ".pkl")  # none of it is ever loaded
LEFT_OVER = 3600.0  # seconds: a half that old was left by a run that was killed


def key(model: Path | None, texts: Iterable[tuple[str, str]], settings: dict[str, Any]) -> str:
    """Return the name of an encoding: everything on which its vectors depend. `texts` gives (kind, text)."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):  # a checkout keeps its version while what it computes changes
        digest.update(b"\0code" + hashlib.sha256(path.read_bytes()).digest())
    for name, file in _files(model) if model else ():
        digest.update(b"\0file" + name.encode("utf-8", "surrogateescape") + file)
    for kind, text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(f"\0{kind} {len(data)}\n".encode() + data)
    return digest.hexdigest()[:32]


def _files(model: Path) -> Iterable[tuple[str, bytes]]:
    """Yield name and hash of the files a model may be loaded from."""
    for path in sorted(model.rglob("*")):
        name = path.relative_to(model)
        if name.parts[0] != ".git" and not path.name.lower().endswith(NOT_HASHED) and path.is_file():
            with path.open("rb") as file:
                yield str(name), hashlib.file_digest(file, "sha256").digest()


@dataclass(frozen=True, slots=True)
class Store:
    """The folder of one encoding; what cannot be written is not kept, and the encoding goes on."""

    folder: Path

    def open(self) -> None:
        """Make the folder, and mark it as used now."""
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            os.utime(self.folder)

    def load(self, name: str, rows: int) -> NDArray[np.float32] | None:
        """Return a chunk; None where there is none, or it is not whole, or not of so many rows."""
        import numpy as np

        try:
            data = (self.folder / f"{name}.chunk").read_bytes()
            if not data.startswith(MAGIC):
                return None
            end = data.index(b"\n", len(MAGIC), len(MAGIC) + HEADER)
            header, body = json.loads(data[len(MAGIC) : end]), data[end + 1 :]
            if header["sha256"] != hashlib.sha256(body).hexdigest() or header["rows"] != rows:
                return None
            return np.frombuffer(body, np.float32).reshape(rows, header["columns"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, name: str, vectors: NDArray[np.float32]) -> bool:
        """Keep a chunk; tell whether it was written."""
        body = vectors.tobytes()
        header = {"rows": vectors.shape[0], "columns": vectors.shape[1], "sha256": hashlib.sha256(body).hexdigest()}
        return self._write(f"{name}.chunk", MAGIC + json.dumps(header).encode() + b"\n" + body)

    def load_facts(self, name: str) -> dict[str, Any] | None:
        """Return what was decided or found with an encoding; None where that is not there or not whole."""
        try:
            found = json.loads((self.folder / f"{name}.json").read_bytes())
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def save_facts(self, name: str, facts: dict[str, Any]) -> None:
        """Keep what was decided or found with an encoding."""
        self._write(f"{name}.json", json.dumps(facts).encode())

    def _write(self, name: str, data: bytes) -> bool:
        half = self.folder / f".{name}.{os.getpid()}"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)  # another process may have pruned it
            with half.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            half.replace(self.folder / name)
        except OSError:
            with contextlib.suppress(OSError):
                half.unlink(missing_ok=True)
            return False
        return True


def prune(folder: Path, keep: str, most: int = KEPT_BYTES) -> None:
    """Remove the encodings in `folder` that were not used for longest, and halves that a killed run left, until `most` bytes remain."""
    left = most
    with contextlib.suppress(OSError):
        found = [path for path in folder.iterdir() if path.is_dir()]
        for path in sorted(found, key=lambda path: (path.name != keep, -path.stat().st_mtime)):
            for half in path.glob(".*"):
                if half.stat().st_mtime < time.time() - LEFT_OVER:
                    half.unlink(missing_ok=True)
            left -= sum(file.stat().st_size for file in path.iterdir())
            if left < 0 and path.name != keep:
                shutil.rmtree(path, ignore_errors=True)
