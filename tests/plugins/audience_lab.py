"""Fixture `shop`: carts and purchasers in a local Redshift, audiences over them, and the ad platforms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.clients.destinations.base import Destination
from airflow_provider_cio.core.audience.definition import Audience
from airflow_provider_cio.core.contract import Contract
from airflow_provider_cio.core.normalise import hash_identifier
from airflow_provider_cio.engine.audience.context import AudienceContext
from airflow_provider_cio.engine.audience.report import AudienceReport
from airflow_provider_cio.engine.audience.run import run_audience
from airflow_provider_cio.warehouse.audience.changes import Target

if TYPE_CHECKING:
    from ad_lab import Ads
    from sync_lab import Lab

pytest_plugins = ("sync_lab", "ad_lab")

ROLE = "arn:aws:iam::123456789012:role/redshift"
TYPES = ("customerio", "meta", "google", "google_ads", "tiktok", "rudderstack", "webhook")
START = datetime(2026, 3, 2, 12, tzinfo=UTC)
FIELDS = {
    "customerio": ("customerio", "id"),
    "meta": ("meta", "EMAIL_SHA256"),
    "google": ("google", "emailAddress"),
    "google_ads": ("google", "emailAddress"),
    "tiktok": ("tiktok", "EMAIL_SHA256"),
    "rudderstack": ("rudderstack", "userId"),
    "webhook": ("meta", "EMAIL_SHA256"),
}
TABLES = (
    """CREATE TABLE cio_marts.carts (customer_id VARCHAR(64), email VARCHAR(256), phone VARCHAR(64),
    cart_at TIMESTAMP, ads_consent BOOLEAN, country VARCHAR(2), cart_value DECIMAL(12,2))""",
    "CREATE TABLE cio_marts.purchasers (customer_id VARCHAR(64), email VARCHAR(256), bought_at TIMESTAMP)",
)


@dataclass(frozen=True)
class SmallBatches(AudienceContext):
    """Batches of three identifiers, so that a small audience has boundaries."""

    def targets(self) -> list[Target]:
        return [replace(each, batch=3) for each in super().targets()]


@dataclass
class AudienceLab:
    """A shop whose clock the test moves."""

    lab: Lab
    ads: Ads
    now: datetime = START
    runs: int = 0
    clients: dict[tuple[str, str], Destination] = field(default_factory=dict)

    def definition(self, name: str = "cart", types: tuple[str, ...] = TYPES, **changes: Any) -> Audience:
        """An audience over `cio_marts.carts`, at the platforms' audiences of the lab."""
        values: dict[str, Any] = {
            "name": name,
            "description": "Carts",
            "owner": "retention",
            "purpose": "winback",
            "source": "cio_marts.carts",
            "identity": {"id": "customer_id", "email": "email"},
            "consent": ["ads_consent"],
            "suppressions": [],
            "guards": {"max_removed_pct": 100, "min_members": 0, "max_unidentified_pct": 100},
            "destinations": {
                each: {
                    "type": each,
                    "audience": self.ads.audiences[each],
                    "identifiers": ["id"] if each in {"customerio", "rudderstack"} else ["email"],
                    "despite_legacy": "allowed since 2024" if each == "google_ads" else None,
                }
                for each in types
            },
            **changes,
        }
        return Audience.model_validate(values)

    def purchasers(self, **changes: Any) -> Audience:
        """The suppression audience."""
        values: dict[str, Any] = {
            "name": "purchasers",
            "description": "Bought",
            "owner": "retention",
            "purpose": "suppression",
            "suppresses": "purchasers",
            "source": "cio_marts.purchasers",
            "identity": {"email": "email"},
            "entered_at": "bought_at",
            "member_for": "7d",
            **changes,
        }
        return Audience.model_validate(values)

    def context(
        self,
        audience: Audience,
        *,
        suppressions: Mapping[str, Audience] | None = None,
        clients: Mapping[str, Destination] | None = None,
        run_id: str | None = None,
        small: bool = False,
    ) -> AudienceContext:
        """One run; each has an id of its own unless it is given."""
        self.runs += 1
        opened = {name: self.client(each.type, each.audience) for name, each in audience.destinations.items()}
        return (SmallBatches if small else AudienceContext)(
            audience=audience,
            contract=Contract.model_validate(
                {"workspace": "shop", "staging": {"s3": self.lab.bucket.uri(""), "iam_role": ROLE}}
            ),
            warehouse=self.lab.warehouse,
            bucket=self.lab.bucket,
            run_id=run_id or f"run-{self.runs}",
            suppressions=suppressions or {},
            destinations=clients or opened,
            now=self.now,
        )

    def run(self, audience: Audience, **options: Any) -> AudienceReport:
        """The whole audience."""
        return run_audience(self.context(audience, **options))

    def client(self, kind: str, audience: str) -> Destination:
        """An open client, kept until the test ends."""
        key = (kind, audience)
        if key not in self.clients:
            self.clients[key] = self.ads.open(kind, audience)
        return self.clients[key]

    def cart(self, customer: str, email: str | None = None, **more: Any) -> None:
        """A cart, from `now` unless `cart_at` says otherwise."""
        values = {
            "customer_id": customer,
            "email": email or f"{customer}@shop.example",
            "cart_at": f"{more.pop('cart_at', self.now):%Y-%m-%d %H:%M:%S}",
            "ads_consent": True,
            **more,
        }
        text = ", ".join(str(v).upper() if isinstance(v, bool) else f"'{v}'" for v in values.values())
        self.lab.run(f"INSERT INTO cio_marts.carts ({', '.join(values)}) VALUES ({text})")

    def buys(self, customer: str, email: str | None = None) -> None:
        """A purchase now."""
        self.lab.run(
            f"INSERT INTO cio_marts.purchasers VALUES ('{customer}', '{email or customer + '@shop.example'}', "
            f"'{self.now:%Y-%m-%d %H:%M:%S}')"
        )

    def pass_time(self, **amount: float) -> None:
        """Move the clock of the shop and of the platforms."""
        step = timedelta(**amount)
        self.now += step
        for platform in self.ads.sandbox.platforms:
            self.ads.advance(platform.name, step / timedelta(days=1))

    def at(self, kind: str, audience: str | None = None) -> set[str]:
        """Who is at a destination."""
        return self.ads.members(kind, audience)

    def sent_as(self, kind: str, customers: Any) -> set[str]:
        """What a destination should hold for customers with the usual addresses."""
        found = set()
        for customer in customers:
            raw = customer if kind in {"customerio", "rudderstack"} else f"{customer}@shop.example"
            found.add(str(hash_identifier(*FIELDS[kind], raw)))
        return found

    def ledger(self, kind: str) -> dict[str, int]:
        """Identifiers by state."""
        rows = self.lab.rows(
            f"SELECT state, COUNT(*) FROM cio_sync.audience_members WHERE destination = '{kind}' GROUP BY state"
        )
        return {str(state): int(count) for state, count in rows}


@pytest.fixture
def shop(lab: Lab, ads: Ads) -> Iterator[AudienceLab]:
    for statement in TABLES:
        lab.run(statement)
    shop = AudienceLab(lab, ads)
    yield shop
    for client in shop.clients.values():
        client.close()
