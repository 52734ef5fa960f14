"""The page of the streams and their columns, made from what they are."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_cio.core.streams import STREAMS
from airflow_provider_cio.core.streams.shape import Stream

_INTRODUCTION = """# Streams and their columns

What [reporting streams](reporting-streams.md) are is told there; this page is made from
`airflow_provider_cio.core.streams`.
"""


def markdown() -> str:
    """The page: a table of all streams, then one of the columns of each."""
    return "\n".join(
        (_INTRODUCTION, *_overview(), *(line for stream in STREAMS.values() for line in _columns(stream)))
    )


def _overview() -> Iterator[str]:
    yield "| stream | what | routes | read again for |"
    yield "|---|---|---|---|"
    for stream in STREAMS.values():
        link = f"[`{stream.name}`](#{stream.name})"
        again = (
            f"{stream.lookback.days} days"
            if stream.lookback
            else "whole"
            if "app_api" in stream.sources
            else "-"
        )
        yield f"| {link} | {stream.description} | {_listed(stream.sources)} | {again} |"
    yield ""


def _columns(stream: Stream) -> Iterator[str]:
    yield f"## {stream.name}\n"
    snapshot = " What a reading does not show is removed." if stream.snapshot else ""
    yield f"{stream.description}. Key: {_listed(stream.key)}.{snapshot}\n"
    yield "| column | type | meaning |"
    yield "|---|---|---|"
    for field in stream.fields:
        yield f"| `{field.name}` | {field.type} | {field.description} |"
    yield ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
