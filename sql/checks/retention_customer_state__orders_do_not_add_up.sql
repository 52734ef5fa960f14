-- Customers whose lifetime_orders are not the paid orders that are theirs.
SELECT state.customer_id
FROM {{ ref('retention_customer_state') }} AS state
LEFT JOIN (
    SELECT customer_id, COUNT(*) AS orders
    FROM {{ ref('paid_orders') }}
    GROUP BY customer_id
) AS counted ON counted.customer_id = state.customer_id
WHERE state.lifetime_orders <> COALESCE(counted.orders, 0)
