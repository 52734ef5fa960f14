-- Grain: one row per customer who said no to marketing. Key: customer_id.
-- Build: view, because it is one filter of stg_customers, which lies and is sorted by customer_id.
-- Used by: suppression of everything that is marketing.
SELECT customer_id, email
FROM {{ ref('stg_customers') }}
WHERE NOT accepts_marketing
