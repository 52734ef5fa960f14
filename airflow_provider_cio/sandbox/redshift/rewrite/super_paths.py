"""SUPER navigation (``a.b[0].c``), arrays in FROM (``FROM t, t.items AS i``) and objects (``UNPIVOT t.a AS v AT k``).

All of it where a column is known to be SUPER.

PartiQL's lax way: a step that leads nowhere is NULL. A value meets a literal or a cast as the scalar in it.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.scope import Scope

from airflow_provider_cio.sandbox.redshift.rewrite.sources import SUPER, Sources

_COMPARED = (
    exp.EQ,
    exp.NEQ,
    exp.GT,
    exp.GTE,
    exp.LT,
    exp.LTE,
    exp.Like,
    exp.ILike,
    exp.In,
    exp.Between,
    exp.Is,
)
Known = dict[str, dict[str, str] | None]
Steps = list[exp.Expr]


def navigate(scope: Scope, sources: Sources) -> bool:
    """Rewrite every navigation of a SELECT; whether there was any."""
    select = scope.expression
    if not isinstance(select, exp.Select):
        return False
    known = sources.of(scope)
    if not any(columns and SUPER in columns.values() for columns in known.values()):
        return False
    changed = _unnest(select)
    for column in list(select.find_all(exp.Column)):
        if column.parent_select is select:
            changed |= _column(column, known)
    return changed


def _unnest(select: exp.Select) -> bool:
    changed = False
    for pivot in list(select.find_all(exp.Pivot)):
        if pivot.parent_select is select and isinstance(pivot.this, exp.AtIndex):
            value, name = pivot.this.this, pivot.this.expression
            call = exp.Anonymous(this="rs.members", expressions=[value.this])
            columns = [exp.to_identifier(name.name), exp.to_identifier(value.alias)]
            table = exp.TableAlias(this=exp.to_identifier(f"members_of_{value.alias}"), columns=columns)
            pivot.replace(exp.Table(this=call, alias=table))
            changed = True
    for unnested in list(select.find_all(exp.Unnest)):
        if unnested.parent_select is not select:
            continue
        name = unnested.alias_column_names[0]
        call = exp.Anonymous(this="rs.elements", expressions=unnested.expressions)
        alias = exp.TableAlias(this=exp.to_identifier(name), columns=[exp.to_identifier(name)])
        unnested.replace(exp.Table(this=call, alias=alias))
        changed = True
    return changed


def _column(column: exp.Column, known: Known) -> bool:
    base, names = _base(column, known)
    if base is None:
        return False
    steps: Steps = [exp.Literal.string(name) for name in names]
    top: exp.Expr = column
    while isinstance(top.parent, exp.Dot | exp.Bracket) and top.parent.this is top:
        top = top.parent
        if isinstance(top, exp.Dot):
            steps.append(exp.Literal.string(top.expression.name.lower()))
        else:
            steps += [_step(index) for index in top.expressions]
    made: exp.Expr = base
    for step in steps:
        made = exp.Anonymous(this="rs.super_at", expressions=[made, step])
    wrapped = _wrapped(made, top)
    if not steps and wrapped is made:
        return False
    if steps and isinstance(top.parent, exp.Select) and top.arg_key == "expressions" and steps[-1].is_string:
        wrapped = exp.alias_(wrapped, steps[-1].name)
    top.replace(wrapped)
    return True


def _step(index: exp.Expr) -> exp.Expr:
    return exp.Literal.string(index.name.lower()) if index.is_string else index.copy()


def _base(column: exp.Column, known: Known) -> tuple[exp.Column | None, list[str]]:
    """The SUPER column that a dotted name begins with, and the steps after it."""
    parts = [part.name.lower() for part in column.parts]
    columns = known.get(parts[0])
    if columns and len(parts) > 1 and columns.get(parts[1]) == SUPER:
        return exp.column(parts[1], table=parts[0]), parts[2:]
    for columns in known.values():
        if columns and columns.get(parts[0]) == SUPER:
            return exp.column(parts[0]), parts[1:]
    return None, []


def _wrapped(value: exp.Expr, top: exp.Expr) -> exp.Expr:
    """The value as what stands around it needs it."""
    parent = top.parent
    if isinstance(parent, exp.Cast) and parent.to.sql().upper() != "SUPER":
        return _text(value)
    if not isinstance(parent, _COMPARED):
        return value
    others = [other for other in parent.iter_expressions() if other is not top]
    if any(isinstance(other, exp.Null) or other.is_string for other in others):
        return _text(value)
    if any(other.is_number for other in others):
        return exp.cast(_text(value), exp.DataType.build("decimal(38, 10)"))
    if any(isinstance(other, exp.Boolean) for other in others):
        return exp.cast(_text(value), exp.DataType.build("boolean"))
    return value


def _text(value: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this="rs.super_text", expressions=[value])
