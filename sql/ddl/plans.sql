-- One row per plan: what a run decided to send, frozen in changes__<sync>__<plan_id>.
-- status: open (being sent) | stopped (by a guard) | committed | closed (another plan took over) | dropped
CREATE TABLE IF NOT EXISTS {{ schema }}.plans (
    plan_id          VARCHAR(26)    NOT NULL,  -- ULID: sorts by time of planning
    sync             VARCHAR(63)    NOT NULL,
    kind             VARCHAR(16)    NOT NULL,  -- people | events
    run_id           VARCHAR(250)   NOT NULL,  -- the Airflow run that made it
    status           VARCHAR(16)    NOT NULL,
    mapping          VARCHAR(16)    NOT NULL,  -- fingerprint of the mapping
    payload_columns  VARCHAR(65535) NOT NULL,  -- JSON: [[column, type OID], ...] of the source's fields
    source_rows      BIGINT         NOT NULL,
    tracked          BIGINT         NOT NULL,  -- rows in state before this plan
    added            BIGINT         NOT NULL,
    changed          BIGINT         NOT NULL,
    unchanged        BIGINT         NOT NULL,
    exited           BIGINT         NOT NULL,
    unidentified     BIGINT         NOT NULL,  -- rows withheld by a finding
    quarantined      BIGINT         NOT NULL,  -- undecided events that are not sent again
    shards           INTEGER        NOT NULL,
    prefix           VARCHAR(1024)  NOT NULL,  -- folder of shards and outcomes, below staging.s3
    manifest         VARCHAR(1024),            -- of the UNLOAD that won, null until then
    outcome_objects  INTEGER        NOT NULL,  -- how many outcome objects the last commit folded in
    created_at       TIMESTAMP      NOT NULL,  -- UTC, as all times here
    committed_at     TIMESTAMP,
    closed_at        TIMESTAMP
) DISTSTYLE ALL SORTKEY (plan_id)
