-- Grain: one row per delivery, whichever routes told of it. Key: delivery_id.
-- Each route knows other columns; MAX takes what any of them knows. sent_at, campaign_id, journey_id, content_id
-- (variation) and delivery_id (message) mean the same in every stg_customerio view.
CREATE OR REPLACE VIEW {{ staging }}.stg_customerio__deliveries AS
SELECT
    deliveries.delivery_id,
    deliveries.delivery_id AS message_id,
    MAX(deliveries.cio_id) AS cio_id,
    MAX(deliveries.customer_id) AS customer_id,
    MAX(deliveries.campaign_id) AS campaign_id,
    MAX(deliveries.action_id) AS action_id,
    MAX(deliveries.broadcast_id) AS broadcast_id,
    MAX(deliveries.newsletter_id) AS newsletter_id,
    MAX(deliveries.content_id) AS content_id,
    COALESCE(MAX(deliveries.content_id), MAX(deliveries.action_id)) AS variation,
    MAX(deliveries.transactional_message_id) AS transactional_message_id,
    MAX(CASE WHEN deliveries.source = 'webhooks' THEN deliveries.journey_id END) AS journey_id,
    MAX(deliveries.trigger_event_id) AS trigger_event_id,
    MAX(CASE WHEN deliveries.type = 'twilio' THEN 'sms' ELSE deliveries.type END) AS channel,
    MAX(deliveries.subject) AS subject,
    COALESCE(MIN(deliveries.created_at), MIN(sent.sent_at)) AS created_at,
    MIN(sent.sent_at) AS sent_at
FROM {{ raw }}.deliveries AS deliveries
LEFT JOIN (
    SELECT delivery_id, MIN(occurred_at) AS sent_at
    FROM {{ raw }}.metrics
    WHERE metric = 'sent'
    GROUP BY delivery_id
) AS sent ON sent.delivery_id = deliveries.delivery_id
GROUP BY deliveries.delivery_id
WITH NO SCHEMA BINDING
