"""The Google Ads API's jobs of offline user data: made, filled, run, and asked for in its query language."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.ads.people import is_hash, matched
from airflow_provider_cio.sandbox.ads.platform import Platform, json_body

TOKEN, DEVELOPER_TOKEN = "google-token", "google-developer-token"
MAX_OPERATIONS = 10_000
LIFE_SPAN_DAYS = 540
DAY = 86_400
_CONSENT = {"adUserData": "GRANTED", "adPersonalization": "GRANTED"}
_ADDRESS = {"hashedFirstName", "hashedLastName", "postalCode", "countryCode"}
_QUERY = re.compile(r"SELECT (?P<fields>.+) FROM (?P<table>\w+) WHERE \w+\.resource_name = '(?P<name>[^']+)'")
_ERRORS = {
    "RESOURCE_EXHAUSTED": (429, "RESOURCE_EXHAUSTED", "quotaError"),
    "RESOURCE_TEMPORARILY_EXHAUSTED": (429, "RESOURCE_EXHAUSTED", "quotaError"),
    "CONCURRENT_MODIFICATION": (409, "ABORTED", "databaseError"),
    "INTERNAL_ERROR": (500, "INTERNAL", "internalError"),
    "DEVELOPER_TOKEN_NOT_APPROVED": (403, "PERMISSION_DENIED", "authorizationError"),
    "CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE": (403, "PERMISSION_DENIED", "notAllowlistedError"),
    "OAUTH_TOKEN_INVALID": (401, "UNAUTHENTICATED", "authenticationError"),
    "INVALID_USER_LIST_ID": (400, "INVALID_ARGUMENT", "offlineUserDataJobError"),
    "JOB_ALREADY_STARTED": (400, "INVALID_ARGUMENT", "offlineUserDataJobError"),
    "CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS": (400, "INVALID_ARGUMENT", "offlineUserDataJobError"),
    "TOO_MANY_OPERATIONS": (400, "INVALID_ARGUMENT", "mutateError"),
    "BAD_RESOURCE_ID": (400, "INVALID_ARGUMENT", "mutateError"),
    "UNEXPECTED_END": (400, "INVALID_ARGUMENT", "queryError"),
}
Member = tuple[str, str]


@dataclass
class Job:
    """``polls``: how often it is still RUNNING, once it was run."""

    audience: str
    consent: bool
    operations: list[tuple[bool, Member]] = field(default_factory=list)
    status: str = "PENDING"
    polls: int = 0


@dataclass
class GoogleAds(Platform):
    """``lists`` hold members with the moment they were last added."""

    kept = ("lists", "jobs")
    lists: dict[str, dict[Member, float]] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    polls: int = 1

    def routes(self) -> list[Route]:
        customer = "/{version}/customers/{customer}"
        job = customer + "/offlineUserDataJobs/{job}"
        return [
            Route(f"{customer}/offlineUserDataJobs:create", self.create, methods=["POST"]),
            Route(f"{job}:addOperations", self.add_operations, methods=["POST"]),
            Route(f"{job}:run", self.run, methods=["POST"]),
            Route(f"{customer}/googleAds:searchStream", self.search, methods=["POST"]),
        ]

    def error(self, kind: str) -> Response:
        code, status, family = _ERRORS[kind]
        details = [{"errors": [{"errorCode": {family: kind}, "message": "sandbox"}], "requestId": "r"}]
        return JSONResponse(
            {"error": {"code": code, "status": status, "message": "sandbox", "details": details}}, code
        )

    def members(self, audience: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in sorted(self._current(audience)):
            found.setdefault(name, []).append(value)
        return found

    def make(self, audience: str) -> None:
        self.lists.setdefault(audience, {})

    def clear(self) -> None:
        self.lists.clear()
        self.jobs.clear()

    async def create(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        job = ((await json_body(request)) or {}).get("job") or {}
        metadata = job.get("customerMatchUserListMetadata") or {}
        audience = str(metadata.get("userList", "")).rpartition("/userLists/")[2]
        if job.get("type") != "CUSTOMER_MATCH_USER_LIST" or audience not in self.lists:
            return self.error("INVALID_USER_LIST_ID")
        if metadata.get("consent") not in (None, _CONSENT):
            return self.error("CUSTOMER_NOT_ACCEPTED_CUSTOMER_DATA_TERMS")
        with self.lock:
            name = f"customers/{request.path_params['customer']}/offlineUserDataJobs/{7000 + len(self.jobs)}"
            self.jobs[name] = Job(audience, consent="consent" in metadata)
        return JSONResponse({"resourceName": name})

    async def add_operations(self, request: Request) -> Response:
        """What cannot be read is left out, and named by its index in an answer of status 200."""
        job, refusal = self._of(request)
        if job is None:
            return refusal
        body = await json_body(request) or {}
        operations = body.get("operations") or []
        if not 0 < len(operations) <= MAX_OPERATIONS or body.get("enablePartialFailure") is not True:
            return self.error("TOO_MANY_OPERATIONS")
        found = [_read(each, consent=job.consent) for each in operations]
        with self.lock:
            job.operations += [each for each in found if each is not None]
        bad = [index for index, each in enumerate(found) if each is None]
        return JSONResponse({"partialFailureError": _partial_failure(bad)} if bad else {})

    async def run(self, request: Request) -> Response:
        """A long-running operation: its name says nothing of how the job ends."""
        job, refusal = self._of(request)
        if job is None:
            return refusal
        failed = request.scope.get("sandbox.fault") == "later_failed"
        with self.lock:
            job.status, job.polls = "FAILED" if failed else "SUCCESS", self.polls
            known = self.lists[job.audience]
            for adding, member in [] if failed else job.operations:
                if adding:
                    known[member] = self.now()
                else:
                    known.pop(member, None)
            job.operations.clear()
        customer = request.path_params["customer"]
        return JSONResponse({"name": f"customers/{customer}/operations/{uuid.uuid4()}", "metadata": {}})

    async def search(self, request: Request) -> Response:
        """A stream is a JSON array of chunks, and so is its error."""
        if refusal := self._refusal(request):
            return refusal
        query = _QUERY.fullmatch(((await json_body(request)) or {}).get("query", ""))
        if query is None:
            return self.error("UNEXPECTED_END")
        if query["table"] == "user_list":
            row = self._user_list(query["name"].rpartition("/")[2])
        else:
            row = self._job(query["name"])
        return JSONResponse([{"results": [row], "fieldMask": query["fields"]}] if row else [])

    def _user_list(self, audience: str) -> dict[str, Any] | None:
        if audience not in self.lists:
            return None
        current = [value for _, value in self._current(audience)]
        size = matched("google", current, self.match_percent)
        rate = round(100 * size / len(current)) if current else 0
        return {"userList": {"sizeForDisplay": str(size), "matchRatePercentage": rate}}

    def _job(self, name: str) -> dict[str, Any] | None:
        with self.lock:
            job = self.jobs.get(name)
            if job is None:
                return None
            found: dict[str, Any] = {"resourceName": name, "status": job.status}
            if job.polls:
                job.polls -= 1
                found["status"] = "RUNNING"
            elif job.status == "FAILED":
                found["failureReason"] = "UNKNOWN"
        return {"offlineUserDataJob": found}

    def _current(self, audience: str) -> set[Member]:
        known, oldest = self.lists.get(audience, {}), self.now() - LIFE_SPAN_DAYS * DAY
        return {member for member, added in known.items() if added > oldest}

    def _of(self, request: Request) -> tuple[Job | None, Response]:
        """The job of a path that may still be changed; without one, what to answer."""
        if refusal := self._refusal(request):
            return None, refusal
        name = f"customers/{request.path_params['customer']}/offlineUserDataJobs/{request.path_params['job']}"
        job = self.jobs.get(name)
        if job is None:
            return None, self.error("BAD_RESOURCE_ID")
        if job.status != "PENDING":
            return None, self.error("JOB_ALREADY_STARTED")
        return job, Response()

    def _refusal(self, request: Request) -> Response | None:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return self.error("OAUTH_TOKEN_INVALID")
        good = request.headers.get("developer-token") == DEVELOPER_TOKEN
        return None if good else self.error("DEVELOPER_TOKEN_NOT_APPROVED")


def _read(operation: Any, *, consent: bool) -> tuple[bool, Member] | None:
    """Whether it adds, and whom; None when it breaks a rule. Only a job with consent adds."""
    if not isinstance(operation, dict) or len(operation) != 1:
        return None
    ((verb, data),) = operation.items()
    identifiers = data.get("userIdentifiers") or []
    if verb not in {"create", "remove"} or (verb == "create" and not consent) or len(identifiers) != 1:
        return None
    ((name, value),) = identifiers[0].items()
    if name == "addressInfo":
        return (verb == "create", (name, _address(value))) if _good_address(value) else None
    good = name in {"hashedEmail", "hashedPhoneNumber"} and is_hash(value)
    return (verb == "create", (name, value)) if good else None


def _good_address(value: Mapping[str, str]) -> bool:
    return (
        set(value) == _ADDRESS
        and is_hash(value["hashedFirstName"])
        and is_hash(value["hashedLastName"])
        and re.fullmatch("[A-Z]{2}", value["countryCode"]) is not None
        and bool(value["postalCode"])
    )


def _address(value: Mapping[str, str]) -> str:
    return "|".join(
        value[part] for part in ("hashedFirstName", "hashedLastName", "postalCode", "countryCode")
    )


def _partial_failure(indexes: Sequence[int]) -> dict[str, Any]:
    errors = [
        {
            "errorCode": {"offlineUserDataJobError": "INVALID_SHA256_FORMAT"},
            "message": "sandbox",
            "location": {"fieldPathElements": [{"fieldName": "operations", "index": index}]},
        }
        for index in indexes
    ]
    return {"code": 3, "message": "sandbox", "details": [{"errors": errors}]}
