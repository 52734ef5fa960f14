"""What each kind of destination can do, as data: lint, plan and clients read the same table.

Sources: the platforms' API pages, see docs/reference/destinations.md. Where a page gives no number, the cautious
one of the known connectors stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

IdentifierKind = Literal["id", "email", "phone", "idfa", "aaid", "address"]
Confirmation = Literal["answer", "request", "members"]
"""How success is known: by the answer itself, by a status of the request later, or by reading members back."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """One kind of destination.

    ``fields``: what carries a kind of identifier, as (destination, field) of `core.normalise`.
    ``batch``: identifiers of one request. ``lag``: from upload to a usable audience, at worst.
    ``membership``: how long a member stays without being added again; None: until removed.
    ``legacy``: closed to newcomers by the platform, so that a file must say why it is used.
    """

    fields: Mapping[IdentifierKind, tuple[str, str]]
    batch: int
    lag: timedelta
    min_size: int
    requests_per_minute: int
    confirmation: Confirmation
    membership: timedelta | None = None
    context: bool = False
    consent: bool = False
    sized: bool = True
    legacy: bool = False


CAPABILITIES: Mapping[str, Capabilities] = {
    "customerio": Capabilities(
        fields={"id": ("customerio", "id")},
        batch=1_000,
        lag=timedelta(minutes=5),
        min_size=0,
        requests_per_minute=3_000,
        confirmation="members",
    ),
    "meta": Capabilities(
        fields={
            "email": ("meta", "EMAIL_SHA256"),
            "phone": ("meta", "PHONE_SHA256"),
            "idfa": ("meta", "MOBILE_ADVERTISER_ID"),
            "aaid": ("meta", "MOBILE_ADVERTISER_ID"),
            "address": ("meta", "ADDRESS"),
        },
        batch=10_000,
        lag=timedelta(hours=24),
        min_size=100,
        requests_per_minute=80,
        confirmation="answer",
    ),
    "google": Capabilities(
        fields={
            "email": ("google", "emailAddress"),
            "phone": ("google", "phoneNumber"),
            "address": ("google", "address"),
        },
        batch=10_000,
        lag=timedelta(hours=24),
        min_size=100,
        requests_per_minute=300,
        confirmation="request",
        membership=timedelta(days=540),
        consent=True,
    ),
    "google_ads": Capabilities(
        fields={
            "email": ("google", "emailAddress"),
            "phone": ("google", "phoneNumber"),
            "address": ("google", "address"),
        },
        batch=100_000,
        lag=timedelta(hours=24),
        min_size=100,
        requests_per_minute=60,
        confirmation="request",
        membership=timedelta(days=540),
        consent=True,
        legacy=True,
    ),
    "tiktok": Capabilities(
        fields={
            "email": ("tiktok", "EMAIL_SHA256"),
            "phone": ("tiktok", "PHONE_SHA256"),
            "idfa": ("tiktok", "IDFA_SHA256"),
            "aaid": ("tiktok", "AAID_SHA256"),
        },
        batch=1_000,
        lag=timedelta(hours=10),
        min_size=1_000,
        requests_per_minute=600,
        confirmation="answer",
    ),
    "rudderstack": Capabilities(
        fields={"id": ("rudderstack", "userId")},
        batch=500,
        lag=timedelta(minutes=5),
        min_size=0,
        requests_per_minute=3_000,
        confirmation="answer",
        context=True,
        sized=False,
    ),
    "webhook": Capabilities(
        fields={
            "id": ("rudderstack", "userId"),
            "email": ("tiktok", "EMAIL_SHA256"),
            "phone": ("tiktok", "PHONE_SHA256"),
        },
        batch=200,
        lag=timedelta(minutes=1),
        min_size=0,
        requests_per_minute=600,
        confirmation="answer",
        context=True,
        sized=False,
    ),
}
"""By the `type` of a destination."""
