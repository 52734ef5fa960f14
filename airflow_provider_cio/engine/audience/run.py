"""One audience, from its source to its destinations."""

from __future__ import annotations

from airflow_provider_cio.engine.audience.context import AudienceContext
from airflow_provider_cio.engine.audience.plan import drop, make_plan
from airflow_provider_cio.engine.audience.report import AudienceReport
from airflow_provider_cio.engine.audience.send import send
from airflow_provider_cio.engine.audience.settle import Errors, settle, verify
from airflow_provider_cio.engine.audience.standing import measure
from airflow_provider_cio.engine.lease import Lease
from airflow_provider_cio.exceptions import ContractError, RetriableError
from airflow_provider_cio.warehouse.audience.tables import Books, ensure_tables


def run_audience(ctx: AudienceContext) -> AudienceReport:
    """Settle what is pending, plan, send, read back, measure.

    Run again after a crash, it sends again whatever may not have arrived; every batch is a set operation, so the
    destinations end as the source says.

    :raises CustomerIOProviderError: a source, a guard or a destination; the books are kept in any case. Of several
        destinations' errors a retriable one is raised.
    """
    if not ctx.audience.destinations:
        raise ContractError(
            f"Audience '{ctx.audience.name}' has no destinations: others use it, and it is not sent.",
            next_step="add `destinations` to its file, or do not run it.",
        )
    ensure_tables(ctx.warehouse)
    errors: Errors = {}
    lease = Lease(ctx).acquire()
    try:
        settle(ctx, errors)
        report = make_plan(ctx)
        send(ctx, report, lease, errors)
        verify(ctx, report, errors)
        measure(ctx, report)
        drop(ctx, Books.of(ctx.schema, report.audience, report.plan_id))
    finally:
        lease.release()
    raise_worst(errors)
    return report


def raise_worst(errors: Errors) -> None:
    """
    :raises CustomerIOProviderError: one of them, with the name of its destination.
    """
    for retriable in (True, False):
        for name, error in errors.items():
            if isinstance(error, RetriableError) is retriable:
                error.message = f"Destination {name}: {error.message}"
                raise error
