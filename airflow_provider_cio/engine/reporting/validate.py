"""Follow one known person: profile -> message -> outcome -> order."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from airflow_provider_cio.core.redaction import hashed
from airflow_provider_cio.core.reporting_file import Validation
from airflow_provider_cio.exceptions import SourceError
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.session import Warehouse

DELIVERIES, METRICS, PEOPLE = (
    f"cio_staging.stg_customerio__{name}" for name in ("deliveries", "delivery_metrics", "people")
)


@dataclass(frozen=True)
class Followed:
    """How many there are of each on the person's way."""

    deliveries: int
    with_outcome: int
    followed_by_order: int | None

    def to_dict(self) -> dict[str, Any]:
        """Counts only."""
        return asdict(self)


def follow(warehouse: Warehouse, person: Validation) -> Followed:
    """
    :raises SourceError: the chain breaks; says where.
    """
    whom = sql.literal(person.customer_id)
    mine = (
        f"SELECT d.delivery_id, m.first_sent_at FROM {DELIVERIES} AS d "
        f"LEFT JOIN {PEOPLE} AS p ON p.cio_id = d.cio_id "
        f"LEFT JOIN {METRICS} AS m ON m.delivery_id = d.delivery_id "
        f"WHERE COALESCE(d.customer_id, p.customer_id) = {whom}"
    )
    [(deliveries, outcomes)] = warehouse.fetch(f"SELECT COUNT(*), COUNT(first_sent_at) FROM ({mine}) AS mine")
    orders: int | None = None
    if person.orders is not None:
        [(orders,)] = warehouse.fetch(
            f"SELECT COUNT(DISTINCT mine.delivery_id) FROM ({mine}) AS mine JOIN {sql.relation(person.orders)} AS o "
            f"ON o.customer_id = {whom} AND o.ordered_at >= mine.first_sent_at"
        )
    found = Followed(int(deliveries), int(outcomes), orders)
    for count, what, step in (
        (
            found.deliveries,
            "no delivery",
            "check that the person was written to since first_day, and the bridge",
        ),
        (found.with_outcome, "deliveries, but none that was sent", "load the stream `metrics` by some route"),
        (found.followed_by_order, "messages, but no order after one", "check the relation in `orders`"),
    ):
        if count == 0:
            raise SourceError(
                f"The known person {hashed(person.customer_id)} has {what}.", next_step=f"{step}."
            )
    return found
