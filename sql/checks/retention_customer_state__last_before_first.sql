-- Customers whose last order is before their first, or whose last paid order is after their last order.
SELECT customer_id
FROM {{ ref('retention_customer_state') }}
WHERE last_order_at < first_order_at OR last_paid_order_at > last_order_at
