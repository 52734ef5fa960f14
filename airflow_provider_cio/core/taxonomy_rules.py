"""Names that differ only in case, order or separators are one name: drift is refused with a suggestion."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from airflow_provider_cio.core.findings import Finding, Folder
from airflow_provider_cio.core.yaml_lines import Location

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def same_words(name: str) -> tuple[str, ...]:
    """What two names have in common that differ only in case, order or separators: `OrderTotal`, `total_order`."""
    return tuple(sorted(word.lower() for word in _WORD.findall(name)))


def names_are_told_apart(folder: Folder) -> Iterator[Finding]:
    """Of the contract's events, of its attributes, and of the properties of all events."""
    contract = folder.contract
    yield from _twins(folder, [(name, ("events", name)) for name in contract.events], "event")
    yield from _twins(folder, [(name, ("attributes", name)) for name in contract.attributes], "attribute")
    properties = [
        (key, ("events", name, "properties", key))
        for name, event in contract.events.items()
        for key in event.properties
    ]
    yield from _twins(folder, properties, "property")


def _twins(folder: Folder, named: Iterable[tuple[str, Location]], what: str) -> Iterator[Finding]:
    first: dict[tuple[str, ...], str] = {}
    for name, at in named:
        known = first.setdefault(same_words(name), name)
        if known != name:
            yield Finding.of(
                folder.document.mistake(
                    at,
                    f"the {what} '{name}' differs from '{known}' only in case, order or separators",
                    f"use '{known}' everywhere, or give it another name",
                )
            )
