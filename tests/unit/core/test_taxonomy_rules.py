"""Names that are one name in other clothes."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_cio.core.contract_rules import lint
from airflow_provider_cio.core.taxonomy_rules import same_words

CONTRACT = """\
workspace: shop
staging: {s3: "s3://bucket/cio", iam_role: default}
attributes:
  order_total: {type: number, writer: people, description: x}
  ATTRIBUTE: {type: number, writer: people, description: x}
events:
  Order Completed:
    description: x
    properties: {order_id: {type: string}}
  EVENT:
    description: x
    properties: {PROPERTY: {type: string}}
"""


def told(folder: Path, attribute: str, event: str, key: str) -> list[str]:
    text = CONTRACT.replace("ATTRIBUTE", attribute).replace("EVENT", event).replace("PROPERTY", key)
    (folder / "contract.yaml").write_text(text)
    (folder / "syncs").mkdir(exist_ok=True)
    return [f"{f.line}: {f.key}: {f.message}" for f in lint(folder) if f.severity == "error"]


def test_different_names_are_different(tmp_path: Path) -> None:
    assert told(tmp_path, "order_totals", "Order Complete", "order_ids") == []
    assert told(tmp_path, "total", "Order Completed Again", "order_id") == []


@pytest.mark.parametrize("attribute", ["total_order", "orderTotal", "Order-Total", "ORDER_TOTAL"])
def test_an_attribute_in_other_clothes(tmp_path: Path, attribute: str) -> None:
    [said] = told(tmp_path, attribute, "Order Placed", "sku")
    assert said.startswith(
        f"5: attributes.{attribute}: the attribute '{attribute}' differs from 'order_total' only"
    )


def test_events_and_properties_too(tmp_path: Path) -> None:
    found = told(tmp_path, "sum", "Completed Order", "id_order")
    assert [line.split(": the")[0] for line in found] == [
        "10: events.Completed Order",
        "12: events.Completed Order.properties.id_order",
    ]


def test_words_are_found_in_every_spelling() -> None:
    spellings = ["Order Completed", "order_completed", "orderCompleted", "completed-order", "ORDER COMPLETED"]
    assert len({same_words(each) for each in spellings}) == 1
    assert same_words("order_id2") != same_words("order_id")
