-- Grain: one row per paid order of a known customer. Key: order_id. occurred_at is the time of the order, in UTC.
CREATE VIEW cio_marts.order_completed AS
WITH lines AS (
    SELECT
        order_id,
        REGEXP_REPLACE(sku, '[^A-Za-z0-9 ._-]', '') AS sku,
        quantity,
        ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY quantity * unit_price DESC, line_number) AS value_rank
    FROM shop.order_lines
),
summary AS (
    SELECT
        order_id,
        COUNT(*) AS line_count,
        SUM(quantity) AS item_count,
        JSON_PARSE(
            '["' || LISTAGG(CASE WHEN value_rank <= 5 THEN sku END, '","') WITHIN GROUP (ORDER BY value_rank) || '"]'
        ) AS top_skus
    FROM lines
    GROUP BY order_id
)
SELECT
    orders.order_id,
    orders.customer_id,
    orders.ordered_at AS occurred_at,
    orders.order_number,
    orders.order_number = 1 AS is_first_order,
    orders.total,
    orders.discount,
    orders.currency,
    summary.line_count,
    summary.item_count,
    summary.top_skus
FROM cio_staging.stg_orders AS orders
LEFT JOIN summary ON summary.order_id = orders.order_id
WITH NO SCHEMA BINDING
