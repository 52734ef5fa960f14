-- Grain: one row per visit of a known customer. Key: session_id.
-- Build: view
SELECT session_id, customer_id, started_at
FROM {{ source('sessions') }} AS sessions
WHERE customer_id IS NOT NULL
