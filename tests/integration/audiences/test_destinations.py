"""Every destination against its platform in the sandbox: sets converge, and no failure looks like success."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.clients.destinations.base import Batch, Destination
from airflow_provider_cio.exceptions import (
    AuthenticationError,
    CustomerIOProviderError,
    RateLimitedError,
    RequestRefusedError,
    RetriableError,
    UnknownOutcomeError,
)

if TYPE_CHECKING:
    from ad_lab import Ads

pytest_plugins = ("ad_lab",)

TYPES = ("customerio", "meta", "google", "google_ads", "tiktok", "rudderstack", "webhook")
DROPS: dict[str, tuple[Any, ...]] = {
    "customerio": ("reset_before", "reset_after", 500, 502),
    "meta": ("drop_before", "drop_after", "truncated", "html_502", "html_502_after", "80003", "1"),
    "google": (
        "drop_before",
        "drop_after",
        "truncated",
        "html_502_after",
        "RESOURCE_EXHAUSTED",
        "UNAVAILABLE",
    ),
    "google_ads": (
        "drop_before",
        "drop_after",
        "truncated",
        "html_502_after",
        "RESOURCE_TEMPORARILY_EXHAUSTED",
        "CONCURRENT_MODIFICATION",
        "INTERNAL_ERROR",
    ),
    "tiktok": ("drop_before", "drop_after", "truncated", "html_502", "40100", "50000"),
    "rudderstack": ("drop_before", "drop_after", "truncated", "html_502_after", "429", "500"),
    "webhook": ("drop_before", "drop_after", "html_502", "503", "500"),
}
FATAL: dict[str, tuple[Any, type[Exception]]] = {
    "customerio": (401, AuthenticationError),
    "meta": ("190", AuthenticationError),
    "google": ("PERMISSION_DENIED", AuthenticationError),
    "google_ads": ("CUSTOMER_NOT_ALLOWLISTED_FOR_THIS_FEATURE", AuthenticationError),
    "tiktok": ("40105", AuthenticationError),
    "rudderstack": ("401", AuthenticationError),
    "webhook": ("410", RequestRefusedError),
}
PLAIN = ("customerio", "rudderstack")
STEPS = (":create", ":addOperations", ":run")
"""Of a job of Google Ads: each may be the one that fails."""


def identifiers(kind: str, count: int) -> list[str]:
    names = [f"c{number}" for number in range(count)]
    return names if kind in PLAIN else [hashlib.sha256(name.encode()).hexdigest() for name in names]


def fault(kind: str, name: Any, **more: Any) -> dict[str, Any]:
    return {("status" if kind == "customerio" else "kind"): name, **more}


def batch(kind: str, action: Any, who: list[str], upload_id: str) -> Batch:
    from ad_lab import FIELD

    return Batch(upload_id, action, FIELD[kind], who)


def apply(client: Destination, sent: Batch) -> None:
    """Until it is accepted, as the next runs would."""
    for _ in range(6):
        try:
            client.apply(sent)
        except RetriableError:
            continue
        return
    pytest.fail("never accepted")


@pytest.mark.parametrize("seed", [7])
@pytest.mark.parametrize("kind", TYPES)
def test_sets_converge_under_replays_and_lost_replies(ads: Ads, kind: str, seed: int) -> None:
    """Batches are repeated, replies dropped at random; in the end the remote set is the desired one."""
    chance = random.Random(f"{kind}{seed}")
    everyone = identifiers(kind, 30)
    if kind == "customerio":
        ads.people(everyone)
    client = ads.open(kind, attempts=2)
    desired: set[str] = set()
    for step in range(8):
        goal = set(chance.sample(everyone, chance.randrange(len(everyone))))
        for action, who in (("remove", sorted(desired - goal)), ("add", sorted(goal - desired))):
            if not who:
                continue
            sent = batch(kind, action, who, f"{seed}-{step}-{action}")
            for _ in range(chance.randrange(3)):
                step_of = {"path": chance.choice(STEPS)} if kind == "google_ads" else {}
                ads.faults(kind, fault(kind, chance.choice(DROPS[kind]), **step_of))
            apply(client, sent)
            if chance.random() < 0.5:
                apply(client, sent)
        desired = goal
    assert ads.members(kind) == desired
    client.close()


@pytest.mark.parametrize("kind", TYPES)
def test_what_is_fatal_is_not_repeated(ads: Ads, kind: str) -> None:
    name, error = FATAL[kind]
    ads.faults(kind, fault(kind, name))
    client = ads.open(kind)
    with pytest.raises(error) as raised:
        client.apply(batch(kind, "add", identifiers(kind, 3), "u1"))
    assert raised.value.requests == 1  # type: ignore[attr-defined]
    assert not any(each in str(raised.value) for each in identifiers(kind, 3))
    client.close()


@pytest.mark.parametrize("kind", ["meta", "google", "google_ads", "tiktok", "rudderstack"])
def test_a_page_or_half_an_answer_is_never_success(ads: Ads, kind: str) -> None:
    client = ads.open(kind, attempts=2)
    for name in ("html_502_after", "truncated"):
        ads.faults(kind, fault(kind, name, times=2))
        with pytest.raises((UnknownOutcomeError, RetriableError)):
            client.apply(batch(kind, "add", identifiers(kind, 2), name))
    client.close()


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("meta", "80003"),
        ("google", "RESOURCE_EXHAUSTED"),
        ("google_ads", "RESOURCE_EXHAUSTED"),
        ("tiktok", "40100"),
    ],
)
def test_limits_are_named(ads: Ads, kind: str, name: str) -> None:
    ads.faults(kind, {"kind": name, "times": 4})
    client = ads.open(kind)
    with pytest.raises(RateLimitedError) as raised:
        client.apply(batch(kind, "add", identifiers(kind, 2), "u"))
    assert raised.value.requests == 4
    client.close()


def test_half_a_million_removals_go_to_meta_as_bodies(ads: Ads) -> None:
    everyone = identifiers("meta", 500_000)
    ads.sandbox.meta.audiences[ads.audiences["meta"]] = {"EMAIL_SHA256": set(everyone)}
    client = ads.open("meta", timeout=60.0)
    for first in range(0, len(everyone), 10_000):
        client.apply(batch("meta", "remove", everyone[first : first + 10_000], f"r{first}"))
    assert ads.members("meta") == set()
    seen = [each for each in ads.requests("meta") if each["path"].endswith("/users")]
    assert len(seen) == 50
    assert max(each["url_bytes"] for each in seen) < 200
    assert min(each["body_bytes"] for each in seen) > 600_000
    client.close()


def test_google_settles_later(ads: Ads) -> None:
    client = ads.open("google")
    sent = batch("google", "add", identifiers("google", 10), "u")
    ads.faults(
        "google", {"kind": "later_failed", "path": ":ingest"}, {"kind": "later_partial", "path": ":ingest"}
    )
    failed, partial, good = (client.apply(sent) for _ in range(3))
    assert (failed.outcome, client.settlement("unheard-of").outcome) == ("pending", "pending")
    first = [client.settlement(each.request_id).outcome for each in (failed, partial, good)]
    later = [client.settlement(each.request_id) for each in (failed, partial, good)]
    assert first == ["pending"] * 3
    assert [each.outcome for each in later] == ["rejected", "partial", "confirmed"]
    assert "PROCESSING_ERROR" in later[0].reason
    client.close()


def test_a_google_ads_job_is_judged_by_its_own_status(ads: Ads) -> None:
    client = ads.open("google_ads")
    sent = batch("google_ads", "add", identifiers("google_ads", 10), "u")
    ads.faults("google_ads", {"kind": "later_failed", "path": ":run"})
    failed = client.apply(sent)
    assert (failed.outcome, ads.members("google_ads")) == ("pending", set())
    good = client.apply(sent)
    names = (failed.request_id, good.request_id, "customers/123/offlineUserDataJobs/1")
    assert [client.settlement(name).outcome for name in names] == ["pending"] * 3
    settled = [client.settlement(name) for name in names]
    assert [each.outcome for each in settled] == ["rejected", "confirmed", "pending"]
    assert settled[0].reason == "UNKNOWN"
    client.close()


@pytest.mark.parametrize("name", ["drop_after", "html_502_after", "truncated"])
def test_a_google_ads_job_that_began_is_not_begun_again(ads: Ads, name: str) -> None:
    """The second `run` is refused, because the first was taken and only its answer was lost."""
    client = ads.open("google_ads")
    ads.faults("google_ads", {"kind": name, "path": ":run"})
    receipt = client.apply(batch("google_ads", "add", identifiers("google_ads", 3), "u"))
    assert [client.settlement(receipt.request_id).outcome for _ in range(2)] == ["confirmed"] * 2
    runs = [each["status"] for each in ads.requests("google_ads") if each["path"].endswith(":run")]
    assert runs[1:] == [400]
    ads.faults("google_ads", {"kind": "BAD_RESOURCE_ID", "path": ":run"})
    with pytest.raises(RequestRefusedError, match="BAD_RESOURCE_ID"):
        client.apply(batch("google_ads", "add", identifiers("google_ads", 3), "u"))
    client.close()


def test_google_ads_names_what_it_cannot_read_in_an_answer_of_200(ads: Ads) -> None:
    client = ads.open("google_ads", timeout=30.0)
    who = identifiers("google_ads", 10_003)
    receipt = client.apply(batch("google_ads", "add", [*who[:10_002], "mary", who[10_002]], "u"))
    assert (receipt.invalid, ads.members("google_ads")) == (1, set(who))
    calls = [each["path"].rpartition(":")[2] for each in ads.requests("google_ads")]
    assert calls == ["create", "addOperations", "addOperations", "run"]
    with pytest.raises(RequestRefusedError, match="every operation") as raised:
        client.apply(batch("google_ads", "remove", ["mary"], "v"))
    assert "mary" not in str(raised.value)
    address = f"{who[0]}|{who[1]}|94035|US"
    client.apply(Batch("w", "add", "address", [address]))
    assert ads.members("google_ads") == {*who, address}
    client.apply(batch("google_ads", "remove", who, "x"))
    assert ads.members("google_ads") == {address}
    client.close()


def test_tiktok_takes_smaller_batches_when_one_is_too_large(ads: Ads) -> None:
    who = identifiers("tiktok", 2_500)
    client = ads.open("tiktok")
    client.apply(batch("tiktok", "add", who, "u"))
    assert ads.members("tiktok") == set(who)
    client.close()


@pytest.mark.parametrize("kind", ["meta", "google", "google_ads", "tiktok"])
def test_size_is_what_the_platform_matched(ads: Ads, kind: str) -> None:
    client = ads.open(kind, timeout=60.0)
    who = identifiers(kind, 3_000)
    client.apply(batch(kind, "add", who, "u"))
    standing = client.standing()
    assert standing.ready
    assert standing.size == pytest.approx(1_800, rel=0.1)
    client.close()


def test_rudderstack_forgets_repetitions_and_carries_the_context(ads: Ads) -> None:
    client = ads.open("rudderstack")
    sent = Batch("u1", "add", "userId", ["c1"], [{"cart_value": 12}])
    client.apply(sent)
    client.apply(sent)
    kinds = [event["type"] for event in ads.sandbox.rudderstack.events]
    assert kinds == ["track", "identify", "group"]
    track, identify, _ = ads.sandbox.rudderstack.events
    assert track["properties"]["cart_value"] == 12
    assert identify["context"]["traits"] == {f"in_{ads.audiences['rudderstack']}": True}
    client.close()


def test_a_webhook_is_signed_and_a_wrong_secret_refused(ads: Ads) -> None:
    import base64

    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    client = ads.open("webhook")
    client.apply(Batch("u1", "add", "userId", ["c1"], [{"sku": "Jolie crème"}]))
    assert ads.sandbox.webhook.messages[0]["data"]["members"] == [
        {"userId": "c1", "context": {"sku": "Jolie crème"}}
    ]
    client.close()
    from airflow_provider_cio.clients.destinations.webhook import WebhookAudience

    url = ads.sandbox.url("webhook") + "/hook"
    with pytest.raises(CustomerIOProviderError, match="whsec_"):
        WebhookAudience(url=url, secret="plain", audience="a")
    wrong = WebhookAudience(url=url, secret=other, audience="a")
    with pytest.raises(AuthenticationError):
        wrong.apply(Batch("u1", "add", "userId", ["c1"]))
    wrong.close()
