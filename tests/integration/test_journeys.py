"""A careless first sync or backfill starts journeys; ours does not."""

from __future__ import annotations

import httpx
import pytest

from airflow_provider_cio.engine.backfill import backfill_day, days
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.exceptions import ContractError, GuardStoppedError
from airflow_provider_cio.warehouse import history

pytest_plugins = ("sync_lab",)

REPEAT = {"attribute": {"field": "order_count", "operator": "gte", "value": 2}}
LIVE = {"attribute": {"field": "vip", "operator": "eq", "value": True}}


@pytest.fixture
def sandbox(lab):
    def call(method, path, **body):
        answer = httpx.request(method, f"{lab.customerio.url}/_sandbox/{path}", json=body or None, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return call


@pytest.fixture
def welcome(sandbox):
    """A journey for whoever comes into 'repeat buyers'."""
    segment = sandbox("POST", "segments", name="repeat buyers", conditions=REPEAT)["segment"]["id"]
    return sandbox("POST", "campaigns", name="Welcome back", trigger={"segment": segment})["id"]


@pytest.fixture
def thanks(sandbox):
    """A journey for each order, which reads the profile."""
    return sandbox(
        "POST",
        "campaigns",
        name="Thanks",
        trigger={"event": "Order Completed"},
        reads=["name", "order_count"],
    )["id"]


def started(sandbox, campaign):
    found = sandbox("GET", "journeys")["journeys"]
    return [(each["identifiers"]["id"], each["read"]) for each in found if each["campaign_id"] == campaign]


def order(lab, number, hours_ago):
    lab.run(
        f"INSERT INTO cio_marts.orders VALUES ('o{number}', 'c{number}', "
        f"DATEADD(minute, -{int(hours_ago * 60)}, GETDATE()), 10, 1)"
    )


def test_a_first_people_sync_is_stopped_before_it_starts_everybodys_journey(lab, sandbox, welcome):
    lab.customers(10)
    with pytest.raises(GuardStoppedError, match=r"journeys: a first sync of 10 people") as told:
        run_sync(lab.context(lab.people(backfill={})))
    assert "journeys_paused: true" in told.value.message
    assert (lab.received(), started(sandbox, welcome)) == (0, [])

    sandbox("PUT", f"campaigns/{welcome}", state="stopped")
    assert run_sync(lab.context(lab.people(backfill={"journeys_paused": True}), "run-2")).accepted == 10
    sandbox("PUT", f"campaigns/{welcome}", state="running")
    assert started(sandbox, welcome) == []

    lab.run("UPDATE cio_marts.customers SET orders = 2 WHERE customer_id = 'c1'")
    assert run_sync(lab.context(lab.people(backfill={}), "run-3")).accepted == 1
    assert [who for who, _ in started(sandbox, welcome)] == ["c1"]


def test_the_careless_alternative_starts_them(lab, sandbox, welcome):
    lab.customers(10)
    run_sync(lab.context(lab.people(backfill={"journeys_paused": True})))  # and nobody paused them
    assert len(started(sandbox, welcome)) == 8


def test_an_opt_in_flag_keeps_people_out_of_segments_that_ask_for_it(lab, sandbox):
    both = {"and": [REPEAT, LIVE]}
    segment = sandbox("POST", "segments", name="repeat buyers, live", conditions=both)["segment"]["id"]
    campaign = sandbox("POST", "campaigns", name="Welcome back", trigger={"segment": segment})["id"]
    lab.customers(10)
    lab.run("UPDATE cio_marts.customers SET vip = FALSE")
    assert run_sync(lab.context(lab.people(backfill={"opt_in_flag": "vip"}))).accepted == 10
    assert started(sandbox, campaign) == []
    lab.run("UPDATE cio_marts.customers SET vip = TRUE WHERE customer_id = 'c5'")
    run_sync(lab.context(lab.people(backfill={"opt_in_flag": "vip"}), "run-2"))
    assert [who for who, _ in started(sandbox, campaign)] == ["c5"]


def test_a_new_attribute_is_a_first_sync_of_its_own(lab):
    lab.customers(10)
    fields = {"name": "name"}
    run_sync(lab.context(lab.people(attributes=fields)))
    more = {**fields, "order_count": "orders"}
    with pytest.raises(GuardStoppedError, match=r"new attributes \(order_count\) of 10 people"):
        run_sync(lab.context(lab.people(attributes=more, backfill={}), "run-2"))
    assert run_sync(lab.context(lab.people(attributes=more), "run-3")).accepted == 10
    assert run_sync(lab.context(lab.people(attributes=more, backfill={}), "run-4")).sent == 0


def test_young_events_of_before_are_held_and_new_ones_start_journeys(lab, sandbox, thanks):
    order(lab, 1, hours_ago=24 * 100)
    order(lab, 2, hours_ago=2)
    sync = lab.events(backfill={})
    assert run_sync(lab.context(sync)).accepted == 1
    assert lab.rows("SELECT name, rows FROM cio_sync.findings") == [("event_held", 1)]
    order(lab, 3, hours_ago=0)
    assert run_sync(lab.context(sync, "run-2")).accepted == 1
    assert [who for who, _ in started(sandbox, thanks)] == ["c3"]
    assert sorted(each for each in ("c1", "c2", "c3") if _events(lab, each)) == ["c1", "c3"]

    lab.run("UPDATE cio_marts.orders SET ordered_at = DATEADD(hour, -73, GETDATE()) WHERE order_id = 'o2'")
    assert run_sync(lab.context(sync, "run-3")).accepted == 1
    assert [who for who, _ in started(sandbox, thanks)] == ["c3"]


def _events(lab, identifier):
    found = httpx.get(f"{lab.customerio.url}/_sandbox/events", params={"identifier": identifier})
    return found.json().get("events", [])


def test_the_careless_events_start_journeys(lab, sandbox, thanks):
    order(lab, 1, hours_ago=24 * 100)
    order(lab, 2, hours_ago=2)
    assert run_sync(lab.context(lab.events(backfill={"live": True}))).accepted == 2
    assert [who for who, _ in started(sandbox, thanks)] == ["c2"]


def test_a_backfill_goes_day_by_day_and_resumes(lab, sandbox, thanks):
    window = {"since": "2024-03-01", "until": "2024-03-03"}
    lab.insert(
        "orders",
        [
            f"('o{day}-{n}', 'c{n}', '2024-03-0{day} 1{n}:00:00', 1, 1)"
            for day in range(1, 5)
            for n in range(3)
        ],
    )
    sync = lab.events(
        lookback="30d", guards={"min_rows": 0}, backfill={"window": window, "event": "Order Completed Before"}
    )
    ctx = lab.context(sync, "backfill-1")
    assert run_sync(lab.context(sync)).sent == 0  # older than the look-back
    assert days(ctx) == ["2024-03-01", "2024-03-02", "2024-03-03"]

    assert backfill_day(ctx, "2024-03-01").accepted == 3
    lab.faults({"status": 500, "times": 2})
    with pytest.raises(Exception, match="500"):
        backfill_day(ctx, "2024-03-02")
    assert [backfill_day(ctx, day).accepted for day in days(ctx)] == [0, 3, 3]

    assert lab.stats()["events_by_name"] == {"Order Completed Before": 9}
    (event,) = [each for each in lab.events_of("c1") if each["data"]["order_id"] == "o2-1"]
    assert event["timestamp"] == 1709377200  # 2 March 2024, 11:00 UTC: its own time
    assert started(sandbox, thanks) == []
    assert run_sync(lab.context(sync, "run-9")).sent == 0


def test_a_backfill_needs_a_window(lab):
    with pytest.raises(ContractError, match=r"there is no backfill.window"):
        days(lab.context(lab.events()))


def test_a_journey_reads_what_the_people_sync_wrote_before(lab, sandbox, thanks):
    lab.customers(3)
    run_sync(lab.context(lab.people()))
    order(lab, 2, hours_ago=1)
    run_sync(lab.context(lab.events(), "run-2"))
    assert started(sandbox, thanks) == [("c2", {"name": "Name 2", "order_count": 2})]


def test_late_events_within_the_look_back_are_sent_once(lab):
    order(lab, 1, hours_ago=1)
    sync = lab.events(lookback="10d")
    run_sync(lab.context(sync))
    order(lab, 2, hours_ago=24 * 9)  # happened before the last run, and comes after it
    order(lab, 3, hours_ago=24 * 11)  # too late
    assert run_sync(lab.context(sync, "run-2")).accepted == 1
    assert run_sync(lab.context(sync, "run-3")).sent == 0
    assert [each["data"]["order_id"] for each in lab.events_of("c2")] == ["o2"]


def test_a_late_refund_corrects_state_on_the_next_run(lab):
    lab.customers(2)
    run_sync(lab.context(lab.people()))
    lab.run("UPDATE cio_marts.customers SET spent = 0 WHERE customer_id = 'c1'")
    assert run_sync(lab.context(lab.people(), "run-2")).accepted == 1
    assert lab.person("c1")["attributes"]["spent"] == 0


class TestAGuardedSource:
    """A source that returns nothing, half or double is stopped by default, and can be let through once."""

    @pytest.fixture(params=["nothing", "half", "double"])
    def strange(self, request, lab):
        lab.customers(200)
        run_sync(lab.context(lab.people()))
        if request.param == "double":
            lab.customers(200, start=200)
        else:
            last = "c1" if request.param == "half" else ""
            lab.run(f"DELETE FROM cio_marts.customers WHERE customer_id LIKE '{last}%'")
        return request.param

    def test_it_is_stopped_and_let_through_once(self, lab, strange):
        guard = {"nothing": "max_drop_pct", "half": "max_drop_pct", "double": "max_growth_pct"}[strange]
        before = lab.received()
        with pytest.raises(GuardStoppedError, match=guard) as told:
            run_sync(lab.context(lab.people(), "run-2"))
        assert f"airflow cio let-through people {'min_rows ' if strange == 'nothing' else ''}{guard}" in str(
            told.value
        )
        assert lab.received() == before
        for name in (guard, "min_rows"):
            lab.warehouse.transaction(lambda s, name=name: history.grant(s, "cio_sync", "people", name))
        report = run_sync(lab.context(lab.people(), "run-3"))
        assert report.accepted == (200 if strange == "double" else 0)
        open_grants = lab.rows("SELECT COUNT(*) FROM cio_sync.let_through WHERE plan_id IS NULL")
        assert open_grants == [(0 if strange == "nothing" else 1,)]  # min_rows was needed for nothing only


def test_small_sources_may_double(lab):
    lab.customers(20)
    run_sync(lab.context(lab.people()))
    lab.customers(40, start=20)
    assert run_sync(lab.context(lab.people(), "run-2")).accepted == 40
