"""The one exception that reaches the user as a line, not as a traceback."""

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
