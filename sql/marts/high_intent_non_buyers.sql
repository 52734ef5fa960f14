-- Grain: one row per customer who looked closely and did not buy. Key: customer_id.
-- Build: view, because a few days of retention_events are one range of its sort key, occurred_at.
-- Used by: browse recovery. Intent is a cart, a checkout, or several products looked at, in the last days; a paid order in
-- the same days takes the person out.
WITH intent AS (
    SELECT
        customer_id,
        SUM(CASE WHEN event_name = 'Product Viewed' THEN 1 ELSE 0 END) AS product_views,
        SUM(CASE WHEN event_name = 'Cart Updated' THEN 1 ELSE 0 END) AS cart_updates,
        SUM(CASE WHEN event_name = 'Checkout Started' THEN 1 ELSE 0 END) AS checkouts,
        SUM(CASE WHEN event_name = 'Order Completed' THEN 1 ELSE 0 END) AS orders,
        MAX(occurred_at) AS last_seen_at
    FROM {{ ref('retention_events') }}
    WHERE occurred_at >= {{ days_before(windows.intent_days) }}
        AND event_name IN ('Product Viewed', 'Cart Updated', 'Checkout Started', 'Order Completed')
    GROUP BY customer_id
),
last_skus AS (
    SELECT
        customer_id,
        sku,
        ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY occurred_at DESC, event_key DESC) AS recency
    FROM {{ ref('retention_events') }}
    WHERE occurred_at >= {{ days_before(windows.intent_days) }}
        AND event_name IN ('Product Viewed', 'Cart Updated')
        AND sku <> ''
)
SELECT
    intent.customer_id,
    customers.email,
    intent.product_views,
    intent.cart_updates,
    intent.checkouts,
    intent.last_seen_at,
    last_skus.sku AS last_sku,
    products.category AS last_category
FROM intent
JOIN {{ ref('stg_customers') }} AS customers ON customers.customer_id = intent.customer_id
LEFT JOIN last_skus ON last_skus.customer_id = intent.customer_id AND last_skus.recency = 1
LEFT JOIN {{ ref('stg_products') }} AS products ON products.sku = last_skus.sku
WHERE intent.orders = 0
    AND (
        intent.product_views >= {{ thresholds.intent_product_views }}
        OR intent.cart_updates > 0
        OR intent.checkouts > 0
    )
