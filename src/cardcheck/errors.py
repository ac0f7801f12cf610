"""The exception that reaches the user as a line, not as a traceback, and the two ways in which a question to the outside can fail."""

from __future__ import annotations


class CardcheckError(Exception):
    """Something the user can act on: what went wrong, and what to do next.

    The command line prints it as one line and exits with 2.
    """

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class UnavailableError(Exception):
    """The question could not be answered; the text says why, and what would help."""


class AbsentError(Exception):
    """What was asked for does not exist, or is not shown to us."""
