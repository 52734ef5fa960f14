-- Grain: one row per event of a known customer. Key: event_key.
-- Build: table, DISTKEY (customer_id) because events are read by customer, SORTKEY (occurred_at) because syncs read the latest days.
-- Used by: order_completed, order_refunded and the other event views; high_intent_non_buyers.
-- Incremental: only customers who were touched since the look-back began are read again, with everybody who shares an
-- email with them; the events of the others are kept. Carts are valued anew, as everybody's orders change a product's price.
-- occurred_at is when it happened, in UTC.
WITH
{% if incremental %}
first_touched AS (
    SELECT customer_id
    FROM {{ ref('customer_changes') }}
    WHERE changed_at >= {{ since }} OR changed_at IS NULL
),
emails AS (
    SELECT customer_id, LOWER(TRIM(email)) AS email
    FROM {{ source('customers') }} AS customers
    WHERE email IS NOT NULL AND customer_id IS NOT NULL
    UNION
    SELECT customer_id, LOWER(TRIM(old_email)) AS email
    FROM {{ source('email_changes') }} AS email_changes
    WHERE old_email IS NOT NULL AND customer_id IS NOT NULL
),
touched AS (
    SELECT customer_id
    FROM first_touched
    UNION
    SELECT others.customer_id
    FROM first_touched
    JOIN emails ON emails.customer_id = first_touched.customer_id
    JOIN emails AS others ON others.email = emails.email
),
{% endif %}
top_lines AS (
    SELECT
        order_id,
        REGEXP_REPLACE(sku, '[^A-Za-z0-9 ._-]', '') AS sku,
        quantity,
        ROW_NUMBER() OVER (PARTITION BY order_id ORDER BY value DESC, line_number) AS value_rank
    FROM {{ ref('paid_lines') }}
),
summaries AS (
    SELECT
        order_id,
        COUNT(*) AS line_count,
        CAST(SUM(quantity) AS BIGINT) AS item_count,
        JSON_PARSE(
            '["' || LISTAGG(CASE WHEN value_rank <= 5 THEN sku END, '","') WITHIN GROUP (ORDER BY value_rank) || '"]'
        ) AS top_skus
    FROM top_lines
    GROUP BY order_id
),
fresh AS (
    SELECT
        'order_completed:' || orders.order_id AS event_key,
        'Order Completed' AS event_name,
        orders.customer_id,
        orders.ordered_at AS occurred_at,
        orders.order_id,
        orders.order_number,
        orders.order_number = 1 AS is_first_order,
        CAST(orders.total AS DECIMAL(18, 2)) AS amount,
        CAST(orders.discount AS DECIMAL(18, 2)) AS discount,
        COALESCE(orders.currency, '{{ currency }}') AS currency,
        summaries.line_count,
        summaries.item_count,
        summaries.top_skus,
        CAST(NULL AS VARCHAR(256)) AS subject_id,
        CAST(NULL AS VARCHAR(256)) AS sku,
        CAST(NULL AS VARCHAR(1024)) AS reason
    FROM {{ ref('paid_orders') }} AS orders
    LEFT JOIN summaries ON summaries.order_id = orders.order_id
    UNION ALL
    SELECT
        'order_refunded:' || refund_id, 'Order Refunded', customer_id, refunded_at, order_id, NULL, NULL,
        CAST(amount AS DECIMAL(18, 2)), NULL, '{{ currency }}', NULL, NULL, NULL, refund_id, NULL, reason
    FROM {{ ref('stg_refunds') }}
    UNION ALL
    SELECT
        'checkout_started:' || checkout_id, 'Checkout Started', customer_id, started_at, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, NULL, checkout_id, NULL, NULL
    FROM {{ ref('stg_checkouts') }}
    UNION ALL
    SELECT
        'cart_updated:' || carts.cart_id || ':' || carts.sku || ':' || TO_CHAR(carts.updated_at, 'YYYYMMDDHH24MISSUS'),
        'Cart Updated', carts.customer_id, carts.updated_at, NULL, NULL, NULL,
        NULL, NULL, '{{ currency }}', NULL,
        CAST(carts.quantity AS BIGINT), NULL, carts.cart_id, carts.sku, NULL
    FROM {{ ref('stg_carts') }} AS carts
    UNION ALL
    SELECT
        'product_viewed:' || session_id || ':' || sku || ':' || TO_CHAR(viewed_at, 'YYYYMMDDHH24MISSUS'),
        'Product Viewed', customer_id, viewed_at, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, NULL, session_id, sku, NULL
    FROM {{ ref('stg_product_views') }}
    UNION ALL
    SELECT
        'subscription_' || status || ':' || subscription_id,
        CASE status WHEN 'paused' THEN 'Subscription Paused' ELSE 'Subscription Cancelled' END,
        customer_id, ended_at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, subscription_id, sku, NULL
    FROM {{ ref('stg_subscriptions') }}
    WHERE ended_at IS NOT NULL AND status IN ('paused', 'cancelled')
    UNION ALL
    SELECT
        'back_in_stock_requested:' || request_id, 'Back In Stock Requested', customer_id, requested_at, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, NULL, NULL, request_id, sku, NULL
    FROM {{ ref('stg_stock_requests') }}
),
events AS (
    {% if incremental %}
    SELECT fresh.*
    FROM fresh
    JOIN touched ON touched.customer_id = fresh.customer_id
    UNION ALL
    SELECT kept.*
    FROM {{ incremental }} AS kept
    LEFT JOIN touched ON touched.customer_id = kept.customer_id
    WHERE touched.customer_id IS NULL
    {% else %}
    SELECT *
    FROM fresh
    {% endif %}
)
SELECT
    events.event_key,
    events.event_name,
    events.customer_id,
    events.occurred_at,
    events.order_id,
    events.order_number,
    events.is_first_order,
    CASE
        WHEN events.event_name = 'Cart Updated' THEN CAST(events.item_count * products.unit_price AS DECIMAL(18, 2))
        ELSE events.amount
    END AS amount,
    events.discount,
    events.currency,
    events.line_count,
    events.item_count,
    events.top_skus,
    events.subject_id,
    events.sku,
    events.reason
FROM events
LEFT JOIN {{ ref('product_facts') }} AS products
    ON events.event_name = 'Cart Updated' AND products.sku = events.sku
