-- Events that had not happened yet: a source's clock is not the one that models.yaml says.
SELECT event_key
FROM {{ ref('retention_events') }}
WHERE occurred_at >= {{ as_of }} OR occurred_at IS NULL
