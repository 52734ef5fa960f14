"""Google's Data Manager API: requests are taken, then settled; members expire."""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.ads.people import is_hash, matched
from airflow_provider_cio.sandbox.ads.platform import Platform, json_body

TOKEN = "google-token"
MAX_MEMBERS = 10_000
DAY = 86_400
_TOP = {"destinations", "audienceMembers", "encoding", "validateOnly"}
_CONSENT = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}
_ADDRESS = ("givenName", "familyName", "postalCode", "regionCode")
_ERRORS = {
    "RESOURCE_EXHAUSTED": (429, "RESOURCE_EXHAUSTED", None),
    "UNAVAILABLE": (503, "UNAVAILABLE", None),
    "PERMISSION_DENIED": (403, "PERMISSION_DENIED", "TERMS_AND_CONDITIONS_NOT_SIGNED"),
    "UNAUTHENTICATED": (401, "UNAUTHENTICATED", None),
    "INVALID_ARGUMENT": (400, "INVALID_ARGUMENT", "INVALID_SHA256_FORMAT"),
    "NOT_FOUND": (404, "NOT_FOUND", None),
}


@dataclass
class List:
    """Members with the moment they were last added."""

    days: int
    members: dict[tuple[str, str], float] = field(default_factory=dict)


@dataclass
class Taken:
    """A request: how often its status is still PROCESSING, and what it ends as."""

    status: str
    records: int
    polls: int


@dataclass
class Google(Platform):
    """``polls``: how often a request's status says PROCESSING before it settles."""

    kept = ("lists", "taken")
    lists: dict[str, List] = field(default_factory=dict)
    taken: dict[str, Taken] = field(default_factory=dict)
    polls: int = 1

    def routes(self) -> list[Route]:
        account = "/v1/accountTypes/GOOGLE_ADS/accounts/{account}/userLists"
        return [
            Route("/v1/audienceMembers:ingest", self.ingest, methods=["POST"]),
            Route("/v1/audienceMembers:remove", self.remove, methods=["POST"]),
            Route("/v1/requestStatus:retrieve", self.status),
            Route(account, self.create, methods=["POST"]),
            Route(account + "/{list}", self.read),
        ]

    def error(self, kind: str) -> Response:
        code, status, reason = _ERRORS[kind]
        details = [{"reason": reason}] if reason else []
        return JSONResponse(
            {"error": {"code": code, "status": status, "message": "sandbox", "details": details}}, code
        )

    def members(self, audience: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in sorted(self._current(self.lists.get(audience, List(1)))):
            found.setdefault(name, []).append(value)
        return found

    def make(self, audience: str) -> None:
        self.lists.setdefault(audience, List(540))

    def clear(self) -> None:
        self.lists.clear()
        self.taken.clear()

    async def create(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        body = await json_body(request) or {}
        seconds = int(str(body.get("membershipDuration", "46656000s")).removesuffix("s"))
        if seconds % DAY or not 0 < seconds <= 540 * DAY:
            return self.error("INVALID_ARGUMENT")
        with self.lock:
            identity = str(7000 + len(self.lists))
            self.lists[identity] = List(seconds // DAY)
        return JSONResponse({"id": identity, "displayName": body.get("displayName")})

    async def read(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        known = self.lists.get(request.path_params["list"])
        if known is None:
            return self.error("NOT_FOUND")
        current = [value for _, value in self._current(known)]
        size = matched(self.name, current, self.match_percent)
        return JSONResponse(
            {
                "id": request.path_params["list"],
                "sizeInfo": {"displayNetworkMembersCount": str(size)},
                "ingestedUserListInfo": {
                    "contactIdInfo": {
                        "matchRatePercentage": round(100 * size / len(current)) if current else 0
                    }
                },
            }
        )

    async def ingest(self, request: Request) -> Response:
        return await self._take(request, adding=True)

    async def remove(self, request: Request) -> Response:
        return await self._take(request, adding=False)

    async def status(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        with self.lock:
            taken = self.taken.get(request.query_params.get("requestId", ""))
            if taken is None:
                return self.error("NOT_FOUND")
            if taken.polls:
                taken.polls -= 1
                return _status("PROCESSING", taken.records)
        return _status(taken.status, taken.records)

    async def _take(self, request: Request, *, adding: bool) -> Response:
        if refusal := self._refusal(request):
            return refusal
        body = await json_body(request)
        members = _read_members(body, adding=adding)
        if members is None:
            return self.error("INVALID_ARGUMENT")
        (destination,) = body["destinations"]
        known = self.lists.get(str(destination.get("productDestinationId")))
        if known is None:
            return self.error("INVALID_ARGUMENT")
        fault = request.scope.get("sandbox.fault", "")
        applied = {"later_failed": 0, "later_partial": len(members) // 2}.get(fault, len(members))
        status = {"later_failed": "FAILED", "later_partial": "PARTIAL_SUCCESS"}.get(fault, "SUCCESS")
        with self.lock:
            for member in members[:applied]:
                if adding:
                    known.members[member] = self.now()
                else:
                    known.members.pop(member, None)
            identity = str(uuid.uuid4())
            self.taken[identity] = Taken(status, len(members), self.polls)
        return JSONResponse({"requestId": identity})

    def _current(self, known: List) -> set[tuple[str, str]]:
        return {member for member, added in known.members.items() if self.now() - added < known.days * DAY}

    def _refusal(self, request: Request) -> Response | None:
        good = request.headers.get("authorization") == f"Bearer {TOKEN}"
        return None if good else self.error("UNAUTHENTICATED")


def _read_members(body: Any, *, adding: bool) -> list[tuple[str, str]] | None:
    """(field, hash) of each member, or None when the request breaks a rule."""
    allowed = _TOP | ({"consent", "termsOfService"} if adding else set())
    if not isinstance(body, dict) or set(body) - allowed or body.get("encoding") != "HEX":
        return None
    if adding and (
        body.get("consent") != _CONSENT
        or body.get("termsOfService") != {"customerMatchTermsOfServiceStatus": "ACCEPTED"}
    ):
        return None
    members, destinations = body.get("audienceMembers"), body.get("destinations")
    if not isinstance(members, list) or not 0 < len(members) <= MAX_MEMBERS or len(destinations or []) != 1:
        return None
    found: list[tuple[str, str]] = []
    for member in members:
        identifiers = member.get("compositeData", {}).get("userData", {}).get("userIdentifiers", [])
        if not 0 < len(identifiers) <= 10 or not all(_good(each) for each in identifiers):
            return None
        for name, value in (next(iter(each.items())) for each in identifiers):
            found.append(
                (name, value if isinstance(value, str) else "|".join(value[part] for part in _ADDRESS))
            )
    return found


def _good(identifier: Any) -> bool:
    if not isinstance(identifier, dict) or len(identifier) != 1:
        return False
    ((name, value),) = identifier.items()
    if name == "address":
        return (
            isinstance(value, dict)
            and set(value) == set(_ADDRESS)
            and all(is_hash(value[part]) for part in ("givenName", "familyName"))
            and re.fullmatch("[A-Z]{2}", value["regionCode"]) is not None
            and bool(value["postalCode"])
        )
    return name in {"emailAddress", "phoneNumber"} and is_hash(value)


def _status(status: str, records: int) -> Response:
    counts: Sequence[dict[str, Any]] = (
        []
        if status in {"SUCCESS", "PROCESSING"}
        else [{"reason": "PROCESSING_ERROR_REASON_INTERNAL_ERROR", "recordCount": str(records)}]
    )
    return JSONResponse(
        {
            "requestStatusPerDestination": [
                {
                    "requestStatus": status,
                    "errorInfo": {"errorCounts": list(counts)},
                    "audienceMembersIngestionStatus": {
                        "compositeDataIngestionStatus": {"recordCount": str(records)}
                    },
                }
            ]
        }
    )
