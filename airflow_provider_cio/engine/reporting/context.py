"""What a load of streams works in, and what it tells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.core.coverage import Days
from airflow_provider_cio.core.streams import Source
from airflow_provider_cio.engine.reporting.canonical import Odd
from airflow_provider_cio.exceptions import ContractError
from airflow_provider_cio.warehouse.objects import Bucket
from airflow_provider_cio.warehouse.session import Warehouse

Status = Literal["loaded", "skipped"]


@dataclass
class Reporting:
    """One run.

    :param bucket: for canonical Parquet; its role lets Redshift read there.
    :param files: where Customer.io's data-out or the webhook receiver writes: `data_out` and `webhooks` need it.
    :param app: `app_api` and `export` need it.
    :param first: no day before this one is wanted.
    :param days: read these days and no others (a backfill).
    """

    source: Source
    warehouse: Warehouse
    bucket: Bucket
    run_id: str
    first: date
    app: AppClient | None = None
    files: Bucket | None = None
    days: Days | None = None
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    @property
    def app_client(self) -> AppClient:
        """
        :raises ContractError: none was given.
        """
        if self.app is None:
            raise ContractError(
                f"source '{self.source}' needs the App API.", next_step="give the connection its app_api_key."
            )
        return self.app

    @property
    def file_bucket(self) -> Bucket:
        """
        :raises ContractError: none was given.
        """
        if self.files is None:
            raise ContractError(
                f"source '{self.source}' reads files from S3.",
                next_step="say where they are: `files='s3://...'`.",
            )
        return self.files


@dataclass
class StreamReport:
    """What became of one stream; counts and field names only."""

    stream: str
    source: Source
    status: Status = "loaded"
    rows: int = 0
    new: int = 0
    gap_days: int = 0
    odd: Odd = field(default_factory=Odd)
    message: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**vars(self), "odd": self.odd.to_dict()}


def seconds(day: date) -> int:
    """The start of a UTC day in unix seconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def windows(days: Days, longest: timedelta) -> list[tuple[int, int]]:
    """Unix seconds from and to (both included), none longer than `longest`."""
    found: list[tuple[int, int]] = []
    start, end = seconds(days.first), seconds(days.last + timedelta(days=1)) - 1
    while start <= end:
        stop = min(end, start + int(longest.total_seconds()) - 1)
        found.append((start, stop))
        start = stop + 1
    return found
