"""What `dags/audiences/*.yaml` may say: who is in an audience, who never is, and where it goes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from airflow_provider_cio.core.audience.capabilities import CAPABILITIES, Capabilities, IdentifierKind
from airflow_provider_cio.core.contract import ColumnName, Deadline, Duration, Model, Name, Percent

Purpose = Literal["retargeting", "suppression", "winback", "seed"]
Suppresses = Literal["purchasers", "unsubscribed", "refunded", "support", "high_return", "discount_abuse"]
DestinationType = Literal["customerio", "meta", "google", "google_ads", "tiktok", "rudderstack", "webhook"]

DEFAULT_SUPPRESSIONS = ("suppression_purchasers", "suppression_unsubscribed", "suppression_refunded")
"""Suppression audiences of a retargeting or winback audience that names none."""


class DestinationSettings(Model):
    """Where the audience goes."""

    type: DestinationType
    audience: Annotated[str, Field(min_length=1)] = Field(
        description="The platform's id of the audience, list or segment; for RudderStack and webhooks its name"
    )
    connection: str | None = Field(None, description="Airflow connection; cio_<type>_default without it")
    identifiers: list[IdentifierKind] = Field(
        [], description="Which identifiers are sent; all that the destination takes without it"
    )
    context: list[ColumnName] = Field([], description="Columns that tell why a member is here")
    membership: Duration | None = Field(
        None, description="How long the platform keeps a member; renewed at half of it"
    )
    despite_legacy: str | None = Field(
        None, description="Why a type is used that its platform has closed to newcomers (`google_ads`)"
    )

    @model_validator(mode="after")
    def _opted_in(self) -> DestinationSettings:
        if self.capabilities.legacy and not self.despite_legacy:
            raise ValueError(
                f"{self.type} is closed to newcomers: use `google`, or say why not: `despite_legacy: <reason>`"
            )
        if self.despite_legacy is not None and not self.capabilities.legacy:
            raise ValueError(f"`despite_legacy` says nothing of {self.type}")
        return self

    @property
    def capabilities(self) -> Capabilities:
        """Of the type."""
        return CAPABILITIES[self.type]


class Holdout(Model):
    """Members left out on purpose, so that the effect can be measured."""

    experiment: Name
    percent: Annotated[float, Field(gt=0, le=50)]
    salt: Annotated[str, Field(min_length=4)] = Field(description="Another salt draws anew")
    stratify_by: ColumnName | None = Field(None, description="Every value of this column keeps the share")

    @property
    def basis_points(self) -> int:
        """The share in hundredths of a percent."""
        return round(self.percent * 100)


class Size(Model):
    """What is expected, to compare with what came."""

    min_members: Annotated[int, Field(ge=0)] | None = None
    max_members: Annotated[int, Field(ge=0)] | None = None
    min_match_rate: Percent | None = Field(None, description="Percent of uploaded identifiers")


class AudienceGuards(Model):
    """Limits of one run. Percentages are of the identifiers that a destination holds."""

    min_members: Annotated[int, Field(ge=0)] = Field(1, description="0 allows an empty audience")
    max_removed_pct: Percent = 50.0
    max_added: Annotated[int, Field(ge=0)] | None = None
    max_unidentified_pct: Percent = 50.0


class Address(Model):
    """Columns of a name and an address, which together are one identifier."""

    first_name: ColumnName
    last_name: ColumnName
    postcode: ColumnName
    country: ColumnName = Field(description="ISO 3166-1 alpha-2")

    @property
    def columns(self) -> tuple[str, ...]:
        """In the order of the identifier's parts."""
        return (self.first_name, self.last_name, self.postcode, self.country)


class Audience(Model):
    """One file of `dags/audiences`."""

    name: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="The file's name without .yaml")
    ]
    description: str
    owner: str
    purpose: Purpose
    version: Annotated[int, Field(ge=1)] = Field(1, description="Of the definition: who is a member")
    source: str | None = Field(None, description="schema.view")
    sql: str | None = Field(None, description="A .sql file beside this one")
    segment: int | None = Field(None, description="A Customer.io segment, by id")
    member: ColumnName = Field("customer_id", description="Column that identifies a member")
    where: str | None = Field(
        None, description="SQL condition over the source's columns: a tier, a test market"
    )
    identity: dict[IdentifierKind, ColumnName]
    address: Address | None = Field(None, description="Meta and Google match by name and address too")
    prehashed: list[IdentifierKind] = Field([], description="Columns that hold SHA-256 already")
    region: str | None = Field(None, description="Country of phones without a country code, such as GB")
    region_column: ColumnName | None = None
    entered_at: ColumnName | None = Field(None, description="TIMESTAMP in UTC of what makes one a member")
    from_age: Duration | None = Field(None, description="Members from this age of `entered_at`")
    member_for: Duration | None = Field(None, description="Members until this age of `entered_at`")
    settle: Duration | None = Field(None, description="Wait this long for late orders before one is a member")
    consent: list[ColumnName] = Field([], description="Boolean columns that must all be true")
    suppressions: list[Name] | None = Field(None, description="Suppression audiences; none named: the usual")
    without_purchase_exclusion: str | None = Field(None, description="Why purchasers may be targeted")
    suppresses: Suppresses | None = Field(None, description="Whom a suppression audience holds")
    despite_lag: str | None = Field(None, description="Why a window shorter than the lag makes sense")
    holdout: Holdout | None = None
    cohort: list[str] = Field([], description="Only these members, to try a destination out")
    expect: Size = Size()
    guards: AudienceGuards = AudienceGuards()
    destinations: dict[Name, DestinationSettings] = Field({}, description="By a name of your choice")
    cadence: str | None = None
    deadline: Deadline | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Audience:
        if sum(given is not None for given in (self.source, self.sql, self.segment)) != 1:
            raise ValueError("give one of `source`, `sql` and `segment`")
        if not self.identity or "address" in self.identity:
            raise ValueError("`identity` names at least one of id, email, phone, idfa, aaid")
        if (self.from_age or self.member_for or self.settle) and self.entered_at is None:
            raise ValueError("`from_age`, `member_for` and `settle` need `entered_at`")
        if self.from_age and self.member_for and self.from_age >= self.member_for:
            raise ValueError("`from_age` must be shorter than `member_for`")
        if self.region and self.region_column:
            raise ValueError("give either `region` or `region_column`")
        if (self.purpose == "suppression") != (self.suppresses is not None):
            raise ValueError("`suppresses` belongs to purpose: suppression, which needs it")
        if set(self.prehashed) - self.identity.keys():
            raise ValueError("`prehashed` names identifiers that `identity` has")
        return self

    @property
    def excluded_by(self) -> tuple[str, ...]:
        """Names of the suppression audiences that take members out of this one."""
        if self.suppressions is not None:
            return tuple(self.suppressions)
        return DEFAULT_SUPPRESSIONS if self.purpose in {"retargeting", "winback"} else ()

    def kinds_of(self, destination: DestinationSettings) -> list[IdentifierKind]:
        """The identifiers that a destination is sent."""
        wanted = destination.identifiers or list(destination.capabilities.fields)
        return [kind for kind in wanted if kind in self.kinds]

    @property
    def kinds(self) -> list[IdentifierKind]:
        """All identifiers that the source has."""
        return [*self.identity, *(["address"] if self.address else [])]  # type: ignore[list-item]
