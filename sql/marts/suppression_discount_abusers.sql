-- Grain: one row per customer who buys with discounts only. Key: customer_id.
-- Build: view, because it is one filter of retention_customer_state, which lies and is sorted by customer_id.
-- Used by: suppression of discount campaigns.
SELECT customer_id, email, discount_sensitivity, lifetime_orders
FROM {{ ref('retention_customer_state') }}
WHERE lifetime_orders >= {{ thresholds.discount_abuser_min_orders }}
    AND discount_sensitivity >= {{ thresholds.discount_abuser_share }}
