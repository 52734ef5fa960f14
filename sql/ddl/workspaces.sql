-- One row per sync: the workspace that it sends to, so that a sync of the same name never goes to another.
CREATE TABLE IF NOT EXISTS {{ schema }}.workspaces (
    sync          VARCHAR(63)   NOT NULL,
    workspace     VARCHAR(256)  NOT NULL,  -- as contract.yaml names it
    workspace_id  VARCHAR(64),             -- as Customer.io does (null: not told by the API that is sent to)
    since         TIMESTAMP     NOT NULL
) DISTSTYLE ALL
