"""What a destination wants of an identifier: its canonical form, and the text that is sent.

Field names are the platforms' own. Sources: Meta's *Customer file custom audiences* guide, Google's *Format user
data* (Data Manager API), TikTok's *Customer file* guide, Snap's *Customer list audiences*; where a source leaves a
question open, docs/reference/identifiers.md says what was chosen.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from airflow_provider_cio.core.audience import forms

Destination = Literal["meta", "google", "tiktok", "snap", "customerio", "rudderstack"]
Digest = Literal["sha256", "md5", "none"]
Form = Callable[[str, str | None], str | None]
Make = Callable[..., str | None]

_VERSIONS: dict[str, int] = dict.fromkeys(
    ("meta", "google", "tiktok", "snap", "customerio", "rudderstack"), 1
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_EMPTY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Field:
    """How one field is brought into form, and how it is hashed before it leaves."""

    form: Form
    digest: Digest = "sha256"


@dataclass(frozen=True, slots=True)
class Several:
    """One identifier of several fields, each in its form and hashed by its own rule; none of them may be empty.

    A value holds them with `SEPARATOR` between: first name, last name, postcode, country. What is sent has `|` there.
    """

    parts: tuple[str, ...]


SEPARATOR = "\x1f"
"""Between the parts of a value: no name and no postcode holds it."""


_EMAIL, _PHONE = Field(forms.email), Field(forms.phone_digits)
_E164, _DEVICE = Field(forms.e164), Field(forms.mobile_id)
_PLAIN_ID, _PLAIN_DEVICE = Field(forms.trimmed, "none"), Field(forms.mobile_id, "none")
_NAME = Field(forms.letters)

FIELDS: dict[str, dict[str, Field | Several]] = {
    "meta": {
        "EMAIL": _EMAIL,
        "EMAIL_SHA256": _EMAIL,
        "PHONE": _PHONE,
        "PHONE_SHA256": _PHONE,
        "FN": _NAME,
        "LN": _NAME,
        "FI": Field(forms.initial),
        "CT": _NAME,
        "ST": Field(forms.state),
        "ZIP": Field(forms.postcode),
        "COUNTRY": Field(forms.country),
        "DOBY": Field(forms.year),
        "DOBM": Field(forms.month),
        "DOBD": Field(forms.day),
        "GEN": Field(forms.gender),
        "MADID": _PLAIN_DEVICE,
        "MOBILE_ADVERTISER_ID": _PLAIN_DEVICE,
        "EXTERN_ID": _PLAIN_ID,
        "ADDRESS": Several(("FN", "LN", "ZIP", "COUNTRY")),
    },
    "google": {
        "emailAddress": Field(forms.google_email),
        "phoneNumber": _E164,
        "givenName": _NAME,
        "familyName": _NAME,
        "regionCode": Field(forms.upper_country, "none"),
        "postalCode": Field(forms.trimmed, "none"),
        "mobileIds": _PLAIN_DEVICE,
        "userId": _PLAIN_ID,
        "address": Several(("givenName", "familyName", "postalCode", "regionCode")),
    },
    "tiktok": {
        "EMAIL_SHA256": _EMAIL,
        "PHONE_SHA256": _E164,
        "IDFA_SHA256": _DEVICE,
        "AAID_SHA256": _DEVICE,
        "IDFA_MD5": Field(forms.mobile_id, "md5"),
        "AAID_MD5": Field(forms.mobile_id, "md5"),
    },
    "snap": {
        "EMAIL_SHA256": _EMAIL,
        "PHONE_SHA256": _PHONE,
        "MOBILE_AD_ID_SHA256": _DEVICE,
    },
    "customerio": {
        "id": _PLAIN_ID,
        "email": Field(forms.email, "none"),
        "cio_id": _PLAIN_ID,
        "phone": Field(forms.e164, "none"),
    },
    "rudderstack": {
        "userId": _PLAIN_ID,
        "email": Field(forms.email, "none"),
        "phone": Field(forms.e164, "none"),
    },
}
"""Every destination's fields. A field with digest ``none`` is sent as it is: the platform wants it so."""


def normaliser_version(destination: str) -> int:
    """Rises when a rule of the destination changes: what was uploaded before has to be replaced then."""
    _fields(destination)
    return _VERSIONS[destination]


def normalise(destination: str, field: str, value: str | None, *, region: str | None = None) -> str | None:
    """The canonical form of a value; None when nothing usable is left, and then nothing is sent.

    :param region: ISO 3166-1 alpha-2, for phones without country code, US states and ZIP codes.
    :raises ValueError: the destination has no such field.
    """
    rule = field_of(destination, field)
    if value is None:
        return None
    if isinstance(rule, Several):
        return _of_parts(normalise, destination, rule, value, SEPARATOR)
    return rule.form(value, region)


def hash_identifier(
    destination: str, field: str, value: str | None, *, region: str | None = None
) -> str | None:
    """What is sent: the hash of :func:`normalise` in lower-case hexadecimal digits.

    A field that the platform takes unhashed (Meta's MADID and EXTERN_ID, Google's regionCode, postalCode and
    mobileIds, every field of Customer.io and RudderStack) is answered unhashed. A value that looks like a hash is
    a value like any other: hashes are taken over only by :func:`declared_hash`.

    :raises ValueError: the destination has no such field.
    """
    rule = field_of(destination, field)
    if value is None:
        return None
    if isinstance(rule, Several):
        return _of_parts(hash_identifier, destination, rule, value, "|")
    return _digested(rule, rule.form(value, region))


def hash_all(
    destination: str, field: str, values: Iterable[str | None], *, region: str | None = None
) -> list[str | None]:
    """:func:`hash_identifier` of many values, in their order; equal values are worked on once."""
    known = dict[str | None, str | None]({None: None})
    answers: list[str | None] = []
    for value in values:
        if value not in known:
            known[value] = hash_identifier(destination, field, value, region=region)
        answers.append(known[value])
    return answers


def declared_hash(value: str | None) -> str | None:
    """A SHA-256 that the source holds already: 64 hexadecimal digits, not those of the empty text."""
    text = "" if value is None else value.strip().lower()
    return text if _SHA256.fullmatch(text) and text != _EMPTY else None


def field_of(destination: str, field: str) -> Field | Several:
    """
    :raises ValueError: the destination has no such field; the message names a close one.
    """
    known = _fields(destination)
    if field not in known:
        close = get_close_matches(field.lower(), {name.lower(): name for name in known}, n=1)
        hint = next((f": did you mean '{n}'?" for n in known if close and n.lower() == close[0]), "")
        raise ValueError(f"{destination} has no field '{field}'{hint or '; it has ' + ', '.join(known)}")
    return known[field]


def _fields(destination: str) -> dict[str, Field | Several]:
    if destination not in FIELDS:
        raise ValueError(f"'{destination}' is no destination; they are {', '.join(FIELDS)}")
    return FIELDS[destination]


def _of_parts(make: Make, destination: str, rule: Several, value: str, between: str) -> str | None:
    """Each part made by itself; the last one, the country, is the region of the others."""
    given = value.split(SEPARATOR)
    if len(given) != len(rule.parts):
        return None
    made = [
        make(destination, name, part, region=given[-1].strip())
        for name, part in zip(rule.parts, given, strict=True)
    ]
    return between.join(str(each) for each in made) if all(made) else None


def _digested(rule: Field, text: str | None) -> str | None:
    if text is None or rule.digest == "none":
        return text
    return hashlib.new(rule.digest, text.encode(), usedforsecurity=False).hexdigest()
