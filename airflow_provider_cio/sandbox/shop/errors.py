"""What can go wrong with a shop."""

from __future__ import annotations


class ShopError(Exception):
    """The shop cannot be read or loaded; the message ends with the next step."""
