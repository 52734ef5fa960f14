"""`dags/models.yaml`: a team's tables and columns, its clock, currencies, windows and definitions."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from airflow_provider_cio.core.contract import Model, TimeZone
from airflow_provider_cio.core.contract_files import parse
from airflow_provider_cio.core.models.sources import SOURCES
from airflow_provider_cio.core.yaml_lines import read
from airflow_provider_cio.exceptions import ContractError

Name = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]*$", max_length=100)]
Relation = Annotated[str, Field(pattern=r"^[A-Za-z_][\w$]*\.[A-Za-z_][\w$]*$")]
ColumnName = Annotated[str, Field(pattern=r"^[A-Za-z_][\w$ ]*$")]
Days = Annotated[int, Field(ge=1, le=3650)]
Share = Annotated[float, Field(gt=0, le=1)]


class Business(Model):
    """The clock by which days are counted, and the currency in which values are told."""

    time_zone: TimeZone = "UTC"
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    rates: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)


class Schemas(Model):
    """Where staging and intermediate models, marts, and the tables behind them are."""

    staging: Name = "cio_staging"
    marts: Name = "cio_marts"
    build: Name = "cio_build"


class SourceMapping(Model):
    """A table of the team, and which of its columns is which; `time_zone` is that of its TIMESTAMP columns."""

    table: Relation
    columns: dict[str, ColumnName]
    time_zone: TimeZone | None = None


class CartTier(Model):
    """Hours since the cart was changed: from (included) until (excluded)."""

    name: Name
    from_hours: int = Field(ge=0)
    until_hours: int = Field(gt=0)


class Windows(Model):
    """Days on the business's calendar, counted back from `as_of`; hours are exact."""

    recent_purchase_days: Days = 7
    lapsed_days: Days = 90
    inactive_days: Days = 60
    intent_days: Days = 7
    refunded_days: Days = 30
    support_days: Days = 14
    due_soon_days: Days = 7
    overdue_days: Days = 30
    recently_messaged_days: Days = 7
    sms_fatigue_days: Days = 30
    attribution_days: Days = 7
    lift_days: Days = 30
    journey_days: Days = 7
    cart_tiers: tuple[CartTier, ...] = (
        CartTier(name="hours_1_to_4", from_hours=1, until_hours=4),
        CartTier(name="hours_4_to_24", from_hours=4, until_hours=24),
        CartTier(name="days_1_to_3", from_hours=24, until_hours=72),
    )


class Thresholds(Model):
    """Where a number becomes a yes."""

    reactivation_min_orders: int = Field(2, ge=1)
    high_average_order_value: float = Field(60, gt=0)
    high_return_rate: Share = 0.3
    high_return_min_orders: int = Field(3, ge=1)
    discount_abuser_share: Share = 0.8
    discount_abuser_min_orders: int = Field(3, ge=1)
    discount_not_needed_share: Share = 0.2
    support_tickets: int = Field(1, ge=1)
    intent_product_views: int = Field(3, ge=1)
    high_margin: Share = 0.7
    low_margin: Share = 0.4
    sms_fatigue_messages: int = Field(3, ge=1)


class Replenishment(Model):
    """How the cycle of a product is learned: the median gap, once there are enough gaps."""

    min_gaps: int = Field(5, ge=1)
    fallback_days: Days = 60
    never_categories: tuple[str, ...] = ()


class SecondPurchase(Model):
    """The push after a first order of these categories."""

    categories: tuple[str, ...]
    never_categories: tuple[str, ...] = ()
    after_days: Days = 10
    for_days: Days = 7


class VipDefinition(Model):
    """Tiers by lifetime value from a day on; the last one that has begun holds."""

    version: str = Field(min_length=1, max_length=32)
    since: date
    change: str = Field(min_length=1)
    tiers: dict[Name, float]


class Models(Model):
    """The whole file."""

    business: Business
    sources: dict[str, SourceMapping]
    vip: list[VipDefinition] = Field(min_length=1)
    second_purchase: SecondPurchase | None = None
    schemas: Schemas = Schemas()
    windows: Windows = Windows()
    thresholds: Thresholds = Thresholds()
    replenishment: Replenishment = Replenishment()
    lookback_days: Days = 30
    grants: tuple[Annotated[str, Field(pattern=r"^((GROUP|ROLE) )?[A-Za-z_][\w$]*$")], ...] = ()

    @field_validator("vip")
    @classmethod
    def _in_order(cls, value: list[VipDefinition]) -> list[VipDefinition]:
        versions = [definition.version for definition in value]
        if len(set(versions)) < len(versions):
            raise ValueError("two definitions have the same version")
        if [d.since for d in value] != sorted({d.since for d in value}):
            raise ValueError("definitions stand in the order of their days, one a day")
        return value

    def vip_at(self, as_of: datetime) -> VipDefinition:
        """The definition that holds on the business's day of `as_of` (UTC); the first one before all of them."""
        day = as_of.astimezone(ZoneInfo(self.business.time_zone)).date()
        begun = [definition for definition in self.vip if definition.since <= day]
        return begun[-1] if begun else self.vip[0]


def load_models(path: Path) -> Models:
    """Read `models.yaml`.

    :raises ContractError: one line for each mistake: 'dags/models.yaml:12: sources.orders: ...'.
    """
    document = read(path)
    models = parse(document, Models)
    mistakes = []
    for location, message, next_step in _mapping_mistakes(document.data["sources"]):
        mistakes.append(document.mistake(location, message, next_step))
    if mistakes:
        raise ContractError.at(*sorted(mistakes, key=lambda mistake: mistake.line))
    return models


def _mapping_mistakes(sources: dict[str, Any]) -> list[tuple[tuple[str, ...], str, str]]:
    found: list[tuple[tuple[str, ...], str, str]] = []
    for name, table in SOURCES.items():
        if name in sources:
            needed = [column for column, spec in table.columns.items() if not spec.lost]
            missing = [column for column in needed if column not in sources[name]["columns"]]
            if missing:
                at = ("sources", name, "columns")
                found.append((at, f"needs {', '.join(missing)}", "say which column of the table each is"))
            unknown = sorted(sources[name]["columns"].keys() - table.columns.keys())
            found += [
                (
                    ("sources", name, "columns", column),
                    f"the models read no column '{column}' of {name}",
                    f"use one of {', '.join(table.columns)}, or remove the line",
                )
                for column in unknown
            ]
        elif not table.lost:
            found.append((("sources",), f"{name} is needed", f"map your table of {table.meaning.lower()}"))
    for name in sorted(sources.keys() - SOURCES.keys()):
        found.append((("sources", name), f"the models read no '{name}'", f"use one of {', '.join(SOURCES)}"))
    return found
