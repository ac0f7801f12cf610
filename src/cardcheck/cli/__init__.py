"""The command line: parse, call, render. One file a command, loaded when it is called."""

from __future__ import annotations

import gc
import sys
from importlib import import_module
from typing import Any

import click

from cardcheck import __version__
from cardcheck.errors import CardcheckError

COMMANDS = ("audit", "lint", "rules", "heldout", "references", "probe", "leaderboard", "shortlist")
USAGE_ERROR = 2


class Lazy(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which people meet them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"cardcheck.cli.{cmd_name}").command
        return command


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cardcheck")
def cli() -> None:
    """Tell whether an embedding model's card and published scores can be believed."""


def main(args: list[str] | None = None) -> None:
    """Run the command line; a CardcheckError becomes one line and exit status 2, as does anything unexpected."""
    gc.set_threshold(100_000, 20, 50)  # starting makes many objects and no cycles; looking for some took a tenth of a short run
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that is not UTF-8 still gets the report
    try:
        cli.main(args=args, prog_name="cardcheck")
    except CardcheckError as error:
        _fail(error.message, error.hint)
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(130)
    except MemoryError:
        _fail("the memory of this machine does not suffice", "a smaller subject, --memory-limit, or a machine with more memory")
    except Exception as error:  # noqa: BLE001  # the last net: users get a line, not a traceback
        _fail(
            f"internal error: {type(error).__name__}: {error}",
            "set CARDCHECK_DEBUG=1 for the traceback, and please report it",
            error,
        )
    finally:
        gc.freeze()  # at its end Python looks for cycles once more: half a second where PyTorch was used


def _fail(message: str, hint: str | None, error: BaseException | None = None) -> None:
    import os

    from cardcheck.report.escape import visible

    if error is not None and os.environ.get("CARDCHECK_DEBUG"):
        raise error
    line = f"{message}; {hint}" if hint else message
    click.echo(click.style("cardcheck: ", fg="red", bold=True) + visible(line), err=True)
    sys.exit(USAGE_ERROR)


def echo(text: str, **options: Any) -> None:
    """Print a report: with colours on a terminal unless NO_COLOR is set (https://no-color.org), plain elsewhere."""
    import os

    colour = False if os.environ.get("NO_COLOR") else None
    click.echo(text, nl=False, color=colour, **options)
