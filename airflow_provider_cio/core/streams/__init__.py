"""What comes back from Customer.io, as data: each stream's columns, key, and how far back it still changes.

A stream is one table in `cio_raw`. Beside its own columns each row has `source` (the route it came by), `recency` (what
is newer within that route), `loaded_at`, and `_extra`, which holds fields that are not declared here.
"""

from __future__ import annotations

from airflow_provider_cio.core.streams.counts import COUNTS
from airflow_provider_cio.core.streams.data_out import DATA_OUT
from airflow_provider_cio.core.streams.lists import LISTS
from airflow_provider_cio.core.streams.messages import MESSAGES
from airflow_provider_cio.core.streams.people import PEOPLE
from airflow_provider_cio.core.streams.shape import SQL_TYPES, Field, Source, Stream, Type

STREAMS: dict[str, Stream] = {
    stream.name: stream for stream in (*MESSAGES, *COUNTS, *PEOPLE, *LISTS, *DATA_OUT)
}

__all__ = ["SQL_TYPES", "STREAMS", "Field", "Source", "Stream", "Type"]
