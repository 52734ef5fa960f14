"""What kind of refusal a row met: the class in `cio_sync.rejects` decides what is worth doing about it."""

from __future__ import annotations

import re
from typing import Literal

RejectClass = Literal["permanent", "transient", "identity_conflict", "unknown"]
"""``permanent``: the row must change first. ``transient``: the same row may be taken later.
``identity_conflict``: its identifier belongs to another profile. ``unknown``: it may be there or not."""

_PASSES = re.compile(
    r"\b(internal|time[ _-]?out|timed out|unavailable|temporar\w*|try again|retry|rate[ _-]?limit\w*|"
    r"throttl\w*|overload\w*|server[ _-]error)\b",
    re.IGNORECASE,
)
_TAKEN = re.compile(
    r"\balready (in use|taken|associated|exists|belongs)\b|\b(different|another) (profile|person|customer)\b|"
    r"\bidentif\w+[ _-]conflict\b|\bconflicting[ _-]identif",
    re.IGNORECASE,
)


def classify(reason: str) -> RejectClass:
    """The class of an item that Customer.io named in `errors`.

    Customer.io documents no list of reasons; what is not recognised is permanent, so that it is shown to a person
    and not sent again and again.
    """
    plain = reason.replace("_", " ")
    if _TAKEN.search(plain):
        return "identity_conflict"
    return "transient" if _PASSES.search(plain) else "permanent"
