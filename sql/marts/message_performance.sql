-- Grain: one row per message that was sent to a known customer. Key: delivery_id.
-- Build: table, DISTKEY (customer_id) because messages and orders join by customer, SORTKEY (sent_at) because reports ask for days.
-- Used by: campaign_margin, reports of what messages earn.
-- orders, value and margin are those of the orders that are credited to the message: of the message that the person opened or
-- clicked last in the attribution_days before the order. Value and margin are net of refunds and chargebacks.
WITH earned AS (
    SELECT
        delivery_id,
        SUM(CASE WHEN is_kept THEN 1 ELSE 0 END) AS orders,
        SUM(net_value) AS value,
        CASE WHEN COUNT(*) = COUNT(margin) THEN SUM(margin) END AS margin
    FROM {{ ref('attributed_orders') }}
    GROUP BY delivery_id
)
SELECT
    messages.delivery_id,
    messages.customer_id,
    messages.sender,
    messages.sender_id,
    messages.variation,
    messages.channel,
    messages.is_transactional,
    messages.sent_at,
    messages.opened_at,
    messages.clicked_at,
    messages.unsubscribed_at,
    COALESCE(earned.orders, 0) AS orders,
    CAST(COALESCE(earned.value, 0) AS DECIMAL(18, 2)) AS value,
    CAST(CASE WHEN earned.delivery_id IS NULL THEN 0 ELSE earned.margin END AS DECIMAL(18, 2)) AS margin
FROM {{ ref('stg_messages') }} AS messages
LEFT JOIN earned ON earned.delivery_id = messages.delivery_id
