-- Grain: one row per wish of a known customer to hear when a product is back. Key: request_id.
-- Build: view
SELECT request_id, customer_id, sku, requested_at
FROM {{ source('stock_requests') }} AS stock_requests
WHERE customer_id IS NOT NULL
