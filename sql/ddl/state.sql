-- What Customer.io accepted of one sync: one row per key, replaced at each commit.
CREATE TABLE IF NOT EXISTS {{ schema }}.{{ table }} (
    row_key       VARCHAR(512)  NOT NULL,  -- canonical identity (people) or event key
    present       BOOLEAN       NOT NULL,  -- false: left the source, and its exit was accepted
    payload_hash  VARCHAR(64)   NOT NULL,
    mapping       VARCHAR(16)   NOT NULL,
    event_id      VARCHAR(26),
    occurred_at   TIMESTAMP,
    plan_id       VARCHAR(26)   NOT NULL,
    synced_at     TIMESTAMP     NOT NULL
) DISTSTYLE KEY DISTKEY (row_key) SORTKEY (row_key)
