"""Tell all destinations at once: removals first, then additions, each batch written down as it is answered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ulid import ULID

from airflow_provider_cio.clients.destinations.base import Action, Batch, Receipt
from airflow_provider_cio.engine.audience.context import AudienceContext
from airflow_provider_cio.engine.audience.report import AudienceReport, DestinationReport
from airflow_provider_cio.engine.audience.settle import Errors, apart
from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.exceptions import CustomerIOProviderError, UnknownOutcomeError
from airflow_provider_cio.warehouse.audience import changes
from airflow_provider_cio.warehouse.audience.changes import Done
from airflow_provider_cio.warehouse.audience.tables import Books
from airflow_provider_cio.warehouse.session import Session

WRITE_AFTER = 20
"""Batches after which their outcomes are written to the ledger; a crash repeats at most so many."""


_IN_ORDER: tuple[Action, ...] = ("remove", "add")


@dataclass(frozen=True, repr=False)
class _Piece:
    """One batch and where it stands in the plan."""

    batch: Batch
    number: int


def send(ctx: AudienceContext, report: AudienceReport, lease: Lease, errors: Errors) -> None:
    """Send the plan to all destinations at the same time: a slow one or a failing one keeps no other back.

    What ends the sending to one early is noted in ``errors``. What it was not told stays in the ledger as intention,
    and the next plan sends it again.
    """
    books = Books.of(ctx.schema, report.audience, report.plan_id)
    names = [name for name, found in report.destinations.items() if found.to_send]
    if not names:
        return

    def one(name: str) -> None:
        found = report.destinations[name]
        found.outcome = "partial"
        with apart(ctx, name, errors):
            try:
                _Sender(ctx, books, report, name, lease).send()
            except CustomerIOProviderError as error:
                found.reason = error.message
                raise
            pending = ctx.audience.destinations[name].capabilities.confirmation == "request"
            found.outcome = "pending" if pending else "sent"

    with ThreadPoolExecutor(len(names), thread_name_prefix="audience") as workers:
        running = [workers.submit(one, name) for name in names]
        try:
            for ended in running:
                ended.result()
        except BaseException:
            ctx.stop.set()  # interrupted: the others start no further request
            raise


class _Sender:
    """One destination's part of a plan."""

    def __init__(
        self, ctx: AudienceContext, books: Books, report: AudienceReport, name: str, lease: Lease
    ) -> None:
        self._ctx = ctx
        self._books = books
        self._report = report
        self._name = name
        self._lease = lease
        self._unwritten: list[tuple[_Piece, Receipt]] = []

    @property
    def _found(self) -> DestinationReport:
        return self._report.destinations[self._name]

    def send(self) -> None:
        """Batch by batch.

        :raises CustomerIOProviderError: of the first batch that was not taken.
        """
        client = self._ctx.destinations[self._name]
        try:
            for piece in self._pieces():
                self._lease.hold()
                try:
                    receipt = client.apply(piece.batch)
                except CustomerIOProviderError as error:
                    self._refused(piece, error)
                    raise
                self._found.requests += 1
                self._found.invalid += receipt.invalid
                self._unwritten.append((piece, receipt))
                if len(self._unwritten) >= WRITE_AFTER:
                    self._write()
        finally:
            self._write()

    def _pieces(self) -> Iterator[_Piece]:
        rows = self._rows()
        for action in _IN_ORDER:
            of_action = rows.filter(pc.equal(rows["action"], action))
            for field in sorted(set(of_action["field"].to_pylist())):
                part = of_action.filter(pc.equal(of_action["field"], field)).sort_by("batch")
                numbers = part["batch"].to_pylist()
                start = 0
                while start < len(numbers):
                    end = start
                    while end < len(numbers) and numbers[end] == numbers[start]:
                        end += 1
                    yield self._piece(action, field, numbers[start], part.slice(start, end - start))
                    start = end

    def _piece(self, action: Action, field: str, number: int, part: pa.Table) -> _Piece:
        contexts: list[dict[str, Any]] = []
        if action == "add" and part["context"].null_count < part.num_rows:
            contexts = [json.loads(text) if text else {} for text in part["context"].to_pylist()]
        upload = f"{self._report.plan_id}-{self._name}-{action}-{field}-{number}"
        return _Piece(Batch(upload, action, field, part["identifier"].to_pylist(), contexts), number)

    def _rows(self) -> pa.Table:
        ctx = self._ctx
        prefix = f"audiences/{ctx.audience.name}/{self._report.plan_id.lower()}/{self._name}/{str(ULID()).lower()}/"
        try:
            ctx.warehouse.run(changes.unload(self._books, self._name, ctx.bucket.uri(prefix), ctx.role))
            tables = [
                pq.ParquetFile(pa.BufferReader(ctx.bucket.get(key)), pre_buffer=False).read()
                for key in ctx.bucket.read_manifest(f"{prefix}manifest")
            ]
        finally:
            ctx.bucket.delete(prefix)
        return pa.concat_tables(tables)

    def _write(self) -> None:
        """Outcomes into ledger and uploads, in one transaction."""
        answered, self._unwritten = self._unwritten, []
        if not answered:
            return
        done: dict[tuple[str, str, bool], list[int]] = {}
        for piece, receipt in answered:
            key = (piece.batch.action, piece.batch.field, receipt.outcome == "pending")
            done.setdefault(key, []).append(piece.number)

        def write(session: Session) -> None:
            for (action, field, pending), numbers in done.items():
                of = Done(self._report.plan_id, self._name, action, field, tuple(numbers))
                session.run(
                    changes.accepted(
                        self._books, self._report.audience, of, self._ctx.moment, pending=pending
                    )
                )
            session.run(
                changes.write_uploads(
                    self._books,
                    [
                        self._upload(piece, receipt.outcome, receipt.request_id, "", receipt.invalid)
                        for piece, receipt in answered
                    ],
                )
            )

        self._ctx.warehouse.transaction(write)

    def _refused(self, piece: _Piece, error: CustomerIOProviderError) -> None:
        outcome = "unknown" if isinstance(error, UnknownOutcomeError) else "rejected"
        row = self._upload(piece, outcome, "", error.message, 0)
        self._ctx.warehouse.run(changes.write_uploads(self._books, [row]))

    def _upload(
        self, piece: _Piece, outcome: str, request_id: str, reason: str, invalid: int
    ) -> dict[str, str | int | None]:
        return {
            "audience": self._report.audience,
            "destination": self._name,
            "plan_id": self._report.plan_id,
            "run_id": self._report.run_id,
            "action": piece.batch.action,
            "field": piece.batch.field,
            "batch": piece.number,
            "identifiers": len(piece.batch.identifiers),
            "invalid": invalid,
            "outcome": outcome,
            "request_id": request_id[:256] or None,
            "reason": reason[:900] or None,
            "sent_at": self._ctx.moment,
        }
