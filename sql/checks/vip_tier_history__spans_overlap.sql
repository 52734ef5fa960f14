-- Customers with two spans at one moment, or a span that ends before it begins.
SELECT earlier.customer_id
FROM {{ ref('vip_tier_history') }} AS earlier
JOIN {{ ref('vip_tier_history') }} AS later
    ON later.customer_id = earlier.customer_id AND later.valid_from > earlier.valid_from
WHERE COALESCE(earlier.valid_to, DATEADD(day, 1, later.valid_from)) > later.valid_from
UNION ALL
SELECT customer_id
FROM {{ ref('vip_tier_history') }}
WHERE valid_to <= valid_from
