-- One row per plan that ended: the account of every row.
-- status: sent | nothing_to_send | partial (rows rejected, unknown or unsent) | guard_stopped | not_approved | unload_failed
CREATE TABLE IF NOT EXISTS {{ schema }}.runs (
    sync          VARCHAR(63)   NOT NULL,
    plan_id       VARCHAR(26)   NOT NULL,
    run_id        VARCHAR(250)  NOT NULL,
    status        VARCHAR(16)   NOT NULL,
    source_rows   BIGINT        NOT NULL,  -- = added + changed + unchanged + unidentified + quarantined
    tracked       BIGINT        NOT NULL,
    added         BIGINT        NOT NULL,
    changed       BIGINT        NOT NULL,
    unchanged     BIGINT        NOT NULL,
    exited        BIGINT        NOT NULL,
    unidentified  BIGINT        NOT NULL,
    quarantined   BIGINT        NOT NULL,  -- undecided events that are not sent again
    sent          BIGINT        NOT NULL,  -- rows that were in a request
    accepted      BIGINT        NOT NULL,  -- answered 2xx and not named in errors
    rejected      BIGINT        NOT NULL,  -- refused by Customer.io, or before sending
    unknown       BIGINT        NOT NULL,  -- in a request that got no answer, now or (withheld) long ago
    unsent        BIGINT        NOT NULL,  -- planned = accepted + rejected + unknown + unsent
    requests      BIGINT        NOT NULL,
    bytes         BIGINT        NOT NULL,  -- of request bodies
    retries       BIGINT        NOT NULL,
    rate_limited  BIGINT        NOT NULL,  -- answers 429
    seconds       FLOAT8        NOT NULL,  -- from plan to commit
    message       VARCHAR(4000),           -- why it stopped
    started_at    TIMESTAMP     NOT NULL,
    finished_at   TIMESTAMP     NOT NULL
) DISTSTYLE AUTO SORTKEY (sync, finished_at)
