-- Grain: one row per order that a message is given the credit for. Key: order_id.
-- Build: table, DISTKEY (customer_id) because it joins messages and orders of one customer, SORTKEY (delivery_id) because it is summed by message.
-- Last touch: the message that the person (no machine) opened or clicked last before the order, in the attribution_days before it. An order
-- is credited once, or to nobody, so that sums over messages never exceed the shop's. Refunds and chargebacks lower it later.
WITH touches AS (
    SELECT customer_id, delivery_id, clicked_at AS touched_at
    FROM {{ ref('stg_messages') }}
    WHERE clicked_at IS NOT NULL
    UNION ALL
    SELECT customer_id, delivery_id, opened_at AS touched_at
    FROM {{ ref('stg_messages') }}
    WHERE opened_at IS NOT NULL
),
ranked AS (
    SELECT
        orders.order_id,
        orders.customer_id,
        touches.delivery_id,
        orders.ordered_at,
        orders.is_kept,
        orders.net_value,
        orders.margin,
        ROW_NUMBER() OVER (
            PARTITION BY orders.order_id ORDER BY touches.touched_at DESC, touches.delivery_id DESC
        ) AS recency
    FROM {{ ref('paid_orders') }} AS orders
    JOIN touches
        ON touches.customer_id = orders.customer_id
        AND touches.touched_at <= orders.ordered_at
        AND touches.touched_at >= {{ days_later('orders.ordered_at', -windows.attribution_days) }}
)
SELECT order_id, customer_id, delivery_id, ordered_at, is_kept, net_value, margin
FROM ranked
WHERE recency = 1
