-- Grain: one row per customer who sends back or is refunded most of what they buy. Key: customer_id.
-- Build: view, because it is one filter of retention_customer_state, which lies and is sorted by customer_id.
-- Used by: suppression of prospecting seeds and promotions.
SELECT customer_id, email, return_rate, lifetime_orders
FROM {{ ref('retention_customer_state') }}
WHERE lifetime_orders >= {{ thresholds.high_return_min_orders }} AND return_rate >= {{ thresholds.high_return_rate }}
