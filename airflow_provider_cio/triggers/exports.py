"""Wait for Customer.io's exports without a worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent
from asgiref.sync import sync_to_async

from airflow_provider_cio.exceptions import ExportFailedError, FatalError, RetriableError
from airflow_provider_cio.hooks.customerio import CustomerIOHook


class ExportsTrigger(BaseTrigger):
    """Fires when all exports are finished: ``{"exports": [...]}``; or ``{"error": ...}`` when one failed.

    :param poll_seconds: how often each is looked at.
    """

    def __init__(self, customerio_conn_id: str, exports: Sequence[int], poll_seconds: float = 30) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.customerio_conn_id = customerio_conn_id
        self.exports = list(exports)
        self.poll_seconds = poll_seconds

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class and arguments."""
        arguments = {
            "customerio_conn_id": self.customerio_conn_id,
            "exports": self.exports,
            "poll_seconds": self.poll_seconds,
        }
        return f"{type(self).__module__}.{type(self).__qualname__}", arguments

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Poll until it is decided; what may pass is asked again."""
        waiting = list(self.exports)
        while waiting:
            try:
                waiting = await sync_to_async(self._unfinished)(waiting)
            except (ExportFailedError, FatalError) as error:
                yield TriggerEvent({"error": str(error)})  # type: ignore[no-untyped-call]
                return
            except RetriableError as error:
                self.log.warning("%s", error)
            if waiting:
                await asyncio.sleep(self.poll_seconds)
        yield TriggerEvent({"exports": self.exports})  # type: ignore[no-untyped-call]

    def _unfinished(self, exports: list[int]) -> list[int]:
        with CustomerIOHook(self.customerio_conn_id).app_client() as app:
            return [each for each in exports if not app.export_is_done(each)]
