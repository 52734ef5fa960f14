"""``SELECT a + 1 AS b, b * 2 AS c``: Redshift lets a SELECT list use its own earlier aliases; a column goes first."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from airflow_provider_cio.sandbox.redshift.rewrite.sources import Sources


def expand(scope: Scope, sources: Sources) -> bool:
    """Write the aliased expression in the alias's place; whether there was any."""
    select = scope.expression
    if not isinstance(select, exp.Select):
        return False
    columns: dict[str, str] = {}
    for known in sources.of(scope).values():
        if known is None:
            return False
        columns |= known
    earlier: dict[str, exp.Expr] = {}
    changed = False
    for projection in select.selects:
        for column in list(projection.find_all(exp.Column)):
            name = column.name.lower()
            if column.table or name in columns or name not in earlier or column.parent_select is not select:
                continue
            column.replace(exp.paren(earlier[name].copy()))
            changed = True
        if isinstance(projection, exp.Alias):
            earlier[projection.alias.lower()] = projection.this
    return changed
