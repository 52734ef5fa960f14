-- Grain: one row per registered customer. Key: customer_id.
-- Build: table, DISTKEY (customer_id) because everything joins by customer, SORTKEY (customer_id) so that these joins merge.
-- An account that was exported twice, word for word, counts once; rows without a customer_id are nobody.
-- An email belongs to the customer who registered first with it; the others have none, so that no two people share one.
WITH base AS (
    SELECT DISTINCT
        customer_id,
        NULLIF(LOWER(TRIM(email)), '') AS email,
        first_name,
        last_name,
        country,
        created_at,
        accepts_marketing
    FROM {{ source('customers') }} AS customers
    WHERE customer_id IS NOT NULL
),
ranked AS (
    SELECT
        base.*,
        ROW_NUMBER() OVER (PARTITION BY email ORDER BY created_at, customer_id) AS email_rank
    FROM base
)
SELECT
    customer_id,
    CASE WHEN email_rank = 1 THEN email END AS email,
    first_name,
    last_name,
    country,
    created_at,
    accepts_marketing
FROM ranked
