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
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardcheck.errors import CardcheckError
from cardcheck.pattern import Pattern
from cardcheck.spotcheck.building.queries import ANSWERS, Query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cardcheck.spotcheck.building.passages import Passage

MAX_OUTPUT = 100_000  # bytes of one answer
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
    """The queries that were had, a line a passage, so that a build that was interrupted goes on where it was."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.had: dict[str, list[str]] = {}
        with contextlib.suppress(FileNotFoundError):
            for line in path.read_text(encoding="utf-8").split("\n"):
                with contextlib.suppress(ValueError, KeyError, TypeError):  # the last line may be half
                    row = json.loads(line)
                    self.had[row["key"]] = [str(text) for text in row["queries"]]

    def add(self, key: str, queries: list[str]) -> None:
        """Keep an answer; it is on the disk when this returns."""
        self.had[key] = queries
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as file:
            # begins its own line: the one before may have been cut short
            file.write("\n" + json.dumps({"key": key, "queries": queries}, ensure_ascii=False))
            file.flush()
            os.fsync(file.fileno())


def from_command(
    passages: Sequence[Passage],
    numbers: Sequence[int],
    command: Command,
    answers: Answers,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Query]:
    """Ask for queries, passage by passage. Raises CardcheckError that names the passage for which the command failed."""
    arguments = command.arguments()
    queries = []
    for done, number in enumerate(numbers):
        progress(done, len(numbers))
        passage = passages[number]
        key = hashlib.sha256(f"{command.line}\0{passage.text}".encode()).hexdigest()
        if key not in answers.had:
            try:
                answers.add(key, _lines(_run(arguments, passage.text, command.seconds)))
            except CardcheckError as error:
                raise CardcheckError(
                    f"--query-command failed for the passage {passage.where}: {error.message}",
                    hint=f"{done} of {len(numbers)} passages are done and kept; the same build goes on from there",
                ) from None
        queries += [Query(text, {number: ANSWERS}, "command", passage.domain) for text in answers.had[key][: command.most]]
    progress(len(numbers), len(numbers))
    return queries


def _run(arguments: list[str], text: str, seconds: float) -> bytes:
    """Return what a command prints. Raises CardcheckError where it fails, prints too much or takes too long."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as errors:
        given.write(text.encode("utf-8", "replace"))
        given.seek(0)
        try:
            child = subprocess.Popen(  # noqa: S603  # the user's own command, and no shell
                arguments, stdin=given, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
            )
        except OSError as error:
            raise CardcheckError(f"{arguments[0]} cannot be run: {error.strerror}") from None
        late = threading.Event()
        timer = threading.Timer(seconds, _stop, (child, late))
        timer.start()
        try:
            printed = child.stdout.read(MAX_OUTPUT + 1) if child.stdout else b""
            if len(printed) > MAX_OUTPUT:
                raise CardcheckError(f"it printed more than {MAX_OUTPUT:,} bytes")
            child.wait()
        finally:
            timer.cancel()
            _kill(child)
            if child.stdout:
                child.stdout.close()
            child.wait()
        if late.is_set():
            raise CardcheckError(f"it took longer than {seconds:g} s")
        if child.returncode:
            errors.seek(0)
            told = errors.read(4000).decode("utf-8", "replace").strip().splitlines()[-1:]
            raise CardcheckError(f"it ended with {child.returncode}{': ' + told[0][:200] if told else ''}")
        return printed


def _stop(child: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    _kill(child)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the command and what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)


def _lines(printed: bytes) -> list[str]:
    lines = (MARK.sub("", line.strip()).strip().strip(QUOTES).strip() for line in printed.decode("utf-8", "replace").splitlines())
    return [" ".join(line.split()) for line in lines if line and len(line) <= MAX_QUERY]
