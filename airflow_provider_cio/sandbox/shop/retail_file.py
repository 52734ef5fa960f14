"""A file of order lines in the layout of Online Retail II, read into typed columns.

A value that cannot be read becomes null, so that one bad line never stops a load; the loader counts it.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv
import pyarrow.parquet as pq
import pyarrow.types as pt

from airflow_provider_cio.sandbox.shop.columns import SHOP_ZONE, TIME
from airflow_provider_cio.sandbox.shop.errors import ShopError
from airflow_provider_cio.sandbox.shop.tables import UNIT_PRICE

LAYOUT = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")
_NAMES = ("order_id", "sku", "name", "quantity", "ordered_at", "unit_price", "customer_id", "country")
_NUMBER = r"^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$"
_DATES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_LARGEST = 99_999_999.0  # of a price and of a line's value: what DECIMAL(12,4) and DECIMAL(12,2) hold


def read_lines(file: Path) -> pa.Table:
    """All lines: order_id, sku, name, quantity, ordered_at, unit_price, customer_id, country.

    :raises ShopError: the file is not of this layout; names the columns that are missing.
    """
    table = _table(file)
    missing = [name for name in LAYOUT if name not in table.column_names]
    if missing:
        raise ShopError(
            f"{file} lacks the columns {', '.join(missing)}. "
            f"Next step: give a file with the columns {', '.join(LAYOUT)}."
        )
    found = {
        name: pa.chunked_array(table[column]).combine_chunks()
        for name, column in zip(_NAMES, LAYOUT, strict=True)
    }
    columns = {name: _text(found[name]) for name in ("order_id", "sku", "name", "country")}
    quantity, price = _number(found["quantity"]), _number(found["unit_price"])
    whole = pc.equal(quantity, pc.round(quantity))
    fits = pc.less(pc.abs(pc.multiply(quantity, price)), _LARGEST)
    columns["quantity"] = _where(pc.and_(whole, fits), quantity).cast(pa.int64())
    price = pc.round(_where(pc.less(pc.abs(price), _LARGEST), price), ndigits=4)
    columns["unit_price"] = price.cast(pa.decimal128(25, 4), safe=False).cast(UNIT_PRICE)
    columns["customer_id"] = pc.replace_substring_regex(_text(found["customer_id"]), r"^(\d+)\.0+$", r"\1")
    columns["ordered_at"] = _moment(found["ordered_at"])
    return pa.table({name: columns[name] for name in _NAMES})


def _table(file: Path) -> pa.Table:
    try:
        if file.suffix.lower() != ".csv":
            return pq.read_table(file)
        return pcsv.read_csv(
            file,
            parse_options=pcsv.ParseOptions(newlines_in_values=True),
            convert_options=pcsv.ConvertOptions(column_types=dict.fromkeys(LAYOUT, pa.string())),
        )
    except (pa.ArrowInvalid, OSError) as error:
        raise ShopError(
            f"{file} cannot be read: {error}. Next step: give a Parquet or a .csv file."
        ) from error


def _where(good: pa.Array, values: pa.Array) -> pa.Array:
    return pc.if_else(good, values, pa.scalar(None, values.type))


def _text(values: pa.Array) -> pa.Array:
    trimmed = pc.utf8_trim_whitespace(values.cast(pa.string()))
    return _where(pc.not_equal(trimmed, ""), trimmed)


def _number(values: pa.Array) -> pa.Array:
    if pt.is_string(values.type) or pt.is_large_string(values.type):
        text = _text(values)
        values = _where(pc.match_substring_regex(text, _NUMBER), text)
    numbers = values.cast(pa.float64())
    return _where(pc.is_finite(numbers), numbers)


def _moment(values: pa.Array) -> pa.Array:
    """The shop's clock, without a zone."""
    if pt.is_timestamp(values.type) and values.type.tz:
        return pc.local_timestamp(values.cast(pa.timestamp("us", tz=SHOP_ZONE)))
    if pt.is_temporal(values.type):
        return values.cast(TIME)
    text = pc.replace_substring(_text(values), "T", " ", max_replacements=1)
    text = pc.replace_substring_regex(text, r"\.\d+$", "")
    return pc.coalesce(*(pc.strptime(text, format=f, unit="us", error_is_null=True) for f in _DATES))
