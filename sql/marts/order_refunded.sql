-- Grain: one row per refund or cancellation of a known customer. Key: refund_id.
-- Build: view, because retention_events is sorted by occurred_at, which a sync of events restricts.
-- Used by: the sync orders_refunded. occurred_at is the time of the refund, in UTC.
SELECT
    subject_id AS refund_id,
    order_id,
    customer_id,
    occurred_at,
    amount,
    reason
FROM {{ ref('retention_events') }}
WHERE event_name = 'Order Refunded'
