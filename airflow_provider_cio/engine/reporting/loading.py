"""Rows go into Redshift while more of them are read: a load of what came so far, when the one before is done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import pyarrow as pa

from airflow_provider_cio.core.coverage import Days
from airflow_provider_cio.core.streams import Stream
from airflow_provider_cio.engine.reporting.canonical import Odd, schema_of
from airflow_provider_cio.engine.reporting.context import Reporting, StreamReport
from airflow_provider_cio.engine.reporting.days import cover
from airflow_provider_cio.warehouse import raw
from airflow_provider_cio.warehouse.session import Session

ROWS_A_LOAD = 100_000


@dataclass
class _Arriving:
    """What came of a stream."""

    stream: Stream
    files: raw.Files
    odd: Odd = field(default_factory=Odd)
    merged: raw.Merged = field(default_factory=raw.Merged)


class Loading:
    """Streams that are read together.

    What is loaded stays when the reading breaks off, and the next run's rows replace it; days count as read only
    with the last load of all.
    """

    def __init__(self, ctx: Reporting, streams: Iterable[Stream], loader: ThreadPoolExecutor) -> None:
        self._ctx, self._loader = ctx, loader
        self._arriving = {stream.name: _Arriving(stream, self._files(stream)) for stream in streams}
        self._under_way: Future[None] | None = None

    def add(self, rows: dict[str, tuple[pa.Table, Odd]]) -> None:
        """More rows, by stream; of streams that are not wanted, too."""
        for name, (table, found) in rows.items():
            if (of := self._arriving.get(name)) is not None:
                of.files.add(table)
                of.odd.add(found)
        many = [of for of in self._arriving.values() if of.files.rows >= ROWS_A_LOAD]
        if many and (self._under_way is None or self._under_way.done()):
            self._wait()
            parts = [(of, of.files) for of in many]
            for of in many:
                of.files = self._files(of.stream)
            self._under_way = self._loader.submit(self._load, parts)

    def finish(self, ranges: list[Days]) -> list[StreamReport]:
        """Load the rest, and note the days that are covered now."""
        self._wait()
        self._load([(of, of.files) for of in self._arriving.values()], ranges)
        return [
            StreamReport(name, self._ctx.source, rows=of.merged.rows, new=of.merged.new, odd=of.odd)
            for name, of in self._arriving.items()
        ]

    def _files(self, stream: Stream) -> raw.Files:
        return raw.Files(self._ctx.bucket, stream, schema_of(stream))

    def _wait(self) -> None:
        """For the load that is under way; its error is raised here."""
        if self._under_way is not None:
            self._under_way.result()

    def _load(self, parts: list[tuple[_Arriving, raw.Files]], ranges: Iterable[Days] = ()) -> None:
        for of, files in parts:
            of.merged += merge(self._ctx, of.stream, files, ranges)


@contextmanager
def loading(ctx: Reporting, streams: Iterable[Stream]) -> Iterator[Loading]:
    """With a thread for the loads; after the block no load is under way."""
    with ThreadPoolExecutor(1) as loader:
        yield Loading(ctx, streams, loader)


def merge(ctx: Reporting, stream: Stream, files: raw.Files, ranges: Iterable[Days]) -> raw.Merged:
    """Rows and the days they cover, in one transaction."""
    manifest = files.manifest()

    def work(session: Session) -> raw.Merged:
        raw.stage(session, stream)
        raw.copy(session, ctx.bucket, manifest)
        merged = raw.merge(session, stream, ctx.source)
        cover(ctx, session, stream, ranges)
        return merged

    return ctx.warehouse.transaction(work)
