-- Grain: one row per line of a paid order. Key: order_id, line_number.
-- Build: table, DISTKEY (customer_id) because affinity and cycles are by customer, SORTKEY (ordered_at) because readers ask for days.
SELECT
    orders.order_id,
    lines.line_number,
    orders.customer_id,
    orders.ordered_at,
    orders.ordered_on,
    orders.is_kept,
    lines.sku,
    products.category,
    lines.quantity,
    CAST({{ converted('lines.quantity * lines.unit_price', 'orders.currency') }} AS DECIMAL(18, 4)) AS value
FROM {{ source('order_lines') }} AS lines
JOIN {{ ref('paid_orders') }} AS orders ON orders.order_id = lines.order_id
LEFT JOIN {{ ref('stg_products') }} AS products ON products.sku = lines.sku
