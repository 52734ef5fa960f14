"""One file of `dags/syncs`."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field, model_validator

from airflow_provider_cio.core.contract.fields import FieldMapping, Mapped
from airflow_provider_cio.core.contract.findings import Actions
from airflow_provider_cio.core.contract.policies import Deadline, Guards, OnExit
from airflow_provider_cio.core.contract.protections import Reconcile
from airflow_provider_cio.core.contract.words import (
    ColumnName,
    Duration,
    Identifier,
    Kind,
    Model,
    Name,
    Nulls,
    Percent,
)


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
    max_unknown: Annotated[int, Field(ge=0, description="Rows without an answer that a run may end with")] = 0
    approve: Annotated[bool, Field(description="Whether a person must approve each plan")] = False
    max_plan_age: Duration = Field(timedelta(hours=24), description="An older plan is not applied any more")
    reconcile: Reconcile = Reconcile()
    rows_per_shard: Annotated[int, Field(ge=1)] = 50_000
    pool_slots: Annotated[
        int, Field(ge=1, description="Slots of a task that sends: its share of the workspace's rate")
    ] = 1
    findings: Actions = Field({}, description="What to do about a finding: skip, truncate, fail or report")
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


Sync.model_rebuild()
