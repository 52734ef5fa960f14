-- Grain: one row per customer and product that is due again. Key: customer_id, sku.
-- Build: table, DISTKEY (customer_id) because audiences join by customer, SORTKEY (due_on) because readers ask for the next days.
-- Used by: replenishment audiences and journeys; needs_replenishment.
-- Due is the last purchase day plus the product's cycle. Nobody is reminded of what they have a subscription to.
WITH bought AS (
    SELECT customer_id, sku, MAX(ordered_on) AS last_bought_on
    FROM {{ ref('paid_lines') }}
    WHERE is_kept AND sku IS NOT NULL AND quantity > 0
    GROUP BY customer_id, sku
),
dated AS (
    SELECT
        bought.customer_id,
        bought.sku,
        products.category,
        bought.last_bought_on,
        products.cycle_days,
        products.learned_from,
        CAST(DATEADD(day, products.cycle_days, bought.last_bought_on) AS DATE) AS due_on
    FROM bought
    JOIN {{ ref('product_facts') }} AS products ON products.sku = bought.sku
)
SELECT
    dated.customer_id,
    dated.sku,
    dated.category,
    dated.last_bought_on,
    dated.cycle_days,
    dated.learned_from,
    dated.due_on,
    CASE
        WHEN dated.due_on > {{ today }} THEN 'due_soon' WHEN dated.due_on = {{ today }} THEN 'due' ELSE 'overdue'
    END AS due_state
FROM dated
LEFT JOIN {{ ref('stg_subscriptions') }} AS subscriptions
    ON subscriptions.customer_id = dated.customer_id
    AND subscriptions.sku = dated.sku
    AND subscriptions.status = 'active'
WHERE subscriptions.customer_id IS NULL
    AND dated.due_on <= DATEADD(day, {{ windows.due_soon_days }}, {{ today }})
    AND dated.due_on > DATEADD(day, -{{ windows.overdue_days }}, {{ today }})
    {% if replenishment.never_categories %}
    AND COALESCE(dated.category, '') NOT IN (
        {% for category in replenishment.never_categories %}{{ text(category) }}{{ ", " if not loop.last }}{% endfor %}
    )
    {% endif %}
