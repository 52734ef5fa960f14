-- Grain: one row per month of a first order and month since. Key: cohort_month, months_since.
-- Build: table, DISTSTYLE ALL because it is small, SORTKEY (cohort_month) because it is read by cohort.
-- Used by: reports of lifetime value. Months are the business's; value is net of refunds and chargebacks known at as_of.
WITH orders AS (
    SELECT
        customer_id,
        CAST(DATE_TRUNC('month', ordered_on) AS DATE) AS order_month,
        CAST(DATE_TRUNC('month', MIN(ordered_on) OVER (PARTITION BY customer_id)) AS DATE) AS cohort_month,
        net_value,
        margin
    FROM {{ ref('paid_orders') }}
),
sizes AS (
    SELECT cohort_month, COUNT(DISTINCT customer_id) AS customers
    FROM orders
    GROUP BY cohort_month
),
months AS (
    SELECT order_month
    FROM orders
    GROUP BY order_month
),
sums AS (
    SELECT
        cohort_month,
        order_month,
        COUNT(DISTINCT customer_id) AS active_customers,
        COUNT(*) AS orders,
        SUM(net_value) AS value,
        CASE WHEN COUNT(*) = COUNT(margin) THEN SUM(margin) END AS margin
    FROM orders
    GROUP BY cohort_month, order_month
),
filled AS (
    SELECT
        sizes.cohort_month,
        DATEDIFF(month, sizes.cohort_month, months.order_month) AS months_since,
        sizes.customers,
        COALESCE(sums.active_customers, 0) AS active_customers,
        COALESCE(sums.orders, 0) AS orders,
        COALESCE(sums.value, 0) AS value,
        CASE WHEN sums.cohort_month IS NULL THEN 0 ELSE sums.margin END AS margin
    FROM sizes
    JOIN months ON months.order_month >= sizes.cohort_month
    LEFT JOIN sums ON sums.cohort_month = sizes.cohort_month AND sums.order_month = months.order_month
)
SELECT
    cohort_month,
    months_since,
    customers,
    active_customers,
    orders,
    CAST(value AS DECIMAL(18, 2)) AS value,
    CAST(margin AS DECIMAL(18, 2)) AS margin,
    CAST(SUM(value) OVER (
        PARTITION BY cohort_month ORDER BY months_since ROWS UNBOUNDED PRECEDING
    ) AS DECIMAL(18, 2)) AS cumulative_value,
    CAST(SUM(value) OVER (
        PARTITION BY cohort_month ORDER BY months_since ROWS UNBOUNDED PRECEDING
    ) / customers AS DECIMAL(18, 2)) AS cumulative_value_per_customer
FROM filled
