CREATE TABLE IF NOT EXISTS {{ schema }}.reporting_days (
    stream VARCHAR(63) NOT NULL,
    source VARCHAR(16) NOT NULL,
    covered_day DATE NOT NULL,
    read_at TIMESTAMP NOT NULL
) DISTSTYLE AUTO SORTKEY (stream, covered_day)
