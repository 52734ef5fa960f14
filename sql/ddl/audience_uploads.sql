-- One row per request that carried members: counts and the platform's own request id, no identifiers.
-- outcome: accepted | pending | confirmed | partial | rejected | unknown
CREATE TABLE IF NOT EXISTS {{ schema }}.audience_uploads (
    audience     VARCHAR(63)   NOT NULL,
    destination  VARCHAR(63)   NOT NULL,
    plan_id      VARCHAR(26)   NOT NULL,
    run_id       VARCHAR(250)  NOT NULL,
    action       VARCHAR(8)    NOT NULL,  -- add | remove
    field        VARCHAR(64)   NOT NULL,
    batch        INTEGER       NOT NULL,
    identifiers  INTEGER       NOT NULL,
    invalid      INTEGER       NOT NULL,  -- entries that the platform could not read, by its own count
    outcome      VARCHAR(16)   NOT NULL,
    request_id   VARCHAR(256),
    reason       VARCHAR(1000),
    sent_at      TIMESTAMP     NOT NULL,
    settled_at   TIMESTAMP
) DISTSTYLE AUTO SORTKEY (audience, sent_at)
