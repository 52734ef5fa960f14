"""Propose which of a schema's tables and columns are the sources of `models.yaml`, by name and type."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import SequenceMatcher

from airflow_provider_cio.core.columns import Family
from airflow_provider_cio.core.models.source_shape import ACCEPTED, SourceColumn
from airflow_provider_cio.core.models.sources import SOURCES

Table = Mapping[str, Family | None]
"""Family by column; None for a type that no model reads."""

_TABLES: Mapping[str, tuple[str, ...]] = {
    "customers": ("customer", "users", "accounts", "people"),
    "email_changes": ("email_history", "customer_emails"),
    "products": ("product", "items", "catalogue", "variants"),
    "orders": ("order", "sales", "sales_orders"),
    "order_lines": ("order_items", "line_items", "order_line_items", "sales_lines"),
    "discounts": ("order_discounts", "discount_codes", "coupons"),
    "payments": ("transactions", "charges"),
    "refunds": ("order_refunds", "credits"),
    "returns": ("exchanges", "return_items"),
    "chargebacks": ("disputes",),
    "carts": ("cart_items", "baskets"),
    "checkouts": ("abandoned_checkouts",),
    "sessions": ("visits", "web_sessions"),
    "product_views": ("page_views", "views", "browse_events"),
    "stock_requests": ("back_in_stock", "stock_alerts"),
    "subscriptions": ("subscription", "contracts"),
    "tickets": ("support_tickets", "cases", "conversations"),
}
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "customer_id": ("customer", "user_id", "account_id", "customer_number"),
    "email": ("email_address", "customer_email"),
    "first_name": ("given_name",),
    "last_name": ("family_name", "surname"),
    "country": ("country_code",),
    "created_at": ("registered_at", "signup_at", "created"),
    "accepts_marketing": ("marketing_consent", "email_opt_in", "subscribed"),
    "old_email": ("previous_email",),
    "changed_at": ("updated_at", "created_at"),
    "sku": ("product_id", "variant_id", "item_id", "stock_code"),
    "name": ("title", "product_name", "description"),
    "category": ("product_type", "department"),
    "unit_cost": ("cost", "cost_price", "cogs"),
    "order_id": ("order_number", "invoice", "order"),
    "ordered_at": ("order_date", "placed_at", "processed_at", "created_at", "purchased_at"),
    "currency": ("currency_code",),
    "discount": ("discount_amount", "total_discounts"),
    "total": ("total_price", "order_total", "amount", "total_amount", "grand_total"),
    "line_number": ("line", "line_id", "position", "id"),
    "quantity": ("qty", "units"),
    "unit_price": ("price", "item_price"),
    "code": ("coupon_code", "discount_code"),
    "amount": ("value", "refund_amount", "total"),
    "status": ("state",),
    "paid_at": ("processed_at", "created_at"),
    "reason": ("note",),
    "refunded_at": ("refund_date", "created_at"),
    "returned_at": ("return_date", "created_at"),
    "is_exchange": ("exchange",),
    "received_at": ("created_at", "disputed_at"),
    "updated_at": ("modified_at", "created_at"),
    "started_at": ("created_at", "start_date", "session_start"),
    "ended_at": ("cancelled_at", "end_date"),
    "viewed_at": ("created_at", "occurred_at"),
    "requested_at": ("created_at",),
    "opened_at": ("created_at",),
    "topic": ("subject", "category"),
}


def propose(schema: str, tables: Mapping[str, Table]) -> str:
    """The part `sources` of a models.yaml, with a comment for what was not found and what that costs."""
    lines = ["sources:"]
    free = dict(tables)
    for name, source in ((name, source) for name, source in SOURCES.items() if not source.ours):
        found = _best(name, _TABLES[name], list(free))
        chosen = None if found is None else _columns(name, source.columns, free[found])
        if found is None or chosen is None:
            cost = f"without it: {source.lost}" if source.lost else "it is needed"
            lines.append(f"  # {name}: no table found; {cost}")
            continue
        del free[found]
        lines += [f"  {name}:", f"    table: {schema}.{found}", "    columns:"]
        for column, spec in source.columns.items():
            if column in chosen:
                lines.append(f"      {column}: {chosen[column]}")
            else:
                lines.append(f"      # {column}: no column found; without it: {spec.lost}")
    return "\n".join(lines)


def _columns(source: str, wanted: Mapping[str, SourceColumn], table: Table) -> dict[str, str] | None:
    """Theirs by ours; None where a column that is needed has no candidate."""
    found: dict[str, str] = {}
    for column, spec in wanted.items():
        fitting = [theirs for theirs, family in table.items() if family in ACCEPTED[spec.kind]]
        free = [theirs for theirs in fitting if theirs not in found.values()]
        names = _COLUMNS.get(column, ()) + (("id", "number") if _is_own_key(source, column) else ())
        best = _best(column, names, free)
        if best is not None:
            found[column] = best
        elif not spec.lost:
            return None
    return found


def _is_own_key(source: str, column: str) -> bool:
    return next(iter(SOURCES[source].columns)) == column and source != "email_changes"


def _best(name: str, others: tuple[str, ...], candidates: list[str]) -> str | None:
    """The same name, else a known synonym, else a name that is nearly the same."""
    for wanted in (name, *others):
        if wanted in candidates:
            return wanted
    near = [(SequenceMatcher(None, name, theirs).ratio(), theirs) for theirs in candidates]
    ratio, theirs = max(near, default=(0.0, ""))
    return theirs if ratio >= 0.85 else None
