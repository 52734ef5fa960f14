-- Grain: one row per customer of whom anything is known. Key: customer_id.
-- Build: view
-- changed_at is the latest moment at which something happened that can change their events.
SELECT customer_id, MAX(changed_at) AS changed_at
FROM (
    SELECT customer_id, created_at AS changed_at FROM {{ ref('stg_customers') }}
    UNION ALL
    SELECT customer_id, changed_at FROM {{ source('email_changes') }} AS email_changes
    UNION ALL
    SELECT customer_id, changed_at FROM {{ ref('stg_orders') }}
    UNION ALL
    SELECT customer_id, refunded_at FROM {{ ref('stg_refunds') }}
    UNION ALL
    SELECT customer_id, started_at FROM {{ ref('stg_checkouts') }}
    UNION ALL
    SELECT customer_id, updated_at FROM {{ ref('stg_carts') }}
    UNION ALL
    SELECT customer_id, viewed_at FROM {{ ref('stg_product_views') }}
    UNION ALL
    SELECT customer_id, COALESCE(ended_at, started_at) FROM {{ ref('stg_subscriptions') }}
    UNION ALL
    SELECT customer_id, requested_at FROM {{ ref('stg_stock_requests') }}
) AS moments
WHERE customer_id IS NOT NULL
GROUP BY customer_id
