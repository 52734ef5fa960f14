-- What Customer.io does not hold as it was accepted, found by reading back.
CREATE TABLE IF NOT EXISTS {{ schema }}.drift (
    sync         VARCHAR(63)   NOT NULL,
    plan_id      VARCHAR(26)   NOT NULL,  -- of the run after which it was found
    run_id       VARCHAR(250)  NOT NULL,
    key_hash     VARCHAR(12)   NOT NULL,  -- first 12 hex digits of SHA-256 of the row key
    field        VARCHAR(256),            -- attribute, null: the whole person or event
    reason       VARCHAR(16)   NOT NULL,  -- never_arrived | overwritten | suppressed | type_changed
    detail       VARCHAR(256),            -- what Customer.io said of a failed change
    found_at     TIMESTAMP     NOT NULL,
    repaired_at  TIMESTAMP                -- when `airflow cio repair` sent the row again, null: open
) DISTSTYLE AUTO SORTKEY (sync, found_at)
