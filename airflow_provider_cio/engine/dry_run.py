"""What a run would do, told in a log: `airflow cio plan` for those who have no terminal."""

from __future__ import annotations

import logging
from typing import Any

from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.plan import describe
from airflow_provider_cio.engine.review import as_markdown

log = logging.getLogger(__name__)


def dry_run(ctx: SyncContext, rate: float = 100.0) -> dict[str, Any]:
    """Log what a run would do now, and return it: counts and hashed keys. Nothing is kept, and nothing is sent.

    A guard or a finding that would stop the run is a warning here.

    :param rate: requests a second.
    """
    shown = describe(ctx, rate)
    planned = "digest" in shown
    log.info("Dry run of sync %s: %s", ctx.sync.name, as_markdown(shown) if planned else shown["counts"])
    for found in shown["findings"]:
        told = "%s (%s): %s Next step: %s"
        stops = found["severity"] == "stop"
        log.log(
            logging.WARNING if stops else logging.INFO,
            told,
            found["name"],
            found["severity"],
            found["message"],
            found["next_step"],
        )
    for guard in shown.get("guards", ()):
        if not guard["ok"]:
            log.warning("Guard %s would stop this run: %s", guard["name"], guard["message"])
    return shown
