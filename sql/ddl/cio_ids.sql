-- What Customer.io calls people whose email changed, looked up through the App API. Personal data.
CREATE TABLE IF NOT EXISTS {{ schema }}.cio_ids (
    identifier   VARCHAR(150)  NOT NULL,  -- the id that the sync addresses the person by
    cio_id       VARCHAR(64)   NOT NULL,
    resolved_at  TIMESTAMP     NOT NULL
) DISTSTYLE KEY DISTKEY (identifier) SORTKEY (identifier)
