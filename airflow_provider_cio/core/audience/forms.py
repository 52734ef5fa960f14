"""Canonical forms of what identifies a person; None means that nothing usable is left.

Every text is brought to Unicode's form NFC first and lower-cased with ``str.lower`` (``casefold`` would turn
``ß`` into ``ss``, which no platform does). What a platform wants is put together in
:mod:`airflow_provider_cio.core.normalise`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers

_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\x00"
_MOBILE_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_GOOGLE_MAIL = frozenset({"gmail.com", "googlemail.com"})
_PHONE_DIGITS = range(7, 16)
"""ITU-T E.164: at most 15 digits; below 7 nobody has a subscriber number."""
_GENDERS = {"m": "m", "male": "m", "f": "f", "female": "f"}
_NO_DEVICE = "00000000-0000-0000-0000-000000000000"
"""What a phone with advertising turned off reports."""


def trimmed(value: str, region: str | None = None) -> str | None:  # noqa: ARG001 - one shape for all forms
    """NFC, without white space and invisible characters at both ends."""
    text = unicodedata.normalize("NFC", value)
    while (shorter := text.strip().strip(_INVISIBLE)) != text:
        text = shorter
    return text or None


def lowered(value: str, region: str | None = None) -> str | None:  # noqa: ARG001
    """:func:`trimmed`, in lower case."""
    text = trimmed(value)
    return None if text is None else trimmed(text.lower())


def email(value: str, region: str | None = None) -> str | None:  # noqa: ARG001
    """Trimmed and lower-cased; None when it is no address."""
    text = lowered(value)
    if text is None or any(character.isspace() for character in text):
        return None
    local, at, domain = text.partition("@")
    return text if at and local and domain and "@" not in domain else None


def google_email(value: str, region: str | None = None) -> str | None:  # noqa: ARG001
    """Without any white space; of Gmail addresses without dots and ``+suffix`` in the local part."""
    text = email("".join(value.split()))
    if text is None:
        return None
    local, _, domain = text.partition("@")
    if domain not in _GOOGLE_MAIL:
        return text
    local = local.partition("+")[0].replace(".", "")
    return f"{local}@{domain}" if local else None


@lru_cache(maxsize=262_144)
def e164(value: str, region: str | None = None) -> str | None:
    """``+`` and digits. A number without a country code needs a region (ISO 3166-1 alpha-2); else None."""
    text = trimmed(value)
    if text is None:
        return None
    if text.startswith("00"):
        text = "+" + text.lstrip("0")
    international = text.startswith(("+", "\uff0b"))
    try:
        parsed = phonenumbers.parse(text, None if international else region and region.upper())
    except phonenumbers.NumberParseException:
        return None
    if international and not phonenumbers.is_valid_number(parsed):  # new ranges are not in the library yet
        number = "+" + "".join(str(unicodedata.digit(c)) for c in text if c.isdecimal())
        usable = parsed.extension is None and not any(c.isalpha() for c in text)
    else:
        number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        usable = international or phonenumbers.is_possible_number(parsed)
    return number if usable and len(number) - 1 in _PHONE_DIGITS else None


def phone_digits(value: str, region: str | None = None) -> str | None:
    """:func:`e164` without the plus sign."""
    number = e164(value, region)
    return None if number is None else number[1:]


def letters(value: str, region: str | None = None) -> str | None:  # noqa: ARG001
    """Lower-case letters (of any script, with their marks) and digits; no punctuation, no white space."""
    text = lowered(value) or ""
    return "".join(c for c in text if unicodedata.category(c)[0] in "LMN") or None


def initial(value: str, region: str | None = None) -> str | None:  # noqa: ARG001
    """The first letter of :func:`letters`."""
    name = letters(value)
    return None if name is None else name[0]


def postcode(value: str, region: str | None = None) -> str | None:
    """Lower case without white space and dashes; of a ZIP+4 the first five digits."""
    text = lowered(value) or ""
    plain = "".join(c for c in text if c.isalnum())
    united_states = region is not None and region.upper() == "US"
    if plain.isdigit() and (
        (united_states and len(plain) == 9) or (region is None and re.fullmatch(r"\d{5}-\d{4}", text))
    ):
        plain = plain[:5]
    return plain or None


def country(value: str, region: str | None = None) -> str | None:  # noqa: ARG001
    """ISO 3166-1 alpha-2 in lower case; a country's name is not guessed."""
    text = lowered(value) or ""
    return text if re.fullmatch("[a-z]{2}", text) else None


def upper_country(value: str, region: str | None = None) -> str | None:  # noqa: ARG001
    """ISO 3166-1 alpha-2 in upper case."""
    code = country(value)
    return None if code is None else code.upper()


def gender(value: str, region: str | None = None) -> str | None:  # noqa: ARG001
    """``m`` or ``f``."""
    return _GENDERS.get(lowered(value) or "")


def year(value: str, region: str | None = None) -> str | None:  # noqa: ARG001
    """Four digits."""
    text = trimmed(value) or ""
    return text if re.fullmatch(r"(19|20)[0-9]{2}", text) else None


def month(value: str, region: str | None = None) -> str | None:  # noqa: ARG001
    """``01`` to ``12``."""
    return _two_digits(value, 12)


def day(value: str, region: str | None = None) -> str | None:  # noqa: ARG001
    """``01`` to ``31``."""
    return _two_digits(value, 31)


def _two_digits(value: str, largest: int) -> str | None:
    text = trimmed(value) or ""
    return f"{int(text):02d}" if re.fullmatch("[0-9]{1,2}", text) and 1 <= int(text) <= largest else None


def mobile_id(value: str, region: str | None = None) -> str | None:  # noqa: ARG001
    """An advertising id of a device, lower-cased, with its hyphens."""
    text = lowered(value) or ""
    return text if _MOBILE_ID.fullmatch(text) and text != _NO_DEVICE else None


def state(value: str, region: str | None = None) -> str | None:
    """:func:`letters`; of the United States the two-letter code, also from the state's name."""
    text = letters(value)
    if text is None or region is None or region.upper() != "US":
        return text
    return US_STATES.get(text, text if len(text) == 2 else None)


_STATES = """
alabama al alaska ak arizona az arkansas ar california ca colorado co connecticut ct delaware de
districtofcolumbia dc florida fl georgia ga hawaii hi idaho id illinois il indiana in iowa ia kansas ks
kentucky ky louisiana la maine me maryland md massachusetts ma michigan mi minnesota mn mississippi ms
missouri mo montana mt nebraska ne nevada nv newhampshire nh newjersey nj newmexico nm newyork ny
northcarolina nc northdakota nd ohio oh oklahoma ok oregon or pennsylvania pa rhodeisland ri
southcarolina sc southdakota sd tennessee tn texas tx utah ut vermont vt virginia va washington wa
westvirginia wv wisconsin wi wyoming wy
"""
_WORDS = _STATES.split()
US_STATES = dict(zip(_WORDS[::2], _WORDS[1::2], strict=True))
"""Name, as :func:`letters` writes it, to code."""
