"""Rules about what cannot be taken back: deleting, suppressing, merging."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_cio.core.contract.kinds import DESTRUCTIVE_EXITS, DESTRUCTIVE_KINDS
from airflow_provider_cio.core.findings import Finding, Folder, SyncFile
from airflow_provider_cio.core.yaml_lines import Location


def destruction_is_guarded(file: SyncFile, folder: Folder) -> Iterator[Finding]:  # noqa: ARG001
    """:func:`unguarded` as a rule."""
    yield from unguarded(file)


def unguarded(file: SyncFile) -> Iterator[Finding]:
    """Exits that delete or suppress, kinds that merge, suppress or delete, and `on_conflict: merge` have a limit
    and an approval."""
    sync = file.sync
    if sync.exit_policy in DESTRUCTIVE_EXITS:
        at: Location = ("on_exit",)
        what, guard, limit = f"on_exit: {sync.exit_policy}", "max_exit_pct", sync.guards.max_exit_pct
        limited = limit is not None and limit < 100
    elif sync.kind in DESTRUCTIVE_KINDS:
        at = ("kind",)
        what, guard, limited = f"kind: {sync.kind}", "max_added", sync.guards.max_added is not None
    elif sync.keeps is not None:
        at = ("on_conflict",)
        what, guard = "on_conflict: merge", "max_change_pct"
        limited = sync.guards.max_change_pct is not None and sync.guards.max_change_pct < 100
    else:
        return
    if not limited:
        yield file.error(
            at,
            f"{what} without the guard {guard}: a broken source would reach everybody",
            f"set `guards: {{{guard}: ...}}` to what a normal run may do",
        )
    if not sync.approve and not sync.allow_unapproved:
        yield file.error(
            at,
            f"{what} cannot be taken back, and nobody approves it",
            "write `approve: true`, or state why not: `allow_unapproved: <reason>`",
        )


def one_owner_of_an_object(file: SyncFile, folder: Folder) -> Iterator[Finding]:
    """Two syncs that write one attribute of the same type of object overwrite each other."""
    sync = file.sync
    if sync.kind != "objects":
        return
    for name, other in sorted(folder.files.items()):
        if (
            name < sync.name
            and other.sync.kind == "objects"
            and other.sync.object_type_id == sync.object_type_id
        ):
            for attribute in sync.attributes.keys() & other.sync.attributes.keys():
                yield file.error(
                    ("attributes", attribute),
                    f"sync '{name}' writes '{attribute}' of object type {sync.object_type_id} too",
                    "leave it to one of the two",
                )


def subscriptions_topic_by_topic(file: SyncFile, folder: Folder) -> Iterator[Finding]:  # noqa: ARG001
    """The whole object of preferences replaces what people chose for the topics that it leaves out."""
    whole = "cio_subscription_preferences"
    if file.sync.kind != "people":
        return
    if whole in file.sync.attributes:
        yield file.error(
            ("attributes", whole),
            "the whole object replaces the preferences of every topic it leaves out",
            f"write one line for each topic: `{whole}.topics.topic_3: <boolean column>`",
        )
    for name, field in file.sync.attributes.items():
        if name.startswith(f"{whole}.") and (file.sync.nulls_of(field) == "clear"):
            yield file.error(
                ("attributes", name),
                "clearing a preference gives the topic its default, which may be 'subscribed'",
                "map it with `nulls: omit`",
            )
