-- One row per plan that waited for a person. status: waiting | approved | refused | expired
CREATE TABLE IF NOT EXISTS {{ schema }}.approvals (
    sync        VARCHAR(63)   NOT NULL,
    plan_id     VARCHAR(26)   NOT NULL,
    digest      VARCHAR(32)   NOT NULL,  -- of the frozen rows that were shown
    status      VARCHAR(16)   NOT NULL,
    decided_by  VARCHAR(250),            -- user of Airflow
    asked_at    TIMESTAMP     NOT NULL,
    decided_at  TIMESTAMP
) DISTSTYLE ALL SORTKEY (asked_at)
