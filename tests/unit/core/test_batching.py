from __future__ import annotations

import json

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_cio.core.batching import Batch, Packer, bodies

ITEMS = st.lists(
    st.integers(1, 60).map(lambda size: json.dumps("x" * (size - 2) if size > 1 else 0).encode())
)
LIMIT = 130


def whole(batches: list[Batch], items: list[bytes]) -> None:
    """Every item once and in order, bodies exact, within the limit, none that could hold one more."""
    assert [b.start for b in batches] == [0, *(b.stop for b in batches)][:-1] if batches else not items
    assert not batches or batches[-1].stop == len(items)
    for batch in batches:
        assert batch.body == b'{"batch":[' + b",".join(items[batch.start : batch.stop]) + b"]}"
        assert len(batch.body) <= LIMIT
        assert len(json.loads(batch.body)["batch"]) == len(batch) == batch.stop - batch.start > 0
    for batch in batches[:-1]:
        assert len(batch.body) + 1 + len(items[batch.stop]) > LIMIT


@given(ITEMS)
def test_bodies_of_one_array(items: list[bytes]) -> None:
    whole(list(bodies(pa.array(items, pa.large_binary()), LIMIT)), items)


@given(ITEMS, st.lists(st.integers(0, 20)))
def test_bodies_do_not_depend_on_how_the_stream_is_cut(items: list[bytes], cuts: list[int]) -> None:
    packer = Packer(LIMIT)
    stream = pa.array([b"other", *items], pa.large_binary()).slice(1)
    batches: list[Batch] = []
    for cut in cuts:
        batches += packer.feed(stream.slice(0, cut))
        stream = stream.slice(cut)
    batches += packer.feed(stream)
    batches += packer.flush()
    assert batches == list(bodies(pa.array(items, pa.large_binary()), LIMIT))


def test_the_default_fits_every_reading_of_500_kb() -> None:
    items = pa.array([b'"%031000d"' % n for n in range(40)], pa.large_binary())
    assert {len(batch) for batch in bodies(items)} == {15, 10}
    assert all(len(batch.body) <= 475_000 for batch in bodies(items))


def test_refused_rows_must_be_dropped_before() -> None:
    with pytest.raises(ValueError, match="drop them"):
        list(bodies(pa.array([b"1", None], pa.large_binary())))


def test_an_item_larger_than_a_body_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        list(bodies(pa.array([b"1", b"x" * 119], pa.large_binary()), LIMIT))
