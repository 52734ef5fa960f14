"""TikTok's segment API: HTTP 200 for everything, `code` says what happened; the default action adds."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from airflow_provider_cio.sandbox.ads.people import is_hash, matched
from airflow_provider_cio.sandbox.ads.platform import Platform, json_body

TOKEN = "tiktok-token"
MIN_MATCHED = 1_000
_TYPES = {"EMAIL_SHA256", "PHONE_SHA256", "IDFA_SHA256", "AAID_SHA256"}


@dataclass
class TikTok(Platform):
    """``max_batch`` is not documented by TikTok."""

    kept = ("audiences",)
    audiences: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    max_batch: int = 1_000

    def routes(self) -> list[Route]:
        return [
            Route("/open_api/v1.3/segment/audience/", self.audience, methods=["POST"]),
            Route("/open_api/v1.3/segment/mapping/", self.mapping, methods=["POST"]),
            Route("/open_api/v1.3/dmp/custom_audience/get/", self.read),
        ]

    def error(self, kind: str) -> Response:
        return _answer(int(kind))

    def members(self, audience: str) -> dict[str, list[str]]:
        return {key: sorted(found) for key, found in self.audiences.get(audience, {}).items() if found}

    def make(self, audience: str) -> None:
        self.audiences.setdefault(audience, {})

    def clear(self) -> None:
        self.audiences.clear()

    async def audience(self, request: Request) -> Response:
        if request.headers.get("access-token") != TOKEN:
            return _answer(40105)
        body = await json_body(request) or {}
        with self.lock:
            if body.get("action", "create") == "delete":
                self.audiences.pop(str(body.get("delete_audience_id")), None)
                return _answer(0)
            identity = str(900 + len(self.audiences))
            self.audiences[identity] = {}
        return _answer(0, {"audience_id": identity})

    async def mapping(self, request: Request) -> Response:
        if request.headers.get("access-token") != TOKEN:
            return _answer(40105)
        body = await json_body(request)
        if not isinstance(body, dict) or not body.get("advertiser_ids"):
            return _answer(40002)
        schema, rows = body.get("id_schema"), body.get("batch_data")
        if not isinstance(schema, list) or not set(schema) <= _TYPES or not isinstance(rows, list):
            return _answer(40002)
        if not 0 < len(rows) <= self.max_batch:
            return _answer(40061)
        found = [
            (audience, kind, cell["id"])
            for row in rows
            for kind, cell in zip(schema, row, strict=False)
            if cell
            for audience in cell["audience_ids"]
        ]
        if not all(is_hash(identifier) for _, _, identifier in found):
            return _answer(40062)
        if any(audience not in self.audiences for audience, _, _ in found):
            return _answer(40002)
        with self.lock:
            for audience, kind, identifier in found:
                members = self.audiences[audience].setdefault(kind, set())
                (members.discard if body.get("action", "add") == "delete" else members.add)(identifier)
        return _answer(0)

    async def read(self, request: Request) -> Response:
        if request.headers.get("access-token") != TOKEN:
            return _answer(40105)
        asked = json.loads(request.query_params.get("custom_audience_ids", "[]"))
        details = []
        for identity in asked:
            size = sum(
                matched(self.name, found, self.match_percent)
                for found in self.audiences.get(identity, {}).values()
            )
            details.append(
                {
                    "audience_details": {
                        "audience_id": identity,
                        "cover_num": size,
                        "is_valid": size >= MIN_MATCHED,
                    }
                }
            )
        return _answer(0, {"list": details})


def _answer(code: int, data: dict[str, Any] | None = None) -> Response:
    return JSONResponse(
        {
            "code": code,
            "message": "OK" if code == 0 else "sandbox",
            "request_id": str(uuid.uuid4()),
            "data": data or {},
        }
    )
