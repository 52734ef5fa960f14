-- Grain: one row per customer without an order, a visit or a ticket for some time. Key: customer_id.
-- Build: view, because it is one filter of retention_customer_state, which lies and is sorted by customer_id.
-- Used by: winback and sunset audiences. Refunds and the state of a subscription stand beside it.
SELECT
    customer_id,
    email,
    last_order_at,
    last_session_at,
    last_ticket_at,
    GREATEST(created_at, last_order_at, last_session_at, last_ticket_at) AS last_activity_at,
    DATEDIFF(
        day, {{ local_date('GREATEST(created_at, last_order_at, last_session_at, last_ticket_at)') }}, {{ today }}
    ) AS inactive_days,
    subscription_state,
    refunds,
    refunded_value
FROM {{ ref('retention_customer_state') }}
WHERE COALESCE(GREATEST(created_at, last_order_at, last_session_at, last_ticket_at) < {{ days_before(windows.inactive_days) }}, TRUE)
