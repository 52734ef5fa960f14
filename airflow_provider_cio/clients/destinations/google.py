"""Google Data Manager API: ingest and remove are taken at once and confirmed later, by request id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from airflow_provider_cio.clients.destinations.base import (
    BETWEEN,
    Batch,
    Platform,
    Receipt,
    Settlement,
    Standing,
    down,
    json_object,
    not_json,
    rate_limited,
    refused,
    unauthorised,
)
from airflow_provider_cio.exceptions import CustomerIOProviderError, RequestRefusedError, UnknownOutcomeError

_OUTCOMES = {
    "SUCCESS": "confirmed",
    "PROCESSING": "pending",
    "FAILED": "rejected",
    "PARTIAL_SUCCESS": "partial",
}
_FORGOTTEN = frozenset({"REQUEST_TOO_OLD", "INVALID_REQUEST_ID"})
_GRANTED = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
MIN_TARGETABLE = 100
ADDRESS, PARTS_OF_ADDRESS = "address", ("givenName", "familyName", "postalCode", "regionCode")
"""Names are hashed, postcode and country are not."""


class GoogleUserList:
    """One user list of one Google Ads account.

    :param token: gives an OAuth token of the scope `datamanager`, asked for before each request.
    :param account: of the list; `login_account` is the manager that the token belongs to.
    """

    def __init__(
        self,
        *,
        token: Callable[[], str],
        audience: str,
        account: str,
        login_account: str | None = None,
        base_url: str | None = None,
        requests_per_minute: float = 300,
        **options: Any,
    ) -> None:
        self._api = Platform(
            base_url or "https://datamanager.googleapis.com",
            judge,
            auth=Bearer(token),
            requests_per_minute=requests_per_minute,
            **options,
        )
        self._list = f"/v1/accountTypes/GOOGLE_ADS/accounts/{account}/userLists/{audience}"
        self._destination = {
            "operatingAccount": {"accountType": "GOOGLE_ADS", "accountId": account},
            "loginAccount": {"accountType": "GOOGLE_ADS", "accountId": login_account or account},
            "productDestinationId": audience,
        }
        self.close = self._api.close

    def apply(self, batch: Batch) -> Receipt:
        """Ingest (with consent granted: who did not grant it is no member) or remove."""
        verb = "ingest" if batch.action == "add" else "remove"
        body = request_body(batch, self._destination)
        answer = self._api.request("POST", f"/v1/audienceMembers:{verb}", json=body)
        request_id = str((json_object(answer.response) or {}).get("requestId") or "")
        if not request_id:
            raise UnknownOutcomeError(
                "Google's answer holds no requestId.", next_step="run the audience again"
            )
        return Receipt("pending", request_id)

    def settlement(self, request_id: str) -> Settlement:
        """By `requestStatus:retrieve`; a request that is not known yet is pending, one too old is unknown."""
        try:
            answer = self._api.request("GET", "/v1/requestStatus:retrieve", params={"requestId": request_id})
        except RequestRefusedError as error:
            if error.status == 404:
                return Settlement("pending", "not known yet")
            if any(each["reason"] in _FORGOTTEN for each in error.errors):
                return Settlement("unknown", error.errors[0]["reason"])
            raise
        found = (json_object(answer.response) or {}).get("requestStatusPerDestination") or [{}]
        counts = (found[0].get("errorInfo") or {}).get("errorCounts") or []
        reason = ", ".join(f"{each.get('reason')}: {each.get('recordCount')}" for each in counts)
        return Settlement(_OUTCOMES.get(str(found[0].get("requestStatus")), "pending"), reason)  # type: ignore[arg-type]

    def standing(self) -> Standing:
        """The display network's size, and the match rate of contact data."""
        found = json_object(self._api.request("GET", self._list).response) or {}
        sizes = found.get("sizeInfo") or {}
        size = sizes.get("displayNetworkMembersCount")
        ingested = found.get("ingestedUserListInfo") or {}
        rate = (ingested.get("contactIdInfo") or {}).get("matchRatePercentage")
        members = None if size is None else int(size)
        return Standing(
            members,
            members is not None and members >= MIN_TARGETABLE,
            match_rate=None if rate is None else float(rate),
        )


def request_body(batch: Batch, destination: dict[str, Any]) -> dict[str, Any]:
    """IngestAudienceMembersRequest or RemoveAudienceMembersRequest, one identifier a member."""
    body: dict[str, Any] = {
        "destinations": [destination],
        "audienceMembers": [
            {"compositeData": {"userData": {"userIdentifiers": [_identifier(batch.field, identifier)]}}}
            for identifier in batch.identifiers
        ],
        "encoding": "HEX",
    }
    if batch.action == "add":
        body["consent"] = _GRANTED
        body["termsOfService"] = {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
    return body


def _identifier(field: str, identifier: str) -> dict[str, Any]:
    if field != ADDRESS:
        return {field: identifier}
    return {ADDRESS: dict(zip(PARTS_OF_ADDRESS, identifier.split(BETWEEN), strict=True))}


class Bearer(httpx.Auth):
    """A token that is asked for before each request."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def auth_flow(self, request: httpx.Request) -> Any:
        """As httpx asks for it."""
        request.headers["Authorization"] = f"Bearer {self._token()}"
        yield request


def judge(response: httpx.Response) -> CustomerIOProviderError | None:
    """By status and `error.status`; reasons are kept, messages and field values are not."""
    body = json_object(response)
    if body is None:
        return not_json(response)
    if response.is_success:
        return None
    error = body.get("error") or {}
    details = [each for each in error.get("details") or [] if isinstance(each, dict)]
    reasons = [str(each["reason"]) for each in details if each.get("reason")]
    said = ", ".join([str(error.get("status") or response.status_code), *reasons])
    if response.status_code == 429:
        return rate_limited(response, said)
    if response.status_code >= 500:
        return down(response, said)
    if response.status_code in {401, 403}:
        return unauthorised(response, said, "check the credentials, the scope `datamanager` and the accounts")
    refusal = refused(response, said, "look the reason up in the Data Manager API's error reference")
    refusal.errors = tuple({"reason": reason, "field": ""} for reason in reasons)
    return refusal
