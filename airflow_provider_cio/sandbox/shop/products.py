"""What the sample shop sells. Prices are cents."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from airflow_provider_cio.sandbox.shop import columns as c
from airflow_provider_cio.sandbox.shop.tables import conform

_PRODUCTS = [
    ("CLN-01", "Gentle Cleanser", "cleanser", 1800, 410),
    ("CLN-02", "Foaming Cleanser", "cleanser", 1650, 380),
    ("TON-01", "Rose Toner", "toner", 1450, 290),
    ("SER-01", "Vitamin C Serum", "serum", 4200, 960),
    ("SER-02", "Niacinamide Serum", "serum", 3400, 720),
    ("SER-03", "Retinol Night Serum", "serum", 4800, 1130),
    ("MOI-01", "Daily Moisturiser", "moisturiser", 2600, 590),
    ("MOI-02", "Night Cream", "moisturiser", 3100, 730),
    ("SUN-01", "Sun Cream SPF 50", "sun care", 2200, 540),
    ("MSK-01", "Clay Mask", "mask", 1950, 330),
    ("SET-01", "Starter Set", "set", 5900, 1720),
    ("GFT-25", "Gift Card 25", "gift card", 2500, 2500),
]

PRICES = np.asarray([price for _, _, _, price, _ in _PRODUCTS], dtype=np.int64)

CATALOGUE: dict[str, pa.Table] = {
    "products": conform(
        "products",
        {
            "sku": pa.array([sku for sku, *_ in _PRODUCTS]),
            "name": pa.array([name for _, name, *_ in _PRODUCTS]),
            "category": pa.array([category for _, _, category, *_ in _PRODUCTS]),
            "unit_cost": c.money(np.asarray([cost for *_, cost in _PRODUCTS], dtype=np.int64)),
        },
    )
}
