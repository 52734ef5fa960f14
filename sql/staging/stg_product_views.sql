-- Grain: one row per look of a known customer at a product. Key: session_id, sku, viewed_at.
-- Build: view
SELECT DISTINCT session_id, customer_id, sku, viewed_at
FROM {{ source('product_views') }} AS product_views
WHERE customer_id IS NOT NULL
