-- Hours since the oldest plan of each sync was made that is still open; 9999 when there are two at a time.
SELECT
    'sync' AS subject_kind,
    sync AS subject,
    '' AS part,
    CASE
        WHEN SUM(CASE WHEN status = 'open' THEN 1 ELSE 0 END) > 1 THEN 9999.0
        ELSE COALESCE(MAX(CASE WHEN status = 'open' THEN DATEDIFF(second, created_at, GETDATE()) END), 0) / 3600.0
    END AS measured,
    COALESCE(MAX(CASE WHEN status = 'open' THEN run_id END), '') AS run_id
FROM {{ schema }}.plans
GROUP BY sync
