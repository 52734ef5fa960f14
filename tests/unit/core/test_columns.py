from __future__ import annotations

import pytest

from airflow_provider_cio.core.columns import FAMILIES, Column, check_field
from airflow_provider_cio.core.contract import FieldMapping
from airflow_provider_cio.exceptions import SourceError


def field(**said: str) -> FieldMapping:
    return FieldMapping.model_validate({"column": "joined_on", **said})


def test_every_type_without_a_declaration_is_sendable() -> None:
    for oid in FAMILIES:
        check_field("attributes.joined", field(time_zone="UTC"), Column("joined_on", oid))


@pytest.mark.parametrize(
    ("said", "oid", "message"),
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
def test_what_cannot_be_sent_is_refused_at_plan_time(said: dict[str, str], oid: int, message: str) -> None:
    with pytest.raises(SourceError) as raised:
        check_field("attributes.joined", field(**said), Column("joined_on", oid))
    assert message in str(raised.value)
    assert raised.value.next_step
