"""``python -m airflow_provider_cio.receiver receiver.yaml``: the webhook receiver, a process of its own."""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from pathlib import Path
from typing import IO

import boto3
import uvicorn
from botocore.config import Config

from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.receiver.app import Receiver
from airflow_provider_cio.receiver.settings import Settings, load_settings
from airflow_provider_cio.warehouse.objects import Bucket


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m airflow_provider_cio.receiver", description=__doc__)
    parser.add_argument("settings", type=Path, help="the receiver's YAML file")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8026, help="port to listen on (default 8026)")
    return parser


def _lock(settings: Settings) -> IO[str]:
    """Two processes in one folder would seal each other's files; the lock ends with the process."""
    settings.folder.mkdir(parents=True, exist_ok=True)
    file = (settings.folder / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise ContractError(
            f"{settings.folder} belongs to a receiver that runs.", next_step="give each its own folder."
        ) from None
    return file


def main() -> int:
    """Serve until SIGTERM; then seal and ship what is here."""
    arguments = _parser().parse_args()
    os.umask(0o077)
    try:
        settings = load_settings(arguments.settings)
        lock = _lock(settings)
        timeouts = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2})
        bucket = Bucket(boto3.client("s3", config=timeouts), settings.s3, iam_role="default")
        receiver = Receiver(settings, bucket.put)
    except (ContractError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    with lock:
        uvicorn.run(
            receiver,
            host=arguments.host,
            port=arguments.port,
            access_log=False,
            server_header=False,
            ws="none",
            h11_max_incomplete_event_size=65_536,
            timeout_graceful_shutdown=10,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
