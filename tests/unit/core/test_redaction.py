from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_cio.core.redaction import RedactingFilter, hashed, mask, redact


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("no person ada.l+x@mail.example.com here", "no person <email> here"),
        ("PUT /customers/ada%40example.com", "PUT <email>"),
        ('value "Ada Lovelace" too long', 'value "<text>" too long'),
        ("can't read 'Ada' now", "can't read '<text>' now"),
        ("call +49 (30) 1234-5678", "call <number>"),
        ("Authorization: Basic c2l0ZTprZXk=", "Authorization: Basic <secret>"),
        ("api_key=abc123&x=1", "api_key=<secret>&x=1"),
        ("identifiers.id is required, 400", "identifiers.id is required, 400"),
    ],
)
def test_redact(text: str, clean: str) -> None:
    assert redact(text) == clean


@given(st.emails())
def test_no_address_survives(address: str) -> None:
    assert address not in redact(f"failed for {address}: gone")


def test_long_texts_are_cut() -> None:
    assert len(redact("x " * 1000)) == 503


def test_a_hash_is_short_and_stable() -> None:
    assert hashed("ada@example.com") == hashed("ada@example.com") != hashed("bob@example.com")
    assert len(hashed(42)) == 12


def test_mask_keeps_the_shape_and_the_markers() -> None:
    operation = {
        "type": "person",
        "identifiers": {"email": "ada@example.com"},
        "attributes": {"name": "Ada", "n": 1, "gone": True, "cleared": "", "tags": ["a"], "o": {"k": 1}},
    }
    masked = mask(operation)
    assert masked["type"] == "person"
    assert masked["identifiers"] == {"email": "#" + hashed("ada@example.com")}
    assert masked["attributes"] == {
        "name": "<text of 3>",
        "n": "<number>",
        "gone": True,
        "cleared": "",
        "tags": "<list of 1>",
        "o": "<object of 1>",
    }


def test_a_logger_with_the_filter_writes_no_address(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("test_redaction")
    logger.addFilter(RedactingFilter())
    logger.warning("refused %s", "ada@example.com")
    assert caplog.messages == ["refused <email>"]
