-- Grain: one row per customer who said no to marketing. Key: customer_id.
-- Build: view
-- Used by: suppression of everything that is marketing.
SELECT customer_id, email
FROM {{ ref('stg_customers') }}
WHERE NOT accepts_marketing
