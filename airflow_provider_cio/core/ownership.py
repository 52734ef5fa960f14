"""Rules about attributes: one writer each, names and number within Customer.io's limits."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_cio.core.contract import ExitFlag, Sync
from airflow_provider_cio.core.findings import Finding, Folder, SyncFile
from airflow_provider_cio.core.yaml_lines import Location

MAX_NAME_BYTES = 150
MAX_ATTRIBUTES = 300
"""Customer.io's limits for attribute names and for attributes of one person (Track API, limits)."""

_NOT_ATTRIBUTES = frozenset(
    {"id", "cio_id", "anonymous_id", "cio_relationships", "_update", "_timestamp", "_last_emailed"}
)


def written(sync: Sync) -> dict[str, Location]:
    """The person attributes that a sync writes, the flag of `on_exit` included, and where it says so."""
    if sync.kind != "people":
        return {}
    found: dict[str, Location] = {name: ("attributes", name) for name in sync.attributes}
    if isinstance(sync.on_exit, ExitFlag):
        found.setdefault(sync.on_exit.set_flag.attribute, ("on_exit", "set_flag", "attribute"))
    return found


def one_writer(file: SyncFile, folder: Folder) -> Iterator[Finding]:
    """Each attribute stands in the contract, with this sync as its writer and with this type."""
    for name, at in written(file.sync).items():
        owned = folder.contract.attributes.get(name)
        earlier = [
            other
            for other in sorted(folder.files)
            if other < file.sync.name and name in written(folder.files[other].sync)
        ]
        if owned is None:
            also = f"; sync '{earlier[0]}' writes it too" if earlier else ""
            yield file.error(
                at,
                f"'{name}' has no entry under `attributes:` of contract.yaml{also}",
                f"add it there: `{name}: {{type: ..., writer: {file.sync.name}, description: ...}}`",
            )
            continue
        if owned.writer != file.sync.name:
            yield file.error(
                at,
                f"'{name}' has two writers: this sync, and '{owned.writer}' by contract.yaml",
                "leave it out here, or hand it over in contract.yaml",
            )
        field = file.sync.attributes.get(name)
        if field is not None and field.type not in (None, owned.type):
            yield file.error(
                at, f"declared {field.type}, contract.yaml says {owned.type}", "make the two agree"
            )


def contract_rule(folder: Folder) -> Iterator[Finding]:
    """An attribute of the contract whose writer does not write it is a promise that nobody keeps.

    A person who is in all people syncs has the attributes of all.
    """
    each = [written(file.sync).keys() for file in folder.files.values()]
    together = set().union(*each)
    if len(together) > MAX_ATTRIBUTES >= max(map(len, each)):
        yield Finding.of(
            folder.document.mistake(
                ("attributes",),
                f"the people syncs write {len(together)} attributes together; "
                f"Customer.io takes {MAX_ATTRIBUTES} a person",
                "send what journeys decide on, leave the rest in the warehouse",
            ),
            "warning",
        )
    for name, attribute in folder.contract.attributes.items():
        at: Location = ("attributes", name, "writer")
        writer = folder.files.get(attribute.writer)
        if attribute.writer not in folder.names:
            problem = f"there is no sync '{attribute.writer}'"
        elif writer is not None and name not in written(writer.sync):
            problem = f"sync '{attribute.writer}' does not write '{name}'"
        else:
            continue
        yield Finding.of(
            folder.document.mistake(at, problem, "name the sync that writes it, or remove the entry"),
            "warning",
        )


def attribute_names(file: SyncFile, folder: Folder) -> Iterator[Finding]:  # noqa: ARG001
    """At most 300 attributes, names of at most 150 bytes, and none that Customer.io keeps for itself."""
    names = written(file.sync)
    if len(names) > MAX_ATTRIBUTES:
        yield file.error(
            ("attributes",),
            f"{len(names)} attributes; Customer.io takes {MAX_ATTRIBUTES} a person",
            "send what journeys decide on, leave the rest in the warehouse",
        )
    for name, at in [*names.items(), *((name, ("properties", name)) for name in file.sync.properties)]:
        if len(name.encode()) > MAX_NAME_BYTES:
            yield file.error(at, f"the name is longer than {MAX_NAME_BYTES} bytes", "shorten it")
    for name in sorted(_NOT_ATTRIBUTES & names.keys()):
        yield file.error(
            names[name],
            f"'{name}' is not an attribute but a part of the request",
            "leave it out or rename it",
        )


def nothing_subscribes_again(file: SyncFile, folder: Folder) -> Iterator[Finding]:  # noqa: ARG001
    """Customer.io takes every value of `unsubscribed` but true for 'subscribed', an empty one too."""
    sync = file.sync
    if sync.kind != "people":
        return
    field = sync.attributes.get("unsubscribed")
    if field is not None and (sync.nulls_of(field) == "clear" or sync.on_exit == "clear_attributes"):
        yield file.error(
            ("attributes", "unsubscribed"),
            "clearing `unsubscribed` subscribes the person again",
            "map it with `nulls: omit`, in a sync whose on_exit is not clear_attributes",
        )
    if sync.on_exit == "clear_attributes" and "email" in sync.attributes:
        yield file.warning(
            ("on_exit",),
            "people who leave lose their email address too",
            "map `email` in a sync that keeps it",
        )
