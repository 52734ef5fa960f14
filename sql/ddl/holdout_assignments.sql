-- Who is left out on purpose: one row per member and experiment, written once.
CREATE TABLE IF NOT EXISTS {{ schema }}.holdout_assignments (
    experiment    VARCHAR(63)   NOT NULL,
    member        VARCHAR(512)  NOT NULL,
    held_out      BOOLEAN       NOT NULL,
    stratum       VARCHAR(256)  NOT NULL,  -- '' without strata
    position      BIGINT        NOT NULL,  -- in the stratum, by the draw: decides held_out
    draw          VARCHAR(64)   NOT NULL,  -- SHA-256 of salt, experiment and member
    basis_points  INTEGER       NOT NULL,  -- the share when it was assigned
    audience      VARCHAR(63)   NOT NULL,  -- that met the member first
    assigned_at   TIMESTAMP     NOT NULL
) DISTSTYLE KEY DISTKEY (member) SORTKEY (experiment, member)
