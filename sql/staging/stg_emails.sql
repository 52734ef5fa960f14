-- Grain: one row per email that leads to one customer. Key: email.
-- Build: view
-- The owner of an email, else the one customer who gave it up: this is how orders of guests find their customer.
WITH former AS (
    SELECT LOWER(TRIM(old_email)) AS email, MIN(customer_id) AS customer_id
    FROM {{ source('email_changes') }} AS email_changes
    WHERE customer_id IS NOT NULL AND TRIM(old_email) <> ''
    GROUP BY LOWER(TRIM(old_email))
    HAVING COUNT(DISTINCT customer_id) = 1
)
SELECT email, customer_id
FROM {{ ref('stg_customers') }}
WHERE email IS NOT NULL
UNION ALL
SELECT former.email, former.customer_id
FROM former
JOIN {{ ref('stg_customers') }} AS customers ON customers.customer_id = former.customer_id
LEFT JOIN {{ ref('stg_customers') }} AS owners ON owners.email = former.email
WHERE owners.customer_id IS NULL
