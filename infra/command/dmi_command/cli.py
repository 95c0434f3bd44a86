"""The ``dmi`` command: what the interfaces do for a program, for a person at a keyboard.

Exit codes: 0 done; 1 failed; 2 arguments or settings break a rule; 3 cannot start; 4 the stack does not
answer; 5 the stack refused.
"""

from __future__ import annotations

import os
import signal
import sys

import typer
from rich.text import Text

from dmi_command.commands import (
    agreements,
    analysis,
    backup,
    data,
    dataspace,
    imports,
    inspection,
    keys,
    log,
    machines,
    mandates,
    my_data,
    notices,
    participants,
    policy,
    policy_conflicts,
    policy_review,
    representing,
    rulebook,
    running,
    transactions,
)
from dmi_command.console import err
from dmi_command.errors import CommandFailed

app = typer.Typer(
    name="dmi",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A data exchange for cities: five layers, one agreements framework. Without --as, --key or DMI_TOKEN a "
    "command acts as an identity of the demonstration: as its officer for agreements, import and export; "
    "--as in the help of each command tells the others.",
)
for module in (
    running,
    data,
    imports,
    participants,
    agreements,
    dataspace,
    inspection,
    keys,
    representing,
    mandates,
    my_data,
    notices,
    log,
    machines,
    rulebook,
    policy,
    policy_conflicts,
    policy_review,
    analysis,
    transactions,
    backup,
):
    module.register(app)


def main() -> None:
    """Run the command; an expected failure is one clear line and its own exit code."""
    # One thread for linear algebra: on small arrays more threads only wait for each other. Before numpy comes.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    make = os.environ.pop("MAKE_PID", "")
    try:
        app()
    except CommandFailed as exc:
        # The terminal breaks the line, so that ids and addresses in it copy whole.
        err.print(Text.assemble(("dmi:", "red"), f" {exc}"), soft_wrap=True)
        sys.exit(exc.exit_code if make != str(os.getppid()) else _end_quietly(int(make)))


def _end_quietly(make: int) -> int:
    """Let make end with 1 without an ``*** Error`` of its own below our line; returns our own exit code.

    A failed recipe is never silent, but on SIGQUIT make waits for the recipe and ends with 1 without a word,
    unless the recipe fails.
    """
    os.kill(make, signal.SIGQUIT)
    return 0
