-- Grain: one row per profile that any route mentioned. Key: cio_id.
-- The bridge from Customer.io's own id to the customer's: what data-out says of people counts before what deliveries say.
CREATE OR REPLACE VIEW {{ staging }}.stg_customerio__people AS
SELECT
    cio_id,
    COALESCE(MAX(CASE WHEN rank_of_source = 1 THEN customer_id END), MAX(customer_id)) AS customer_id,
    MAX(email) AS email,
    MAX(deleted) = 1 AS is_deleted,
    MAX(suppressed) = 1 AS is_suppressed,
    MIN(created_at) AS created_at
FROM (
    SELECT
        cio_id,
        customer_id,
        email,
        CASE WHEN deleted THEN 1 ELSE 0 END AS deleted,
        CASE WHEN suppressed THEN 1 ELSE 0 END AS suppressed,
        created_at,
        1 AS rank_of_source
    FROM {{ raw }}.people
    UNION ALL
    SELECT cio_id, customer_id, NULL, 0, 0, NULL, 2
    FROM {{ raw }}.deliveries
    WHERE cio_id IS NOT NULL AND customer_id IS NOT NULL
) AS mentions
GROUP BY cio_id
WITH NO SCHEMA BINDING
