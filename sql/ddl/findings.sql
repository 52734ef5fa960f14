-- What preflight and plan found wrong with a source.
CREATE TABLE IF NOT EXISTS {{ schema }}.findings (
    sync      VARCHAR(63)    NOT NULL,
    run_id    VARCHAR(250)   NOT NULL,
    phase     VARCHAR(16)    NOT NULL,  -- preflight | plan | reconcile
    name      VARCHAR(64)    NOT NULL,  -- duplicate_key, identifier_missing, ...
    severity  VARCHAR(16)    NOT NULL,  -- stop | warning | notice
    field     VARCHAR(256),
    rows      BIGINT         NOT NULL,  -- how many rows it concerns
    samples   VARCHAR(256),             -- up to five hashed keys
    message   VARCHAR(4000)  NOT NULL,
    found_at  TIMESTAMP      NOT NULL
) DISTSTYLE AUTO SORTKEY (sync, found_at)
