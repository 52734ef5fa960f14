-- What `airflow cio let-through` allows the next plan of a sync to do once.
CREATE TABLE IF NOT EXISTS {{ schema }}.let_through (
    sync        VARCHAR(63)  NOT NULL,
    name        VARCHAR(64)  NOT NULL,  -- of a guard, or of a finding about the source's columns
    granted_at  TIMESTAMP    NOT NULL,
    plan_id     VARCHAR(26)             -- the plan that made use of it, null: still open, for a day
) DISTSTYLE ALL SORTKEY (granted_at)
