"""Messages, as the App API and exports show them, become rows of the streams deliveries and metrics."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.core.streams import STREAMS
from airflow_provider_cio.engine.reporting.canonical import Odd, fit, from_json
from airflow_provider_cio.engine.reporting.division import Division
from airflow_provider_cio.engine.reporting.flow import LANES, flow

Rows = dict[str, tuple[pa.Table, Odd]]
"""By stream."""

PATH, PAGE = "/v1/messages", 1000
_NAMES = {"id": "delivery_id", "created": "created_at"}
_NOT_KEPT = frozenset({"metrics", "customer_identifiers", "identifiers", "recipient", "deduplicate_id"})
"""Taken apart, or a person's address, which belongs to the profile."""
PARENTS = (
    ("campaign_id", "/v1/campaigns", "campaigns", None),
    ("newsletter_id", "/v1/newsletters", "newsletters", 100),
    ("transactional_message_id", "/v1/transactional", "messages", None),
)
"""What deliveries are exported by: the parameter, and the list of ids."""


def from_api(app: AppClient, start: int, end: int, recency: int) -> Iterator[Rows]:
    """All messages that were made from `start` to `end` (unix seconds, both included), page by page.

    A cursor leads from one page to the next only, so more than one page is read by several readers, each in a part of
    the time. The first page is then read once more: nothing says in which order pages come, so it tells nothing of
    the rest.
    """

    def rows(page: list[dict[str, Any]]) -> Rows:
        deliveries = [_delivery(message) for message in page]
        metrics = [metric for message in page for metric in _metrics(message)]
        return {
            "deliveries": from_json(deliveries, STREAMS["deliveries"], recency),
            "metrics": from_json(metrics, STREAMS["metrics"], recency),
        }

    def page_of(first: int, last: int, cursor: str) -> tuple[list[dict[str, Any]], str]:
        return app.page(PATH, "messages", PAGE, cursor, start_ts=first, end_ts=last)

    asked = time.monotonic()
    page, more = page_of(start, end, "")
    if not more:
        yield rows(page)
        return
    readers = readers_for(time.monotonic() - asked, app.budget.rate)
    division = Division(start, end, readers)

    def reader(_number: int) -> Iterator[Rows]:
        while (part := division.take()) is not None:
            cursor, found = "", 0
            while True:
                page, cursor = page_of(part.first, part.last, cursor)
                found += len(page)
                if page:
                    yield rows(page)
                if not cursor:
                    break
            division.done(part, found)

    yield from flow(reader, range(readers))


def readers_for(seconds: float, rate: float) -> int:
    """How many readers use a rate up when the first page took so many seconds, and others take twice that.

    Four more, because readers also wait for each other: for the processor, and for what they read to be taken.
    """
    return min(LANES, 4 + math.ceil(2 * seconds * rate))


def ask_exports(app: AppClient, ranges: Iterable[tuple[int, int]]) -> list[int]:
    """Ask for an export of each parent and range; their ids."""
    parents = [
        (parent, int(row["id"]))
        for parent, path, key, limit in PARENTS
        for row in app.listing(path, key, limit)
    ]
    # An export of a broadcast can only be asked for by its actions.
    parents += [
        ("action_id", int(action["id"]))
        for row in app.listing("/v1/broadcasts", "broadcasts")
        for action in app.listing(f"/v1/broadcasts/{int(row['id'])}/actions", "actions")
    ]
    asked = [(parent, number, *window) for window in ranges for parent, number in parents]
    return list(flow(lambda each: [app.export_deliveries(*each)], asked))


def from_export(content: bytes, recency: int) -> Rows:
    """The rows of one export's CSV."""
    options = pyarrow.csv.ConvertOptions(strings_can_be_null=True)
    names = content.split(b"\n", 1)[0].decode().strip().split(",")
    options.column_types = dict.fromkeys(names, pa.string())
    table = pyarrow.csv.read_csv(io.BytesIO(content), convert_options=options)
    table = table.rename_columns([_NAMES.get(name, name) for name in table.column_names])
    known = {*STREAMS["deliveries"].names, *_NOT_KEPT}
    metrics = [name for name in table.column_names if name not in known and _is_moment(table[name])]
    plain = table.drop_columns([*metrics, *(name for name in table.column_names if name in _NOT_KEPT)])
    moment = pa.scalar(recency, pa.int64())
    return {
        "deliveries": fit(plain, STREAMS["deliveries"], moment),
        "metrics": fit(_melted(table, metrics), STREAMS["metrics"], moment),
    }


def _delivery(message: Mapping[str, Any]) -> dict[str, Any]:
    people = message.get("customer_identifiers") or message.get("identifiers") or {}
    kept = {_NAMES.get(name, name): value for name, value in message.items() if name not in _NOT_KEPT}
    return {**kept, "cio_id": people.get("cio_id")}


def _metrics(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for metric, moment in (message.get("metrics") or {}).items():
        yield {
            "delivery_id": message.get("id"),
            "metric": metric,
            "occurred_at": moment,
            "reason": message.get("failure_message"),
        }


def _is_moment(column: pa.ChunkedArray) -> bool:
    """Whether a column that is not declared holds nothing but unix seconds: a metric."""
    return bool(pc.all(pc.fill_null(pc.match_substring_regex(column, r"^[0-9]{9,11}$"), True)).as_py())  # noqa: FBT003


def _melted(table: pa.Table, metrics: list[str]) -> pa.Table:
    parts = [pa.table({"delivery_id": [], "metric": [], "occurred_at": []}, schema=_MELTED)]
    for metric in metrics:
        had = table.filter(pc.is_valid(table[metric]))
        columns = [had["delivery_id"], pa.array([metric] * len(had), pa.string()), had[metric]]
        parts.append(pa.Table.from_arrays(columns, schema=_MELTED))
    return pa.concat_tables(parts)


_MELTED = pa.schema([(name, pa.string()) for name in ("delivery_id", "metric", "occurred_at")])
