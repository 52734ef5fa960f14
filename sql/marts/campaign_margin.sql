-- Grain: one row per campaign, newsletter, broadcast or transactional message, its channel and variation, and month of sending. Key: sender, sender_id, variation, channel, sent_month.
-- Build: table, DISTSTYLE ALL because it is small, SORTKEY (sent_month) because it is read by month.
-- Used by: reports, and the choice of which campaigns to keep. Months are the business's. What a message earned is told by last
-- touch (message_performance): it is credit, not effect; holdout_lift tells the effect.
WITH names AS (
    SELECT campaign_id, MAX(campaign_name) AS campaign_name
    FROM {{ source('campaign_actions') }} AS campaign_actions
    GROUP BY campaign_id
)
SELECT
    messages.sender,
    messages.sender_id,
    messages.variation,
    messages.channel,
    CAST(DATE_TRUNC('month', {{ local_date('messages.sent_at') }}) AS DATE) AS sent_month,
    MAX(names.campaign_name) AS campaign_name,
    COUNT(*) AS messages,
    COUNT(DISTINCT messages.customer_id) AS people,
    COUNT(messages.opened_at) AS opened,
    COUNT(messages.clicked_at) AS clicked,
    COUNT(messages.unsubscribed_at) AS unsubscribed,
    SUM(messages.orders) AS orders,
    SUM(messages.value) AS value,
    CASE WHEN COUNT(*) = COUNT(messages.margin) THEN SUM(messages.margin) END AS margin,
    CAST(
        CASE WHEN COUNT(*) = COUNT(messages.margin) THEN SUM(messages.margin) END * 1000 / COUNT(*) AS DECIMAL(18, 2)
    ) AS margin_per_thousand
FROM {{ ref('message_performance') }} AS messages
LEFT JOIN names ON messages.sender = 'campaign' AND names.campaign_id = messages.sender_id
GROUP BY
    messages.sender,
    messages.sender_id,
    messages.variation,
    messages.channel,
    CAST(DATE_TRUNC('month', {{ local_date('messages.sent_at') }}) AS DATE)
