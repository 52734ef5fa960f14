-- Grain: one row per lapsed customer with several orders of high value. Key: customer_id.
-- Build: view, because it is one filter of retention_customer_state, which lies and is sorted by customer_id.
-- Used by: winback audiences. Whoever was messaged in the last days is left out; the audience's own `holdout` holds people out.
SELECT
    customer_id,
    email,
    accepts_marketing,
    last_paid_order_at,
    lifetime_orders,
    lifetime_value,
    average_order_value,
    primary_category,
    vip_tier
FROM {{ ref('retention_customer_state') }}
WHERE is_reactivation_eligible
    AND average_order_value >= {{ thresholds.high_average_order_value }}
    AND (last_message_ts IS NULL OR last_message_ts < {{ days_before(windows.recently_messaged_days) }})
