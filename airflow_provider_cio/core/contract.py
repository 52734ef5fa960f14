"""The typed contract: what `dags/contract.yaml` and `dags/syncs/*.yaml` may say.

Loading with line numbers lives in :mod:`airflow_provider_cio.core.contract_files`, rules across files in
:mod:`airflow_provider_cio.core.contract_rules`.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

Kind = Literal["people", "events"]
Nulls = Literal["omit", "clear"]
ValueType = Literal["string", "integer", "number", "boolean", "timestamp", "json"]
Identifier = Literal["id", "email"]

_DURATION = re.compile(r"^(\d+)\s*(s|m|h|d)$")
_UNIT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _duration(value: Any) -> Any:
    match = _DURATION.match(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("write a duration as a number and a unit: 90s, 45m, 6h or 30d")
    return timedelta(**{_UNIT[match[2]]: int(match[1])})


def _time_zone(value: str) -> str:
    try:
        return str(ZoneInfo(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        wrong = f"'{value}' is not a time zone of the IANA database, such as UTC or Europe/London"
        raise ValueError(wrong) from None


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration, json_schema_input_type=Annotated[str, Field(pattern=_DURATION.pattern)]),
]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
Percent = Annotated[float, Field(ge=0, le=100)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
ColumnName = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,126}$")]


class Model(BaseModel):
    """Immutable, and unknown keys are refused by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldMapping(Model):
    """One attribute or property: a source column, or a SQL expression over source columns."""

    column: ColumnName | None = None
    expression: str | None = None
    type: ValueType | None = Field(None, description="Declared type; without it the warehouse's type decides")
    nulls: Nulls | None = Field(None, description="What a null does; without it the sync's `nulls` decides")
    time_zone: TimeZone | None = Field(None, description="Zone of a timestamp without one")

    @model_validator(mode="after")
    def _one_source(self) -> FieldMapping:
        if (self.column is None) == (self.expression is None):
            raise ValueError("give either `column` or `expression`")
        return self


def _field(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


Mapped = Annotated[FieldMapping, BeforeValidator(_field, json_schema_input_type=ColumnName | FieldMapping)]


class SetFlag(Model):
    """``on_exit: {set_flag: {attribute: is_gone}}``: a row that left the source gets this attribute, true."""

    attribute: str
    value: bool | int | str = True


class ExitFlag(Model):
    """The `on_exit` that sets a flag."""

    set_flag: SetFlag


OnExit = Annotated[
    Annotated[Literal["keep", "clear_attributes"], Tag("word")] | Annotated[ExitFlag, Tag("flag")],
    Discriminator(lambda value: "flag" if isinstance(value, dict | ExitFlag) else "word"),
]
"""What happens to people who are no longer in the source."""


class Guards(Model):
    """Limits a plan must keep, or nothing is sent. Percentages are of the rows the sync tracks."""

    min_rows: Annotated[int, Field(ge=0)] = 1
    max_change_pct: Percent | None = None
    max_exit_pct: Percent | None = 20.0
    max_added: Annotated[int, Field(ge=0)] | None = None
    max_unidentified_pct: Percent = 5.0


class Notify(Model):
    """A notifier class and its arguments, called when the deadline is missed."""

    notifier: str = Field(description="Import path of an Airflow notifier with async_notify")
    arguments: dict[str, Any] = {}


class Deadline(Model):
    """When a run is late, and who is told."""

    within: Duration = Field(description="Counted from the moment the run was due")
    notify: Notify | None = None


class Sync(Model):
    """One file of `dags/syncs`: which rows become what in Customer.io, when, and within which limits."""

    name: Name = Field(description="The file's name without .yaml")
    kind: Kind
    description: str
    owner: str
    source: str | None = Field(None, description="schema.view")
    sql: str | None = Field(None, description="A .sql file beside this one")
    identity: dict[Identifier, ColumnName]
    allow_email_only: str | None = Field(None, description="Why email alone identifies people here")
    attributes: dict[str, Mapped] = {}
    event: str | None = None
    key: ColumnName | None = Field(None, description="Unique key of an event row")
    occurred_at: Mapped | None = None
    lookback: Duration | None = Field(None, description="Events older than this are no candidates")
    properties: dict[str, Mapped] = {}
    nulls: Nulls = "omit"
    on_exit: OnExit = "keep"
    cadence: str | None = Field(None, description="Cron expression or preset; none: only by hand or `after`")
    after: Name | None = Field(None, description="The people sync this event sync waits for")
    guards: Guards = Guards()
    deadline: Deadline | None = None
    max_rejected_pct: Percent = 1.0
    rows_per_shard: Annotated[int, Field(ge=1)] = 50_000
    pool_slots: Annotated[
        int, Field(ge=1, description="Slots of a task that sends: its share of the workspace's rate")
    ] = 1
    tests: list[MappingTest] = []

    @model_validator(mode="after")
    def _consistent(self) -> Sync:
        if (self.source is None) == (self.sql is None):
            raise ValueError("give either `source` or `sql`")
        if len(self.identity) != 1:
            raise ValueError("`identity` names exactly one identifier: id or email")
        wanted, foreign = (
            (("attributes",), ("event", "key", "occurred_at", "lookback", "properties", "after"))
            if self.kind == "people"
            else (("event", "key", "occurred_at", "lookback"), ("attributes",))
        )
        missing = [key for key in wanted if not getattr(self, key)]
        if missing:
            raise ValueError(f"kind: {self.kind} needs `{'`, `'.join(missing)}`")
        useless = [key for key in foreign if getattr(self, key)]
        if useless:
            raise ValueError(f"kind: {self.kind} has no `{'`, `'.join(useless)}`")
        if self.kind == "events" and self.on_exit != "keep":
            raise ValueError("an event cannot leave: `on_exit` belongs to kind: people")
        return self

    @property
    def identifier(self) -> Identifier:
        """Which identifier addresses the person."""
        return next(iter(self.identity))

    @property
    def fields(self) -> dict[str, FieldMapping]:
        """Attributes of people, properties of events."""
        return self.attributes if self.kind == "people" else self.properties

    @property
    def section(self) -> str:
        """The key that holds :attr:`fields`."""
        return "attributes" if self.kind == "people" else "properties"

    def nulls_of(self, field: FieldMapping) -> Nulls:
        """What a null of this field does."""
        return field.nulls or self.nulls


class MappingTest(Model):
    """``given`` a source row, ``expect`` this Track operation; run by `airflow cio lint`."""

    given: dict[str, Any]
    expect: dict[str, Any]


class Attribute(Model):
    """A person attribute: exactly one sync writes it."""

    type: ValueType
    writer: Name
    description: str


class EventProperty(Model):
    """A property of an event, by its snake_case name."""

    type: ValueType
    required: bool = False
    description: str = ""


class Event(Model):
    """An entry of the event taxonomy."""

    description: str
    version: Annotated[int, Field(ge=1)] = 1
    properties: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], EventProperty] = {}


class Connections(Model):
    """Airflow connection ids."""

    redshift: str = "redshift_default"
    aws: str = "aws_default"
    customerio: str = "customerio_default"


class Staging(Model):
    """Where UNLOAD and COPY meet. Both fields are templated by Airflow."""

    s3: Annotated[str, Field(pattern=r"^(s3://[^/]+/?.*|\{\{.*\}\}.*)$")]
    iam_role: str


class Contract(Model):
    """`dags/contract.yaml`: identity, taxonomy, attribute ownership, and where things are."""

    workspace: str = Field(description="Name of the Customer.io workspace; part of every event id")
    identity: Identifier = Field("id", description="The canonical identifier of a person")
    source_schemas: list[str] = Field(["cio_marts"], description="Schemas whose views may be sources")
    connections: Connections = Connections()
    staging: Staging
    send_pool: str = Field(
        "default_pool",
        description="Airflow pool of the tasks that send, with as many slots as `rate_slots` says",
    )
    attributes: dict[str, Attribute] = {}
    events: dict[Annotated[str, Field(pattern=r"^[A-Z0-9]\S*( [A-Z0-9]\S*)*$")], Event] = {}


Sync.model_rebuild()
