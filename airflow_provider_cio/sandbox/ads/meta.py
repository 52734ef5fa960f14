"""Meta's custom audiences: `/{version}/act_{id}/customaudiences`, `/{version}/{audience}`, `.../users`."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.ads.people import is_hash, matched
from airflow_provider_cio.sandbox.ads.platform import Platform, json_body

TOKEN = "meta-token"
MAX_ROWS = 10_000
MIN_MATCHED = 100
_HASHED = {"EMAIL_SHA256", "PHONE_SHA256"}
_KEYS = _HASHED | {"MOBILE_ADVERTISER_ID"}
_MANY = {"EMAIL", "PHONE", "FN", "LN", "ZIP", "COUNTRY"}
"""Keys of rows of several, all of them hashed."""
_ERRORS: dict[str, tuple[int, dict[str, Any]]] = {
    "80003": (400, {"code": 80003, "error_subcode": 2446079, "is_transient": False}),
    "2650": (400, {"code": 2650, "error_subcode": 1870145}),
    "100": (400, {"code": 100, "error_subcode": 1713230}),
    "190": (401, {"code": 190}),
    "1": (500, {"code": 1, "is_transient": True}),
}


@dataclass
class Meta(Platform):
    """Audiences by id; members by key."""

    kept = ("audiences",)
    audiences: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    _sessions: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def routes(self) -> list[Route]:
        return [
            Route("/{version}/{account}/customaudiences", self.create, methods=["POST"]),
            Route("/{version}/{audience}", self.read, methods=["GET"]),
            Route("/{version}/{audience}/users", self.users, methods=["POST", "DELETE"]),
        ]

    def error(self, kind: str) -> Response:
        status, error = _ERRORS[kind]
        return JSONResponse({"error": {"message": "sandbox", "type": "OAuthException", **error}}, status)

    def members(self, audience: str) -> dict[str, list[str]]:
        return {key: sorted(found) for key, found in self.audiences.get(audience, {}).items() if found}

    def make(self, audience: str) -> None:
        self.audiences.setdefault(audience, {})

    def clear(self) -> None:
        self.audiences.clear()

    async def create(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        with self.lock:
            identity = str(120000 + len(self.audiences))
            self.audiences[identity] = {}
        return JSONResponse({"id": identity})

    async def read(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        audience = self.audiences.get(request.path_params["audience"])
        if audience is None:
            return self.error("100")
        size = sum(matched(self.name, found, self.match_percent) for found in audience.values())
        enough = size >= MIN_MATCHED
        return JSONResponse(
            {
                "operation_status": {"code": 200},
                "delivery_status": {"code": 200 if enough else 300},
                "approximate_count_lower_bound": size if enough else -1,
                "approximate_count_upper_bound": size if enough else -1,
                "id": request.path_params["audience"],
            }
        )

    async def users(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        audience = request.path_params["audience"]
        body = await json_body(request)
        payload = body.get("payload") if isinstance(body, dict) else None
        if not isinstance(payload, dict) or audience not in self.audiences:
            return self.error("100")
        schema, rows = payload.get("schema"), payload.get("data")
        many = isinstance(schema, list) and set(schema) <= _MANY
        key = ",".join(schema) if isinstance(schema, list) else str(schema)
        if not (many or key in _KEYS) or not isinstance(rows, list) or len(rows) > MAX_ROWS:
            return self.error("100")
        if many:
            rows = ["|".join(row) if _good_row(row, schema) else None for row in rows]
        good = [
            row
            for row in rows
            if isinstance(row, str) and (many or is_hash(row) or (key not in _HASHED and row))
        ]
        removing = request.method == "DELETE" or str(body.get("method", "")).upper() == "DELETE"
        with self.lock:
            members = self.audiences[audience].setdefault(key, set())
            (members.difference_update if removing else members.update)(good)
        return JSONResponse(
            {
                "audience_id": audience,
                "session_id": str(next(self._sessions)),
                "num_received": len(rows),
                "num_invalid_entries": len(rows) - len(good),
                "invalid_entry_samples": {},
            }
        )

    def _refusal(self, request: Request) -> Response | None:
        return None if request.headers.get("authorization") == f"Bearer {TOKEN}" else self.error("190")


def _good_row(row: Any, keys: Any) -> bool:
    return isinstance(row, list) and len(row) == len(keys) and all(is_hash(each) for each in row)
