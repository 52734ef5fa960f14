"""Who is eligible: one SELECT over the source, less the suppressed, within the window, with consent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from airflow_provider_cio.core.audience.definition import Audience
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.audience.tables import moment

STAGE = "cio_audience_stage"
_TEXT = "VARCHAR(512)"


def context_columns(audience: Audience) -> list[str]:
    """Columns that some destination is sent as context."""
    return sorted({name for each in audience.destinations.values() for name in each.context})


def stage(
    audience: Audience,
    relation: str,
    suppressions: Mapping[str, tuple[Audience, str]],
    now: str,
) -> str:
    """The eligible members as a temporary table: member, stratum, entered_at, i_<kind>, region, c_<position>.

    :param suppressions: by name, the audience and its relation.
    """
    joins, conditions = [], ["m.member IS NOT NULL"]
    for number, (other, its_relation) in enumerate(suppressions.values()):
        other = other.model_copy(
            update={"consent": []}
        )  # which is asked of who is sent, not of who is left out
        shared = [kind for kind in ("email", "phone") if kind in audience.identity and kind in other.identity]
        for column in ("member", *(f"s_{kind}" for kind in shared)):
            alias = f"x{number}_{column}"
            joins.append(
                f"LEFT JOIN (SELECT DISTINCT {column} FROM ({_selected(other, its_relation, now)}) AS s "
                f"WHERE {column} IS NOT NULL) AS {alias} ON {alias}.{column} = m.{column}"
            )
            conditions.append(f"{alias}.{column} IS NULL")
    if audience.cohort:
        names = ", ".join(sql.literal(each) for each in audience.cohort)
        conditions.append(f"m.member IN ({names})")
    return (
        f"CREATE TEMPORARY TABLE {STAGE} AS SELECT m.* FROM ({_selected(audience, relation, now)}) AS m "
        f"{' '.join(joins)} WHERE {' AND '.join(conditions)}"
    )


def _selected(audience: Audience, relation: str, now: str) -> str:
    """The audience's own members; `s_<kind>` are forms for comparing people of two sources."""
    columns = [f"{_text(audience.member)} AS member"]
    stratum = audience.holdout.stratify_by if audience.holdout else None
    columns.append(f"COALESCE({_text(stratum)}, '')" if stratum else "CAST('' AS VARCHAR(256))")
    columns[-1] += " AS stratum"
    entered = sql.identifier(audience.entered_at) if audience.entered_at else "NULL"
    columns.append(f"CAST({entered} AS TIMESTAMP) AS entered_at")
    for kind, column in audience.identity.items():
        columns.append(f"CAST({sql.identifier(column)} AS {_TEXT}) AS i_{kind}")
        columns += [f"{form} AS s_{kind}" for form in _comparable(kind, column)]
    if audience.address is not None:
        parts = " || CHR(31) || ".join(_text(column) for column in audience.address.columns)
        columns.append(f"CAST({parts} AS VARCHAR(2100)) AS i_address")  # null where a part is
    region = audience.region_column
    columns.append(f"{_text(region) if region else 'CAST(NULL AS VARCHAR(8))'} AS region")
    for position, name in enumerate(context_columns(audience)):
        columns.append(f"CAST({sql.identifier(name)} AS VARCHAR(1000)) AS c_{position}")
    where = list(_conditions(audience, now))
    return f"SELECT {', '.join(columns)} FROM {relation} AS source" + (
        f" WHERE {' AND '.join(where)}" if where else ""
    )


def _comparable(kind: str, column: str) -> Iterator[str]:
    text = f"CAST({sql.identifier(column)} AS {_TEXT})"
    if kind == "email":
        yield f"NULLIF(LOWER(BTRIM({text})), '')"
    elif (
        kind == "phone"
    ):  # nine digits, with or without a country code: to leave out one too many is the safe side
        yield f"NULLIF(RIGHT(REGEXP_REPLACE({text}, '[^0-9]', ''), 9), '')"


def _conditions(audience: Audience, now: str) -> Iterator[str]:
    if audience.where is not None:
        yield f"({audience.where})"
    for column in audience.consent:
        yield f"{sql.identifier(column)} IS TRUE"
    if audience.entered_at is not None:
        entered = f"CAST({sql.identifier(audience.entered_at)} AS TIMESTAMP)"
        age_at_least = max(audience.from_age or timedelta(), audience.settle or timedelta())
        yield f"{entered} <= {_before(now, age_at_least)}"
        if audience.member_for is not None:
            yield f"{entered} > {_before(now, audience.member_for)}"


def _before(now: str, age: timedelta) -> str:
    return f"DATEADD(second, -{int(age.total_seconds())}, {moment(now)})"


def _text(column: str | None) -> str:
    return f"NULLIF(BTRIM(CAST({sql.identifier(column or '')} AS {_TEXT})), '')"


def duplicates() -> str:
    """Members that occur more than once."""
    return f"SELECT COUNT(*) FROM (SELECT member FROM {STAGE} GROUP BY member HAVING COUNT(*) > 1) AS twice"


def counts(holdouts: str, experiment: str | None) -> str:
    """``(members to send, members held out)``."""
    held = _held(experiment)
    return (
        f"SELECT COALESCE(SUM(CASE WHEN {held} IS NULL THEN 1 ELSE 0 END), 0), "
        f"COALESCE(SUM(CASE WHEN {held} IS NULL THEN 0 ELSE 1 END), 0) "
        f"FROM {STAGE} AS m{_held_join(holdouts, experiment)}"
    )


def unload(audience: Audience, holdouts: str, uri: str, role: str) -> str:
    """The members who are not held out, with their raw identifiers, as Parquet."""
    experiment = audience.holdout.experiment if audience.holdout else None
    columns = ["m.member", "m.entered_at", *(f"m.i_{kind}" for kind in audience.kinds), "m.region"]
    columns += [f"m.c_{position}" for position in range(len(context_columns(audience)))]
    query = (
        f"SELECT {', '.join(columns)} FROM {STAGE} AS m{_held_join(holdouts, experiment)} "
        f"WHERE {_held(experiment)} IS NULL"
    )
    return f"UNLOAD ({sql.literal(query)}) TO {sql.literal(uri)} IAM_ROLE {role} FORMAT AS PARQUET MANIFEST"


def _held(experiment: str | None) -> str:
    return "h.member" if experiment else "CAST(NULL AS VARCHAR(1))"


def _held_join(holdouts: str, experiment: str | None) -> str:
    if experiment is None:
        return ""
    return (
        f" LEFT JOIN (SELECT member FROM {holdouts} WHERE experiment = {sql.literal(experiment)} AND held_out) AS h "
        "ON h.member = m.member"
    )
