"""`dags/audiences/*.yaml` -> typed models, checked against each other; errors name file, line and key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any

from airflow_provider_cio.core.audience.definition import Audience, DestinationSettings
from airflow_provider_cio.core.audience.timing import too_short
from airflow_provider_cio.core.contract import Contract
from airflow_provider_cio.core.contract_files import load_contract, parse
from airflow_provider_cio.core.findings import Finding
from airflow_provider_cio.core.schedule_rules import interval, spelled
from airflow_provider_cio.core.yaml_lines import Document, Location, read
from airflow_provider_cio.exceptions import ContractError

FOLDER = "audiences"


def load_audience(path: Path) -> Audience:
    """One audience; `name` is the file's name, `sql` becomes the path of the file beside it.

    :raises ContractError: one line for each mistake: 'dags/audiences/cart.yaml:12: destinations.meta.type: ...'.
    """
    return _parse(read(path))


def load_suppressions(audience: Audience, folder: Path) -> dict[str, Audience]:
    """The suppression audiences of an audience, from its folder.

    :raises ContractError: one is missing or wrong.
    """
    return {name: load_audience(folder / f"{name}.yaml") for name in audience.excluded_by}


def audience_schema() -> dict[str, Any]:
    """JSON Schema of a file, for editors. `name` is optional there: the file has one."""
    schema = Audience.model_json_schema()
    schema["required"].remove("name")
    return schema


def _parse(document: Document) -> Audience:
    path = Path(document.file)
    audience = parse(document.named(), Audience)
    if audience.sql is None:
        return audience
    if not (path.parent / audience.sql).is_file():
        raise ContractError.at(
            document.mistake(
                ("sql",), f"there is no file {path.parent / audience.sql}", "correct the name; it lies beside"
            )
        )
    return audience.model_copy(update={"sql": str(path.parent / audience.sql)})


@dataclass(frozen=True)
class AudienceFile:
    """An audience that loaded, with its lines."""

    document: Document
    audience: Audience

    def error(self, location: Location, message: str, next_step: str) -> Finding:
        """A broken rule."""
        return Finding.of(self.document.mistake(location, message, next_step))


Folder = Mapping[str, AudienceFile]


Lags = Mapping[tuple[str, str], timedelta]
"""By audience and destination, how long members have waited there: the p95."""


def lint_audiences(folder: Path, measured: Lags = MappingProxyType({})) -> list[Finding]:
    """Check `audiences/*.yaml` of a folder; a file that cannot be loaded hides no other's findings.

    :param measured: lags that were measured; without one, what the platform says of itself counts.
    """
    findings: list[Finding] = []
    files: dict[str, AudienceFile] = {}
    for path in sorted((folder / FOLDER).glob("*.yaml")):
        try:
            document = read(path)
            files[path.stem] = AudienceFile(document, _parse(document))
        except ContractError as error:
            findings += map(Finding.of, error.mistakes)
    contract = _contract(folder) if files else None
    for file in files.values():
        findings += [found for rule in RULES for found in rule(file, files)]
        findings += _windows(file, measured)
        findings += [] if contract is None else _source(file, contract)
    return sorted(findings, key=lambda found: (found.file, found.line, found.key, found.message))


def _contract(folder: Path) -> Contract | None:
    try:
        return load_contract(folder / "contract.yaml")
    except ContractError:
        return None  # lint of the contract says what is wrong with it


def _source(file: AudienceFile, contract: Contract) -> Iterator[Finding]:
    schema, _, _ = (file.audience.source or "").rpartition(".")
    if file.audience.source is not None and schema not in contract.source_schemas:
        yield file.error(
            ("source",),
            f"schema '{schema}' is not one for sources ({', '.join(contract.source_schemas)})",
            "make a view there, or add the schema to `source_schemas` in contract.yaml",
        )


def _suppressions(file: AudienceFile, files: Folder) -> Iterator[Finding]:
    """Suppressions exist, hold people to suppress, and retargeting leaves purchasers out."""
    audience = file.audience
    at: Location = ("suppressions",)
    for name in audience.excluded_by:
        other = files.get(name)
        if other is None:
            close = get_close_matches(name, files, n=1)
            yield file.error(
                at,
                f"there is no audience '{name}'" + (f": did you mean '{close[0]}'?" if close else ""),
                f"add {FOLDER}/{name}.yaml with purpose: suppression, or list in `suppressions` those there are",
            )
        elif other.audience.purpose != "suppression":
            yield file.error(at, f"'{name}' has another purpose than suppression", "name one that has it")
    excluded = {files[name].audience.suppresses for name in audience.excluded_by if name in files}
    if (
        audience.purpose == "retargeting"
        and "purchasers" not in excluded
        and not audience.without_purchase_exclusion
    ):
        yield file.error(
            at,
            "retargeting without a purchase exclusion shows ads to those who have bought",
            "add a suppression audience with `suppresses: purchasers`, or say why not: "
            "`without_purchase_exclusion: <reason>`",
        )


def _destinations(file: AudienceFile, files: Folder) -> Iterator[Finding]:  # noqa: ARG001
    """Each destination can take what it is given."""
    audience = file.audience
    if not audience.destinations and audience.purpose != "suppression":
        yield file.error(("destinations",), "the audience goes nowhere", "add a destination")
    for name, destination in audience.destinations.items():
        yield from _destination(file, name, destination)


def _destination(file: AudienceFile, name: str, destination: DestinationSettings) -> Iterator[Finding]:
    audience, can = file.audience, destination.capabilities
    at: Location = ("destinations", name)
    for kind in destination.identifiers:
        if kind not in can.fields or kind not in audience.kinds:
            yield file.error(
                (*at, "identifiers"),
                f"'{kind}' is "
                + ("not in `identity`" if kind in can.fields else f"nothing {destination.type} takes"),
                f"{destination.type} takes {', '.join(can.fields)}",
            )
    if not audience.kinds_of(destination):
        yield file.error(
            at,
            f"`identity` has nothing that {destination.type} takes",
            f"add one of {', '.join(can.fields)} to `identity`",
        )
    if can.consent and not audience.consent:
        yield file.error(
            at,
            f"{destination.type} asks for consent, and the audience names no consent column",
            "name the columns that say so: `consent: [ads_consent]`; who lacks it is removed",
        )
    if destination.context and not can.context:
        yield file.error((*at, "context"), f"{destination.type} takes no context", "remove the columns")
    if destination.membership and can.membership and destination.membership > can.membership:
        yield file.error(
            (*at, "membership"),
            f"{destination.type} keeps members {spelled(can.membership)} at most",
            "shorten it",
        )


def _time(file: AudienceFile, files: Folder) -> Iterator[Finding]:  # noqa: ARG001
    """Cadence and deadline fit each other."""
    audience = file.audience
    every: timedelta | None = None
    if audience.cadence is not None:
        try:
            every = interval(audience.cadence)
        except ValueError as error:
            yield file.error(("cadence",), str(error), "write for example '*/15 * * * *' or '@daily'")
    if every and audience.deadline and every > audience.deadline.within:
        yield file.error(
            ("cadence",),
            f"runs every {spelled(every)} cannot keep a deadline of {spelled(audience.deadline.within)}",
            "run more often, or promise less",
        )


def _windows(file: AudienceFile, measured: Lags) -> Iterator[Finding]:
    """A window outlives the lag, whichever is longer: the platform's own word, or what was measured."""
    audience = file.audience
    for name, destination in audience.destinations.items():
        lag = max(destination.capabilities.lag, measured.get((audience.name, name), timedelta()))
        try:
            message = too_short(audience, lag)
        except ValueError:
            return  # said of the cadence already
        if message is not None:
            yield file.error(
                ("member_for",),
                f"{name}: {message}",
                "widen the window, choose a quicker destination, or say why: `despite_lag: <reason>`",
            )


Rule = Callable[[AudienceFile, Folder], Iterator[Finding]]
RULES: tuple[Rule, ...] = (_suppressions, _destinations, _time)
