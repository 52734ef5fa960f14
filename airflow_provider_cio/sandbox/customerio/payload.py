"""JSON in and out: sizes as sent, NaN as the service treats it, values as text."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec


class RefusedError(Exception):
    """One operation breaks a documented rule: an entry of ``errors`` in a 207 or 400."""

    def __init__(self, reason: str, field: str, message: str) -> None:
        super().__init__(message)
        self.reason, self.field, self.message = reason, field, message

    def as_dict(self) -> dict[str, str]:
        return {"reason": self.reason, "field": self.field, "message": self.message}


class MalformedError(Exception):
    """The body is not the JSON that the call needs."""


TOO_DEEP = "the body nests too deeply"


class _Batch(msgspec.Struct):
    batch: list[msgspec.Raw]


@dataclass(frozen=True, slots=True)
class Item:
    """An operation as sent: ``size`` in bytes, ``nan`` when it held NaN or Infinity."""

    value: Any
    size: int
    nan: bool = False


_decode = msgspec.json.decode
_encoder = msgspec.json.Encoder()
_batch_decoder = msgspec.json.Decoder(_Batch)


def encode(value: Any) -> str:
    return _encoder.encode(value).decode()


def decode(text: str | bytes) -> Any:
    return _decode(text)


def read_batch(body: bytes) -> list[Item]:
    """The operations of ``{"batch": [...]}``."""
    try:
        return [Item(_decode(raw), memoryview(raw).nbytes) for raw in _batch_decoder.decode(body).batch]
    except msgspec.MsgspecError:
        pass
    except RecursionError as error:
        raise MalformedError(TOO_DEEP) from error
    whole = _lenient(body)
    if not isinstance(whole, dict) or not isinstance(whole.get("batch"), list):
        raise MalformedError('the body must be {"batch": [...]}')
    return [_measured(value) for value in whole["batch"]]


def read_item(body: bytes) -> Item:
    """A body that is one JSON value; ``{}`` when there is none."""
    try:
        return Item(_decode(body or b"{}"), len(body))
    except msgspec.MsgspecError:
        return _measured(_lenient(body))
    except RecursionError as error:
        raise MalformedError(TOO_DEEP) from error


def _lenient(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedError("the body is not JSON") from error


def _measured(value: Any) -> Item:
    """An item of a body that only the lenient reader takes: NaN, Infinity, lone surrogates."""
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        json.dumps(value, allow_nan=False)
    except UnicodeEncodeError as error:
        raise MalformedError("the body holds text that is not Unicode") from error
    except ValueError:
        return Item(value, len(text), nan=True)
    return Item(value, len(text))


def as_text(value: Any) -> str:
    """An attribute as the App API shows it: everything is a string."""
    if type(value) is str:
        return value
    return str(value) if type(value) is int else encode(value)
