"""``python -m airflow_provider_cio.sandbox up | shop``."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date
from pathlib import Path

from airflow_provider_cio.sandbox import shop
from airflow_provider_cio.sandbox.redshift import PostgresError
from airflow_provider_cio.sandbox.shop import ShopError
from airflow_provider_cio.sandbox.up import DEFAULT_PORTS, READY_FILE, SandboxError, run


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m airflow_provider_cio.sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    up = commands.add_parser(
        "up", help="start Redshift, S3, Customer.io and the ad platforms; Ctrl-C stops them"
    )
    up.add_argument(
        "--folder", type=Path, default=Path(".sandbox"), help="where the data is kept (default .sandbox)"
    )
    up.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    for service, port in DEFAULT_PORTS.items():
        up.add_argument(f"--{service}-port", type=int, help=f"default {port}, or a free one if that is taken")
    load = commands.add_parser("shop", help="load a shop into the running sandbox")
    load.add_argument("--folder", type=Path, default=Path(".sandbox"), help="the sandbox's folder")
    load.add_argument("--customers", type=int, default=2000, help="size of the sample shop (default 2000)")
    load.add_argument("--orders", type=Path, help="orders of a real shop, Online Retail II layout")
    load.add_argument(
        "--as-of",
        type=date.fromisoformat,
        metavar="DATE",
        help="end of its history (default: first of this month)",
    )
    load.add_argument(
        "--change", type=percent, metavar="PERCENT", help="change this share of the customers instead"
    )
    return parser


def percent(text: str) -> float:
    """A number, with or without the sign."""
    return float(text.removesuffix("%"))


def _load(arguments: argparse.Namespace) -> None:
    ready = arguments.folder / READY_FILE
    if not ready.exists():
        raise ShopError(f"no sandbox runs in {arguments.folder}. Next step: start one, `... sandbox up`.")
    endpoints = json.loads(ready.read_text())
    if arguments.change is not None:
        changed = shop.change_customers(endpoints, percent=arguments.change)
        print(f"changed {changed:,} customers")  # noqa: T201
        return
    report = shop.load(
        endpoints, customers=arguments.customers, orders=arguments.orders, as_of=arguments.as_of
    )
    print(json.dumps(report))  # noqa: T201


def main() -> int:
    arguments = _parser().parse_args()
    try:
        if arguments.command == "up":
            asked = {service: getattr(arguments, f"{service}_port") for service in DEFAULT_PORTS}
            run(arguments.folder, host=arguments.host, asked=asked)
        else:
            _load(arguments)
    except (SandboxError, PostgresError, ShopError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
