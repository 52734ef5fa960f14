-- Grain: one row per customer with a recent refund or a chargeback. Key: customer_id.
-- Build: view, because retention_customer_state and stg_customers lie and are sorted by customer_id, so that their join merges.
-- Used by: suppression of promotions. A chargeback suppresses for good, a refund for some days.
SELECT customers.customer_id, customers.email, state.last_refund_at, state.chargebacks
FROM {{ ref('stg_customers') }} AS customers
JOIN {{ ref('retention_customer_state') }} AS state ON state.customer_id = customers.customer_id
WHERE state.chargebacks > 0 OR state.last_refund_at >= {{ days_before(windows.refunded_days) }}
