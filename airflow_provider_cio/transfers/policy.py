"""What Airflow does when a task of a sync fails: the class of the exception decides."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

from airflow_provider_cio.exceptions import FatalError, RetriableError

RETRIES = 3
RETRY_DELAY = timedelta(seconds=30)


def retry_policy() -> ExceptionRetryPolicy:
    """Fatal errors fail at once; what may pass is tried again; anything else as the Dag says."""
    return ExceptionRetryPolicy(
        rules=[
            RetryRule(exception=FatalError, action=RetryAction.FAIL, reason="trying again changes nothing"),
            RetryRule(exception=RetriableError, action=RetryAction.RETRY, reason="may pass"),
        ]
    )
