"""What a test may change about the sandbox while it runs (``PUT /_sandbox/settings``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from airflow_provider_cio.sandbox.customerio.store import Store

APP_SCOPES = (
    "customers",
    "segments",
    "activities",
    "objects",
    "workspaces",
    "campaigns",
    "newsletters",
    "broadcasts",
    "transactional",
    "messages",
    "exports",
    "subscription_topics",
    "sender_identities",
    "esp",
)


@dataclass(frozen=True)
class Settings:
    """Undocumented behaviour of the real service is a setting here; the default is the documented guess."""

    region: str = "us"
    """Where this host stands: ``us`` or ``eu``."""
    account_region: str = "us"
    """Where the account lives. An eu account on the us host is redirected; a us account on eu gets 401."""
    redirect_to: str | None = None
    """Base URL of that redirect. Default: a name under ``.invalid``, so that no data leaves the machine."""
    environment_id: int = 1
    """Number of the workspace that the keys belong to."""
    site_id: str = "sandbox-site"
    track_key: str = "sandbox-track-key"
    pipelines_key: str = "sandbox-pipelines-key"
    app_keys: Mapping[str, list[str]] = field(default_factory=lambda: {"sandbox-app-key": list(APP_SCOPES)})
    """App API keys and their scopes, out of ``APP_SCOPES``."""
    dedupe_seconds: int = 86_400
    """An event whose ULID was received within this window is dropped; 0 keeps every event."""
    empty_removes: bool = True
    """Whether "" and null remove a person's attribute; if not, null is ignored and "" is stored."""
    email_update_by_id: bool = False
    """The workspace setting "Allow updates to email using ID"."""
    email_identifies: bool = True
    """False: an id-only workspace, where email is an attribute and several people may share it."""
    phone_identifies: bool = False
    event_merging: bool = True
    """Whether anonymous events of the last 30 days join a person who is identified."""
    kilobyte: int = 1000
    """The documents say "32 KB" and "500 KB" without saying which; 1000 is the strict reading."""
    track_requests_per_second: int | None = None
    app_requests_per_second: int | None = None
    transactional_requests_per_second: int | None = None
    """Of ``/v1/send/...``, apart from those of the App API."""
    retry_after: int | None = None
    """Seconds in the Retry-After header of a 429; null sends no header."""
    page_repeats: bool = True
    """Whether a page of messages begins with the last row of the page before it."""
    page_rows: int = 1000
    """A page of messages stops after so many, whatever was asked for."""
    page_trails: bool = False
    """Whether the last page of messages has a `next` too, to a page without rows that has another."""
    export_fails: bool = False
    """Whether an export that was pending long enough has failed."""
    export_polls: int = 2
    """How often an export is still pending when it is looked at."""
    clock_offset: int = 0
    """Seconds added to the sandbox's clock: windows of hours and days can be tested at once."""

    def updated(self, changes: Mapping[str, Any]) -> Settings:
        """These settings with ``changes``; ValueError names a setting that is unknown or mistyped."""
        known = {each.name: getattr(DEFAULTS, each.name) for each in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}; there are: {', '.join(known)}")
            if not _fits(name, value, known[name]):
                raise ValueError(f"setting {name!r} cannot be {value!r}")
        return replace(self, **changes)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _fits(name: str, value: Any, default: Any) -> bool:
    if name in {"region", "account_region"}:
        return value in {"us", "eu"}
    if name == "redirect_to":
        return value is None or isinstance(value, str)
    if default is None:
        return value is None or (type(value) is int and value > 0)
    return type(value) is type(default)


DEFAULTS = Settings()


def load(store: Store, base: Settings) -> Settings:
    """``base`` with what was changed through the control API before a restart."""
    rows = store.db.execute("SELECT name, value FROM settings").fetchall()
    return base.updated({name: json.loads(value) for name, value in rows})


def save(store: Store, changes: Mapping[str, Any]) -> None:
    with store.transaction() as db:
        db.executemany(
            "INSERT OR REPLACE INTO settings VALUES (?, ?)",
            [(name, json.dumps(value)) for name, value in changes.items()],
        )
