"""Wide rows, long values that are all different, and busy people are warned of with measured numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.engine.plan import describe
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.exceptions import SourceError

if TYPE_CHECKING:
    from sync_lab import Lab

pytest_plugins = ("sync_lab",)
HEAVY = ("payload_wide", "values_nearly_unique", "events_of_one_person")


def heavy(lab: Lab, sync: Any) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in describe(lab.context(sync))["findings"] if each["name"] in HEAVY}


def wide(lab: Lab, count: int, text: str) -> None:
    from sync_lab import numbers

    lab.run(
        f"INSERT INTO cio_marts.customers (customer_id, name, email) SELECT 'c' || i, {text}, 'c' || i || '@x.com' "
        f"FROM {numbers(count, 0)}"
    )


def test_a_lean_payload_is_not_warned_of(lab: Lab) -> None:
    wide(lab, 1200, "'Name ' || i")
    assert heavy(lab, lab.people(attributes={"name": "name", "email": "email"})) == {}


def test_free_text_is_measured_and_named(lab: Lab) -> None:
    wide(lab, 1200, "'A long note about customer number ' || i || REPEAT('x', 60)")
    sync = lab.people(attributes={"note": "name", "email": "email"})
    found = heavy(lab, sync)
    assert list(found) == ["values_nearly_unique"]
    finding = found["values_nearly_unique"]
    assert (finding["field"], finding["rows"], finding["severity"]) == ("attributes.note", 1200, "notice")
    assert "1,200 different values of 97 bytes on average" in finding["message"]
    stopping = lab.people(
        attributes={"note": "name", "email": "email"}, findings={"values_nearly_unique": "fail"}
    )
    with pytest.raises(SourceError, match="1,200 different values"):
        run_sync(lab.context(stopping))
    assert lab.received() == 0


def test_a_wide_row_is_measured_and_its_widest_field_named(lab: Lab) -> None:
    wide(lab, 20, "REPEAT('x', 900)")
    fields = {f"note_{n}": {"expression": "name"} for n in range(3)} | {"city": "email"}
    finding = heavy(lab, lab.people(attributes=fields))["payload_wide"]
    assert "4 fields of 2,7" in finding["message"]
    assert "the widest is attributes.note_0 with 900" in finding["message"]


def test_a_placeholder_among_the_people_of_events_is_found(lab: Lab) -> None:
    lab.orders(501, people=1)
    lab.orders(300, start=1000, people=3)
    finding = heavy(lab, lab.events())["events_of_one_person"]
    assert (finding["rows"], finding["field"]) == (1, "identity.id")
    assert "1 people with more than 500 events each, the busiest 601" in finding["message"]
