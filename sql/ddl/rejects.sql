-- One row per row of a plan that was not accepted. No personal data: the key is hashed as everywhere in this package.
CREATE TABLE IF NOT EXISTS {{ schema }}.rejects (
    sync         VARCHAR(63)   NOT NULL,
    plan_id      VARCHAR(26)   NOT NULL,
    run_id       VARCHAR(250)  NOT NULL,
    key_hash     VARCHAR(12)   NOT NULL,  -- first 12 hex digits of SHA-256 of the row key
    shard        INTEGER       NOT NULL,
    ordinal      BIGINT        NOT NULL,  -- of the row in its shard, while changes__<sync>__<plan_id> is kept
    sent         BOOLEAN       NOT NULL,  -- false: refused or withheld before sending
    class        VARCHAR(32)   NOT NULL,  -- permanent | transient | identity_conflict | unknown
    reason       VARCHAR(256)  NOT NULL,
    field        VARCHAR(256),
    rejected_at  TIMESTAMP     NOT NULL
) DISTSTYLE AUTO SORTKEY (sync, rejected_at)
