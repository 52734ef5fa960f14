"""Google Ads API, for those whom Google still lets: a job is made, filled and run, and says itself how it ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
from airflow_provider_cio.clients.destinations.google import ADDRESS, MIN_TARGETABLE, Bearer
from airflow_provider_cio.clients.errors import parsed
from airflow_provider_cio.exceptions import (
    CustomerIOProviderError,
    DestinationDownError,
    RequestRefusedError,
    UnknownOutcomeError,
)

OPERATIONS = 10_000
"""Of one call; a job takes any number of calls."""
_OUTCOMES = {"SUCCESS": "confirmed", "FAILED": "rejected"}
_BEGUN = frozenset({"RUNNING", "SUCCESS", "FAILED"})
_GRANTED = {"adUserData": "GRANTED", "adPersonalization": "GRANTED"}
_FIELDS = {"emailAddress": "hashedEmail", "phoneNumber": "hashedPhoneNumber"}
_PARTS_OF_ADDRESS = ("hashedFirstName", "hashedLastName", "postalCode", "countryCode")
_LIMITS = frozenset(
    {
        "RESOURCE_EXHAUSTED",
        "RESOURCE_TEMPORARILY_EXHAUSTED",
        "EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION",
    }
)
_TRANSIENT = frozenset({"CONCURRENT_MODIFICATION", "INTERNAL_ERROR", "TRANSIENT_ERROR"})
_CLOSED = "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE"


class GoogleAdsJob:
    """One user list of one Google Ads account, through jobs of offline user data.

    :param token: gives an OAuth token of the scope `adwords`, asked for before each request.
    :param account: of the list; `login_account` is the manager that the token belongs to.
    """

    def __init__(
        self,
        *,
        token: Callable[[], str],
        developer_token: str,
        audience: str,
        account: str,
        login_account: str | None = None,
        api_version: str = "v26",
        base_url: str | None = None,
        requests_per_minute: float = 60,
        **options: Any,
    ) -> None:
        self._api = Platform(
            base_url or "https://googleads.googleapis.com",
            judge,
            auth=Bearer(token),
            headers={"developer-token": developer_token, "login-customer-id": login_account or account},
            requests_per_minute=requests_per_minute,
            **options,
        )
        self._version = api_version
        self._account = f"customers/{account}"
        self._audience = audience
        self.close = self._api.close

    def apply(self, batch: Batch) -> Receipt:
        """A job of its own for the batch. One that was made and never run does nothing."""
        job = self._called("offlineUserDataJobs:create", job_body(batch, self._list)).get("resourceName")
        if not job:
            raise UnknownOutcomeError("Google's answer names no job.", next_step="run the audience again")
        invalid = 0
        for operations in operations_of(batch):
            body = {"operations": operations, "enablePartialFailure": True}
            answer = self._post(f"{job}:addOperations", body)
            unread = _unread(json_object(answer) or {})
            if len(unread) == len(operations):
                raise refused(answer, "every operation", "look at the columns that are `prehashed`")
            invalid += len(unread)
        self._run(str(job))
        return Receipt("pending", str(job), invalid)

    def settlement(self, request_id: str) -> Settlement:
        """By the job's own status; neither the end of the call nor that of the operation is success."""
        job = self._job(request_id)
        outcome = _OUTCOMES.get(str(job.get("status")), "pending")
        return Settlement(outcome, str(job.get("failureReason") or ""))  # type: ignore[arg-type]

    def standing(self) -> Standing:
        """The display network's size, and the match rate."""
        fields = "user_list.size_for_display, user_list.match_rate_percentage"
        found = self._first(f"SELECT {fields} FROM user_list WHERE user_list.resource_name = '{self._list}'")
        known = found.get("userList") or {}
        size, rate = known.get("sizeForDisplay"), known.get("matchRatePercentage")
        members = None if size is None else int(size)
        return Standing(
            members,
            members is not None and members >= MIN_TARGETABLE,
            match_rate=None if rate is None else float(rate),
        )

    @property
    def _list(self) -> str:
        return f"{self._account}/userLists/{self._audience}"

    def _run(self, job: str) -> None:
        """Begin the job. When the answer to the first try is lost, the second is refused: the job says what is true."""
        try:
            self._post(f"{job}:run", {})
        except (RequestRefusedError, DestinationDownError):
            if self._job(job).get("status") not in _BEGUN:
                raise

    def _job(self, name: str) -> Mapping[str, Any]:
        fields = "offline_user_data_job.status, offline_user_data_job.failure_reason"
        where = f"offline_user_data_job.resource_name = '{name}'"
        found = self._first(f"SELECT {fields} FROM offline_user_data_job WHERE {where}")
        job: Mapping[str, Any] = found.get("offlineUserDataJob") or {}
        return job

    def _first(self, query: str) -> Mapping[str, Any]:
        chunks = parsed(self._post(f"{self._account}/googleAds:searchStream", {"query": query}))
        rows = [row for chunk in chunks or [] for row in chunk.get("results") or []]
        return rows[0] if rows else {}

    def _called(self, method: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return json_object(self._post(f"{self._account}/{method}", body)) or {}

    def _post(self, path: str, body: Mapping[str, Any]) -> httpx.Response:
        return self._api.request("POST", f"/{self._version}/{path}", json=body).response


def job_body(batch: Batch, user_list: str) -> dict[str, Any]:
    """CreateOfflineUserDataJobRequest; consent is granted by all members, and removals need none."""
    metadata: dict[str, Any] = {"userList": user_list}
    if batch.action == "add":
        metadata["consent"] = _GRANTED
    return {"job": {"type": "CUSTOMER_MATCH_USER_LIST", "customerMatchUserListMetadata": metadata}}


def operations_of(batch: Batch) -> Iterator[list[dict[str, Any]]]:
    """One identifier an operation, as many as a call may hold."""
    verb = "create" if batch.action == "add" else "remove"
    for first in range(0, len(batch.identifiers), OPERATIONS):
        some = batch.identifiers[first : first + OPERATIONS]
        yield [{verb: {"userIdentifiers": [_identifier(batch.field, each)]}} for each in some]


def _identifier(field: str, identifier: str) -> dict[str, Any]:
    if field != ADDRESS:
        return {_FIELDS[field]: identifier}
    return {"addressInfo": dict(zip(_PARTS_OF_ADDRESS, identifier.split(BETWEEN), strict=True))}


def judge(response: httpx.Response) -> CustomerIOProviderError | None:
    """By Google's error codes, which a 200 holds too: of a stream, and of operations that may be repeated."""
    body = parsed(response)
    if not isinstance(body, dict | list):
        return not_json(response)
    parts = body if isinstance(body, list) else [body]
    error: dict[str, Any] = next((each["error"] for each in parts if each.get("error")), {})
    partial = _failures(parts[0].get("partialFailureError") or {}) if parts else []
    codes = [
        code for each in [*_failures(error), *partial] for code in (each.get("errorCode") or {}).values()
    ]
    if response.is_success and not error and not {*codes} & (_LIMITS | _TRANSIENT):
        return None
    said = ", ".join([str(error.get("status") or response.status_code), *sorted(set(map(str, codes)))])
    if response.status_code == 429 or {*codes} & _LIMITS:
        return rate_limited(response, said)
    if response.status_code >= 500 or {*codes} & _TRANSIENT:
        return down(response, said)
    if _CLOSED in codes:
        return unauthorised(response, said, "Google admits no newcomers here: use the type `google`")
    if response.status_code in {401, 403}:
        return unauthorised(response, said, "check the tokens, the scope `adwords` and the accounts")
    return refused(response, said, "look the code up in the Google Ads API's error reference")


def _failures(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [failure for detail in status.get("details") or [] for failure in detail.get("errors") or []]


def _unread(answer: Mapping[str, Any]) -> set[int]:
    """Indexes of the operations that were left out."""
    paths = (
        (failure.get("location") or {}).get("fieldPathElements") or []
        for failure in _failures(answer.get("partialFailureError") or {})
    )
    return {int(path[0].get("index") or 0) for path in paths if path}
