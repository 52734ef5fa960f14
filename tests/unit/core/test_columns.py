from __future__ import annotations

import pytest

from airflow_provider_cio.core.columns import FAMILIES, Column, check_fields
from airflow_provider_cio.core.contract import Sync
from airflow_provider_cio.exceptions import SourceError


def sync(**field: str) -> Sync:
    return Sync.model_validate(
        {
            "name": "people",
            "kind": "people",
            "description": "d",
            "owner": "o",
            "source": "cio_marts.people",
            "identity": {"id": "customer_id"},
            "attributes": {"joined": {"column": "joined_on", **field}},
        }
    )


def test_every_type_without_a_declaration_is_sendable() -> None:
    for oid in FAMILIES:
        check_fields(sync(time_zone="UTC"), {"joined": Column("joined_on", oid)})


@pytest.mark.parametrize(
    ("field", "oid", "message"),
    [
        (
            {"type": "integer"},
            1043,
            "attributes.joined: column 'joined_on' is text and cannot become type: integer",
        ),
        (
            {"type": "boolean"},
            23,
            "attributes.joined: column 'joined_on' is integer and cannot become type: boolean",
        ),
        (
            {"type": "string"},
            4000,
            "attributes.joined: column 'joined_on' is super and cannot become type: string",
        ),
        ({}, 1114, "attributes.joined: column 'joined_on' is a TIMESTAMP without a time zone"),
        ({}, 1083, "column 'joined_on' has a type (oid 1083) that cannot be sent"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_plan_time(field: dict[str, str], oid: int, message: str) -> None:
    with pytest.raises(SourceError) as raised:
        check_fields(sync(**field), {"joined": Column("joined_on", oid)})
    assert message in str(raised.value)
    assert raised.value.next_step


def test_a_column_that_the_source_lacks_is_named() -> None:
    with pytest.raises(SourceError, match=r"attributes\.joined: the source has no column 'joined_on'"):
        check_fields(sync(), {})
