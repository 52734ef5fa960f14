-- Grain: one row per order of a known customer, paid or not. Key: order_id.
-- Build: table, DISTKEY (customer_id) because windows and sums are by customer, SORTKEY (ordered_at) because readers ask for days.
-- Times in UTC, amounts in the currency of the business. A guest's order goes to the customer whom its email leads to;
-- guests without an account are not in here. `changed_at` is the latest moment at which its payments changed.
WITH payments AS (
    SELECT
        order_id,
        MAX(CASE WHEN LOWER(status) = 'paid' THEN 1 ELSE 0 END) AS paid,
        MIN(CASE WHEN LOWER(status) = 'paid' THEN paid_at END) AS paid_at,
        MAX(paid_at) AS tried_at
    FROM {{ source('payments') }} AS payments
    GROUP BY order_id
),
reductions AS (
    SELECT order_id, SUM(amount) AS amount, MAX(code) AS code
    FROM {{ source('discounts') }} AS discounts
    GROUP BY order_id
)
SELECT
    orders.order_id,
    COALESCE(orders.customer_id, emails.customer_id) AS customer_id,
    orders.ordered_at,
    orders.currency,
    CAST({{ converted('orders.total', 'orders.currency') }} AS DECIMAL(18, 4)) AS total,
    CAST(COALESCE(
        {{ converted('COALESCE(orders.discount, reductions.amount)', 'orders.currency') }}, 0
    ) AS DECIMAL(18, 4)) AS discount,
    reductions.code AS discount_code,
    COALESCE(payments.paid, 1) = 1 AS is_paid,
    GREATEST(orders.ordered_at, payments.paid_at) AS paid_at,
    GREATEST(orders.ordered_at, payments.tried_at) AS changed_at
FROM {{ source('orders') }} AS orders
LEFT JOIN {{ ref('stg_emails') }} AS emails ON emails.email = LOWER(TRIM(orders.email))
LEFT JOIN payments ON payments.order_id = orders.order_id
LEFT JOIN reductions ON reductions.order_id = orders.order_id
WHERE COALESCE(orders.customer_id, emails.customer_id) IS NOT NULL
