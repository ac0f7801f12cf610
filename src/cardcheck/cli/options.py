"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


FOLDER = click.Path(path_type=Path)
OPTIONS = (
    click.option("--id", "hub_id", metavar="ORG/NAME", help="The Hub repository that a folder is a copy of."),
    click.option("--rules", multiple=True, metavar="DIR", type=FOLDER, help="A further folder of rules; may be repeated."),
    click.option(
        "--profile",
        type=click.Choice(["default", "strict"]),
        default="default",
        show_default=True,
        help="strict adds what many would call pedantic.",
    ),
    click.option(
        "--fail-on",
        type=click.Choice(["error", "warning", "note", "never"]),
        default="warning",
        show_default=True,
        help="Exit with 1 for findings of this severity or above.",
    ),
    click.option("--offline", is_flag=True, help="Use the local Hub cache; make no request."),
)


def judging(command: Command) -> Command:
    """Add the options of every command that judges by rules."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command
