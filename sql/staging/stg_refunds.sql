-- One row per refund or cancellation of a known customer (key: refund_id), times in UTC.
CREATE VIEW cio_staging.stg_refunds AS
SELECT
    refunds.refund_id,
    refunds.order_id,
    COALESCE(refunds.customer_id, orders.customer_id) AS customer_id,
    CONVERT_TIMEZONE('Europe/London', 'UTC', refunds.refunded_at) AS refunded_at,
    refunds.amount,
    refunds.reason
FROM shop.refunds AS refunds
LEFT JOIN cio_staging.stg_orders AS orders ON orders.order_id = refunds.order_id
WHERE COALESCE(refunds.customer_id, orders.customer_id) IS NOT NULL
WITH NO SCHEMA BINDING
