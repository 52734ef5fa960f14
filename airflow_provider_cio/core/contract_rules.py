"""Rules across the contract and its syncs: `lint` names every breach by file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from pathlib import Path

from airflow_provider_cio.core import (
    exit_rules,
    mapping_tests,
    ownership,
    schedule_rules,
    source_rules,
    taxonomy_rules,
)
from airflow_provider_cio.core.contract import Contract
from airflow_provider_cio.core.contract_files import parse, parse_sync
from airflow_provider_cio.core.findings import Finding, Folder, SyncFile
from airflow_provider_cio.core.taxonomy_rules import same_words
from airflow_provider_cio.core.yaml_lines import Document, Location, read
from airflow_provider_cio.exceptions import ContractError

__all__ = ["Finding", "lint"]

MAX_EVENT_NAME_BYTES = 100
"""Customer.io's limit (Track API, limits)."""

_OVERRIDING = frozenset({"recipient", "from_address", "reply_to"})


def lint(folder: Path) -> list[Finding]:
    """Check `contract.yaml` and `syncs/*.yaml` of a folder, with the SQL files they name.

    Findings are in order of file and line. A file that cannot be loaded is a finding, and hides no other's.
    """
    findings: list[Finding] = []
    contract, document = _load_contract(folder / "contract.yaml", findings)
    paths = sorted((folder / "syncs").glob("*.yaml"))
    files = [file for path in paths if (file := _load_sync(path, findings))]
    if contract and document:
        checked = Folder(
            contract,
            document,
            {file.sync.name: file for file in files},
            frozenset(path.stem for path in paths),
        )
        findings += ownership.contract_rule(checked)
        findings += taxonomy_rules.names_are_told_apart(checked)
        for file in files:
            findings += [finding for rule in RULES for finding in rule(file, checked)]
    return sorted(findings, key=lambda f: (f.file, f.line, f.key, f.message))


def _load_contract(path: Path, findings: list[Finding]) -> tuple[Contract | None, Document | None]:
    try:
        document = read(path)
        return parse(document, Contract), document
    except ContractError as error:
        findings += map(Finding.of, error.mistakes)
        return None, None


def _load_sync(path: Path, findings: list[Finding]) -> SyncFile | None:
    try:
        document = read(path)
        return SyncFile(document, parse_sync(document))
    except ContractError as error:
        findings += map(Finding.of, error.mistakes)
        return None


def one_identity(file: SyncFile, folder: Folder) -> Iterator[Finding]:
    """Everything uses the contract's identifier; email alone only with a reason."""
    sync, canonical = file.sync, folder.contract.identity
    at: Location = ("identity", sync.identifier)
    loose = next((name for name in sync.identifiers if name in ("email", "phone")), None)
    if loose is not None and not sync.allow_email_only:
        changed = "address" if loose == "email" else "number"
        alone = (
            f"rows without {sync.identifier} go by {loose}"
            if sync.mixed
            else f"{loose} is the only identifier"
        )
        yield file.error(
            ("identity", loose),
            f"{alone}: a changed {changed} makes a second person",
            "identify people by id, or state why not: `allow_email_only: <reason>`",
        )
    elif sync.identifier == "id" and canonical == "email":
        yield file.error(
            at,
            "the contract identifies people by email, and this sync by id",
            "use one identifier everywhere: change this line, or `identity:` in contract.yaml",
        )


def events_in_the_taxonomy(file: SyncFile, folder: Folder) -> Iterator[Finding]:
    """An event and its properties are those of the contract; what is required is there."""
    sync = file.sync
    if sync.kind != "events" or sync.event is None:
        return
    if len(sync.event.encode()) > MAX_EVENT_NAME_BYTES:
        yield file.error(
            ("event",),
            f"the name is longer than {MAX_EVENT_NAME_BYTES} bytes",
            "give the event a shorter name",
        )
    event = folder.contract.events.get(sync.event)
    if event is None:
        yield file.error(
            ("event",),
            f"'{sync.event}' is not in the taxonomy" + did_you_mean(sync.event, folder.contract.events),
            "use a name of `events:` in contract.yaml, or add it there",
        )
        return
    for name, field in sync.properties.items():
        at: Location = ("properties", name)
        known = event.properties.get(name)
        if known is None:
            yield file.error(
                at,
                f"'{sync.event}' has no property '{name}'" + did_you_mean(name, event.properties),
                "use a name of the taxonomy, or add it there",
            )
        elif field.type not in (None, known.type):
            yield file.error(
                at, f"declared {field.type}, the taxonomy says {known.type}", "make the two agree"
            )
        if name in _OVERRIDING:
            yield file.warning(
                at,
                f"'{name}' overrides the message's own in every campaign of this event",
                "rename the property",
            )
    for name, known in event.properties.items():
        if known.required and name not in sync.properties:
            yield file.error(
                ("properties",),
                f"'{sync.event}' requires the property '{name}'",
                f"map it: `{name}: <column>`",
            )


def backfill_in_the_taxonomy(file: SyncFile, folder: Folder) -> Iterator[Finding]:
    """The other name that history goes by is an event of the contract too."""
    name = file.sync.backfill.event
    if name is not None and name not in folder.contract.events:
        yield file.error(
            ("backfill", "event"),
            f"'{name}' is not in the taxonomy" + did_you_mean(name, folder.contract.events),
            "use a name of `events:` in contract.yaml, or add it there",
        )


def one_sync_for_an_event(file: SyncFile, folder: Folder) -> Iterator[Finding]:
    """Two syncs of one event mint different ids for the same moment: Customer.io would keep both."""
    for name, other in sorted(folder.files.items()):
        if name < file.sync.name and file.sync.event and other.sync.event == file.sync.event:
            yield file.warning(
                ("event",),
                f"sync '{name}' sends '{file.sync.event}' too: a row in both is two events",
                "make sure that no row is in both sources, or send the event from one sync",
            )


def did_you_mean(name: str, known: object) -> str:
    """A hint at the closest known name; case, order and word breaks do not count."""
    names = {_plain(candidate): candidate for candidate in known} if isinstance(known, dict) else {}
    twin = next((each for each in names.values() if same_words(each) == same_words(name)), None)
    if twin is not None:
        return f": did you mean '{twin}'?"
    close = get_close_matches(_plain(name), list(names), n=1, cutoff=0.6)
    return f": did you mean '{names[close[0]]}'?" if close else ""


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace(" ", "")


Rule = Callable[[SyncFile, Folder], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    one_identity,
    ownership.one_writer,
    ownership.attribute_names,
    ownership.nothing_subscribes_again,
    exit_rules.destruction_is_guarded,
    exit_rules.one_owner_of_an_object,
    exit_rules.subscriptions_topic_by_topic,
    events_in_the_taxonomy,
    backfill_in_the_taxonomy,
    one_sync_for_an_event,
    schedule_rules.cadence_keeps_the_deadline,
    schedule_rules.after_a_people_sync,
    source_rules.source_is_a_view,
    source_rules.expressions_parse,
    mapping_tests.mapping_tests_pass,
)
