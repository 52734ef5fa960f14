-- One row per check, subject and evaluation. Expires after 400 days (the monitor deletes it).
-- verdict: ok | warning | critical | learning (not enough history) | no_data (nothing to measure)
CREATE TABLE IF NOT EXISTS {{ schema }}.check_results (
    check_name    VARCHAR(63)    NOT NULL,
    subject_kind  VARCHAR(16)    NOT NULL,
    subject       VARCHAR(63)    NOT NULL,
    part          VARCHAR(250)   NOT NULL,
    verdict       VARCHAR(16)    NOT NULL,
    value         FLOAT8,                   -- what was measured, null: nothing
    low           FLOAT8,                   -- what was expected, null: no limit on this side
    high          FLOAT8,
    message       VARCHAR(1000)  NOT NULL,
    run_id        VARCHAR(250)   NOT NULL,  -- the run that is judged, or of the monitor where no run is
    checked_at    TIMESTAMP      NOT NULL
) DISTSTYLE AUTO SORTKEY (checked_at)
