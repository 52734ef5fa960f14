-- Customers whose orders are not numbered 1, 2, 3, ...
SELECT customer_id
FROM {{ ref('retention_events') }}
WHERE event_name = 'Order Completed'
GROUP BY customer_id
HAVING COUNT(*) <> MAX(order_number) OR COUNT(DISTINCT order_number) <> COUNT(*) OR MIN(order_number) <> 1
