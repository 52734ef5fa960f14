-- Grain: one row per customer who was messaged in the last 14 days. Key: customer_id.
-- Build: view, because fourteen days of stg_messages are one range of its sort key, sent_at.
-- Used by: pauses before another message, per channel or over all of them. Transactional messages do not count: nobody can be
-- spared a receipt.
SELECT
    messages.customer_id,
    customers.email,
    SUM(CASE WHEN messages.sent_at >= {{ days_before(7) }} THEN 1 ELSE 0 END) AS messages_7d,
    COUNT(*) AS messages_14d,
    {% for channel in ('email', 'sms', 'push', 'in_app', 'whatsapp') %}
    SUM(CASE WHEN messages.channel = '{{ channel }}' AND messages.sent_at >= {{ days_before(7) }} THEN 1 ELSE 0 END) AS {{ channel }}_7d,
    SUM(CASE WHEN messages.channel = '{{ channel }}' THEN 1 ELSE 0 END) AS {{ channel }}_14d,
    {% endfor %}
    MAX(messages.sent_at) AS last_message_at
FROM {{ ref('stg_messages') }} AS messages
JOIN {{ ref('stg_customers') }} AS customers ON customers.customer_id = messages.customer_id
WHERE NOT messages.is_transactional AND messages.sent_at >= {{ days_before(14) }}
GROUP BY messages.customer_id, customers.email
