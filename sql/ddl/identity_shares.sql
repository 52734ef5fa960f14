-- How many rows of a people source carried which identifier, one row per plan: a share that moves is a source that changed.
CREATE TABLE IF NOT EXISTS {{ schema }}.identity_shares (
    sync         VARCHAR(63)  NOT NULL,
    plan_id      VARCHAR(26)  NOT NULL,
    identifier   VARCHAR(16)  NOT NULL,  -- what addresses people in this sync
    rows         BIGINT       NOT NULL,  -- of the source
    identified   BIGINT       NOT NULL,  -- with that identifier
    with_email   BIGINT       NOT NULL,
    measured_at  TIMESTAMP    NOT NULL
) DISTSTYLE AUTO SORTKEY (sync, measured_at)
