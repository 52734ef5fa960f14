"""Audience files: what loads, and each rule of lint broken by one file."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from airflow_provider_cio.core.audience.files import audience_schema, lint_audiences, load_audience
from airflow_provider_cio.exceptions import ContractError

CONTRACT = """\
workspace: shop
staging: {s3: "s3://bucket/cio", iam_role: default}
"""
PURCHASERS = """\
description: Bought in the last seven days
owner: retention
purpose: suppression
suppresses: purchasers
source: cio_marts.recent_purchasers
identity: {email: email}
"""
CART = """\
description: Carts without an order
owner: retention
purpose: retargeting
source: cio_marts.cart_high_intent
identity: {id: customer_id, email: email, phone: phone}
region: GB
entered_at: cart_at
member_for: 3d
settle: 10m
consent: [ads_consent]
suppressions: [purchasers]
holdout: {experiment: cart, percent: 10, salt: pepper, stratify_by: country}
cadence: "0 * * * *"
destinations:
  meta: {type: meta, audience: "123"}
  google: {type: google, audience: "77", identifiers: [email], membership: 30d}
  hook: {type: webhook, audience: cart, context: [cart_value]}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "audiences").mkdir()
    (tmp_path / "contract.yaml").write_text(CONTRACT)
    (tmp_path / "audiences/purchasers.yaml").write_text(PURCHASERS)
    (tmp_path / "audiences/cart.yaml").write_text(CART)
    return tmp_path


def test_good_files_pass(folder: Path) -> None:
    assert lint_audiences(folder) == []
    audience = load_audience(folder / "audiences/cart.yaml")
    assert (audience.name, audience.excluded_by) == ("cart", ("purchasers",))
    assert audience.kinds_of(audience.destinations["meta"]) == ["email", "phone"]
    assert audience.kinds_of(audience.destinations["google"]) == ["email"]
    jsonschema.validate(yaml.safe_load(CART), audience_schema())


def test_what_is_closed_to_newcomers_is_used_when_the_file_says_why(folder: Path) -> None:
    file = folder / "audiences/cart.yaml"
    file.write_text(CART.replace("type: google,", "type: google_ads, despite_legacy: uploads since 2024,"))
    assert lint_audiences(folder) == []
    assert load_audience(file).destinations["google"].capabilities.confirmation == "request"


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("suppressions: [purchasers]\n", "suppressions: []\n", 11, "retargeting without a purchase exclusion"),
        ("suppressions: [purchasers]\n", "", 1, "there is no audience 'suppression_purchasers'"),
        ("[purchasers]", "[purchaser]", 11, "no audience 'purchaser': did you mean 'purchasers'?"),
        ("[purchasers]", "[purchasers, cart]", 11, "'cart' has another purpose"),
        ("consent: [ads_consent]\n", "", 15, "google asks for consent"),
        ("identifiers: [email]", "identifiers: [idfa]", 16, "'idfa' is nothing google takes"),
        ("identifiers: [email]", "identifiers: [emial]", 16, "identifiers[0]: must be"),
        ("membership: 30d", "membership: 600d", 16, "keeps members 540d at most"),
        ('audience: "123"}', 'audience: "123", context: [cart_value]}', 15, "meta takes no context"),
        ("member_for: 3d", "member_for: 4h", 8, "meta: a window of 4h has passed before it shows"),
        ("member_for: 3d", "from_age: 4d\nmember_for: 3d", 1, "must be shorter than `member_for`"),
        ("entered_at: cart_at\n", "", 1, "need `entered_at`"),
        ('"0 * * * *"', '"0 * * *"', 13, "is not a cron expression"),
        ("cio_marts.cart_high_intent", "raw.carts", 4, "schema 'raw' is not one for sources"),
        ("source: cio_marts.cart_high_intent", "sql: cart.sql", 4, "there is no file"),
        ("percent: 10", "percent: 80", 12, "holdout.percent"),
        ("purpose: retargeting", "purpose: retargetting", 3, "did you mean `retargeting`?"),
        ("type: google,", "type: google_ads,", 16, "or say why not: `despite_legacy: <reason>`"),
        ('"123"}', '"123", despite_legacy: we like it}', 15, "`despite_legacy` says nothing of meta"),
        ("type: meta", "type: myspace", 15, "destinations.meta.type: must be"),
        ("description: Carts", "name: other\ndescription: Carts", 1, "'other' is not the file's name"),
    ],
)  # fmt: skip
def test_each_mistake_is_named_by_file_and_line(
    folder: Path, old: str, new: str, line: int, message: str
) -> None:
    file = folder / "audiences/cart.yaml"
    assert old in CART
    file.write_text(CART.replace(old, new))
    found = lint_audiences(folder)
    assert any(f"error: {file}:{line}: " in str(each) and message in str(each) for each in found), found


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("suppressions: [purchasers]\n", "suppressions: []\nwithout_purchase_exclusion: upsell to buyers\n"),
        ("member_for: 3d", "member_for: 4h\ndespite_lag: trial\n"),
    ],
)
def test_what_is_overridden_in_words_passes(folder: Path, old: str, new: str) -> None:
    (folder / "audiences/cart.yaml").write_text(CART.replace(old, new))
    assert lint_audiences(folder) == []


def test_a_broken_file_hides_no_other(folder: Path) -> None:
    (folder / "audiences/cart.yaml").write_text("a: [")
    (folder / "audiences/other.yaml").write_text(CART.replace("[purchasers]", "[]"))
    found = lint_audiences(folder)
    assert {Path(each.file).name for each in found} == {"cart.yaml", "other.yaml"}
    with pytest.raises(ContractError, match=r"cart\.yaml:1: not valid YAML"):
        load_audience(folder / "audiences/cart.yaml")
