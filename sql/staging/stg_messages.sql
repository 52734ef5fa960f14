-- Grain: one row per message that was sent to a known customer. Key: delivery_id.
-- Build: table, DISTKEY (customer_id) because messages are counted and joined by customer, SORTKEY (sent_at) because windows ask for days.
-- Empty without Customer.io's reporting. Webhooks and Slack messages of a journey reach nobody, and are not in here. Opens and
-- clicks are those of people: of emails what no machine did, elsewhere all, as Customer.io marks machines in emails only.
-- What happened at or after as_of has not happened yet.
WITH deliveries AS (
    SELECT
        deliveries.*,
        COALESCE(deliveries.channel, 'email') AS medium
    FROM {{ source('deliveries') }} AS deliveries
    WHERE deliveries.sent_at IS NOT NULL
),
touched AS (
    SELECT
        deliveries.delivery_id,
        CASE
            WHEN deliveries.medium = 'email' THEN metrics.first_human_opened_at
            ELSE LEAST(metrics.first_opened_at, metrics.first_human_opened_at)
        END AS opened_at,
        CASE
            WHEN deliveries.medium = 'email' THEN metrics.first_human_clicked_at
            ELSE LEAST(metrics.first_clicked_at, metrics.first_human_clicked_at)
        END AS clicked_at,
        metrics.first_unsubscribed_at AS unsubscribed_at
    FROM deliveries
    JOIN {{ source('delivery_metrics') }} AS metrics ON metrics.delivery_id = deliveries.delivery_id
)
SELECT
    deliveries.delivery_id,
    customers.customer_id,
    CASE
        WHEN deliveries.campaign_id IS NOT NULL THEN 'campaign'
        WHEN deliveries.newsletter_id IS NOT NULL THEN 'newsletter'
        WHEN deliveries.broadcast_id IS NOT NULL THEN 'broadcast'
        WHEN deliveries.transactional_message_id IS NOT NULL THEN 'transactional'
        ELSE 'unknown'
    END AS sender,
    COALESCE(
        deliveries.campaign_id, deliveries.newsletter_id, deliveries.broadcast_id,
        deliveries.transactional_message_id, 0
    ) AS sender_id,
    COALESCE(deliveries.variation, 0) AS variation,
    deliveries.medium AS channel,
    deliveries.transactional_message_id IS NOT NULL AS is_transactional,
    deliveries.sent_at,
    CASE WHEN touched.opened_at < {{ as_of }} THEN touched.opened_at END AS opened_at,
    CASE WHEN touched.clicked_at < {{ as_of }} THEN touched.clicked_at END AS clicked_at,
    CASE WHEN touched.unsubscribed_at < {{ as_of }} THEN touched.unsubscribed_at END AS unsubscribed_at,
    GREATEST(
        CASE WHEN touched.opened_at < {{ as_of }} THEN touched.opened_at END,
        CASE WHEN touched.clicked_at < {{ as_of }} THEN touched.clicked_at END
    ) AS engaged_at
FROM deliveries
LEFT JOIN {{ source('profiles') }} AS profiles ON profiles.cio_id = deliveries.cio_id
JOIN {{ ref('stg_customers') }} AS customers
    ON customers.customer_id = COALESCE(deliveries.customer_id, profiles.customer_id)
LEFT JOIN touched ON touched.delivery_id = deliveries.delivery_id
WHERE deliveries.medium NOT IN ('webhook', 'slack')
