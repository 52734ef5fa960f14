-- Grain: one row per customer with a cart that was left and not bought. Key: customer_id.
-- Build: view, because the carts of three days are few, and paid_orders and stg_messages lie by customer_id, by which they are joined.
-- Used by: cart recovery, one audience per tier. A person moves from tier to tier as hours pass, then leaves; a paid order
-- after the cart's last change takes them out on the next build. clicked_at is the first click in a message sent since.
WITH carts AS (
    SELECT
        carts.customer_id,
        carts.cart_id,
        carts.sku,
        carts.quantity,
        carts.updated_at,
        ROW_NUMBER() OVER (
            PARTITION BY carts.customer_id ORDER BY carts.updated_at DESC, carts.cart_id DESC, carts.sku
        ) AS recency
    FROM {{ ref('stg_carts') }} AS carts
    WHERE carts.updated_at >= {{ hours_before(windows.cart_tiers[-1].until_hours) }}
),
last_order AS (
    SELECT customer_id, MAX(ordered_at) AS ordered_at
    FROM {{ ref('paid_orders') }}
    GROUP BY customer_id
),
clicked AS (
    SELECT newest.customer_id, MIN(messages.clicked_at) AS clicked_at
    FROM carts AS newest
    JOIN {{ ref('stg_messages') }} AS messages
        ON messages.customer_id = newest.customer_id AND messages.sent_at >= newest.updated_at
    WHERE newest.recency = 1
    GROUP BY newest.customer_id
),
valued AS (
    SELECT
        newest.customer_id,
        newest.cart_id,
        newest.updated_at,
        newest.sku,
        products.category,
        SUM(carts.quantity * prices.unit_price) AS cart_value
    FROM carts AS newest
    JOIN carts ON carts.customer_id = newest.customer_id AND carts.cart_id = newest.cart_id
    LEFT JOIN {{ ref('product_facts') }} AS prices ON prices.sku = carts.sku
    LEFT JOIN {{ ref('stg_products') }} AS products ON products.sku = newest.sku
    WHERE newest.recency = 1
    GROUP BY newest.customer_id, newest.cart_id, newest.updated_at, newest.sku, products.category
)
SELECT
    valued.customer_id,
    customers.email,
    customers.accepts_marketing,
    valued.cart_id,
    CASE
        {% for tier in windows.cart_tiers %}
        WHEN valued.updated_at > {{ hours_before(tier.until_hours) }}
            AND valued.updated_at <= {{ hours_before(tier.from_hours) }} THEN {{ text(tier.name) }}
        {% endfor %}
    END AS tier,
    valued.updated_at AS cart_updated_at,
    CAST(valued.cart_value AS DECIMAL(18, 2)) AS cart_value,
    NULLIF(valued.sku, '') AS last_sku,
    valued.category,
    clicked.clicked_at
FROM valued
JOIN {{ ref('stg_customers') }} AS customers ON customers.customer_id = valued.customer_id
LEFT JOIN last_order ON last_order.customer_id = valued.customer_id
LEFT JOIN clicked ON clicked.customer_id = valued.customer_id
WHERE (last_order.ordered_at IS NULL OR last_order.ordered_at < valued.updated_at)
    AND (
        {% for tier in windows.cart_tiers %}
        (valued.updated_at > {{ hours_before(tier.until_hours) }}
            AND valued.updated_at <= {{ hours_before(tier.from_hours) }}) {{ "OR" if not loop.last }}
        {% endfor %}
    )
