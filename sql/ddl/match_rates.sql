-- One row per run and destination: source against uploaded against the destination's own size.
CREATE TABLE IF NOT EXISTS {{ schema }}.match_rates (
    audience       VARCHAR(63)   NOT NULL,
    destination    VARCHAR(63)   NOT NULL,
    run_id         VARCHAR(250)  NOT NULL,
    plan_id        VARCHAR(26)   NOT NULL,
    members        BIGINT        NOT NULL,  -- of the source, after suppression, consent and holdout
    held_out       BIGINT        NOT NULL,
    unidentified   BIGINT        NOT NULL,  -- members without a usable identifier for this destination
    uploaded       BIGINT        NOT NULL,  -- identifiers that the ledger calls present
    unsettled      BIGINT        NOT NULL,  -- identifiers whose last request is not confirmed
    size           BIGINT,                  -- what the destination says, null: it says nothing
    match_rate     FLOAT8,                  -- percent of uploaded identifiers
    ready          BOOLEAN,                 -- usable, by the destination's own word
    missing        BIGINT,                  -- identifiers that were taken, and are not there when read back
    foreign_count  BIGINT,                  -- members there whom this audience did not put there
    as_expected    BOOLEAN       NOT NULL,
    unexpected     VARCHAR(1000),           -- in words: what is not within `expect`, who is foreign, which window is too short
    lag_p50        FLOAT8,                  -- seconds from being a member to being confirmed, of those since the last row
    lag_p95        FLOAT8,
    measured_at    TIMESTAMP     NOT NULL
) DISTSTYLE AUTO SORTKEY (audience, measured_at)
