-- What each destination holds, as far as is known: one row per identifier. Hashes, or ids where a platform takes ids.
-- state: present | adding, removing (sent or about to be: may be applied) | add_sent, remove_sent (taken, not confirmed
-- yet) | absent (taken, and found not to be there)
CREATE TABLE IF NOT EXISTS {{ schema }}.audience_members (
    audience     VARCHAR(63)   NOT NULL,
    destination  VARCHAR(63)   NOT NULL,
    field        VARCHAR(64)   NOT NULL,  -- the platform's name: EMAIL_SHA256, phoneNumber, ...
    identifier   VARCHAR(300)  NOT NULL,  -- of several hashes: joined by |
    state        VARCHAR(16)   NOT NULL,
    normaliser   INTEGER       NOT NULL,  -- version of the rules that made the hash
    definition   INTEGER       NOT NULL,  -- version of the audience
    plan_id      VARCHAR(26)   NOT NULL,  -- that touched it last
    batch        INTEGER       NOT NULL,  -- of that plan, destination, action and field
    entered_at   TIMESTAMP,               -- UTC, as all times here: what made it a member, where the source says
    added_at     TIMESTAMP,               -- when it was last added
    ready_at     TIMESTAMP                -- when the destination first confirmed it: what lags are measured by
) DISTSTYLE KEY DISTKEY (identifier) SORTKEY (audience, destination)
