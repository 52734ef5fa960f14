"""Canonical forms: published vectors, traps that others fell into, and properties."""

from __future__ import annotations

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_cio.core.normalise import (
    FIELDS,
    SEPARATOR,
    declared_hash,
    hash_all,
    hash_identifier,
    normalise,
    normaliser_version,
)

EMPTY = hashlib.sha256(b"").hexdigest()

VECTORS = [
    (
        "meta",
        "EMAIL",
        " Mary@Example.com ",
        None,
        "mary@example.com",
        "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79",
    ),
    (
        "meta",
        "PHONE",
        "+1 (555) 987-6543",
        None,
        "15559876543",
        "1ef970831d7963307784fa8688e8fce101a15685d62aa765fed23f3a2c576a4e",
    ),
    (
        "meta",
        "PHONE",
        "00 44 20 7946 0958",
        None,
        "442079460958",
        "35e206e5dec4c89b9e8b71b8c32724a5bb518483ac5a20c6617d738375b3b823",
    ),
    (
        "meta",
        "FN",
        "Valéry",
        None,
        "valéry",
        "08e1996b5dd49e62a4b4c010d44e4345592a863bb9f8e3976219bac29417149c",
    ),
    (
        "meta",
        "LN",
        "O'Brien",
        None,
        "obrien",
        "b4cb6cb33fe4b865868de825023a1e2790dc12ac01ecc8d7c5afe8254071c8ba",
    ),
    (
        "meta",
        "ZIP",
        "94035-1234",
        None,
        "94035",
        "1794327a4d443904421f5ca1f3d72d0a62ba2f0770d80755ec2220fc0efb052e",
    ),
    (
        "meta",
        "ZIP",
        "94035-1234",
        "US",
        "94035",
        "1794327a4d443904421f5ca1f3d72d0a62ba2f0770d80755ec2220fc0efb052e",
    ),
    (
        "meta",
        "ZIP",
        "M1 1AE",
        "GB",
        "m11ae",
        "1dc694c2070e697769fb959b50671d76cafd430d8ca191fbdd0affcaea344ac5",
    ),
    ("meta", "COUNTRY", "US", None, "us", "79adb2a2fce5c6ba215fe5f27f532d4e7edbac4b6a5e09e1ef3a08084a904621"),
    (
        "google",
        "emailAddress",
        " ALEXZ@example.com ",
        None,
        "alexz@example.com",
        "509e933019bb285a134a9334b8bb679dff79d0ce023d529af4bd744d47b4fd8a",
    ),
    (
        "google",
        "emailAddress",
        "cloudy.sanfrancisco+shopping@gmail.com",
        None,
        "cloudysanfrancisco@gmail.com",
        "223ebda6f6889b1494551ba902d9d381daf2f642bae055888e96343d53e9f9c4",
    ),
    (
        "google",
        "emailAddress",
        "user.name+NYC@Example.com",
        None,
        "user.name+nyc@example.com",
        "f109a2a632fbcea5fc82049f50beed3d8621bf9034399f437fb622222acccdac",
    ),
    (
        "google",
        "phoneNumber",
        "(800)555-0100",
        "US",
        "+18005550100",
        "fb4f73a6ec5fdb7077d564cdd22c3554b43ce49168550c3b12c547b78c517b30",
    ),
    (
        "google",
        "givenName",
        "  GivenName  ",
        None,
        "givenname",
        "128a07bfe2df877c52076e60d7774cf5baaa046c5a6c48daf30ff43ecca2f814",
    ),
    (
        "google",
        "givenName",
        "Mary Jane",
        None,
        "maryjane",
        "f08f448a5e7a9dc3619bb7c129f6a7d5fc6af002cea17ad71dfdc1c68f4d4e0e",
    ),
    (
        "tiktok",
        "PHONE_SHA256",
        "+123 123 4567",
        None,
        "+1231234567",
        "a644642cf5b18c850cda6a57683ab0287c3f28ef939ee5f90f7be5312606f637",
    ),
    (
        "snap",
        "MOBILE_AD_ID_SHA256",
        "38400000-8CF0-11BD-B23E-10B96E40000D",
        None,
        "38400000-8cf0-11bd-b23e-10b96e40000d",
        "d4181bb455a74b3bc8b37c75ac9b2c702eb6b9930bd040b861403b31ca85634d",
    ),
]
"""destination, field, input, region, canonical form, SHA-256: from the platforms' pages and formatters' tests."""

ALL_FIELDS = [(destination, field) for destination, fields in FIELDS.items() for field in fields]


@pytest.mark.parametrize(("destination", "field", "value", "region", "canonical", "digest"), VECTORS)
def test_published_vectors(
    destination: str, field: str, value: str, region: str | None, canonical: str, digest: str
) -> None:
    assert normalise(destination, field, value, region=region) == canonical
    assert hash_identifier(destination, field, value, region=region) == digest


@pytest.mark.parametrize(("destination", "field"), ALL_FIELDS)
@pytest.mark.parametrize("nothing", [None, "", "   ", "\t\r\n\u00a0\u200b\ufeff"])
def test_nothing_is_left_out(destination: str, field: str, nothing: str | None) -> None:
    assert normalise(destination, field, nothing) is None
    assert hash_identifier(destination, field, nothing) is None


@pytest.mark.parametrize(
    ("destination", "field", "value", "region", "canonical"),
    [
        ("google", "emailAddress", "Jefferson.Loves.hiking@gmail.com", None, "jeffersonloveshiking@gmail.com"),
        ("google", "emailAddress", "a.b@gmailfoo.org", None, "a.b@gmailfoo.org"),
        ("google", "emailAddress", "m a r y @ example.com", None, "mary@example.com"),
        ("google", "emailAddress", "+tag@gmail.com", None, None),
        ("meta", "EMAIL", "first.last+tag@gmail.com", None, "first.last+tag@gmail.com"),
        ("meta", "EMAIL", "mary @example.com", None, None),
        ("meta", "EMAIL", "no address", None, None),
        ("meta", "CT", "São Paulo", None, "sãopaulo"),
        ("meta", "CT", "München", None, "münchen"),
        ("meta", "FN", "山田", None, "山田"),
        ("meta", "FN", "...", None, None),
        ("meta", "LN", "Straße", None, "straße"),
        ("meta", "PHONE", "+44 (0)20 7946 0958", None, "442079460958"),
        ("meta", "PHONE", "07911 123456", None, None),
        ("meta", "PHONE", "07911 123456", "GB", "447911123456"),
        ("meta", "PHONE", "n/a", "GB", None),
        ("meta", "PHONE", "0", "GB", None),
        ("tiktok", "PHONE_SHA256", "(415) 555-2671", "us", "+14155552671"),
        ("meta", "ZIP", "123456789", "DE", "123456789"),
        ("meta", "ZIP", "SW1A-1AA", "GB", "sw1a1aa"),
        ("meta", "ST", "California", "US", "ca"),
        ("meta", "ST", "New York", "us", "ny"),
        ("meta", "ST", "Bayern", "DE", "bayern"),
        ("meta", "COUNTRY", "Germany", None, None),
        ("meta", "GEN", "Female", None, "f"),
        ("meta", "GEN", "x", None, None),
        ("meta", "DOBM", "7", None, "07"),
        ("meta", "DOBD", "32", None, None),
        ("meta", "DOBY", "87", None, None),
        ("google", "regionCode", "us", None, "US"),
        ("google", "postalCode", " 94035 ", None, "94035"),
        ("meta", "MADID", "00000000-0000-0000-0000-000000000000", None, None),
        ("customerio", "email", " Mary@Example.com", None, "mary@example.com"),
        ("customerio", "id", " C-1 ", None, "C-1"),
    ],
)  # fmt: skip
def test_traps(destination: str, field: str, value: str, region: str | None, canonical: str | None) -> None:
    assert normalise(destination, field, value, region=region) == canonical


def test_composed_and_decomposed_letters_are_one() -> None:
    assert hash_identifier("meta", "FN", "Jose\u0301") == hash_identifier("meta", "FN", "Jos\u00e9")


def test_what_a_platform_takes_unhashed_is_not_hashed() -> None:
    device = "38400000-8CF0-11BD-B23E-10B96E40000D"
    assert hash_identifier("meta", "MADID", device) == device.lower()
    assert hash_identifier("google", "mobileIds", device) == device.lower()
    md5 = hashlib.md5(device.lower().encode()).hexdigest()
    assert hash_identifier("tiktok", "AAID_MD5", device) == md5


def test_what_looks_hashed_is_taken_over_only_when_declared() -> None:
    digest = hashlib.sha256(b"mary@example.com").hexdigest()
    assert hash_identifier("meta", "EMAIL", digest) is None
    assert declared_hash(f" {digest.upper()} ") == digest
    assert declared_hash(EMPTY) is None
    assert declared_hash("mary@example.com") is None


def test_unknown_names_are_refused_with_a_hint() -> None:
    with pytest.raises(ValueError, match="did you mean 'emailAddress'"):
        normalise("google", "email_address", "a@b.test")
    with pytest.raises(ValueError, match="no destination"):
        normaliser_version("myspace")


@given(st.sampled_from(ALL_FIELDS), st.text(max_size=40), st.sampled_from([None, "US", "GB", "DE"]))
def test_a_canonical_form_is_its_own(field: tuple[str, str], value: str, region: str | None) -> None:
    canonical = normalise(*field, value, region=region)
    assert canonical != ""
    if canonical is not None and not field[1].upper().startswith("PHONE"):
        assert normalise(*field, canonical, region=region) == canonical
    assert hash_identifier(*field, value, region=region) != EMPTY


@given(st.from_regex(r"\+[1-9][0-9 ().-]{5,22}", fullmatch=True))
def test_a_phone_is_digits_and_keeps_its_country(value: str) -> None:
    number = normalise("tiktok", "PHONE_SHA256", value)
    if number is not None:
        assert re.fullmatch(r"\+[1-9][0-9]{6,14}", number)
        assert normalise("tiktok", "PHONE_SHA256", number) == number
        assert normalise("meta", "PHONE", value) == number[1:]


def test_a_name_and_an_address_are_one_identifier_or_none() -> None:
    """Each part by its own rule; what lacks a part matches nobody, and is not sent."""
    given = SEPARATOR.join((" Val\u00e9ry ", "O'Brien", "94035-1234", "US"))
    meta = ("FN", "val\u00e9ry"), ("LN", "obrien"), ("ZIP", "94035"), ("COUNTRY", "us")
    assert normalise("meta", "ADDRESS", given) == SEPARATOR.join(form for _, form in meta)
    hashes = [hash_identifier("meta", name, form) for name, form in meta]
    assert hash_identifier("meta", "ADDRESS", given) == "|".join(map(str, hashes))
    first, last, postcode, country = str(hash_identifier("google", "address", given)).split("|")
    assert (postcode, country) == ("94035-1234", "US")
    assert first == hash_identifier("google", "givenName", "Val\u00e9ry")
    assert last == hash_identifier("google", "familyName", "O'Brien")
    for broken in ("Mary", SEPARATOR * 3, given.replace("US", "America"), given.replace("O'Brien", "'")):
        assert hash_identifier("meta", "ADDRESS", broken) is None
        assert normalise("google", "address", broken) is None


@given(st.lists(st.one_of(st.none(), st.sampled_from(["a@b.test", " A@B.test ", "", "x"]))))
def test_many_are_as_one_by_one(values: list[str | None]) -> None:
    assert hash_all("meta", "EMAIL", values) == [hash_identifier("meta", "EMAIL", v) for v in values]
