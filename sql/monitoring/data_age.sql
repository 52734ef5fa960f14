-- Hours since the newest data: the last public build of each mart, the newest event that was sent by each event sync.
WITH events AS (
    SELECT
        subject, run_id, metrics.value + DATEDIFF(second, recorded_at, GETDATE()) AS age,
        ROW_NUMBER() OVER (PARTITION BY subject ORDER BY recorded_at DESC, plan_id DESC) AS nth
    FROM {{ schema }}.metrics AS metrics
    WHERE subject_kind = 'sync' AND metric = 'newest_seconds'
)

SELECT 'sync' AS subject_kind, subject, '' AS part, age / 3600.0 AS measured, run_id
FROM events
WHERE nth = 1
UNION ALL
SELECT 'mart', model, '', DATEDIFF(second, MAX(as_of), GETDATE()) / 3600.0, MAX(build_id)
FROM {{ schema }}.model_builds
WHERE status = 'public'
GROUP BY model
