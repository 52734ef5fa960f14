"""What the columns of a query's sources are, as far as it can be known."""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from airflow_provider_cio.sandbox.redshift.rewrite.names import quoted
from airflow_provider_cio.sandbox.redshift.rewrite.refusal import SqlRefused
from airflow_provider_cio.sandbox.redshift.rewrite.result import Catalog

SUPER = "jsonb"
_SUPER_FUNCTIONS = {"JSON_PARSE", "OBJECT", "ARRAY", "RS.SUPER_AT", "SPLIT_TO_ARRAY", "ARRAY_CONCAT"}


class Sources:
    """Columns by the scope or table that gives them; None where they are unknown."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._tables: dict[str, dict[str, str] | None] = {}
        self._scopes: dict[int, dict[str, str] | None] = {}

    def of(self, scope: Scope) -> dict[str, dict[str, str] | None]:
        """Alias to column to type, of every source of a SELECT."""
        known: dict[str, dict[str, str] | None] = {}
        for alias, source in scope.sources.items():
            if isinstance(source, exp.Table):
                known[alias.lower()] = self._table(source)
            elif isinstance(source, Scope):
                known[alias.lower()] = self._scopes.get(id(source.expression))
        for unnested in (
            scope.expression.find_all(exp.Unnest) if isinstance(scope.expression, exp.Select) else ()
        ):
            columns = unnested.alias_column_names
            if columns and unnested.parent_select is scope.expression:
                known[columns[0].lower()] = {columns[0].lower(): SUPER}
        return known

    def learn(self, scope: Scope) -> None:
        """Remember what a finished SELECT gives to the one around it."""
        expression = scope.expression
        self._scopes[id(expression)] = (
            self._given(scope, expression) if isinstance(expression, exp.Select) else None
        )

    def _given(self, scope: Scope, select: exp.Select) -> dict[str, str] | None:
        around = self.of(scope)
        given: dict[str, str] = {}
        for projection in select.selects:
            if projection.is_star:
                for columns in around.values():
                    if columns is None:
                        return None
                    given |= columns
                continue
            given[projection.alias_or_name.lower()] = _type(projection.unalias(), around)
        return given

    def _table(self, table: exp.Table) -> dict[str, str] | None:
        name = ".".join(quoted(part.name.lower()) for part in table.parts)
        if name not in self._tables:
            found = self._catalog.columns(name)
            self._tables[name] = None if found is None else dict(found)
        return self._tables[name]

    def name_columns(self, select: exp.Select) -> None:
        """Write the columns for ``*``, so that QUALIFY adds none.

        :raises SqlRefused: they are not known.
        """
        named: list[exp.Expr] = []
        for projection in select.expressions:
            if not projection.is_star:
                named.append(projection)
                continue
            named += self._starred(select, projection)
        select.set("expressions", named)

    def _starred(self, select: exp.Select, star: exp.Expr) -> list[exp.Expr]:
        relations = [select.args["from_"].this, *(j.this for j in select.args.get("joins") or ())]
        wanted = star.args.get("table")
        made: list[exp.Expr] = []
        for relation in relations:
            if wanted is not None and relation.alias_or_name.lower() != wanted.name.lower():
                continue
            columns = (
                self._table(relation)
                if isinstance(relation, exp.Table)
                else self._scopes.get(id(relation.this))
            )
            if columns is None:
                raise SqlRefused(
                    "QUALIFY: the columns of * are not known here. Next step: name them", "0A000"
                )
            made += [exp.column(name, table=relation.alias_or_name) for name in columns]
        return made


def _type(expression: exp.Expr, around: dict[str, dict[str, str] | None]) -> str:
    if isinstance(expression, exp.Anonymous) and expression.name.upper() in _SUPER_FUNCTIONS:
        return SUPER
    if isinstance(expression, exp.Cast) and expression.to.sql().upper() == "SUPER":
        return SUPER
    if isinstance(expression, exp.Column):
        for alias, columns in around.items():
            if columns and expression.table.lower() in {"", alias} and expression.name.lower() in columns:
                return columns[expression.name.lower()]
    return ""
