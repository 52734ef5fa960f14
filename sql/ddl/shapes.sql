-- One row per plan of the whole source: what it looked like. Compared at the next plan.
CREATE TABLE IF NOT EXISTS {{ schema }}.shapes (
    sync         VARCHAR(63)     NOT NULL,
    plan_id      VARCHAR(26)     NOT NULL,
    fingerprint  VARCHAR(16)     NOT NULL,  -- of columns
    source_rows  BIGINT          NOT NULL,
    columns      VARCHAR(65535)  NOT NULL,  -- JSON: {column: type family} of the source
    fields       VARCHAR(65535)  NOT NULL,  -- JSON: [name, ...] of the attributes or properties that are mapped
    seen_at      TIMESTAMP       NOT NULL
) DISTSTYLE ALL SORTKEY (sync, seen_at)
