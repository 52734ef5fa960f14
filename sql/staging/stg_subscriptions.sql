-- Grain: one row per subscription of a known customer. Key: subscription_id.
-- Build: table, DISTKEY (customer_id) because everything joins by customer, SORTKEY (customer_id) so that these joins merge.
-- As it was at as_of: one that was paused or cancelled later was still active.
SELECT
    subscription_id,
    customer_id,
    sku,
    CASE WHEN ended_at >= {{ as_of }} THEN 'active' ELSE LOWER(status) END AS status,
    started_at,
    CASE WHEN ended_at < {{ as_of }} THEN ended_at END AS ended_at
FROM {{ source('subscriptions') }} AS subscriptions
WHERE customer_id IS NOT NULL
