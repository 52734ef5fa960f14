-- Grain: one row per state of a cart of a known customer. Key: cart_id, sku, updated_at.
-- Build: view
SELECT DISTINCT cart_id, customer_id, COALESCE(sku, '') AS sku, COALESCE(quantity, 1) AS quantity, updated_at
FROM {{ source('carts') }} AS carts
WHERE customer_id IS NOT NULL
