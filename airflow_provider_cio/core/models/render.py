"""From the template of a model to the SELECT that Redshift runs. All time comes from one `as_of`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, StrictUndefined, TemplateError

from airflow_provider_cio.core.columns import Family
from airflow_provider_cio.core.models.settings import Models, SourceMapping
from airflow_provider_cio.core.models.source_shape import SQL_TYPES, SourceColumn
from airflow_provider_cio.core.models.sources import SOURCES
from airflow_provider_cio.exceptions import ContractError

_ENVIRONMENT = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - SQL, not HTML


@dataclass(frozen=True)
class Rendering:
    """What a template may ask for.

    :param as_of: the moment of the build, aware; nothing at or after it is seen.
    :param relation: where the model of a name is in this build.
    :param families: of the columns that are there, by (source, column). None, before a warehouse was asked: all of this
        provider's own are there, and moments are TIMESTAMP.
    :param incremental: the public table of a model, when its rows before `since` may be kept.
    """

    models: Models
    as_of: datetime
    relation: Callable[[str], str]
    families: Mapping[tuple[str, str], Family] | None = None
    since: datetime | None = None
    incremental: Callable[[str], str | None] = lambda _: None

    def render(self, name: str, text: str) -> str:
        """The SQL of a model, or of a check.

        :raises ContractError: the template asks for something that is not there.
        """
        try:
            return _ENVIRONMENT.from_string(text).render(self._names(name)).strip().rstrip(";")
        except TemplateError as error:
            raise ContractError(
                f"model {name}: line {getattr(error, 'lineno', '?')}: {error.message}.",
                next_step="see docs/how-to/add-a-mart.md for what a template may use",
            ) from error

    def _names(self, name: str) -> dict[str, Any]:
        models = self.models
        return {
            "as_of": literal(self.as_of),
            "since": literal(self.since or self.as_of),
            "today": f"CAST('{self._local(self.as_of).date()}' AS DATE)",
            "ref": self.relation,
            "source": self.source,
            "has": lambda source: self.mapping(source) is not None,
            "incremental": self.incremental(name),
            "days_before": lambda days: literal(self.days_before(days)),
            "days_after": lambda days: literal(self.days_before(-days)),
            "hours_before": lambda hours: literal(self.as_of - timedelta(hours=hours)),
            "local_date": self.local_date,
            "days_later": self.days_later,
            "start_of": self.start_of,
            "text": text,
            "converted": self.converted,
            "rates": models.business.rates,
            "currency": models.business.currency,
            "windows": models.windows,
            "thresholds": models.thresholds,
            "replenishment": models.replenishment,
            "second_purchase": models.second_purchase,
            "vip": models.vip_at(self.as_of),
            "vip_definitions": models.vip,
        }

    def days_before(self, days: int) -> datetime:
        """The same time on the business's clock, this many days earlier: 23 or 25 hours where clocks change."""
        return (self._local(self.as_of) - timedelta(days=days)).astimezone(UTC)

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.models.business.time_zone))

    def local_date(self, moment: str) -> str:
        """The day of a moment (UTC) on the business's calendar."""
        zone = self.models.business.time_zone
        return f"CAST(CONVERT_TIMEZONE('UTC', '{zone}', {moment}) AS DATE)"

    def days_later(self, moment: str, days: int) -> str:
        """The same time on the business's clock, this many days after a moment (UTC), or before it."""
        zone = self.models.business.time_zone
        local = f"CONVERT_TIMEZONE('UTC', '{zone}', {moment})"
        return f"CONVERT_TIMEZONE('{zone}', 'UTC', DATEADD(day, {days}, {local}))"

    def start_of(self, day: date) -> str:
        """The moment at which a day begins on the business's calendar, in UTC."""
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.models.business.time_zone))
        return literal(midnight)

    def converted(self, amount: str, currency: str) -> str:
        """An amount in the currency of the business; NULL where there is no rate."""
        own, rates = self.models.business.currency, self.models.business.rates
        if not rates:
            return f"CASE WHEN COALESCE({currency}, '{own}') = '{own}' THEN {amount} END"
        cases = "".join(f" WHEN {text(code)} THEN {amount} * {rate}" for code, rate in rates.items())
        return f"CASE COALESCE({currency}, '{own}') WHEN '{own}' THEN {amount}{cases} END"

    def mapping(self, name: str) -> SourceMapping | None:
        """Where a source is: where models.yaml says, else where this provider keeps it, as far as it is there."""
        table = SOURCES[name]
        if name in self.models.sources or not table.ours:
            return self.models.sources.get(name)
        there = {
            column: column
            for column in table.columns
            if self.families is None or (name, column) in self.families
        }
        return SourceMapping(table=table.ours, columns=there, time_zone="UTC") if there else None

    def source(self, name: str) -> str:
        """A source in the shape of :data:`SOURCES`, as a subquery; without rows where there is none."""
        table, mapping = SOURCES[name], self.mapping(name)
        if mapping is None:
            nothing = (f"CAST(NULL AS {SQL_TYPES[spec.kind]}) AS {c}" for c, spec in table.columns.items())
            return f"(SELECT {', '.join(nothing)} WHERE FALSE)"
        columns = {
            column: self._column(name, column, spec, mapping) for column, spec in table.columns.items()
        }
        selected = ", ".join(f"{value} AS {column}" for column, value in columns.items())
        query = f"SELECT {selected} FROM {_quoted(mapping.table)}"
        if table.moment is None or table.moment not in mapping.columns:
            return f"({query})"
        moment = columns[table.moment]
        return f"({query} WHERE {moment} < {literal(self.as_of)} OR {moment} IS NULL)"

    def _column(self, source: str, column: str, spec: SourceColumn, mapping: SourceMapping) -> str:
        kind, theirs = SQL_TYPES[spec.kind], mapping.columns.get(column)
        if theirs is None:
            return f"CAST(NULL AS {kind})"
        name = f'"{theirs.lower()}"'
        if spec.kind == "truth":
            return name
        if spec.kind != "moment":
            return f"CAST({name} AS {kind})"
        family = (self.families or {}).get((source, column), "timestamp")
        if family == "timestamptz":
            return f"({name} AT TIME ZONE 'UTC')"
        moment = f"CAST({name} AS TIMESTAMP)" if family == "date" else name
        zone = mapping.time_zone or self.models.business.time_zone
        return moment if zone == "UTC" else f"CONVERT_TIMEZONE('{zone}', 'UTC', {moment})"


def literal(moment: datetime) -> str:
    """A moment as TIMESTAMP in UTC."""
    naive = moment.astimezone(UTC).replace(tzinfo=None)
    return f"CAST('{naive.isoformat(sep=' ')}' AS TIMESTAMP)"


def text(value: str) -> str:
    """A text of the settings, quoted."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


def _quoted(relation: str) -> str:
    return ".".join(f'"{part}"' for part in relation.lower().split("."))
