"""The tables of audiences."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_cio.warehouse import state
from airflow_provider_cio.warehouse import statements as sql
from airflow_provider_cio.warehouse.session import Session, Warehouse
from airflow_provider_cio.warehouse.shipped import render_sql

SHARED = ("audience_members", "audience_uploads", "match_rates", "holdout_assignments")


@dataclass(frozen=True)
class Books:
    """The tables of one plan, quoted."""

    members: str
    uploads: str
    rates: str
    holdouts: str
    desired: str
    changes: str

    @classmethod
    def of(cls, schema: str, audience: str, plan_id: str) -> Books:
        """Of a plan of an audience."""
        shared = [state.table(schema, name) for name in SHARED]
        own = [
            state.table(schema, f"audience_{kind}__{audience}__{plan_id.lower()}")
            for kind in ("desired", "changes")
        ]
        return cls(*shared, *own)


def ensure_tables(warehouse: Warehouse) -> None:
    """Create what is missing."""
    state.ensure_tables(warehouse)

    def create(session: Session) -> None:
        for name in SHARED:
            session.run(render_sql(f"ddl/{name}.sql", schema=sql.identifier(warehouse.schema)))

    names = ", ".join(sql.literal(name) for name in SHARED)
    found = warehouse.fetch(
        "SELECT COUNT(*) FROM information_schema.tables "
        f"WHERE table_schema = {sql.literal(warehouse.schema)} AND table_name IN ({names})"
    )
    if int(found[0][0]) < len(SHARED):
        warehouse.transaction(create)


def moment(text: str) -> str:
    """A TIMESTAMP in UTC from `YYYY-MM-DD HH:MM:SS`."""
    return f"CAST({sql.literal(text)} AS TIMESTAMP)"
