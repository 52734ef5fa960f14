"""Properties of what is sent and of how its answers are counted: any sizes, any people, any pattern of errors."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import EndpointConnectionError
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_rows import people

from airflow_provider_cio.clients.track import TrackClient
from airflow_provider_cio.core.batching import BODY_LIMIT
from airflow_provider_cio.core.columns import Column
from airflow_provider_cio.core.contract import Contract
from airflow_provider_cio.core.report import PlanCounts
from airflow_provider_cio.engine.context import SyncContext
from airflow_provider_cio.engine.delivery import Delivery, Load
from airflow_provider_cio.engine.doors import BATCH_DOOR
from airflow_provider_cio.engine.lanes import Lanes
from airflow_provider_cio.engine.outcomes import Recorder
from airflow_provider_cio.engine.progress import Progress
from airflow_provider_cio.engine.send import in_order_rendered
from airflow_provider_cio.exceptions import AuthenticationError, WarehouseError
from airflow_provider_cio.warehouse.bulk import Outcome
from airflow_provider_cio.warehouse.ledger import Plan
from airflow_provider_cio.warehouse.objects import Bucket

if TYPE_CHECKING:
    from collections.abc import Callable

PLAN = Plan(
    plan_id="P", sync="people", kind="people", run_id="r", status="open", mapping="m",
    columns=(Column("f_0", 1043),), counts=PlanCounts(), shards=1, prefix="p/",
)  # fmt: skip


class Memory:
    """The part of an S3 client that a recorder needs."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.away = False

    def put_object(self, *, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803
        if self.away:
            raise EndpointConnectionError(endpoint_url="http://s3")
        self.objects[Key] = Body

    def delete_object(self, *, Bucket: str, Key: str) -> None:  # noqa: N803
        del self.objects[Key]


class Held:
    """A lease, or a claim, that is never lost."""

    def hold(self) -> None:
        pass


def delivery(answer: Callable[[httpx.Request], httpx.Response]) -> tuple[Delivery, Recorder, Memory]:
    memory = Memory()
    recorder = Recorder(Bucket(memory, "s3://b/", "default"), PLAN, 0, "p/sent/0/1/")
    track = TrackClient(
        site_id="s", api_key="k", rate=1e6, attempts=1, http=httpx.MockTransport(answer), sleep=lambda _: None
    )
    return Delivery(track, Held(), Held(), recorder), recorder, memory  # type: ignore[arg-type]


def recorded(recorder: Recorder, memory: Memory) -> dict[int, tuple[int, str | None]]:
    recorder.flush()
    rows: list[dict[str, Any]] = []
    for body in memory.objects.values():
        rows += pq.read_table(pa.BufferReader(body)).to_pylist() if body else []
    assert len({row["ordinal"] for row in rows}) == len(rows)
    return {row["ordinal"]: (row["outcome"], row["reason"]) for row in rows}


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.data())
def test_any_pattern_of_207_indices_falls_on_the_right_rows(count: int, data: st.DataObject) -> None:
    refused = data.draw(st.sets(st.integers(0, count - 1)))
    order = data.draw(st.permutations(sorted(refused)))
    errors = [{"batch_index": index, "reason": f"invalid {index}", "field": ""} for index in order]
    status = data.draw(st.sampled_from([200, 207]))
    sender, recorder, memory = delivery(lambda _: httpx.Response(status, json={"errors": errors}))
    ordinals = pa.array([1000 + 7 * position for position in range(count)], pa.int64())
    items = pa.array([b"{}"] * count, pa.large_binary())
    sender.deliver(Load(ordinals, items, b'{"batch":[]}'))
    assert recorded(recorder, memory) == {
        1000 + 7 * position: (Outcome.REJECTED, f"invalid {position}")
        if position in refused
        else (Outcome.ACCEPTED, None)
        for position in range(count)
    }


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.data())
def test_any_poison_in_a_batch_that_is_refused_as_a_whole_stands_alone_in_the_end(
    count: int, data: st.DataObject
) -> None:
    poison = data.draw(st.sets(st.integers(0, count - 1), max_size=8))

    def answer(request: httpx.Request) -> httpx.Response:
        here = {item["n"] for item in json.loads(request.content)["batch"]}
        return httpx.Response(400 if here & poison else 200, json={})

    sender, recorder, memory = delivery(answer)
    items = pa.array([b'{"n":%d}' % n for n in range(count)], pa.large_binary())
    body = b'{"batch":[' + b",".join(items.to_pylist()) + b"]}"
    sender.deliver(Load(pa.array(range(count), pa.int64()), items, body))
    found = {ordinal for ordinal, (outcome, _) in recorded(recorder, memory).items() if outcome == 2}
    assert (found, len(recorded(recorder, memory))) == (poison, count)


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 995)), min_size=1, max_size=60),
    st.integers(1, 40),
    st.integers(0, 9),
)
def test_any_mix_of_sizes_is_sent_in_legal_batches_and_in_order_within_a_person(
    rows: list[tuple[int, int]], copies: int, swaps: int
) -> None:
    """Rows are (person, bytes of the payload), many times over, so that lanes and several bodies come of them; they
    lie in the files in any order."""
    rows = rows * copies * 4
    bodies: list[bytes] = []
    lock = threading.Lock()

    def answer(request: httpx.Request) -> httpx.Response:
        with lock:
            bodies.append(request.content)
        return httpx.Response(200, json={})

    sender, recorder, memory = delivery(answer)
    contract = Contract.model_validate(
        {"workspace": "w", "staging": {"s3": "s3://b/", "iam_role": "default"}}
    )
    context = SyncContext(people(note="note"), contract, None, recorder.bucket, "r")  # type: ignore[arg-type]
    table = pa.table(
        {
            "ordinal": pa.array(range(len(rows)), pa.int64()),
            "lane_hash": pa.array([person for person, _ in rows], pa.int32()),
            "operation": ["upsert"] * len(rows),
            "identifier": [f"c{person}" for person, _ in rows],
            "undecided_since": pa.nulls(len(rows), pa.timestamp("us")),
            "f_0": [f"{number:05d}" + "x" * size for number, (_, size) in enumerate(rows)],
        }
    )
    shuffled = table.take(pa.array(sorted(range(len(rows)), key=lambda i: (i * 7919 + swaps) % len(rows))))
    with Lanes(3, sender, Progress("shard", len(rows))) as lanes:
        for ordinals, items, lane_hash in in_order_rendered(context, shuffled, recorder, PLAN):
            lanes.send(BATCH_DOOR, ordinals, items, lane_hash)
        lanes.finish()
    sent = [item for body in bodies for item in json.loads(body)["batch"]]
    assert max(map(len, bodies)) <= BODY_LIMIT
    assert len(recorded(recorder, memory)) == len(sent) == len(rows)
    for person in {person for person, _ in rows}:
        numbers = [int(i["attributes"]["note"][:5]) for i in sent if i["identifiers"]["id"] == f"c{person}"]
        assert numbers == [number for number, row in enumerate(rows) if row[0] == person]


def test_an_announcement_stands_until_what_became_of_it_is_on_record() -> None:
    """Also when S3 is away for a while, and with outcomes written only now and then."""
    _, recorder, memory = delivery(lambda _: httpx.Response(200, json={}))
    ordinals = pa.array([1, 2, 3], pa.int64())

    def kinds() -> list[str]:
        return sorted(key.rpartition("/")[2].split("-")[0] for key in memory.objects)

    announcement = recorder.announce(ordinals)
    recorder.add(ordinals, Outcome.ACCEPTED)
    recorder.decided(announcement)
    assert kinds() == ["in_flight"]
    memory.away = True
    with pytest.raises(WarehouseError):
        recorder.flush()
    assert kinds() == ["in_flight"]
    memory.away = False
    recorder.flush()
    assert kinds() == ["outcomes"]
    assert recorded(recorder, memory) == dict.fromkeys((1, 2, 3), (Outcome.ACCEPTED, None))


def of_three_lanes(
    answer: Callable[[httpx.Request], httpx.Response],
) -> tuple[list[int], Memory, BaseException | None]:
    """Events, ten loads for each of three lanes: who was sent, what is in S3, how it ended."""
    sender, recorder, memory = delivery(answer)
    recorder.plan = replace(PLAN, kind="events")
    sent: list[int] = []
    count = 30
    items = pa.array([json.dumps({"n": n, "note": "x" * 400_000}).encode() for n in range(count)])
    hashes = pa.array([n % 3 for n in range(count)], pa.int32())
    ended: BaseException | None = None
    try:
        with Lanes(3, sender, Progress("shard", count)) as lanes:
            lanes.send(BATCH_DOOR, pa.array(range(count), pa.int64()), items.cast(pa.large_binary()), hashes)
            lanes.finish()
    except (AuthenticationError, ZeroDivisionError) as error:
        ended = error
    recorder.flush()
    for key, body in memory.objects.items():
        if "outcomes" in key:
            sent += pq.read_table(pa.BufferReader(body))["ordinal"].to_pylist()
    return sent, memory, ended


def test_an_error_of_one_lane_stops_all_and_what_was_not_sent_is_merely_unsent() -> None:
    asked: list[int] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["batch"][0]["n"])
        return httpx.Response(401 if len(asked) >= 5 else 200, json={})

    sent, memory, ended = of_three_lanes(answer)
    assert isinstance(ended, AuthenticationError)
    assert 4 <= len(sent) < len(asked) + 1 <= 9
    assert not [key for key in memory.objects if "in_flight" in key]


def test_events_stay_announced_where_nobody_knows_what_became_of_them() -> None:
    """An error of our own while an answer was worked on: what was sent is undecided, not unsent."""

    def answer(request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["batch"][0]["n"] == 7:
            raise ZeroDivisionError
        return httpx.Response(200, json={})

    _, memory, ended = of_three_lanes(answer)
    assert isinstance(ended, ZeroDivisionError)
    assert [key for key in memory.objects if "in_flight" in key]
