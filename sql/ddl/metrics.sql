-- One row per run, subject and number: what a run measured, for trends and for the checks that learn from them.
CREATE TABLE IF NOT EXISTS {{ schema }}.metrics (
    subject_kind  VARCHAR(16)   NOT NULL,  -- sync | audience | reporting
    subject       VARCHAR(63)   NOT NULL,  -- name of the sync, the audience or the stream
    part          VARCHAR(250)  NOT NULL,  -- what of it: a destination, a route, a field, a reason, or '' for all of it
    plan_id       VARCHAR(26)   NOT NULL,  -- '' where nothing is planned (reporting)
    run_id        VARCHAR(250)  NOT NULL,  -- of Airflow
    metric        VARCHAR(63)   NOT NULL,
    value         FLOAT8        NOT NULL,
    recorded_at   TIMESTAMP     NOT NULL   -- UTC, as all times here
) DISTSTYLE AUTO SORTKEY (recorded_at)
