-- Grain: one row per customer with a recent support ticket. Key: customer_id.
-- Build: view, because recent tickets are few, and stg_customers lies by customer_id, by which they are joined.
-- Used by: suppression of promotions while somebody waits for help.
SELECT customers.customer_id, customers.email, COUNT(*) AS tickets, MAX(tickets.opened_at) AS last_ticket_at
FROM {{ ref('stg_tickets') }} AS tickets
JOIN {{ ref('stg_customers') }} AS customers ON customers.customer_id = tickets.customer_id
WHERE tickets.opened_at >= {{ days_before(windows.support_days) }}
GROUP BY customers.customer_id, customers.email
HAVING COUNT(*) >= {{ thresholds.support_tickets }}
