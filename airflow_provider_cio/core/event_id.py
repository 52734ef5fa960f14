"""Deterministic ULIDs: the same event always gets the same id, so Customer.io drops a repeat.

Customer.io de-duplicates events by ``id``, which must be a ULID. 48 bits are the event's time in
milliseconds; the other 80 are the first 20 hex digits of SHA-256 over the length-prefixed workspace and sync
and the row's key. The plan mints the same text in SQL.
"""

from __future__ import annotations

from hashlib import sha256

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32, as the ULID specification wants it."""

_LENGTH = 26
_TIME_LIMIT = 1 << 48


def ulid(workspace: str, sync: str, key: str, occurred_at_ms: int) -> str:
    """The event id of a row: 26 characters. Lengths in the hashed text are in characters.

    :raises ValueError: ``occurred_at_ms`` lies before 1970 or beyond 48 bits.
    """
    if not 0 <= occurred_at_ms < _TIME_LIMIT:
        raise ValueError("an event id needs a time from 1970-01-01 on, in milliseconds")
    text = f"{len(workspace)}:{workspace}{len(sync)}:{sync}{key}"
    number = occurred_at_ms << 80 | int(sha256(text.encode()).hexdigest()[:20], 16)
    return "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))
