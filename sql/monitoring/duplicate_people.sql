-- Emails of each people sync that more than one person has.
WITH emails AS (
    SELECT sync, email, COUNT(DISTINCT row_key) AS people
    FROM {{ schema }}.identities
    GROUP BY sync, email
)

SELECT
    'sync' AS subject_kind,
    sync AS subject,
    '' AS part,
    SUM(CASE WHEN people > 1 THEN 1 ELSE 0 END) AS measured,
    '' AS run_id
FROM emails
GROUP BY sync
