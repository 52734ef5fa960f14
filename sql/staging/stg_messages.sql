-- Grain: one row per message that was sent to a known customer. Key: delivery_id.
-- Build: table, DISTKEY (customer_id) because messages are counted and joined by customer, SORTKEY (sent_at) because windows ask for days.
-- Empty without Customer.io's reporting. Webhooks and Slack messages of a journey reach nobody, and are not in here. An open is
-- one by a person, not by a machine; what happened at or after as_of has not happened yet.
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
    COALESCE(deliveries.channel, 'email') AS channel,
    deliveries.transactional_message_id IS NOT NULL AS is_transactional,
    deliveries.sent_at,
    CASE WHEN metrics.first_human_opened_at < {{ as_of }} THEN metrics.first_human_opened_at END AS opened_at,
    CASE WHEN metrics.first_clicked_at < {{ as_of }} THEN metrics.first_clicked_at END AS clicked_at,
    CASE WHEN metrics.first_unsubscribed_at < {{ as_of }} THEN metrics.first_unsubscribed_at END AS unsubscribed_at,
    GREATEST(
        CASE WHEN metrics.first_human_opened_at < {{ as_of }} THEN metrics.first_human_opened_at END,
        CASE WHEN metrics.first_clicked_at < {{ as_of }} THEN metrics.first_clicked_at END
    ) AS engaged_at
FROM {{ source('deliveries') }} AS deliveries
LEFT JOIN {{ source('profiles') }} AS profiles ON profiles.cio_id = deliveries.cio_id
JOIN {{ ref('stg_customers') }} AS customers
    ON customers.customer_id = COALESCE(deliveries.customer_id, profiles.customer_id)
LEFT JOIN {{ source('delivery_metrics') }} AS metrics ON metrics.delivery_id = deliveries.delivery_id
WHERE deliveries.sent_at IS NOT NULL AND COALESCE(deliveries.channel, 'email') NOT IN ('webhook', 'slack')
