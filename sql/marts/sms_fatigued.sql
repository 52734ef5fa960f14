-- Grain: one row per customer whom text messages tire. Key: customer_id.
-- Build: view, because a month of stg_messages is one range of its sort key, sent_at.
-- Used by: suppression of text messages. Tired is who was sent several in the last days and clicked none of them, or unsubscribed
-- from one.
SELECT
    messages.customer_id,
    customers.email,
    COUNT(*) AS messages,
    MAX(messages.sent_at) AS last_message_at,
    MAX(messages.unsubscribed_at) AS unsubscribed_at
FROM {{ ref('stg_messages') }} AS messages
JOIN {{ ref('stg_customers') }} AS customers ON customers.customer_id = messages.customer_id
WHERE messages.channel = 'sms'
    AND NOT messages.is_transactional
    AND messages.sent_at >= {{ days_before(windows.sms_fatigue_days) }}
GROUP BY messages.customer_id, customers.email
HAVING MAX(messages.unsubscribed_at) IS NOT NULL
    OR (COUNT(*) >= {{ thresholds.sms_fatigue_messages }} AND COUNT(messages.clicked_at) = 0)
