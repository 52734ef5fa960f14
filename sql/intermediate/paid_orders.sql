-- Grain: one row per paid order of a known customer, with what became of it. Key: order_id.
-- Build: table, DISTKEY (customer_id) because windows and sums are by customer, SORTKEY (ordered_at) because readers ask for days.
-- Late refunds and chargebacks correct it on the next build. `cost` is null where a line's unit cost is unknown.
-- A wholly refunded order has no margin: neither value nor goods are gone. A charged-back one lost its goods.
WITH refunded AS (
    SELECT order_id, SUM(amount) AS amount
    FROM {{ ref('stg_refunds') }}
    WHERE order_id IS NOT NULL
    GROUP BY order_id
),
charged_back AS (
    SELECT order_id, SUM(amount) AS amount
    FROM {{ ref('stg_chargebacks') }}
    GROUP BY order_id
),
costs AS (
    SELECT
        lines.order_id,
        CASE WHEN COUNT(*) = COUNT(products.unit_cost) THEN SUM(lines.quantity * products.unit_cost) END AS cost
    FROM {{ source('order_lines') }} AS lines
    LEFT JOIN {{ ref('stg_products') }} AS products ON products.sku = lines.sku
    GROUP BY lines.order_id
),
base AS (
    SELECT
        orders.order_id,
        orders.customer_id,
        orders.ordered_at,
        orders.paid_at,
        {{ local_date('orders.ordered_at') }} AS ordered_on,
        orders.currency,
        orders.total,
        orders.discount,
        COALESCE(refunded.amount, 0) AS refunded_amount,
        COALESCE(charged_back.amount, 0) AS charged_back_amount,
        CASE
            WHEN charged_back.order_id IS NOT NULL THEN 'charged_back'
            WHEN refunded.amount >= orders.total AND orders.total > 0 THEN 'refunded'
            WHEN refunded.amount > 0 THEN 'partly_refunded'
            ELSE 'paid'
        END AS order_state,
        CAST(costs.cost AS DECIMAL(18, 4)) AS cost
    FROM {{ ref('stg_orders') }} AS orders
    LEFT JOIN refunded ON refunded.order_id = orders.order_id
    LEFT JOIN charged_back ON charged_back.order_id = orders.order_id
    LEFT JOIN costs ON costs.order_id = orders.order_id
    WHERE orders.is_paid
)
SELECT
    base.*,
    CAST(total - refunded_amount - charged_back_amount AS DECIMAL(18, 4)) AS net_value,
    CAST(CASE
        WHEN order_state = 'refunded' THEN total - refunded_amount
        ELSE total - refunded_amount - charged_back_amount - cost
    END AS DECIMAL(18, 4)) AS margin,
    order_state NOT IN ('refunded', 'charged_back') AS is_kept,
    ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY ordered_at, order_id) AS order_number
FROM base
