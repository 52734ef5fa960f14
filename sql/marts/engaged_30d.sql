-- Grain: one row per customer who opened or clicked a message in the last 30 days. Key: customer_id.
-- Build: view, because stg_messages lies by customer_id, so that the sums stay on their node.
-- Used by: sending to the engaged only, seeds of lookalikes. What machines did does not count; of each message its first open and
-- its first click do.
SELECT
    messages.customer_id,
    customers.email,
    SUM(CASE WHEN messages.opened_at >= {{ days_before(30) }} THEN 1 ELSE 0 END) AS messages_opened,
    SUM(CASE WHEN messages.clicked_at >= {{ days_before(30) }} THEN 1 ELSE 0 END) AS messages_clicked,
    MAX(messages.clicked_at) AS last_clicked_at,
    MAX(messages.engaged_at) AS last_engaged_at
FROM {{ ref('stg_messages') }} AS messages
JOIN {{ ref('stg_customers') }} AS customers ON customers.customer_id = messages.customer_id
WHERE messages.engaged_at >= {{ days_before(30) }}
GROUP BY messages.customer_id, customers.email
