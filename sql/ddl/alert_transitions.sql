-- One row per change of an alert's state.
CREATE TABLE IF NOT EXISTS {{ schema }}.alert_transitions (
    alert        VARCHAR(400)   NOT NULL,
    from_state   VARCHAR(16)    NOT NULL,
    to_state     VARCHAR(16)    NOT NULL,
    message      VARCHAR(1000)  NOT NULL,
    run_id       VARCHAR(250)   NOT NULL,
    changed_at   TIMESTAMP      NOT NULL,
    told_at      TIMESTAMP,                 -- when its owner was told, null: not yet, or part of an outage that was told
    told_by      VARCHAR(1000)              -- the notifiers that did it
) DISTSTYLE AUTO SORTKEY (changed_at)
