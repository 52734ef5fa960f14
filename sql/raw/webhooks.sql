CREATE TABLE IF NOT EXISTS {{ schema }}.webhooks (
    stream VARCHAR(80) NOT NULL,
    event_id VARCHAR(100) NOT NULL,
    received_at TIMESTAMP NOT NULL,
    payload SUPER NOT NULL
) DISTSTYLE KEY DISTKEY (event_id) SORTKEY (received_at)
