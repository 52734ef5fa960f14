-- Proof that somebody was forgotten: SHA-256 of the salt and the canonical id (or email). Whoever asks again with the same
-- identifier can be answered, nobody can read who it was.
CREATE TABLE IF NOT EXISTS {{ schema }}.erasures (
    proof         VARCHAR(64)  NOT NULL,
    salt          VARCHAR(32)  NOT NULL,
    destinations  INTEGER      NOT NULL,  -- that were told to remove the person
    rows          BIGINT       NOT NULL,  -- deleted in Redshift
    objects       INTEGER      NOT NULL,  -- deleted in S3
    forgotten_at  TIMESTAMP    NOT NULL
) DISTSTYLE ALL
