-- Grain: one row per customer who bought in the last days and kept it. Key: customer_id.
-- Build: view, because a few days of paid_orders are one range of its sort key, ordered_at.
-- Used by: suppression of promotions and retargeting. A full refund or a chargeback brings the person back.
SELECT
    orders.customer_id,
    customers.email,
    customers.accepts_marketing,
    MAX(orders.ordered_at) AS last_paid_order_at,
    COUNT(*) AS orders_in_window
FROM {{ ref('paid_orders') }} AS orders
JOIN {{ ref('stg_customers') }} AS customers ON customers.customer_id = orders.customer_id
WHERE orders.is_kept AND orders.ordered_at >= {{ days_before(windows.recent_purchase_days) }}
GROUP BY orders.customer_id, customers.email, customers.accepts_marketing
