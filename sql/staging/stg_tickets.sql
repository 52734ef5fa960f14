-- Grain: one row per support ticket of a known customer. Key: ticket_id.
-- Build: view
SELECT ticket_id, customer_id, topic, opened_at
FROM {{ source('tickets') }} AS tickets
WHERE customer_id IS NOT NULL
