"""Some rows of a sync instead of all: those that drifted, that were refused, that somebody named."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_cio.warehouse import statements as sql


@dataclass(frozen=True)
class Selection:
    """A run with a selection plans, sends and commits these rows only, and measures no guards.

    `condition` is SQL over `row_key`, `identifier` and `occurred_at`; with `resend` rows that did not change
    are sent too; with `any_age` the look-back of an event sync does not count; without `hold` young events are
    sent on purpose.
    """

    condition: str
    resend: bool = False
    any_age: bool = False
    hold: bool = True


def of_key_hashes(query: str, *, resend: bool = False) -> Selection:
    """Rows whose hashed key a query returns, however old."""
    return Selection(f"{sql.key_hash('row_key')} IN ({query})", resend=resend, any_age=True)


def of_identifiers(values: list[str], column: str) -> Selection:
    """Rows of these people, whether they changed or not. `column`: `row_key` of people, `identifier` of events."""
    return Selection(f"{column} IN ({', '.join(map(sql.literal, values))})", resend=True, hold=False)
