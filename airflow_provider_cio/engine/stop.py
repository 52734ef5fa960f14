"""End a task that is being killed, in order."""

from __future__ import annotations

import logging
from dataclasses import replace

from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.exceptions import CustomerIOProviderError

log = logging.getLogger(__name__)


def stop(ctx: SyncContext) -> None:
    """Start no further request, cancel the statement that runs, and give the lease back.

    It is called while `ctx` is in the middle of something, so it talks to Redshift in a session of its own. The
    lease ends once no request can be under way any more. Everything else heals by itself: outcomes are in S3, the
    plan is in Redshift.
    """
    ctx.stop.set()
    other = ctx.warehouse.another()
    try:
        ctx.warehouse.cancel(other)
        Lease(replace(ctx, warehouse=other)).shorten()
    except CustomerIOProviderError as error:
        log.warning("Not all was cleared up after the kill; the lease ends by itself: %s", error)
    finally:
        other.close()
