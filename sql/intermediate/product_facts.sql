-- Grain: one row per product that was bought. Key: sku.
-- Build: table, DISTSTYLE ALL because it is small and joined by product on every node.
-- Days from one purchase to the next of the same product by the same customer: the median of the product once there
-- are enough gaps, else that of its category, else the fallback. One purchase day counts once. `unit_price` is the
-- average that was paid.
WITH days AS (
    SELECT DISTINCT customer_id, sku, category, ordered_on
    FROM {{ ref('paid_lines') }}
    WHERE is_kept AND sku IS NOT NULL AND quantity > 0
),
gaps AS (
    SELECT
        sku,
        category,
        DATEDIFF(
            day, LAG(ordered_on) OVER (PARTITION BY customer_id, sku ORDER BY ordered_on), ordered_on
        ) AS gap
    FROM days
),
by_sku AS (
    SELECT sku, MAX(category) AS category, COUNT(gap) AS gaps, MEDIAN(gap) AS median_gap
    FROM gaps
    GROUP BY sku
),
prices AS (
    SELECT sku, SUM(value) / SUM(quantity) AS unit_price
    FROM {{ ref('paid_lines') }}
    WHERE sku IS NOT NULL AND quantity > 0
    GROUP BY sku
),
by_category AS (
    SELECT category, COUNT(gap) AS gaps, MEDIAN(gap) AS median_gap
    FROM gaps
    WHERE category IS NOT NULL
    GROUP BY category
)
SELECT
    by_sku.sku,
    by_sku.category,
    by_sku.gaps,
    CASE
        WHEN by_sku.gaps >= {{ replenishment.min_gaps }} THEN 'product'
        WHEN by_category.gaps >= {{ replenishment.min_gaps }} THEN 'category'
        ELSE 'fallback'
    END AS learned_from,
    CAST(CASE
        WHEN by_sku.gaps >= {{ replenishment.min_gaps }} THEN CEILING(by_sku.median_gap)
        WHEN by_category.gaps >= {{ replenishment.min_gaps }} THEN CEILING(by_category.median_gap)
        ELSE {{ replenishment.fallback_days }}
    END AS INTEGER) AS cycle_days,
    CAST(prices.unit_price AS DECIMAL(18, 4)) AS unit_price
FROM by_sku
JOIN prices ON prices.sku = by_sku.sku
LEFT JOIN by_category ON by_category.category = by_sku.category
