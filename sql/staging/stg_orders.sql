-- One row per paid order of a known customer (key: order_id), times in UTC.
-- A guest's order goes to the customer who owns its email, else to the one customer who gave that email up; guests
-- without an account are not in here.
CREATE VIEW cio_staging.stg_orders AS
WITH former AS (
    SELECT LOWER(TRIM(old_email)) AS email, MIN(customer_id) AS customer_id
    FROM shop.email_changes
    GROUP BY LOWER(TRIM(old_email))
    HAVING COUNT(DISTINCT customer_id) = 1
),
failed AS (
    SELECT order_id
    FROM shop.payments
    GROUP BY order_id
    HAVING MAX(CASE WHEN status = 'paid' THEN 1 ELSE 0 END) = 0
),
refunded AS (
    SELECT order_id, SUM(amount) AS refunded_amount
    FROM shop.refunds
    WHERE order_id IS NOT NULL
    GROUP BY order_id
),
base AS (
    SELECT
        orders.order_id,
        COALESCE(orders.customer_id, owner.customer_id, former.customer_id) AS customer_id,
        CONVERT_TIMEZONE('Europe/London', 'UTC', orders.ordered_at) AS ordered_at,
        orders.currency,
        COALESCE(orders.discount, 0) AS discount,
        orders.total,
        COALESCE(refunded.refunded_amount, 0) AS refunded_amount
    FROM shop.orders AS orders
    LEFT JOIN cio_staging.stg_customers AS owner ON owner.email = LOWER(TRIM(orders.email))
    LEFT JOIN former ON former.email = LOWER(TRIM(orders.email))
    LEFT JOIN refunded ON refunded.order_id = orders.order_id
    LEFT JOIN failed ON failed.order_id = orders.order_id
    WHERE failed.order_id IS NULL
)
SELECT
    base.*,
    CASE
        WHEN refunded_amount >= total AND total > 0 THEN 'refunded'
        WHEN refunded_amount > 0 THEN 'partly_refunded'
        ELSE 'paid'
    END AS order_state,
    ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY ordered_at, order_id) AS order_number
FROM base
WHERE customer_id IS NOT NULL
WITH NO SCHEMA BINDING
