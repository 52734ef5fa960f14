-- Grain: one row per paid order of a known customer. Key: order_id.
-- Build: view, because retention_events is sorted by occurred_at, which a sync of events restricts.
-- Used by: the sync orders_completed. occurred_at is the time of the order, in UTC.
SELECT
    order_id,
    customer_id,
    occurred_at,
    order_number,
    is_first_order,
    amount AS total,
    discount,
    currency,
    line_count,
    item_count,
    top_skus
FROM {{ ref('retention_events') }}
WHERE event_name = 'Order Completed'
