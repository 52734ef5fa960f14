-- Grain: one row per customer who bought and kept it. Key: customer_id.
-- Build: table, DISTKEY (customer_id) because audiences join by customer, SORTKEY (rfm_score) because segments are ranges of it.
-- Used by: value segments and customer-base models.
-- frequency, recency and age as in Fader and Hardie: frequency = repeat purchase days (the first one does not count),
-- recency_days = from the first to the last purchase day (t_x), age_days = from the first purchase day to today (T).
-- Scores are fifths, 5 is best; ties are parted by customer_id.
WITH days AS (
    SELECT customer_id, ordered_on, SUM(net_value) AS value
    FROM {{ ref('paid_orders') }}
    WHERE is_kept
    GROUP BY customer_id, ordered_on
),
customers AS (
    SELECT
        customer_id,
        COUNT(*) - 1 AS frequency,
        DATEDIFF(day, MIN(ordered_on), MAX(ordered_on)) AS recency_days,
        DATEDIFF(day, MIN(ordered_on), {{ today }}) AS age_days,
        DATEDIFF(day, MAX(ordered_on), {{ today }}) AS days_since_last_purchase,
        CAST(SUM(value) AS DECIMAL(18, 2)) AS monetary_value
    FROM days
    GROUP BY customer_id
),
scored AS (
    SELECT
        customers.*,
        NTILE(5) OVER (ORDER BY days_since_last_purchase DESC, customer_id) AS r_score,
        NTILE(5) OVER (ORDER BY frequency, customer_id) AS f_score,
        NTILE(5) OVER (ORDER BY monetary_value, customer_id) AS m_score
    FROM customers
)
SELECT
    customer_id,
    frequency,
    recency_days,
    age_days,
    days_since_last_purchase,
    monetary_value,
    r_score,
    f_score,
    m_score,
    r_score * 100 + f_score * 10 + m_score AS rfm_score
FROM scored
