"""Track v2: from one JSON item to an operation, or a refusal that names the field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from airflow_provider_cio.sandbox.customerio import limits
from airflow_provider_cio.sandbox.customerio.operations import Operation, read_id, read_identifier
from airflow_provider_cio.sandbox.customerio.payload import Item, RefusedError, encode
from airflow_provider_cio.sandbox.customerio.people import NOBODY
from airflow_provider_cio.sandbox.customerio.settings import Settings

Json = dict[str, Any]
DELIVERY_METRICS = ("opened", "converted", "delivered")
PLATFORMS = ("ios", "android")


def read_operation(item: Item, settings: Settings) -> Operation:
    """Validate one v2 item as documented."""
    if item.size > limits.ITEM_KB * settings.kilobyte:
        raise RefusedError("too_large", "", f"an operation cannot be larger than {limits.ITEM_KB} KB")
    value = item.value
    if type(value) is not dict:
        raise RefusedError("invalid", "", "an operation must be an object")
    entity, action = value.get("type"), value.get("action")
    if entity == "person":
        reader = PERSON.get(action) if isinstance(action, str) else None
        if reader is None:
            raise RefusedError("invalid", "action", f"action of a person must be one of {', '.join(PERSON)}")
        return reader(value, settings)
    if entity == "object":
        if action not in OBJECT:
            raise RefusedError("invalid", "action", f"action of an object must be one of {', '.join(OBJECT)}")
        return _object(value, action, settings)
    if entity == "delivery":
        return _delivery(value)
    raise RefusedError("invalid", "type", "type must be person, object or delivery")


def read_mapping(value: Json, field: str) -> Json:
    found = value.get(field)
    if found is None:
        return {}
    if type(found) is not dict:
        raise RefusedError("invalid", field, f"{field} must be an object")
    return found


def read_timestamp(value: Json, field: str = "timestamp") -> int | None:
    found = value.get(field)
    if found is None:
        return None
    if type(found) is float and found.is_integer():
        return int(found)
    if type(found) is not int or not -(2**62) < found < 2**62:
        raise RefusedError("invalid", field, f"{field} must be an integer, in unix seconds")
    return found


def read_name(value: Json) -> str:
    """The event's name, without leading and trailing spaces."""
    name = value.get("name")
    if not isinstance(name, str) or not name.strip():
        raise RefusedError("required", "name", "name is required")
    name = name.strip()
    limits.check_text(name, limits.EVENT_NAME_BYTES, "name")
    return name


def read_event_id(value: Json) -> str | None:
    found = value.get("id")
    return found if isinstance(found, str) else None


def read_device(value: Json, token: str, *, platform: bool) -> Json:
    """``token`` is the key that holds it: ``token`` in v2, ``id`` in v1."""
    device = value.get("device")
    if type(device) is not dict:
        raise RefusedError("required", "device", "device is required")
    found = {**device, "token": read_id(device.get(token), f"device.{token}", token, limits.TOKEN_BYTES)}
    if platform and device.get("platform") not in PLATFORMS:
        raise RefusedError("invalid", "device.platform", f"device.platform must be {' or '.join(PLATFORMS)}")
    read_timestamp(device, "last_used")
    read_mapping(device, "attributes")
    return found


def read_objects(value: Any) -> list[Json]:
    """A person's ``cio_relationships``: the objects."""
    return [
        {"object": read_object(each), "attributes": read_mapping(each, "relationship_attributes")}
        for each in _relationships(value)
    ]


def read_object(value: Json) -> dict[str, str]:
    field = "identifiers"
    identifiers = read_mapping(value, field)
    if "cio_object_id" in identifiers:
        found = read_id(identifiers["cio_object_id"], f"{field}.cio_object_id", "cio_object_id")
        if not set(found.removeprefix("ob")) <= set("0123456789abcdef"):
            raise RefusedError("invalid", f"{field}.cio_object_id", "cio_object_id is not one of ours")
        return {"cio_object_id": found}
    kind = read_id(identifiers.get("object_type_id"), f"{field}.object_type_id", "object_type_id")
    if not kind.isdigit():
        raise RefusedError("invalid", f"{field}.object_type_id", "object_type_id must hold an integer")
    found = read_id(identifiers.get("object_id"), f"{field}.object_id", "object_id")
    return {"object_type_id": kind, "object_id": found}


def _relationships(value: Any) -> list[Json]:
    if value is None:
        return []
    if type(value) is not list or not all(type(each) is dict for each in value):
        raise RefusedError("invalid", "cio_relationships", "cio_relationships must be an array of objects")
    return value


def _person(value: Json, settings: Settings) -> Operation:
    who = read_identifier(value.get("identifiers"), "identifiers", settings)
    return Operation("person", value["action"], who)


def _identify(value: Json, settings: Settings) -> Operation:
    operation = _person(value, settings)
    attributes = read_mapping(value, "attributes")
    limits.check_attributes(attributes)
    operation.update_only = attributes.get("_update") is True
    operation.anonymous_id = attributes.get("anonymous_id") or None
    if "_update" in attributes:
        attributes = {name: found for name, found in attributes.items() if name != "_update"}
    check_identifiers(attributes)
    operation.attributes = attributes
    operation.timestamp = read_timestamp(value)
    operation.relationships = read_objects(value.get("cio_relationships"))
    return operation


def check_identifiers(attributes: Json) -> None:
    """An id or email among the attributes obeys the rules of identifiers; "" and null take it away."""
    for kind in ("id", "email", "phone", "anonymous_id"):
        found = attributes.get(kind)
        if found is not None and found != "":
            read_id(found, f"attributes.{kind}", kind)


def _event(value: Json, settings: Settings) -> Operation:
    operation = _person(value, settings)
    operation.name = read_name(value)
    operation.event_id = read_event_id(value)
    operation.timestamp = read_timestamp(value)
    operation.attributes = read_mapping(value, "attributes")
    return operation


def _add_device(value: Json, settings: Settings) -> Operation:
    operation = _person(value, settings)
    operation.device = read_device(value, "token", platform=True)
    return operation


def _delete_device(value: Json, settings: Settings) -> Operation:
    operation = _person(value, settings)
    operation.device = read_device(value, "token", platform=False)
    return operation


def _merge(value: Json, settings: Settings) -> Operation:
    primary, secondary = (
        read_identifier(value.get(name), name, settings) for name in ("primary", "secondary")
    )
    return Operation("person", "merge", primary, other=secondary)


def _with_relationships(value: Json, settings: Settings) -> Operation:
    operation = _person(value, settings)
    if "cio_relationships" not in value:
        raise RefusedError("required", "cio_relationships", "cio_relationships is required")
    operation.relationships = read_objects(value["cio_relationships"])
    return operation


def _object(value: Json, action: str, settings: Settings) -> Operation:
    attributes = read_mapping(value, "attributes")
    limits.check_attributes(attributes)
    limits.check_text(encode(attributes), limits.OBJECT_BYTES, "attributes")
    relationships: list[Json] = []
    for each in _relationships(value.get("cio_relationships")):
        found: Json = {"attributes": read_mapping(each, "relationship_attributes"), "who": NOBODY}
        if action == "identify_anonymous":
            identifiers = read_mapping(each, "identifiers")
            found["anonymous_id"] = read_id(identifiers.get("anonymous_id"), "anonymous_id", "anonymous_id")
        else:
            found["who"] = read_identifier(each.get("identifiers"), "cio_relationships.identifiers", settings)
        relationships.append(found)
    target = read_object(value)
    return Operation("object", action, attributes=attributes, relationships=relationships, object=target)


def _delivery(value: Json) -> Operation:
    read_id(read_mapping(value, "identifiers").get("id"), "identifiers.id")
    if value.get("action") != "event" or value.get("name") not in DELIVERY_METRICS:
        raise RefusedError("invalid", "name", f"name must be one of {', '.join(DELIVERY_METRICS)}")
    read_id(read_mapping(value, "attributes").get("device_token"), "attributes.device_token", "device_token")
    return Operation("delivery", "event", name=value["name"])


PERSON: dict[str, Callable[[Json, Settings], Operation]] = {
    "identify": _identify,
    "delete": _person,
    "event": _event,
    "screen": _event,
    "page": _event,
    "add_relationships": _with_relationships,
    "delete_relationships": _with_relationships,
    "add_device": _add_device,
    "delete_device": _delete_device,
    "merge": _merge,
    "suppress": _person,
    "unsuppress": _person,
}
OBJECT = ("identify", "identify_anonymous", "delete", "add_relationships", "delete_relationships")
