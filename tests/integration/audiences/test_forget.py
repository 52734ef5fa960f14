"""A person is forgotten: afterwards nothing of ours, and no destination, holds their identifiers."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from airflow_provider_cio.engine.forget import Person, forget
from airflow_provider_cio.engine.forget_lines import Log
from airflow_provider_cio.engine.plan import make_plan
from airflow_provider_cio.engine.run import run_sync
from airflow_provider_cio.exceptions import ContractError, FatalError
from airflow_provider_cio.warehouse.objects import Bucket

if TYPE_CHECKING:
    from audience_lab import AudienceLab

pytest_plugins = ("audience_lab",)

TYPES = ("customerio", "meta", "google", "google_ads", "tiktok", "rudderstack", "webhook")
CANARY = Person(id="canary", email=" Canary@shop.example ")


def everything(shop: AudienceLab) -> str:
    """All rows of all our tables and all objects in S3, as text."""
    tables = shop.lab.rows(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_schema IN ('cio_sync', 'cio_raw') AND table_type = 'BASE TABLE'"
    )
    found = [str(shop.lab.rows(f'SELECT * FROM "{schema}"."{name}"')) for schema, name in tables]
    objects = [shop.lab.bucket.get(stored.key).decode("latin-1") for stored in shop.lab.bucket.listing("")]
    return "\n".join(found + objects)


def test_nothing_is_left_but_a_salted_hash(shop: AudienceLab) -> None:
    lab = shop.lab
    for name in ("canary", "other"):
        shop.cart(name)
        lab.run(f"INSERT INTO cio_marts.customers (customer_id, name) VALUES ('{name}', '{name}')")
    run_sync(lab.context(lab.people(attributes={"name": "name"})))
    cart = shop.definition(holdout={"experiment": "e", "percent": 1, "salt": "pepper"})
    shop.run(cart)
    lab.run("CREATE SCHEMA cio_raw")
    lab.run("CREATE TABLE cio_raw.webhooks (event_id VARCHAR(8), payload SUPER)")
    for name in ("canary", "other"):
        payload = f'{{"data": {{"customer_id": "{name}", "recipient": "{name}@shop.example"}}}}'
        lab.run(f"INSERT INTO cio_raw.webhooks SELECT '1', JSON_PARSE('{payload}')")
    assert "canary" in everything(shop)

    track = lab.track()
    done = forget(CANARY, lab.warehouse, lab.bucket, [shop.context(cart)], track)
    assert done.destinations == len(TYPES)
    for kind in TYPES:
        assert shop.at(kind) == shop.sent_as(kind, ["other"]), kind
    left = everything(shop)
    hashes = [hashlib.sha256(value).hexdigest() for value in (b"canary@shop.example", b"canary")]
    for trace in ("canary", *hashes, hashes[1][:12]):
        assert trace not in left
    assert "other" in left
    ((proof, salt),) = lab.rows("SELECT proof, salt FROM cio_sync.erasures")
    assert proof == hashlib.sha256(f"{salt}canary".encode()).hexdigest() == done.proof

    lab.run("DELETE FROM cio_marts.customers WHERE customer_id = 'canary'")
    lab.run("DELETE FROM cio_marts.carts WHERE customer_id = 'canary'")
    forget(CANARY, lab.warehouse, lab.bucket, [shop.context(cart)], track)
    shop.run(cart)
    assert shop.at("meta") == shop.sent_as("meta", ["other"])
    found: Any = lab._sandbox("GET", "people")
    assert [each["id"] for each in found["people"]] == ["other"]


def test_the_receivers_log_is_searched_on_disk_and_in_s3(shop: AudienceLab, tmp_path: Path) -> None:
    lab = shop.lab
    folder = tmp_path / "receiver"
    (folder / "reporting").mkdir(parents=True)
    payloads: list[Any] = [
        {"data": {"customer_id": "canary"}},
        {"data": {"recipient": "Canary@Shop.example", "customer_id": "other"}},
        {"data": {"identifiers": [{"id": "canary"}]}},
        {"data": {"subject": "canary birds on sale", "customer_id": "canary2"}},
    ]
    lines = [json.dumps({"event_id": str(n), "payload": each}) for n, each in enumerate(payloads)]
    content = "".join(f"{line}\n" for line in lines).encode()
    for name in ("1.ndjson", "2.shipped", "3.open"):
        (folder / "reporting" / name).write_bytes(content)
    bucket = Bucket(lab.s3_client, lab.bucket.uri("webhooks"), "default")
    bucket.put("reporting/2026-03-01/1.ndjson.gz", gzip.compress(content))
    bucket.put("reporting/2026-03-01/notes.txt", b"canary")

    done = forget(CANARY, lab.warehouse, lab.bucket, [], lab.track(), Log(folder, bucket))
    assert (done.lines, done.being_written) == (9, 1)
    left = f"{lines[3]}\n".encode()
    assert [(folder / "reporting" / name).read_bytes() for name in ("1.ndjson", "2.shipped")] == [left, left]
    assert gzip.decompress(bucket.get("reporting/2026-03-01/1.ndjson.gz")) == left
    assert sorted(path.suffix for path in (folder / "reporting").iterdir()) == [
        ".ndjson",
        ".open",
        ".shipped",
    ]
    again = forget(CANARY, lab.warehouse, lab.bucket, [], lab.track(), Log(folder, bucket))
    assert again.lines == 0


def test_an_open_plan_with_the_person_is_named(shop: AudienceLab) -> None:
    lab = shop.lab
    lab.run("INSERT INTO cio_marts.customers (customer_id, name) VALUES ('canary', 'x')")
    ctx = lab.context(lab.people(attributes={"name": "name"}))
    plan = make_plan(ctx)
    with pytest.raises(FatalError, match="is being sent and holds the person") as raised:
        forget(CANARY, lab.warehouse, lab.bucket, [], lab.track())
    assert "canary" not in str(raised.value)
    assert plan.plan_id in str(raised.value)


def test_somebody_must_be_named(shop: AudienceLab) -> None:
    with pytest.raises(ContractError, match="Nobody is named"):
        forget(Person(phone="+447911123456"), shop.lab.warehouse, shop.lab.bucket, [], shop.lab.track())


@pytest.mark.parametrize("text", ["", "mary@example.com", "[]", '{"mail": "mary@example.com"}', '"x"'])
def test_the_command_takes_json_and_repeats_nothing_of_it(text: str, airflow_home: object) -> None:
    from airflow_provider_cio.cli.forget import read_person

    with pytest.raises(ContractError, match="not a JSON object") as raised:
        read_person(text)
    assert "mary" not in str(raised.value)
    assert read_person('{"id": 7, "email": null}').keys == ["7"]
