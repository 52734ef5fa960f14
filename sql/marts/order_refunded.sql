-- Grain: one row per refund or cancellation of a known customer. Key: refund_id. occurred_at is its time, in UTC.
CREATE VIEW cio_marts.order_refunded AS
SELECT
    refund_id,
    order_id,
    customer_id,
    refunded_at AS occurred_at,
    amount,
    reason
FROM cio_staging.stg_refunds
WITH NO SCHEMA BINDING
