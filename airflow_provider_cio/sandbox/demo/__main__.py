"""The demo's command line: one sandbox and one Airflow per shop, kept in ``.demo`` between runs."""

from __future__ import annotations

import argparse
import hashlib
import signal
import sys
import threading
from pathlib import Path

from airflow_provider_cio.sandbox.demo.screen import Screen
from airflow_provider_cio.sandbox.demo.story import DemoError, tell_story


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m airflow_provider_cio.sandbox.demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="exit after the summary")
    parser.add_argument("--customers", type=int, default=2000, help="size of the sample shop (default 2000)")
    parser.add_argument("--orders", type=Path, help="orders of a real shop, Online Retail II layout")
    parser.add_argument("--folder", type=Path, default=Path(".demo"), help="where everything is kept")
    return parser.parse_args()


def _shop_folder(root: Path, customers: int, orders: Path | None) -> Path:
    """A folder for each shop, so that one shop's rows never look like the exit of another's."""
    if orders is None:
        return root / f"sample-{customers}"
    with orders.open("rb") as file:
        return root / f"orders-{hashlib.file_digest(file, 'sha256').hexdigest()[:12]}"


def _raise_interrupt(_signal: int, _frame: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    arguments = _arguments()
    for number in (
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGHUP,
    ):  # a shell's background job ignores the first
        signal.signal(number, _raise_interrupt)
    screen = Screen()
    if arguments.orders is not None and not arguments.orders.is_file():
        screen.error(
            f"there is no file {arguments.orders}. Next step: give the path of a Parquet or CSV file"
        )
        return 2
    folder = _shop_folder(arguments.folder, arguments.customers, arguments.orders).resolve()
    try:
        with tell_story(folder, arguments.customers, arguments.orders, screen) as outcome:
            screen.summary(outcome)
            if not arguments.once:
                screen.addresses(outcome)
            screen.json_line(outcome.as_json())
            if not arguments.once:
                threading.Event().wait()
            return 1 if outcome.differences else 0
    except DemoError as error:
        screen.error(str(error))
        return 1
    except KeyboardInterrupt:
        screen.say("stopped")
        return 130


if __name__ == "__main__":
    sys.exit(main())
