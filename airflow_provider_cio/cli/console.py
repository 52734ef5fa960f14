"""What all commands share: results go to stdout, everything else to stderr, an error ends with status 1."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from contextlib import AbstractContextManager, redirect_stdout
from functools import wraps

from airflow.cli.utils import redirect_stdout_log_handlers_to_stderr

from airflow_provider_cio.exceptions import CustomerIOProviderError

Command = Callable[[Namespace], None]


def command(func: Command) -> Command:
    """Make a command of a function: our errors are messages, not tracebacks."""

    @wraps(func)
    def run(args: Namespace) -> None:
        redirect_stdout_log_handlers_to_stderr()
        try:
            func(args)
        except CustomerIOProviderError as error:
            tell(str(error))
            raise SystemExit(1) from None

    return run


def connected() -> AbstractContextManager[object]:
    """Where a command uses connections: hooks log to stdout, and only the result belongs there.

    Connections kept in Airflow's own database are given to its servers and its commands, which say so like this.
    """
    os.environ["_AIRFLOW_PROCESS_CONTEXT"] = "server"
    return redirect_stdout(sys.stderr)


def say(line: str) -> None:
    """A line of the result."""
    sys.stdout.write(f"{line}\n")


def tell(line: str) -> None:
    """A line about the work."""
    sys.stderr.write(f"{line}\n")
