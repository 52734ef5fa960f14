-- Grain: one row per customer. Key: customer_id. State only, nothing that changes with the clock alone.
-- Refunds correct it on the next run: last_paid_order_at and last_order_state stand beside last_order_at.
CREATE VIEW cio_marts.customer_state AS
WITH orders AS (
    SELECT
        customer_id,
        MIN(ordered_at) AS first_order_at,
        MAX(ordered_at) AS last_order_at,
        MAX(CASE WHEN order_state <> 'refunded' THEN ordered_at END) AS last_paid_order_at,
        COUNT(*) AS lifetime_orders,
        SUM(total) AS gross_value
    FROM cio_staging.stg_orders
    GROUP BY customer_id
),
latest AS (
    SELECT customer_id, order_state AS last_order_state
    FROM (
        SELECT
            customer_id,
            order_state,
            ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY order_number DESC) AS recency
        FROM cio_staging.stg_orders
    ) AS ranked
    WHERE recency = 1
),
refunds AS (
    SELECT customer_id, COUNT(*) AS refunds, SUM(amount) AS refunded_value
    FROM cio_staging.stg_refunds
    GROUP BY customer_id
),
fields AS (
    SELECT
        customers.customer_id,
        customers.email,
        customers.first_name,
        customers.last_name,
        customers.country,
        customers.created_at,
        customers.accepts_marketing,
        orders.first_order_at,
        orders.last_order_at,
        orders.last_paid_order_at,
        COALESCE(latest.last_order_state, 'none') AS last_order_state,
        COALESCE(orders.lifetime_orders, 0) AS lifetime_orders,
        COALESCE(orders.gross_value, 0) - COALESCE(refunds.refunded_value, 0) AS lifetime_value,
        COALESCE(refunds.refunds, 0) AS refunds,
        COALESCE(refunds.refunded_value, 0) AS refunded_value,
        orders.gross_value
    FROM cio_staging.stg_customers AS customers
    LEFT JOIN orders ON orders.customer_id = customers.customer_id
    LEFT JOIN latest ON latest.customer_id = customers.customer_id
    LEFT JOIN refunds ON refunds.customer_id = customers.customer_id
)
SELECT
    customer_id,
    email,
    first_name,
    last_name,
    country,
    created_at,
    accepts_marketing,
    first_order_at,
    last_order_at,
    last_paid_order_at,
    last_order_state,
    lifetime_orders,
    CAST(lifetime_value AS DECIMAL(14, 2)) AS lifetime_value,
    CAST(CASE WHEN lifetime_orders > 0 THEN gross_value / lifetime_orders END AS DECIMAL(14, 2)) AS average_order_value,
    refunds,
    CAST(refunded_value AS DECIMAL(14, 2)) AS refunded_value,
    lifetime_orders = 1 AS is_first_time_buyer,
    lifetime_orders > 1 AS is_repeat_buyer,
    CASE WHEN lifetime_value >= 1000 THEN 'gold' WHEN lifetime_value >= 300 THEN 'silver' ELSE 'none' END AS vip_tier,
    '2026-01' AS vip_definition_version
FROM fields
WITH NO SCHEMA BINDING
