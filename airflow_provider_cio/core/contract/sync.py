"""One file of `dags/syncs`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from airflow_provider_cio.core.contract.checks import SpotCheck
from airflow_provider_cio.core.contract.fields import FieldMapping, Mapped
from airflow_provider_cio.core.contract.findings import Actions
from airflow_provider_cio.core.contract.kinds import KINDS, MIXABLE, ONLY_SOME, PERSON, SINGLE
from airflow_provider_cio.core.contract.policies import (
    Deadline,
    ExitFlag,
    ExitSegment,
    Guards,
    OnConflict,
    OnConflictMerge,
    OnExit,
)
from airflow_provider_cio.core.contract.protections import Backfill, Columns, Reconcile
from airflow_provider_cio.core.contract.words import (
    ColumnName,
    Duration,
    Identifier,
    Kind,
    Model,
    Name,
    Nulls,
    Percent,
    Transport,
)

RelatedIdentifier = Literal["object_id", "cio_object_id"]
SecondaryIdentifier = Literal["id", "email", "cio_id"]


class Device(Model):
    """The device of a row of `kind: devices`."""

    token: ColumnName = Field(description="Column of the push token")
    platform: Mapped = Field(description="ios or android")
    last_used: Mapped | None = Field(None, description="When it was last used")


class Sync(Model):
    """One file of `dags/syncs`: which rows become what in Customer.io, when, and within which limits."""

    name: Name = Field(description="The file's name without .yaml")
    kind: Kind = Field(description="What a row is in Customer.io")
    description: str = Field(description="What it is, for the Dag's page")
    owner: str = Field(description="Who is told when it is late")
    source: str | None = Field(None, description="schema.view")
    sql: str | None = Field(None, description="A .sql file beside this one")
    identity: dict[Identifier, ColumnName] = Field(
        description="Identifier of a row, and its column; of several the first it has of id, email, phone, cio_id"
    )
    allow_email_only: str | None = Field(
        None, description="Why an email or a phone alone identifies people here"
    )
    attributes: dict[str, Mapped] = Field({}, description="Attribute -> column or mapping")
    event: str | None = Field(None, description="Name of the event, out of the taxonomy")
    page: Mapped | None = Field(None, description="Name of the page that was seen, of each row")
    screen: Mapped | None = Field(None, description="Name of the screen that was seen, of each row")
    key: ColumnName | None = Field(None, description="Unique key of an event row")
    occurred_at: Mapped | None = Field(None, description="When it happened: business time, not load time")
    lookback: Duration | None = Field(None, description="Events older than this are no candidates")
    properties: dict[str, Mapped] = Field({}, description="Property -> column or mapping")
    object_type_id: Annotated[str, Field(pattern=r"^[0-9]+$")] | None = Field(
        None, description="Number of the object's type in Customer.io, as text"
    )
    related: dict[RelatedIdentifier, ColumnName] = Field({}, description="The object of a relationship")
    device: Device | None = Field(None, description="The device of a row")
    secondary: dict[SecondaryIdentifier, ColumnName] = Field(
        {}, description="Who is merged into `identity`, and gone afterwards"
    )
    transport: Transport = Field("track", description="The API of Customer.io that takes the rows")
    nulls: Nulls = Field("omit", description="What a null does: leave the value out, or clear it")
    on_exit: OnExit = Field("keep", description="What happens to rows we sent that left the source")
    on_conflict: OnConflict = Field("stop", description="What happens to people who share an email")
    approve: bool = Field(default=False, description="Whether a person approves each plan before it is sent")
    allow_unapproved: str | None = Field(None, description="Why nobody approves what cannot be taken back")
    cadence: str | None = Field(None, description="Cron expression or preset; none: only by hand or `after`")
    after: Name | None = Field(None, description="The people sync this event sync waits for")
    guards: Guards = Field(Guards(), description="Limits of a plan")
    deadline: Deadline | None = Field(None, description="When a run is late")
    max_rejected_pct: Percent = Field(1.0, description="Refused rows past this make the run fail")
    columns: Columns = Field("additive", description="What a change of the source's columns does")
    backfill: Backfill = Field(Backfill(), description="How the past is sent, and the first run")
    max_unknown: Annotated[int, Field(ge=0, description="Rows without an answer that a run may end with")] = 0
    max_plan_age: Duration = Field(timedelta(hours=24), description="An older plan is not applied any more")
    cohort: list[str] = Field(
        [], description="Identifiers of the people whom `verify` sends, and nobody else"
    )
    checks: list[SpotCheck] = Field([], description="What `verify` looks at besides the cohort")
    reconcile: Reconcile = Field(Reconcile(), description="What is read back after each run")
    rows_per_shard: Annotated[int, Field(ge=1)] = Field(
        200_000, description="Rows of a piece that one task sends"
    )
    pool_slots: Annotated[
        int, Field(ge=1, description="Slots of a task that sends: its share of the workspace's rate")
    ] = 1
    findings: Actions = Field({}, description="What to do about a finding: skip, truncate, fail or report")
    tests: list[MappingTest] = Field([], description="Rows, and the operations expected of them")

    @model_validator(mode="after")
    def _consistent(self) -> Sync:
        if (self.source is None) == (self.sql is None):
            raise ValueError("give either `source` or `sql`")
        rules = KINDS[self.kind]
        self._identity_fits(rules.identifiers)
        missing = [key for key in rules.needs if not getattr(self, key)]
        if missing:
            raise ValueError(f"kind: {self.kind} needs `{'`, `'.join(missing)}`")
        useless = sorted(
            key
            for key in ONLY_SOME.difference(rules.needs, rules.may)
            if getattr(self, key) is not None and getattr(self, key) != {}
        )
        if useless:
            raise ValueError(f"kind: {self.kind} has no `{'`, `'.join(useless)}`")
        if self.exit_policy not in rules.exits:
            raise ValueError(f"kind: {self.kind} knows on_exit: {', '.join(rules.exits)}")
        if self.kind == "events" and sum(map(bool, (self.event, self.page, self.screen))) != 1:
            raise ValueError("kind: events needs exactly one of `event`, `page`, `screen`")
        if self.related:
            _one_of("related", self.related, ("object_id", "cio_object_id"))
        if self.secondary:
            _one_of("secondary", self.secondary, ("id", "email", "cio_id"))
        if self.on_conflict != "stop" and (self.kind != "people" or "email" not in self.attributes):
            raise ValueError("`on_conflict` is about people with the attribute `email`")
        if isinstance(self.on_conflict, OnConflictMerge) and self.identifier not in ("id", "cio_id"):
            raise ValueError("people are merged by `id` or `cio_id`")
        self._backfill_fits()
        self._transport_fits()
        return self

    def _identity_fits(self, known: tuple[Identifier, ...]) -> None:
        if self.kind == "relationships" and "anonymous_id" in self.identity and self.on_exit != "keep":
            raise ValueError("no API takes a relationship from an anonymous visitor: write `on_exit: keep`")
        if not self.mixed or self.kind in SINGLE:
            _one_of("identity", self.identity, known)
            return
        if not self.identity.keys() <= set(known) or not any(self.identity.keys() <= may for may in MIXABLE):
            raise ValueError("`identity` names one identifier, or some of id, email, phone, cio_id")
        for rule, needed in (("leave_segment", self.exit_policy == "leave_segment"), ("merge", self.keeps)):
            if needed:
                raise ValueError(f"`{rule}` needs rows that all go by one identifier")
        if self.kind == "people" and "email" in self.identifiers[1:]:
            email = self.attributes.get("email")
            if email is None or email.column != self.identity["email"]:
                raise ValueError(
                    f"people who get an id later stay one person only by their email: map `email: "
                    f"{self.identity['email']}` in attributes"
                )

    def _transport_fits(self) -> None:
        if self.transport == "track":
            if self.kind == "events" and "anonymous_id" in self.identity:
                raise ValueError(
                    "the Track API has no batch for anonymous events: write `transport: pipelines`"
                )
            return
        if self.kind not in ("people", "events", "relationships"):
            raise ValueError("`transport: pipelines` takes people, events and relationships")
        if not self.identity.keys() <= ({"id", "anonymous_id"} if self.kind == "events" else {"id"}):
            raise ValueError("`transport: pipelines` identifies by `id`; events by `anonymous_id` too")
        if self.on_exit != "keep" or self.on_conflict not in ("stop", "skip"):
            raise ValueError("`transport: pipelines` knows `on_exit: keep` only, and merges nobody")
        if self.kind == "relationships" and "object_id" not in self.related:
            raise ValueError("`transport: pipelines` relates people to an `object_id`")

    def _backfill_fits(self) -> None:
        flag = self.backfill.opt_in_flag
        if flag is not None and flag not in self.attributes:
            raise ValueError("`backfill.opt_in_flag` is one of the sync's attributes")
        if self.kind != "events" and (self.backfill.window or self.backfill.event):
            raise ValueError("people have no past: `backfill.window` and `event` belong to kind: events")

    @property
    def identifier(self) -> Identifier:
        """Which identifier addresses the person, or the object; where a sync has several, the first."""
        return self.identifiers[0]

    @property
    def identifiers(self) -> tuple[Identifier, ...]:
        """All of them, in the order in which a row is asked for one."""
        order = {name: place for place, name in enumerate(PERSON)}
        return tuple(sorted(self.identity, key=lambda name: order.get(name, len(order))))

    @property
    def mixed(self) -> bool:
        """Whether rows may go by different identifiers."""
        return len(self.identity) > 1

    @property
    def exit_policy(self) -> str:
        """The name of `on_exit`."""
        match self.on_exit:
            case ExitFlag():
                return "set_flag"
            case ExitSegment():
                return "leave_segment"
            case word:
                return word

    @property
    def keeps(self) -> ColumnName | None:
        """The column that says who stays when people are merged."""
        return self.on_conflict.merge.keep if isinstance(self.on_conflict, OnConflictMerge) else None

    @property
    def partner(self) -> tuple[str, Identifier | None, ColumnName] | None:
        """The second half of a row's key: the key of this file that names it, its identifier, its column."""
        if self.device is not None:
            return "device.token", None, self.device.token
        for key, named in (("related", self.related), ("secondary", self.secondary)):
            for identifier, column in named.items():
                return f"{key}.{identifier}", identifier, column
        return None

    @property
    def values(self) -> dict[str, FieldMapping]:
        """Every value of a row but keys and time, by its key in this file: `attributes.email`, `page`."""
        named: dict[str, FieldMapping | None] = {"page": self.page, "screen": self.screen}
        if self.device is not None:
            named |= {"device.platform": self.device.platform, "device.last_used": self.device.last_used}
        special = {key: field for key, field in named.items() if field is not None}
        return special | {f"{self.section}.{name}": field for name, field in self.fields.items()}

    @property
    def fields(self) -> dict[str, FieldMapping]:
        """Attributes, or properties of events, by name."""
        return self.properties if self.kind == "events" else self.attributes

    @property
    def section(self) -> str:
        """The key that holds :attr:`payload`."""
        return "properties" if self.kind == "events" else "attributes"

    def nulls_of(self, field: FieldMapping) -> Nulls:
        """What a null of this field does."""
        return field.nulls or self.nulls


def _one_of(key: str, given: Mapping[Any, str], known: tuple[str, ...]) -> None:
    if len(given) != 1 or not given.keys() <= set(known):
        raise ValueError(f"`{key}` names exactly one of {', '.join(known)}")


class MappingTest(Model):
    """``given`` a source row, ``expect`` this Track operation; run by `airflow cio lint`."""

    given: dict[str, Any] = Field(description="Columns of a row")
    expect: dict[str, Any] = Field(description="Keys of the operation")


Sync.model_rebuild()
