"""The engine of audiences over a local Redshift and the platforms of the sandbox."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from airflow_provider_cio.clients.app import AppClient
from airflow_provider_cio.clients.destinations.base import Batch, Receipt
from airflow_provider_cio.core.audience.definition import AudienceGuards
from airflow_provider_cio.core.audience.holdouts import Stratum, assign, balance
from airflow_provider_cio.core.normalise import SEPARATOR, hash_identifier
from airflow_provider_cio.engine.audience.run import run_audience
from airflow_provider_cio.engine.audience.standing import measured_lags
from airflow_provider_cio.engine.forget import Person, forget
from airflow_provider_cio.exceptions import (
    ContractError,
    CustomerIOProviderError,
    GuardStoppedError,
    LeaseLostError,
    RetriableError,
    SourceError,
)
from airflow_provider_cio.warehouse.audience import holdouts

if TYPE_CHECKING:
    from audience_lab import AudienceLab

pytest_plugins = ("audience_lab",)

TYPES = ("customerio", "meta", "google", "google_ads", "tiktok", "rudderstack", "webhook")


def test_members_reach_every_destination_and_leave_it(shop: AudienceLab) -> None:
    shop.ads.people([f"c{n}" for n in range(5)])
    for number in range(5):
        shop.cart(f"c{number}")
    cart = shop.definition()
    report = shop.run(cart)
    assert {name: found.entered for name, found in report.destinations.items()} == dict.fromkeys(TYPES, 5)
    for kind in TYPES:
        assert shop.at(kind) == shop.sent_as(kind, [f"c{n}" for n in range(5)]), kind
    again = shop.run(cart)
    assert {found.to_send for found in again.destinations.values()} == {0}

    shop.lab.run("DELETE FROM cio_marts.carts WHERE customer_id IN ('c0', 'c1')")
    shop.run(cart)
    for kind in TYPES:
        assert shop.at(kind) == shop.sent_as(kind, ["c2", "c3", "c4"]), kind
    uploads = shop.lab.rows(
        "SELECT DISTINCT action, outcome FROM cio_sync.audience_uploads WHERE destination = 'meta'"
    )
    assert set(uploads) == {("add", "accepted"), ("remove", "accepted")}
    rates = shop.lab.rows(
        "SELECT members, uploaded, size FROM cio_sync.match_rates WHERE destination = 'customerio' ORDER BY plan_id"
    )
    assert rates == [(5, 5, 5), (5, 5, 5), (3, 3, 3)]


def test_a_shared_address_stays_while_one_holds_it_and_a_changed_one_leaves(shop: AudienceLab) -> None:
    cart = shop.definition(types=("meta",))
    shop.cart("c1", "family@shop.example")
    shop.cart("c2", " Family@Shop.example")
    shop.cart("c3", "old@shop.example")
    shop.run(cart)
    assert len(shop.at("meta")) == 2
    shop.lab.run("DELETE FROM cio_marts.carts WHERE customer_id = 'c1'")
    shop.lab.run("UPDATE cio_marts.carts SET email = 'new@shop.example' WHERE customer_id = 'c3'")
    report = shop.run(cart)
    assert (report.destinations["meta"].entered, report.destinations["meta"].left) == (1, 1)
    assert shop.at("meta") == shop.sent_as("meta", ["family", "new"])


def test_the_suppressed_leave_by_member_and_by_address(shop: AudienceLab) -> None:
    cart = shop.definition(types=("meta", "rudderstack"), suppressions=["purchasers"])
    for number in range(4):
        shop.cart(f"c{number}")
    shop.buys("c1")
    shop.buys("guest-77", " C2@shop.EXAMPLE ")
    purchasers = {"purchasers": shop.purchasers()}
    report = shop.run(cart, suppressions=purchasers)
    assert report.members == 2
    assert shop.at("meta") == shop.sent_as("meta", ["c0", "c3"])
    shop.pass_time(days=8)
    shop.run(cart, suppressions=purchasers)
    assert shop.at("rudderstack") == shop.sent_as("rudderstack", ["c0", "c1", "c2", "c3"])


def test_whom_to_leave_out_is_not_asked_for_consent(shop: AudienceLab) -> None:
    """A buyer who takes no ads is not uploaded as a buyer, and sees no cart recovery either."""
    shop.lab.run("ALTER TABLE cio_marts.purchasers ADD COLUMN ads_consent BOOLEAN")
    shop.cart("c0")
    shop.cart("c1")
    shop.lab.run("INSERT INTO cio_marts.purchasers VALUES ('c1', 'c1@shop.example', GETDATE(), FALSE)")
    buyers = shop.purchasers(consent=["ads_consent"], entered_at=None, member_for=None)
    shop.run(
        shop.definition(types=("meta",), suppressions=["purchasers"]), suppressions={"purchasers": buyers}
    )
    assert shop.at("meta") == shop.sent_as("meta", ["c0"])


def test_who_takes_consent_back_is_removed(shop: AudienceLab) -> None:
    cart = shop.definition(types=("google",))
    shop.cart("c0")
    shop.cart("c1")
    shop.run(cart)
    shop.lab.run("UPDATE cio_marts.carts SET ads_consent = NULL WHERE customer_id = 'c0'")
    shop.run(cart)
    assert shop.at("google") == shop.sent_as("google", ["c1"])


@pytest.mark.parametrize(
    ("guards", "change", "message"),
    [
        ({"max_removed_pct": 100}, "DELETE FROM cio_marts.carts", "0 members, fewer than min_members 1"),
        (
            {},
            "DELETE FROM cio_marts.carts WHERE customer_id <> 'c0'",
            "would lose 75 % of 4, over max_removed_pct 50",
        ),
        ({}, "UPDATE cio_marts.carts SET email = 'none'", "100 % of the members have no identifier"),
    ],
)
def test_an_empty_or_collapsing_audience_is_stopped(
    shop: AudienceLab, guards: dict[str, Any], change: str, message: str
) -> None:
    cart = shop.definition(types=("meta",), guards=guards)
    for number in range(4):
        shop.cart(f"c{number}")
    shop.run(cart)
    before = shop.at("meta"), shop.ledger("meta")
    shop.lab.run(change)
    with pytest.raises(GuardStoppedError, match=message):
        shop.run(cart)
    assert (shop.at("meta"), shop.ledger("meta")) == before


def test_a_source_that_fails_changes_nothing(shop: AudienceLab) -> None:
    cart = shop.definition(types=("meta",))
    shop.cart("c0")
    shop.run(cart)
    with pytest.raises(SourceError, match="cartz"):
        shop.run(shop.definition(types=("meta",), source="cio_marts.cartz"))
    shop.cart("c0")
    with pytest.raises(SourceError, match="1 members occur more than once"):
        shop.run(cart)
    assert shop.at("meta") == shop.sent_as("meta", ["c0"])
    left = shop.lab.rows(
        "SELECT table_name FROM information_schema.tables "
        "WHERE table_name LIKE 'audience_desired%' OR table_name LIKE 'audience_changes%'"
    )
    assert left == []
    assert list(shop.lab.bucket.listing("audiences/")) == []


LOST: dict[str, Any] = {"kind": "drop_after", "path": ""}


class KilledError(BaseException):
    """The worker dies."""


class Dying:
    """A destination during whose n-th call the worker dies, before or after the request."""

    def __init__(self, inner: Any, calls: Iterator[str]) -> None:
        self._inner = inner
        self._calls = calls

    def apply(self, batch: Batch) -> Receipt:
        fate = next(self._calls)
        if fate == "before":
            raise KilledError
        receipt: Receipt = self._inner.apply(batch)
        if fate == "twice":
            receipt = self._inner.apply(batch)
        if fate == "after":
            raise KilledError
        return receipt

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


@pytest.mark.parametrize("kind", TYPES)
def test_killed_at_every_batch_boundary_it_ends_as_desired(shop: AudienceLab, kind: str) -> None:
    """Members come and go while workers die and replies are lost: the end is always as the source says."""
    chance = random.Random(kind)
    everyone = [f"c{number}" for number in range(12)]
    shop.ads.people(everyone)
    for customer in everyone:
        shop.cart(customer)
    cart = shop.definition(types=(kind,))
    for boundary in range(5):
        fates = iter(["fine"] * boundary + [chance.choice(["before", "after"])] + ["twice"] * 50)
        client = Dying(shop.client(kind, shop.ads.audiences[kind]), fates)
        present = set(chance.sample(everyone, chance.randrange(3, 12)))
        names = ", ".join(f"'{each}'" for each in present)
        shop.lab.run(f"UPDATE cio_marts.carts SET ads_consent = customer_id IN ({names})")
        lost: dict[str, Any] = {"status": "reset_after"} if kind == "customerio" else LOST
        if kind == "google_ads":
            lost = {**LOST, "path": chance.choice([":create", ":addOperations", ":run"])}
        if chance.random() < 0.6:  # once is repeated by the client, four times is for the next run
            shop.ads.faults(kind, {**lost, "times": chance.choice([1, 4])})
        try:
            shop.run(cart, clients={kind: client}, small=True)
        except (KilledError, RetriableError):
            shop.lab.run(
                "UPDATE cio_marts.carts SET ads_consent = NOT ads_consent WHERE customer_id IN ('c0', 'c5')"
            )
    if kind == "customerio":
        httpx.delete(f"{shop.lab.customerio.url}/_sandbox/faults").raise_for_status()
    else:
        shop.ads.control(kind, "DELETE", "faults")
    report = shop.run(cart, small=True)
    wanted = [row[0] for row in shop.lab.rows("SELECT customer_id FROM cio_marts.carts WHERE ads_consent")]
    assert shop.at(kind) == shop.sent_as(kind, wanted)
    if kind not in {"google", "google_ads"}:  # which still have removals to confirm
        assert (report.destinations[kind].uploaded, report.destinations[kind].unsettled) == (len(wanted), 0)


def test_one_destination_fails_and_the_others_go_on(shop: AudienceLab) -> None:
    cart = shop.definition(types=("meta", "tiktok"))
    for number in range(7):
        shop.cart(f"c{number}")
    shop.ads.faults("meta", {"kind": "190", "path": "/users"})
    with pytest.raises(CustomerIOProviderError, match=r"Destination meta: .*code 190"):
        shop.run(cart, small=True)
    assert shop.at("tiktok") == shop.sent_as("tiktok", [f"c{n}" for n in range(7)])
    assert shop.ledger("meta") == {"adding": 7}
    shop.run(cart, small=True)
    assert shop.at("meta") == shop.sent_as("meta", [f"c{n}" for n in range(7)])
    assert shop.ledger("meta") == {"present": 7}


def test_google_says_later_what_failed_and_it_is_sent_again(shop: AudienceLab) -> None:
    cart = shop.definition(types=("google",))
    for number in range(6):
        shop.cart(f"c{number}")
    shop.ads.faults("google", {"kind": "later_partial", "path": ":ingest"})
    first = shop.run(cart)
    assert (first.destinations["google"].outcome, shop.ledger("google")) == ("pending", {"add_sent": 6})
    assert len(shop.at("google")) == 3
    shop.run(cart)  # its status is still PROCESSING
    third = shop.run(cart)
    assert third.destinations["google"].repeated == 6
    assert shop.at("google") == shop.sent_as("google", [f"c{n}" for n in range(6)])
    outcomes = shop.lab.rows("SELECT outcome FROM cio_sync.audience_uploads ORDER BY plan_id")
    assert outcomes == [("partial",), ("pending",)]


def test_members_are_renewed_before_the_platform_forgets_them(shop: AudienceLab) -> None:
    url = f"{shop.ads.sandbox.url('google')}/v1/accountTypes/GOOGLE_ADS/accounts/123/userLists"
    body = {"membershipDuration": f"{30 * 86400}s"}
    answer = httpx.post(url, json=body, headers={"Authorization": "Bearer google-token"})
    shop.ads.audiences["google"] = str(answer.json()["id"])
    cart = shop.definition(types=("google",))
    settings = cart.destinations["google"].model_copy(update={"membership": timedelta(days=30)})
    cart = cart.model_copy(update={"destinations": {"google": settings}})
    shop.cart("c0")
    renewed = 0
    for _ in range(6):
        renewed += shop.run(cart).destinations["google"].renewed
        shop.pass_time(days=10)
        assert shop.at("google") == shop.sent_as("google", ["c0"])
    assert 2 <= renewed <= 3


def test_new_rules_replace_old_hashes_without_a_guard(shop: AudienceLab) -> None:
    cart = shop.definition(types=("meta",), guards={"max_removed_pct": 10})
    for number in range(4):
        shop.cart(f"c{number}")
    shop.run(cart)
    old = hashlib.sha256(b"as it was").hexdigest()
    shop.client("meta", shop.ads.audiences["meta"]).apply(Batch("u", "add", "EMAIL_SHA256", [old]))
    shop.lab.run(
        "INSERT INTO cio_sync.audience_members SELECT audience, destination, field, "
        f"'{old}', state, 0, definition, plan_id, batch, entered_at, added_at FROM cio_sync.audience_members LIMIT 1"
    )
    report = shop.run(cart)
    assert report.destinations["meta"].left == 1
    assert shop.at("meta") == shop.sent_as("meta", [f"c{n}" for n in range(4)])


def test_people_unknown_to_customerio_are_found_missing_and_added_once_they_are_there(
    shop: AudienceLab,
) -> None:
    cart = shop.definition(types=("customerio",))
    shop.ads.people(["c0"])
    shop.cart("c0")
    shop.cart("c1")
    report = shop.run(cart)
    assert (shop.at("customerio"), shop.ledger("customerio")) == ({"c0"}, {"present": 1, "absent": 1})
    assert report.destinations["customerio"].size == 1
    shop.ads.people(["c1"])
    shop.run(cart)
    assert (shop.at("customerio"), shop.ledger("customerio")) == ({"c0", "c1"}, {"present": 2})


def test_holdouts_are_drawn_as_the_reference_says_and_stick(shop: AudienceLab) -> None:
    holdout = {"experiment": "winback", "percent": 25, "salt": "pepper", "stratify_by": "country"}
    cart = shop.definition(types=("meta",), holdout=holdout)
    members = {f"c{number}": ("GB" if number % 3 else "DE") for number in range(40)}
    for customer, country in members.items():
        shop.cart(customer, country=country)
    report = shop.run(cart)
    rows = dict(shop.lab.rows("SELECT member, held_out FROM cio_sync.holdout_assignments"))
    assert rows == assign("pepper", "winback", 2500, members, {})
    strata = [
        Stratum(str(row[0]), int(row[1]), int(row[2]))
        for row in shop.lab.rows(holdouts.strata("cio_sync.holdout_assignments", "winback"))
    ]
    assert balance(strata, 2500).ok
    assert (report.held_out, report.members) == (sum(rows.values()), 40 - sum(rows.values()))
    assert shop.at("meta") == shop.sent_as("meta", [member for member, held in rows.items() if not held])

    shop.cart("c99", country="GB")
    larger = shop.definition(types=("meta",), holdout={**holdout, "percent": 50})
    shop.run(larger)
    after = dict(shop.lab.rows("SELECT member, held_out FROM cio_sync.holdout_assignments"))
    assert {member: after[member] for member in rows} == rows


def test_only_the_cohort_is_sent_and_a_dropped_destination_is_named(shop: AudienceLab) -> None:
    for number in range(4):
        shop.cart(f"c{number}")
    shop.run(shop.definition(types=("meta", "tiktok"), cohort=["c1", "c3"]))
    assert shop.at("meta") == shop.sent_as("meta", ["c1", "c3"])
    report = shop.run(shop.definition(types=("meta",), cohort=["c1"]))
    assert (shop.at("meta"), report.abandoned) == (shop.sent_as("meta", ["c1"]), ["tiktok"])


def test_two_runs_of_an_audience_do_not_meet(shop: AudienceLab) -> None:
    from airflow_provider_cio.engine.lease import Lease
    from airflow_provider_cio.warehouse.audience.tables import ensure_tables

    cart = shop.definition(types=("meta",))
    ensure_tables(shop.lab.warehouse)
    Lease(shop.context(cart, run_id="other")).acquire()
    with pytest.raises(LeaseLostError, match="held by run other"):
        shop.run(cart)


def test_context_goes_where_it_is_allowed(shop: AudienceLab) -> None:
    cart = shop.definition(types=("rudderstack", "meta"))
    allowed = cart.destinations["rudderstack"].model_copy(update={"context": ["cart_value"]})
    cart = cart.model_copy(update={"destinations": {**cart.destinations, "rudderstack": allowed}})
    shop.cart("c0", cart_value="42.50")
    shop.run(cart)
    track = shop.ads.sandbox.rudderstack.events[0]
    assert track["properties"]["cart_value"] == "42.50"
    assert "42.50" not in str(list(shop.ads.sandbox.meta.audiences.values()))


def test_lag_is_measured_from_being_a_member_to_the_platforms_word(shop: AudienceLab) -> None:
    """Not of those who were members before the audience was first sent; at Google, until it confirms."""
    timing = {"entered_at": "cart_at", "member_for": "3d", "settle": "10m", "cadence": "@hourly"}
    cart = shop.definition(types=("tiktok", "google"), **timing)
    shop.cart("c0", cart_at=shop.now - timedelta(hours=2))
    shop.cart("c1", cart_at=shop.now - timedelta(minutes=5))
    shop.cart("c2", cart_at=shop.now - timedelta(days=4))
    first = shop.run(cart)
    assert shop.at("tiktok") == shop.sent_as("tiktok", ["c0"])
    assert first.destinations["tiktok"].lag_p95 is None
    lags = []
    for _ in range(4):
        shop.pass_time(hours=1)
        found = shop.run(cart).destinations
        lags.append((found["tiktok"].lag_p50, found["google"].lag_p50))
    # c1 is a member from 12:05 on and sent at 13:00; Google says at the second question that it has taken it
    assert lags == [(3300.0, None), (None, None), (None, 10_500.0), (None, None)]
    known = measured_lags(shop.lab.warehouse)
    assert known == {}  # the shop's clock is far behind: nothing of it is of the last thirty days
    shop.lab.run("UPDATE cio_sync.match_rates SET measured_at = GETDATE()")
    known = measured_lags(shop.lab.warehouse)
    assert known == {
        ("cart", "tiktok"): timedelta(seconds=3300),
        ("cart", "google"): timedelta(seconds=10_500),
    }


def test_a_window_that_is_too_short_for_what_was_measured_is_said(shop: AudienceLab) -> None:
    cart = shop.definition(types=("tiktok",), entered_at="cart_at", member_for="4h", cadence="@hourly")
    shop.run(cart)
    shop.cart("c0")
    shop.pass_time(hours=3, minutes=30)
    found = shop.run(cart).destinations["tiktok"]
    assert not found.as_expected
    assert found.unexpected.startswith("a window of 4h has passed before it shows: lag and cadence come to ")
    rows = shop.lab.rows("SELECT as_expected, unexpected FROM cio_sync.match_rates ORDER BY measured_at")
    assert rows == [(True, None), (False, found.unexpected)]


def test_what_is_not_as_expected_is_said_in_words(shop: AudienceLab) -> None:
    """A slump, and people in the segment whom somebody else put there."""
    shop.ads.people(["c0", "c1", "stranger"])
    shop.cart("c0")
    shop.cart("c1")
    segment = shop.client("customerio", shop.ads.audiences["customerio"])
    segment.apply(Batch("u", "add", "id", ["stranger"]))
    cart = shop.definition(types=("customerio", "meta"), expect={"min_members": 3, "max_members": 9})
    found = shop.run(cart).destinations
    assert found["meta"].unexpected == "2 members, fewer than min_members 3"
    assert (found["customerio"].missing, found["customerio"].foreign_count) == (0, 1)
    rows = shop.lab.rows("SELECT unexpected FROM cio_sync.match_rates WHERE destination = 'customerio'")
    assert rows == [
        ("2 members, fewer than min_members 3; 1 members are there whom this audience did not put there",)
    ]


class Meeting:
    """A destination that waits in `apply` until the others are there too."""

    def __init__(self, inner: Any, barrier: threading.Barrier) -> None:
        self._inner = inner
        self._barrier = barrier

    def apply(self, batch: Batch) -> Receipt:
        self._barrier.wait(timeout=60)
        receipt: Receipt = self._inner.apply(batch)
        return receipt

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_destinations_are_told_at_the_same_time(shop: AudienceLab) -> None:
    cart, barrier = shop.definition(types=("meta", "tiktok", "webhook")), threading.Barrier(3)
    shop.cart("c0")
    clients = {
        name: Meeting(shop.client(each.type, each.audience), barrier)
        for name, each in cart.destinations.items()
    }
    report = shop.run(cart, clients=clients)
    assert {found.outcome for found in report.destinations.values()} == {"sent"}


def test_a_platform_that_does_not_answer_about_its_requests_keeps_no_other_back(shop: AudienceLab) -> None:
    cart = shop.definition(types=("google", "meta"))
    shop.cart("c0")
    shop.run(cart)
    shop.cart("c1")
    shop.ads.faults("google", {"kind": "UNAUTHENTICATED", "path": "requestStatus"})
    with pytest.raises(CustomerIOProviderError, match=r"Destination google: .*UNAUTHENTICATED"):
        shop.run(cart)
    assert shop.at("meta") == shop.sent_as("meta", ["c0", "c1"])
    assert shop.at("google") == shop.sent_as("google", ["c0", "c1"])


def test_a_segment_of_customerio_is_a_source(shop: AudienceLab) -> None:
    """Stage two of an activation: who is in a segment goes to ads, and leaves with it."""
    shop.ads.people(["c0", "c1", "c2"])
    source = shop.ads.create("customerio")
    segment = shop.client("customerio", source)
    segment.apply(Batch("u1", "add", "id", ["c0", "c1", "c2"]))
    engaged = shop.definition(
        "engaged",
        types=("rudderstack", "meta"),
        source=None,
        segment=int(source),
        member="cio_id",
        identity={"id": "id", "email": "email"},
        consent=[],
    )
    app = AppClient(api_key="sandbox-app-key", base_url=shop.lab.customerio.url, rate=10_000)
    with closing(app):
        report = run_audience(replace(shop.context(engaged), app=app))
        assert (report.members, report.destinations["meta"].unidentified) == (3, 3)
        assert shop.at("rudderstack") == {"c0", "c1", "c2"}
        segment.apply(Batch("u2", "remove", "id", ["c1"]))
        run_audience(replace(shop.context(engaged), app=app))
        assert shop.at("rudderstack") == {"c0", "c2"}
        with pytest.raises(ContractError, match="there is no App API key"):
            shop.run(engaged)
        segment.apply(Batch("u3", "remove", "id", ["c0", "c2"]))
        kept = engaged.model_copy(update={"guards": AudienceGuards()})
        with pytest.raises(GuardStoppedError, match="0 members"):
            run_audience(replace(shop.context(kept), app=app))
        assert shop.at("rudderstack") == {"c0", "c2"}


def test_names_and_addresses_go_where_people_are_matched_by_them(shop: AudienceLab) -> None:
    """Rows of several keys to Meta, addresses to Google; who moves leaves with the old address, whole or not at all."""
    shop.lab.run(
        "CREATE VIEW cio_marts.known AS SELECT c.*, 'Mary' AS first_name, c.customer_id AS last_name, "
        "CASE WHEN c.cart_value > 0 THEN CAST(c.cart_value AS VARCHAR(9)) END AS postcode FROM cio_marts.carts AS c"
    )
    for number in range(3):
        shop.cart(f"c{number}", country="GB", cart_value=f"{number}0")
    address = {
        "first_name": "first_name",
        "last_name": "last_name",
        "postcode": "postcode",
        "country": "country",
    }
    known = shop.definition(
        types=("meta", "google"), source="cio_marts.known", identity={"id": "customer_id"}, address=address
    )
    places = {
        name: each.model_copy(update={"identifiers": ["address"]})
        for name, each in known.destinations.items()
    }
    known = known.model_copy(update={"destinations": places})

    def expected(kind: str, field: str, *people: tuple[str, str]) -> set[str | None]:
        return {hash_identifier(kind, field, SEPARATOR.join(("Mary", *each, "GB"))) for each in people}

    first = shop.run(known)
    assert first.destinations["meta"].unidentified == 1  # without a postcode
    assert shop.at("meta") == expected("meta", "ADDRESS", ("c1", "10.00"), ("c2", "20.00"))
    assert shop.at("google") == expected("google", "address", ("c1", "10.00"), ("c2", "20.00"))
    shop.lab.run("UPDATE cio_marts.carts SET cart_value = 30 WHERE customer_id = 'c1'")
    shop.run(known)
    assert shop.at("meta") == expected("meta", "ADDRESS", ("c1", "30.00"), ("c2", "20.00"))
    assert shop.at("google") == expected("google", "address", ("c1", "30.00"), ("c2", "20.00"))

    gone = Person(id="c2", first_name="Mary", last_name="C2", postcode="20.00", country="gb")
    forget(gone, shop.lab.warehouse, shop.lab.bucket, [shop.context(known)], shop.lab.track())
    assert shop.at("meta") == expected("meta", "ADDRESS", ("c1", "30.00"))
    assert shop.at("google") == expected("google", "address", ("c1", "30.00"))
