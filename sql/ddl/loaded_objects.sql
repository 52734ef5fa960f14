CREATE TABLE IF NOT EXISTS {{ schema }}.loaded_objects (
    source VARCHAR(100) NOT NULL,
    object_key VARCHAR(1024) NOT NULL,
    bytes BIGINT NOT NULL,
    loaded_at TIMESTAMP NOT NULL
) DISTSTYLE AUTO SORTKEY (source, loaded_at)
