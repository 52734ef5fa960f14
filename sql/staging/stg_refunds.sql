-- Grain: one row per refund or cancellation of a known customer. Key: refund_id.
-- Build: view
-- Times in UTC, amounts in the currency of the business.
SELECT
    refunds.refund_id,
    refunds.order_id,
    COALESCE(refunds.customer_id, orders.customer_id) AS customer_id,
    refunds.refunded_at,
    CAST({{ converted('refunds.amount', 'orders.currency') }} AS DECIMAL(18, 4)) AS amount,
    refunds.reason
FROM {{ source('refunds') }} AS refunds
LEFT JOIN {{ ref('stg_orders') }} AS orders ON orders.order_id = refunds.order_id
WHERE COALESCE(refunds.customer_id, orders.customer_id) IS NOT NULL
