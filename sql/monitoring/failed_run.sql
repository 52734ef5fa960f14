-- How the newest plan of each sync ended. 0: delivered; 1: some rows were not; 2: before its commit.
WITH newest AS (
    SELECT sync, run_id, status, ROW_NUMBER() OVER (PARTITION BY sync ORDER BY plan_id DESC) AS nth
    FROM {{ schema }}.runs
)

SELECT
    'sync' AS subject_kind,
    sync AS subject,
    '' AS part,
    CASE WHEN status IN ('sent', 'nothing_to_send') THEN 0 WHEN status = 'partial' THEN 1 ELSE 2 END AS measured,
    run_id
FROM newest
WHERE nth = 1
