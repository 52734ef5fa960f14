"""A value as it was sent against the text that the App API shows: it keeps every attribute as a string."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

Difference = Literal["value", "type"]


def difference(sent: Any, shown: Any) -> Difference | None:
    """None when they are the same; ``type`` when what is shown cannot be read as what was sent.

    An empty text that was sent is the same as nothing shown: it removes the attribute.
    """
    text = "" if shown is None else shown if isinstance(shown, str) else json.dumps(shown)
    match sent:
        case None | "":
            return None if text == "" else "value"
        case _ if text == "":
            return "value"
        case bool():
            if text.lower() in {"true", "false"}:
                return None if (text.lower() == "true") == sent else "value"
            return "type"
        case int() | float() | Decimal():
            number = _number(text)
            if number is None:
                return "type"
            return None if number == Decimal(str(sent)) else "value"
        case dict() | list():
            return _of_json(sent, text)
        case _:
            return None if text == str(sent) else "value"


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _of_json(sent: Any, text: str) -> Difference | None:
    try:
        shown = json.loads(text)
    except ValueError:
        return "type"
    return None if shown == sent else "value"
