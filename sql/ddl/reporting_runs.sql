CREATE TABLE IF NOT EXISTS {{ schema }}.reporting_runs (
    stream VARCHAR(63) NOT NULL,
    source VARCHAR(16) NOT NULL,
    run_id VARCHAR(250) NOT NULL,
    status VARCHAR(16) NOT NULL,
    rows_read BIGINT NOT NULL,
    rows_new BIGINT NOT NULL,
    gap_days INTEGER NOT NULL,
    odd_fields VARCHAR(4096) NOT NULL,
    message VARCHAR(1024) NOT NULL,
    finished_at TIMESTAMP NOT NULL
) DISTSTYLE AUTO SORTKEY (finished_at)
