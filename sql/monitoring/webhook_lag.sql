-- Minutes since the newest webhook was received, where there were any.
SELECT
    'reporting' AS subject_kind,
    'webhooks' AS subject,
    '' AS part,
    DATEDIFF(second, MAX(received_at), GETDATE()) / 60.0 AS measured,
    '' AS run_id
FROM cio_raw.webhooks
HAVING COUNT(*) > 0
