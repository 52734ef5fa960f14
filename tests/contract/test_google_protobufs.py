"""Bodies for Google's Data Manager API, parsed by Google's own protobufs: no unknown field, no wrong enum."""

from __future__ import annotations

import warnings
from typing import Any

import pytest

from airflow_provider_cio.clients.destinations.base import Batch
from airflow_provider_cio.clients.destinations.google import request_body

DESTINATION = {
    "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": "1234567890"},
    "loginAccount": {"accountType": "GOOGLE_ADS", "accountId": "1234567890"},
    "productDestinationId": "777",
}


@pytest.mark.parametrize(
    ("action", "message"),
    [("add", "IngestAudienceMembersRequest"), ("remove", "RemoveAudienceMembersRequest")],
)
@pytest.mark.parametrize("field", ["emailAddress", "phoneNumber", "address"])
def test_the_body_is_googles(action: Any, message: str, field: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from google.ads import datamanager_v1
        from google.protobuf import json_format

    identifiers = ["ab" * 32, "cd" * 32]
    if field == "address":
        identifiers = [f"{each}|{each}|94035|US" for each in identifiers]
    body = request_body(Batch("u", action, field, identifiers), DESTINATION)
    parsed = json_format.ParseDict(body, getattr(datamanager_v1, message).pb()())
    assert len(parsed.audience_members) == 2
    assert len(parsed.audience_members[0].composite_data.user_data.user_identifiers) == 1
    body["audienceMembers"][0]["addressInfo"] = {}
    with pytest.raises(json_format.ParseError):
        json_format.ParseDict(body, getattr(datamanager_v1, message).pb()())
