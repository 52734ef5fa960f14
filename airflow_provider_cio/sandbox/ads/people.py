"""The platforms' users: a made-up base with a known match rate.

Whether somebody with an identifier is a user of a platform is decided by the identifier itself, so a test can tell
the size of an audience beforehand.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

SHA256 = re.compile(r"[0-9a-f]{64}")
EMPTY = hashlib.sha256(b"").hexdigest()


def is_user(platform: str, identifier: str, match_percent: int) -> bool:
    """The same answer for the same identifier; `match_percent` of all identifiers belong to users."""
    digest = hashlib.sha256(f"{platform}:{identifier}".encode()).hexdigest()
    return int(digest[:8], 16) % 100 < match_percent


def matched(platform: str, identifiers: Iterable[str], match_percent: int) -> int:
    """How many of them are users."""
    return sum(is_user(platform, each, match_percent) for each in identifiers)


def is_hash(value: object) -> bool:
    """A SHA-256 in lower-case hexadecimal digits, of something."""
    return isinstance(value, str) and SHA256.fullmatch(value) is not None and value != EMPTY
