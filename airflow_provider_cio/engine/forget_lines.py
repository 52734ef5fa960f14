"""Take a person out of the webhook receiver's log: its objects in S3, and its files where they are within reach."""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from airflow_provider_cio.warehouse.objects import Bucket, Stored

LINES, WAITING = ".ndjson", (".ndjson", ".shipped")
OPEN = ".open"
_AT_ONCE = 8


@dataclass(frozen=True)
class Log:
    """Where a receiver keeps lines: `folder` on its disk, then `bucket`."""

    folder: Path
    bucket: Bucket


def forget_lines(log: Log, keys: Collection[str]) -> tuple[int, int]:
    """``(lines removed, files that the receiver still writes)``. What is being written is whole, and reached, later.

    :param keys: canonical ids and emails; a line that holds one of them as a value is about the person.
    """
    wanted = {key.lower() for key in keys}
    removed = sum(_of_file(path, wanted) for path in sorted(log.folder.glob("*/*")) if path.suffix in WAITING)
    with ThreadPoolExecutor(_AT_ONCE) as workers:
        removed += sum(workers.map(lambda each: _of_object(log.bucket, each, wanted), log.bucket.listing("")))
    return removed, len(list(log.folder.glob(f"*/*{OPEN}")))


def _of_file(path: Path, wanted: Collection[str]) -> int:
    try:
        before = path.read_bytes()
        kept, removed = _without(before.splitlines(keepends=True), wanted)
        if removed:
            partial = path.with_suffix(".partial")
            partial.write_bytes(kept)
            partial.replace(path)
    except FileNotFoundError:
        return 0  # shipped meanwhile: it is an object now
    return removed


def _of_object(bucket: Bucket, stored: Stored, wanted: Collection[str]) -> int:
    if not stored.key.endswith(f"{LINES}.gz"):
        return 0
    kept, removed = _without(gzip.decompress(bucket.get(stored.key)).splitlines(keepends=True), wanted)
    if removed:
        bucket.put(stored.key, gzip.compress(kept, 6, mtime=0))
    return removed


def _without(lines: Iterable[bytes], wanted: Collection[str]) -> tuple[bytes, int]:
    kept, removed = [], 0
    for line in lines:
        if _names(json.loads(line), wanted):
            removed += 1
        else:
            kept.append(line)
    return b"".join(kept), removed


def _names(value: Any, wanted: Collection[str]) -> bool:
    if isinstance(value, dict):
        return any(_names(each, wanted) for each in value.values())
    if isinstance(value, list):
        return any(_names(each, wanted) for each in value)
    return str(value).lower() in wanted
