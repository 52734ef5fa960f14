-- One row per alert: its state now, whose it is, and what its owner was told last.
-- state: learning (not enough history yet) | ok | warning | critical | recovered (was bad, is good since `since`)
CREATE TABLE IF NOT EXISTS {{ schema }}.alerts (
    alert          VARCHAR(400)   NOT NULL,  -- <check_name>:<subject_kind>:<subject>[:<part>]
    check_name     VARCHAR(63)    NOT NULL,
    subject_kind   VARCHAR(16)    NOT NULL,  -- sync | audience | reporting | airflow
    subject        VARCHAR(63)    NOT NULL,
    part           VARCHAR(250)   NOT NULL,
    alert_group    VARCHAR(128)   NOT NULL,  -- alerts of one cause: one outage is one message
    owner          VARCHAR(250)   NOT NULL,
    runbook        VARCHAR(512)   NOT NULL,  -- link
    state          VARCHAR(16)    NOT NULL,
    message        VARCHAR(1000)  NOT NULL,  -- counts and names only, nobody's data
    run_id         VARCHAR(250)   NOT NULL,  -- that it is about
    since          TIMESTAMP      NOT NULL,  -- when it came into this state
    checked_at     TIMESTAMP      NOT NULL,  -- when it was looked at last
    told           VARCHAR(16)    NOT NULL,  -- ok | warning | critical: what the owner was told last
    told_at        TIMESTAMP,
    telling_until  TIMESTAMP                 -- somebody is telling the owner now
) DISTSTYLE ALL
