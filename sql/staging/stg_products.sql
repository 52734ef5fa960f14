-- Grain: one row per product. Key: sku.
-- Build: view
SELECT DISTINCT sku, name, LOWER(TRIM(category)) AS category, unit_cost
FROM {{ source('products') }} AS products
WHERE sku IS NOT NULL
