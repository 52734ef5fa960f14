"""Some rows of a sync instead of all: those that drifted, that were refused, that somebody named."""

from __future__ import annotations

from dataclasses import dataclass

from airflow_provider_cio.core.contract import Identifier, Sync
from airflow_provider_cio.core.identity import canonical
from airflow_provider_cio.exceptions import ContractError
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


def of_cohort(sync: Sync, file: str) -> Selection:
    """Rows of the people in `cohort`, whether they changed or not. `file` is named in messages.

    :raises ContractError: there is no cohort, or a row is not about a person.
    """
    if not sync.cohort:
        raise ContractError(
            f"{file}: there is no cohort.", next_step="name some people of your own: `cohort: [C1, C2]`."
        )
    if sync.kind not in {"people", "events"}:
        raise ContractError(
            f"{file}: cohort: rows of kind {sync.kind} are not chosen by person.", next_step="leave it out."
        )
    known = [who for each in sync.cohort for who in meant(sync, each)]
    people = sync.kind == "people"
    keys = {f"{who}\x1f{by}" for who, by in known if people and by != sync.identifier}
    return of_identifiers(sorted(keys.union(who for who, _ in known)), "row_key" if people else "identifier")


def meant(sync: Sync, text: str) -> list[tuple[str, Identifier]]:
    """Whom a line of the cohort may mean, by each identifier of the sync."""
    return [(who, by) for by in sync.identifiers if (who := canonical(text, by))]
