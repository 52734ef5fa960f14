"""A sync in words, for the Dag's page in the Airflow UI."""

from __future__ import annotations

from airflow_provider_cio.core.contract import FieldMapping, Sync


def describe(sync: Sync) -> str:
    """Markdown: what is sent, whose it is, what is promised."""
    what = f"event *{sync.event}*" if sync.event else sync.kind
    lines = [
        sync.description,
        "",
        f"- **Owner**: {sync.owner}",
        f"- **Source**: `{sync.source or sync.sql}`, as {what}, identified by {', else '.join(sync.identifiers)}",
    ]
    if sync.deadline is not None:
        lines.append(f"- **Promise**: delivered within {sync.deadline.within} of the moment the run was due")
    if sync.after is not None:
        lines.append(f"- **Runs after**: {sync.after}")
    if sync.exit_policy != "keep":
        lines.append(f"- **Rows that leave**: {sync.exit_policy}")
    lines += ["", "| value | from |", "|---|---|"] if sync.values else []
    lines += [f"| {key} | `{_origin(field)}` |" for key, field in sync.values.items()]
    return "\n".join(lines)


def _origin(field: FieldMapping) -> str:
    return (field.column or field.expression or "").replace("|", "\\|")
