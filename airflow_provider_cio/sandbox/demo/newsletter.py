"""What the retention team does in Customer.io: a newsletter, a month ago. And what Redshift knows of it afterwards."""

from __future__ import annotations

from typing import Any

import httpx

MONTH = 30 * 86_400
CAME_BACK = """
SELECT COUNT(*) AS messages, COUNT(m.first_sent_at) AS sent, COUNT(m.first_human_opened_at) AS opened,
       COUNT(m.first_clicked_at) AS clicked, COUNT(m.first_converted_at) AS converted,
       COUNT(DISTINCT p.customer_id) AS customers
FROM cio_staging.stg_customerio__deliveries AS d
LEFT JOIN cio_staging.stg_customerio__delivery_metrics AS m ON m.delivery_id = d.delivery_id
LEFT JOIN cio_staging.stg_customerio__people AS p ON p.cio_id = d.cio_id
"""


def send_newsletter(customerio: dict[str, Any]) -> None:
    """To everybody, once: a second demo in the same folder finds it sent."""
    with httpx.Client(base_url=customerio["url"], timeout=120, trust_env=False) as http:
        if http.get("/_sandbox/deliveries").raise_for_status().json()["deliveries"]:
            return
        for offset, path, body in (
            (-MONTH, "newsletters", {"name": "What is new this autumn"}),
            (0, "deliveries", {}),
        ):
            http.put("/_sandbox/settings", json={"clock_offset": offset}).raise_for_status()
            http.post(f"/_sandbox/{path}", json=body).raise_for_status()


def read_reporting(connection: Any, customerio: dict[str, Any]) -> dict[str, int]:
    """Counts of messages by what became of them, and `made`: how many Customer.io has."""
    with connection.cursor() as cursor:
        cursor.execute(CAME_BACK)
        names = [column[0] for column in cursor.description]
        found = {name: int(value) for name, value in zip(names, cursor.fetchone(), strict=True)}
    made = httpx.get(f"{customerio['url']}/_sandbox/deliveries", trust_env=False).raise_for_status().json()
    return {**found, "made": made["deliveries"]}
