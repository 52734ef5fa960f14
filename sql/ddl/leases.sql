-- One row per sync: which run may send now.
CREATE TABLE IF NOT EXISTS {{ schema }}.leases (
    sync        VARCHAR(63)   NOT NULL,
    holder      VARCHAR(250)  NOT NULL,  -- a run_id
    expires_at  TIMESTAMP     NOT NULL,  -- UTC, by Redshift's clock (in the past: free)
    taken_at    TIMESTAMP     NOT NULL
) DISTSTYLE ALL
