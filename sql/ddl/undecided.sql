-- Events that were in a request without an answer: Customer.io may have them or not. One row per event, until it is decided.
CREATE TABLE IF NOT EXISTS {{ schema }}.undecided (
    sync         VARCHAR(63)   NOT NULL,
    row_key      VARCHAR(512)  NOT NULL,
    event_id     VARCHAR(26),
    occurred_at  TIMESTAMP,
    plan_id      VARCHAR(26)   NOT NULL,  -- whose request was the first without an answer
    since        TIMESTAMP     NOT NULL   -- UTC, older than dedupe_horizon: not sent again (quarantined)
) DISTSTYLE KEY DISTKEY (row_key) SORTKEY (sync)
