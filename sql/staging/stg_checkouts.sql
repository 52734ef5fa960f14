-- Grain: one row per checkout of a known customer. Key: checkout_id.
-- Build: view
SELECT
    checkouts.checkout_id,
    checkouts.cart_id,
    COALESCE(checkouts.customer_id, emails.customer_id) AS customer_id,
    checkouts.started_at
FROM {{ source('checkouts') }} AS checkouts
LEFT JOIN {{ ref('stg_emails') }} AS emails ON emails.email = LOWER(TRIM(checkouts.email))
WHERE COALESCE(checkouts.customer_id, emails.customer_id) IS NOT NULL
