-- What became of each model in each build of the marts: one row per build and model.
CREATE TABLE IF NOT EXISTS {{ schema }}.model_builds (
    build_id      VARCHAR(26)   NOT NULL,
    model         VARCHAR(100)  NOT NULL,
    relation      VARCHAR(256)  NOT NULL,  -- the table or view of this build
    kind          VARCHAR(8)    NOT NULL,  -- table or view
    as_of         TIMESTAMP     NOT NULL,  -- the build sees nothing at or after it
    fingerprint   VARCHAR(16)   NOT NULL,  -- of all models and their settings
    model_rows    BIGINT,
    status        VARCHAR(8)    NOT NULL,  -- built, public or dropped
    built_at      TIMESTAMP     NOT NULL
) DISTSTYLE AUTO SORTKEY (built_at)
