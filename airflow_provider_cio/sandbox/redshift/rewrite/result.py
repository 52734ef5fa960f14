"""What a rewritten statement is to the server, and what the rewriter asks of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from airflow_provider_cio.sandbox.redshift.rewrite.bulk_statements import CopyStatement, UnloadStatement


@dataclass(frozen=True)
class Rewritten:
    """One statement for PostgreSQL. ``before`` and ``after`` run on the same session and take no parameters."""

    sql: str
    prepare: tuple[str, ...] = ()
    """What PostgreSQL needs to parse it: late views put up."""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    writes: str | None = None
    """The table that INSERT, UPDATE, DELETE or MERGE writes: Redshift locks it as a whole."""
    commits: bool = False
    """TRUNCATE and ALTER TABLE APPEND commit the open transaction."""
    command_tag: str | None = None
    copy: CopyStatement | None = None
    unload: UnloadStatement | None = None


class Catalog(Protocol):
    """The relations that the client's session sees."""

    def columns(self, relation: str) -> list[tuple[str, str]] | None:
        """``(name, type)`` of each column as PostgreSQL's ``format_type`` writes it; None: no such relation."""
        ...
