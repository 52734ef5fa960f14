"""The platforms of the sandbox: what they refuse, what they forget, and whom they match."""

from __future__ import annotations

import hashlib
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from airflow_provider_cio.sandbox.ads import AdSandbox

if TYPE_CHECKING:
    from ad_lab import Ads

pytest_plugins = ("ad_lab",)

GOOD, EMPTY = hashlib.sha256(b"mary@example.com").hexdigest(), hashlib.sha256(b"").hexdigest()
META = {"Authorization": "Bearer meta-token"}
GOOGLE = {"Authorization": "Bearer google-token"}
CONSENT = {"adUserData": "CONSENT_GRANTED", "adPersonalization": "CONSENT_GRANTED"}


def meta(ads: Ads, data: list[Any], **more: Any) -> httpx.Response:
    body = {"payload": {"schema": "EMAIL_SHA256", "data": data}, **more}
    url = f"{ads.sandbox.url('meta')}/v26.0/{ads.audiences['meta']}/users"
    return httpx.post(url, json=body, headers=META, timeout=30)


def test_meta_counts_what_it_cannot_read_and_limits_rows(ads: Ads) -> None:
    answer = meta(ads, [GOOD, "mary@example.com", EMPTY, GOOD.upper()]).json()
    assert (answer["num_received"], answer["num_invalid_entries"]) == (4, 3)
    assert ads.members("meta") == {GOOD}
    assert meta(ads, [GOOD] * 10_001).json()["error"]["code"] == 100
    assert meta(ads, [GOOD], method="DELETE").status_code == 200
    assert ads.members("meta") == set()


def test_meta_has_no_room_in_a_url(ads: Ads) -> None:
    connection = HTTPConnection("127.0.0.1", ads.sandbox.port)  # httpx refuses such an address itself
    path = f"/meta/v26.0/{ads.audiences['meta']}/users?payload={'a' * 70_000}"
    connection.request("DELETE", path, headers=META)
    answer = connection.getresponse()
    assert (answer.status, answer.headers["content-type"][:9]) == (414, "text/html")
    connection.close()


def google(ads: Ads, verb: str = "ingest", hashed: str = GOOD, **changes: Any) -> httpx.Response:
    body: dict[str, Any] = {
        "destinations": [{"productDestinationId": ads.audiences["google"]}],
        "audienceMembers": [{"compositeData": {"userData": {"userIdentifiers": [{"emailAddress": hashed}]}}}],
        "encoding": "HEX",
        "consent": CONSENT,
        "termsOfService": {"customerMatchTermsOfServiceStatus": "ACCEPTED"},
        **changes,
    }
    if verb == "remove":
        del body["consent"], body["termsOfService"]
    return httpx.post(f"{ads.sandbox.url('google')}/v1/audienceMembers:{verb}", json=body, headers=GOOGLE)


@pytest.mark.parametrize(
    "changes",
    [
        {"hashed": "mary@example.com"},
        {"hashed": EMPTY},
        {"consent": {"adUserData": "GRANTED", "adPersonalization": "GRANTED"}},
        {"addressInfo": {}},
        {"audienceMembers": []},
        {"encoding": "BASE64"},
    ],
)
def test_google_refuses(ads: Ads, changes: dict[str, Any]) -> None:
    answer = google(ads, **changes)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert ads.members("google") == set()


def test_google_forgets_members_after_the_membership_duration(ads: Ads) -> None:
    url = f"{ads.sandbox.url('google')}/v1/accountTypes/GOOGLE_ADS/accounts/123/userLists"
    ads.audiences["google"] = str(
        httpx.post(url, json={"membershipDuration": f"{30 * 86400}s"}, headers=GOOGLE).json()["id"]
    )
    assert google(ads).status_code == 200
    ads.advance("google", 29)
    assert ads.members("google") == {GOOD}
    ads.advance("google", 2)
    assert ads.members("google") == set()
    assert google(ads).status_code == 200
    assert google(ads, "remove").status_code == 200
    assert ads.members("google") == set()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ([{"id": "mary@example.com", "audience_ids": ["{a}"]}], 40062),
        ([{"id": GOOD, "audience_ids": ["1"]}], 40002),
    ],
)
def test_tiktok_says_it_by_code(ads: Ads, row: list[dict[str, Any]], code: int) -> None:
    row[0]["audience_ids"] = [each.format(a=ads.audiences["tiktok"]) for each in row[0]["audience_ids"]]
    body = {"advertiser_ids": ["7"], "id_schema": ["EMAIL_SHA256"], "batch_data": [row]}
    url = ads.sandbox.url("tiktok") + "/open_api/v1.3/segment/mapping/"
    answer = httpx.post(url, json=body, headers={"Access-Token": "tiktok-token"})
    assert (answer.status_code, answer.json()["code"]) == (200, code)
    body["batch_data"] = [[{"id": GOOD, "audience_ids": [ads.audiences["tiktok"]]}]] * 1_001
    assert httpx.post(url, json=body, headers={"Access-Token": "tiktok-token"}).json()["code"] == 40061
    assert httpx.post(url, json=body).json()["code"] == 40105


def test_a_receiver_refuses_old_and_unsigned_messages(ads: Ads) -> None:
    url = ads.sandbox.url("webhook") + "/hook"
    headers = {"webhook-id": "m", "webhook-timestamp": "1", "webhook-signature": "v1,eA=="}
    assert httpx.post(url, json={}, headers=headers).status_code == 401
    assert httpx.post(url, json={}).status_code == 401


def test_rudderstack_refuses_large_events(ads: Ads) -> None:
    url = ads.sandbox.url("rudderstack") + "/v1/batch"
    event = {
        "type": "track",
        "messageId": "1",
        "userId": "u",
        "event": "x",
        "properties": {"a": "b" * 33_000},
    }
    auth = ("rudder-write-key", "")
    assert httpx.post(url, json={"batch": [event]}, auth=auth).status_code == 400
    assert httpx.post(url, json={"batch": []}).status_code == 401


def test_what_the_platforms_hold_survives_them(tmp_path: Path) -> None:
    """Also a death without a goodbye: the file is written with every change."""
    with AdSandbox(tmp_path) as before:
        for name in ("meta", "google"):
            httpx.post(f"{before.url(name)}/_sandbox/audiences", json={"id": "77"}).raise_for_status()
        body = {"payload": {"schema": "EMAIL_SHA256", "data": [GOOD]}}
        httpx.post(f"{before.url('meta')}/v26.0/77/users", json=body, headers=META).raise_for_status()
        httpx.post(f"{before.url('google')}/_sandbox/advance", json={"seconds": 60}).raise_for_status()
    with AdSandbox(tmp_path) as after:
        held = httpx.get(f"{after.url('meta')}/_sandbox/members/77").json()
        assert (held, after.google.shift, list(after.google.lists)) == ({"EMAIL_SHA256": [GOOD]}, 60, ["77"])
        httpx.post(f"{after.url('meta')}/_sandbox/reset").raise_for_status()
    assert AdSandbox(tmp_path).meta.audiences == {}
