"""Shards are read in parts: all rows, each once, nobody in two parts, a row group at a time."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from airflow_provider_cio.warehouse.bulk import Shard
from airflow_provider_cio.warehouse.objects import Bucket


class Stored:
    """The part of an S3 client that reads."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self._objects = objects

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        return {"Body": io.BytesIO(self._objects[Key])}


def parquet(rows: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(rows, sink, row_group_size=500)
    return sink.getvalue()


@pytest.mark.parametrize(("most", "parts"), [(100_000, 1), (6_000, 1), (1_000, 6), (700, 9)])
def test_every_row_is_in_one_part_and_so_is_everybody(most: int, parts: int) -> None:
    people = [(number * 2_654_435_761) % 2**28 for number in range(2_000)]
    rows = pa.table(
        {
            "ordinal": pa.array(range(6_000), pa.int64()),
            "lane_hash": pa.array([people[number % 2_000] for number in range(6_000)], pa.int32()),
        }
    )
    keys = ["p/unload/shard=3/0.parquet", "p/unload/shard=3/1.parquet", "p/unload/shard=4/0.parquet"]
    manifest = json.dumps({"entries": [{"url": f"s3://b/{key}"} for key in keys]}).encode()
    objects = {"p/m": manifest, keys[0]: parquet(rows[:4_500]), keys[1]: parquet(rows[4_500:])}
    shard = Shard(Bucket(Stored(objects), "s3://b/", "default"), "p/m", 3)
    read = list(shard.parts(most))
    assert (shard.num_rows, len(read)) == (6_000, parts)
    assert sorted(number for part in read for number in part["ordinal"].to_pylist()) == list(range(6_000))
    found = [set(part["lane_hash"].to_pylist()) for part in read]
    assert sum(map(len, found)) == len(set(people))
    assert max(part.num_rows for part in read) <= 1.5 * 6_000 / parts
