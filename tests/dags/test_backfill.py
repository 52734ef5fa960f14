"""The Dag of a backfill: day after day, at its share of the rate, and healed by running it again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from airflow_provider_cio.hooks.customerio import CustomerIOHook

if TYPE_CHECKING:
    from dag_lab import Dags, Run

pytest_plugins = ("dag_lab",)
EVENTS: dict[str, Any] = {
    "kind": "events",
    "description": "Orders",
    "owner": "retention",
    "source": "cio_marts.orders",
    "identity": {"id": "customer_id"},
    "event": "Order Completed",
    "key": "order_id",
    "occurred_at": {"column": "ordered_at", "time_zone": "UTC"},
    "lookback": "30d",
    "properties": {"order_id": "order_id"},
    "backfill": {"window": {"since": "2024-03-01", "until": "2024-03-03"}, "rate_share": 0.25},
}


@pytest.fixture
def history(dags: Dags) -> Any:
    """The Dag as Airflow loads it, without the wait between its tries."""
    file = dags.folder / "contract.yaml"
    contract = yaml.safe_load(file.read_text())
    prop = {"type": "string", "description": "Number of the order"}
    contract["events"] = {"Order Completed": {"description": "Paid", "properties": {"order_id": prop}}}
    file.write_text(yaml.safe_dump(contract))
    dags.sync("orders", **EVENTS)
    dag = dags.bag().dags["cio_backfill_orders"]
    dag.get_task("send").retries = 0
    return dag


def test_days_go_one_after_another_at_their_share_and_a_second_run_sends_what_is_missing(
    lab: Any, dags: Dags, history: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rates: list[float] = []
    real = CustomerIOHook.track_client

    def noted(self: CustomerIOHook, *arguments: Any) -> Any:
        client = real(self, *arguments)
        rates.append(client.budget.rate / real(self).budget.rate)
        return client

    monkeypatch.setattr(CustomerIOHook, "track_client", noted)
    lab.insert(
        "orders",
        [
            f"('o{day}-{n}', 'c{n}', '2024-03-0{day} 1{n}:00:00', 1, 1)"
            for day in range(1, 5)
            for n in range(3)
        ],
    )
    lab.faults({"status": 401, "times": 1000, "match": "o2-1"})
    torn = dags.run(history)
    assert (torn.state, torn.tasks) == ("failed", {"days": "success", "send": "failed+success"})
    assert torn.instance("send", 1).state == "failed"
    assert {each["data"]["order_id"][:2] for each in lab.events_of("c0")} == {"o1", "o3"}

    lab._sandbox("DELETE", "faults")
    healed = dags.run(history)
    assert (healed.state, healed.tasks) == ("success", {"days": "success", "send": "success"})
    assert [healed.xcom("send", map_index=day)["accepted"] for day in range(3)] == [0, 3, 0]
    assert lab.stats()["events_by_name"] == {"Order Completed": 9}  # none of 4 March, none twice
    assert rates == [0.25] * 6
    assert history.get_task("send").max_active_tis_per_dagrun == 1


def test_a_run_may_ask_for_some_days_of_the_window_and_for_their_numbers_alone(
    lab: Any, dags: Dags, history: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    def run(**asked: str | bool) -> Run:  # dag.test() leaves in a Dag what it was asked for
        return dags.run(dags.bag().dags[history.dag_id], **asked)

    lab.insert("orders", [f"('o{day}', 'c{day}', '2024-03-0{day} 10:00:00', 1, 1)" for day in range(1, 5)])
    asked = {"since": "2024-03-02", "until": "2024-03-02"}
    dry = run(**asked, dry_run=True)
    assert (dry.state, dry.xcom("days"), lab.received()) == ("success", ["2024-03-02"], 0)
    assert dry.xcom("send", map_index=0)["to_send"] == 1
    assert run(**asked).state == "success"
    assert (lab.received(), len(lab.events_of("c2"))) == (1, 1)

    outside = run(until="2024-03-04")
    assert (outside.state, outside.tasks["days"], lab.received()) == ("failed", "failed", 1)
    assert "params.until: 2024-03-04 is not among 2024-03-01 to 2024-03-03" in "".join(capfd.readouterr())
