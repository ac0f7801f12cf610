"""Queries from a command of the user's, any language model's among them: a passage on its input, one query a line on its output."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shlex
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.pattern import Pattern
from cardcheck.spotcheck.building.queries import ANSWERS, Dropped, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import IO

    from cardcheck.spotcheck.building.passages import Passage

MAX_OUTPUT = 100_000  # bytes of one answer
MAX_TOLD = 10_000_000  # bytes of what it tells beside, such as how far it is
LOOK = 0.02  # seconds between looks at how much a command has printed
MAX_QUERY = 500  # characters
# Models number what they list, and put it into quotes.
MARK = Pattern(r"^(?:[-*•]|\d{1,3}[.)])\s{1,9}")
QUOTES = "\"'“”„«»"


@dataclass(frozen=True, slots=True)
class Command:
    """The user's command: how long it may take for a passage, and how many of its queries are taken."""

    line: str
    seconds: float = 120.0
    most: int = 1

    def arguments(self) -> list[str]:
        """Return the command as a program and its arguments; no shell reads it. Raises CardcheckError."""
        try:
            parts = shlex.split(self.line)
        except ValueError as error:
            raise CardcheckError(f"--query-command {self.line!r} cannot be read: {error}") from None
        if not parts:
            raise CardcheckError("--query-command is empty")
        return parts


class Answers:
    """The queries that were had, a line a passage, so that a build that was interrupted goes on where it was.

    Raises CardcheckError where they cannot be read or kept.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.had: dict[str, list[str]] = {}
        try:
            lines = path.read_bytes().split(b"\n") if path.exists() else []
        except OSError as error:
            raise CardcheckError(f"cannot read {path}: {error.strerror}") from None
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):  # the last line may be half
                row = json.loads(line)
                self.had[row["key"]] = [str(text) for text in row["queries"]]

    def add(self, key: str, queries: list[str]) -> None:
        """Keep an answer; it is on the disk when this returns."""
        self.had[key] = queries
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                # begins its own line: the one before may have been cut short
                file.write("\n" + json.dumps({"key": key, "queries": queries}, ensure_ascii=False))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise CardcheckError(f"cannot write {self.path}: {error.strerror}") from None


def from_command(
    passages: Sequence[Passage],
    numbers: Sequence[int],
    command: Command,
    answers: Answers,
    dropped: Dropped,
    *,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Query]:
    """Ask for queries, passage by passage. Raises CardcheckError that names the passage for which the command failed.

    An answer of nothing is counted and not kept: the command may be mended, and is then asked again.
    """
    arguments = command.arguments()
    queries = []
    for done, number in enumerate(numbers):
        progress(done, len(numbers))
        passage = passages[number]
        # a surrogate stands for a byte of the command line that is no character
        key = hashlib.sha256(f"{command.line}\0{passage.text}".encode("utf-8", "surrogatepass")).hexdigest()
        if not (found := answers.had.get(key, [])):
            try:
                found = _lines(_run(arguments, passage.text, command.seconds))
            except CardcheckError as error:
                raise CardcheckError(
                    f"--query-command failed for the passage {passage.where}: {error.message}",
                    hint=f"{done} of {len(numbers)} passages are done, and what was answered is kept in {answers.path.parent}; "
                    "the same build goes on from there",
                ) from None
            if found:
                answers.add(key, found)
            else:
                dropped.counts["for which the command printed nothing"] += 1
        queries += [Query(text, {number: ANSWERS}, "command", passage.domain) for text in found[: command.most]]
    progress(len(numbers), len(numbers))
    return queries


def _run(arguments: list[str], text: str, seconds: float) -> bytes:
    """Return what a command prints. Raises CardcheckError where it fails, prints too much or takes too long.

    It prints into files: a pipe would be at its end only when all that the command started has ended too.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed, tempfile.TemporaryFile() as errors:
        given.write(text.encode("utf-8", "replace"))
        given.seek(0)
        try:
            child = subprocess.Popen(  # noqa: S603  # the user's own command, and no shell
                arguments, stdin=given, stdout=printed, stderr=errors, start_new_session=True
            )
        except (OSError, ValueError) as error:  # ValueError: a zero byte in an argument
            raise CardcheckError(f"{arguments[0]} cannot be run: {getattr(error, 'strerror', None) or error}") from None
        try:
            _wait(child, seconds, ((printed, MAX_OUTPUT), (errors, MAX_TOLD)))
        finally:
            _kill(child)
            child.wait()
        if child.returncode:
            errors.seek(0)
            told = errors.read(4000).decode("utf-8", "replace").strip().splitlines()[-1:]
            raise CardcheckError(f"it ended with {child.returncode}{': ' + told[0][:200] if told else ''}")
        printed.seek(0)
        return printed.read(MAX_OUTPUT)


def _wait(child: subprocess.Popen[bytes], seconds: float, files: Sequence[tuple[IO[bytes], int]]) -> None:
    """Wait until a command ends by itself. Raises CardcheckError where it is late, or one of its files grows too large."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(LOOK)
        for file, most in files:
            if os.fstat(file.fileno()).st_size > most:
                raise CardcheckError(f"it printed more than {most:,} bytes")
        if child.returncode is not None:
            return
        if time.monotonic() >= end:
            raise CardcheckError(f"it took longer than {seconds:g} s")


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the command and what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _lines(printed: bytes) -> list[str]:
    lines = (MARK.sub("", line.strip()).strip().strip(QUOTES).strip() for line in printed.decode("utf-8", "replace").splitlines())
    return [" ".join(line.split()) for line in lines if line and len(line) <= MAX_QUERY]
