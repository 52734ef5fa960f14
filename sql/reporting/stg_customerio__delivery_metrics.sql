-- Grain: one row per delivery that has a metric. Key: delivery_id. First moments, in UTC.
-- The App API and exports know only the latest occurrence of each metric: with these routes alone, a first open is the
-- last one that was seen at each load. A human open is one that no route marks as prefetched, a human click one that no
-- route marks as a machine's.
CREATE OR REPLACE VIEW {{ staging }}.stg_customerio__delivery_metrics AS
SELECT
    occurrences.delivery_id,
    MIN(CASE WHEN metric = 'sent' THEN occurred_at END) AS first_sent_at,
    MIN(CASE WHEN metric = 'delivered' THEN occurred_at END) AS first_delivered_at,
    MIN(CASE WHEN metric = 'opened' THEN occurred_at END) AS first_opened_at,
    MIN(
        CASE WHEN metric = 'human_opened' OR (metric = 'opened' AND prefetched = 0) THEN occurred_at END
    ) AS first_human_opened_at,
    MIN(CASE WHEN metric = 'clicked' THEN occurred_at END) AS first_clicked_at,
    MIN(
        CASE WHEN metric = 'human_clicked' OR (metric = 'clicked' AND machine = 0) THEN occurred_at END
    ) AS first_human_clicked_at,
    MIN(CASE WHEN metric = 'converted' THEN occurred_at END) AS first_converted_at,
    MIN(CASE WHEN metric = 'unsubscribed' THEN occurred_at END) AS first_unsubscribed_at,
    MIN(CASE WHEN metric = 'bounced' THEN occurred_at END) AS first_bounced_at,
    MIN(CASE WHEN metric = 'spammed' THEN occurred_at END) AS first_spammed_at,
    MIN(CASE WHEN metric = 'deferred' THEN occurred_at END) AS first_deferred_at,
    MIN(CASE WHEN metric = 'dropped' THEN occurred_at END) AS first_dropped_at,
    MIN(CASE WHEN metric = 'failed' THEN occurred_at END) AS first_failed_at,
    SUM(CASE WHEN metric = 'opened' THEN 1 ELSE 0 END) AS opens,
    SUM(CASE WHEN metric = 'clicked' THEN 1 ELSE 0 END) AS clicks
FROM (
    SELECT
        delivery_id,
        metric,
        occurred_at,
        -- Webhooks mention it only when it is so; a route that does not tell is no witness.
        MAX(CASE WHEN prefetched THEN 1 WHEN NOT prefetched OR source = 'webhooks' THEN 0 END) AS prefetched,
        MAX(CASE WHEN machine THEN 1 WHEN NOT machine OR source = 'webhooks' THEN 0 END) AS machine
    FROM {{ raw }}.metrics
    GROUP BY delivery_id, metric, occurred_at
) AS occurrences
GROUP BY occurrences.delivery_id
WITH NO SCHEMA BINDING
