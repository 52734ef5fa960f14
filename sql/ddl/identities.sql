-- Emails as Customer.io accepted them: one row per person of a people sync that sends an email. Personal data.
CREATE TABLE IF NOT EXISTS {{ schema }}.identities (
    sync        VARCHAR(63)   NOT NULL,
    row_key     VARCHAR(512)  NOT NULL,
    identifier  VARCHAR(16)   NOT NULL,  -- id | email | phone | cio_id: what addresses the person in this sync
    email       VARCHAR(400)  NOT NULL,  -- canonical: trimmed, lower case
    updated_at  TIMESTAMP     NOT NULL
) DISTSTYLE KEY DISTKEY (row_key) SORTKEY (sync)
