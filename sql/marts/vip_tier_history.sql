-- Grain: one row per customer and span of time in one tier under one definition. Key: customer_id, valid_from.
-- Build: table, DISTKEY (customer_id) because a person's spans are read together, SORTKEY (valid_from) because audits ask for days.
-- Used by: audits of who was VIP when, and by which definition. Type 2: valid_to is null for what holds now.
-- Told from the moments of the orders, refunds and chargebacks themselves, and not from earlier builds: built day by day, once,
-- or again after a backfill, it is the same. What arrives late corrects the span it belongs to.
WITH people AS (
    SELECT customer_id, COALESCE(created_at, CAST('1970-01-01' AS TIMESTAMP)) AS known_from
    FROM {{ ref('stg_customers') }}
),
definitions AS (
    {% for definition in vip_definitions if definition.since <= vip.since %}
    SELECT
        {{ text(definition.version) }} AS version,
        {{ "CAST('1970-01-01' AS TIMESTAMP)" if loop.first else start_of(definition.since) }} AS holds_from,
        {{ "CAST(NULL AS TIMESTAMP)" if loop.last else start_of(loop.nextitem.since) }} AS holds_until
    {{ "UNION ALL" if not loop.last }}
    {% endfor %}
),
changes AS (
    SELECT customer_id, known_from AS changed_at, CAST(0 AS DECIMAL(18, 4)) AS amount
    FROM people
    UNION ALL
    SELECT orders.customer_id, GREATEST(people.known_from, orders.paid_at), orders.total
    FROM {{ ref('paid_orders') }} AS orders
    JOIN people ON people.customer_id = orders.customer_id
    UNION ALL
    SELECT refunds.customer_id, GREATEST(people.known_from, refunds.refunded_at), -refunds.amount
    FROM {{ ref('stg_refunds') }} AS refunds
    JOIN people ON people.customer_id = refunds.customer_id
    UNION ALL
    SELECT
        orders.customer_id,
        GREATEST(people.known_from, orders.paid_at, chargebacks.received_at),
        -chargebacks.amount
    FROM {{ ref('stg_chargebacks') }} AS chargebacks
    JOIN {{ ref('paid_orders') }} AS orders ON orders.order_id = chargebacks.order_id
    JOIN people ON people.customer_id = orders.customer_id
),
moments AS (
    SELECT customer_id, changed_at, SUM(amount) AS amount
    FROM changes
    GROUP BY customer_id, changed_at
),
steps AS (
    SELECT
        customer_id,
        changed_at AS holds_from,
        LEAD(changed_at) OVER (PARTITION BY customer_id ORDER BY changed_at) AS holds_until,
        CAST(SUM(amount) OVER (
            PARTITION BY customer_id ORDER BY changed_at ROWS UNBOUNDED PRECEDING
        ) AS DECIMAL(18, 2)) AS lifetime_value
    FROM moments
),
tiers AS (
    SELECT
        steps.customer_id,
        definitions.version,
        GREATEST(steps.holds_from, definitions.holds_from) AS valid_from,
        CASE
            {% for definition in vip_definitions if definition.since <= vip.since %}
            {% for tier, from_value in definition.tiers | dictsort(by='value', reverse=true) %}
            WHEN definitions.version = {{ text(definition.version) }} AND steps.lifetime_value >= {{ from_value }} THEN {{ text(tier) }}
            {% endfor %}
            {% endfor %}
            ELSE 'none'
        END AS vip_tier
    FROM steps
    JOIN definitions
        ON (definitions.holds_until IS NULL OR steps.holds_from < definitions.holds_until)
        AND (steps.holds_until IS NULL OR steps.holds_until > definitions.holds_from)
),
compared AS (
    SELECT
        tiers.*,
        LAG(vip_tier) OVER (PARTITION BY customer_id ORDER BY valid_from) AS tier_before,
        LAG(version) OVER (PARTITION BY customer_id ORDER BY valid_from) AS version_before
    FROM tiers
)
SELECT
    customer_id,
    vip_tier,
    version AS vip_definition_version,
    valid_from,
    LEAD(valid_from) OVER (PARTITION BY customer_id ORDER BY valid_from) AS valid_to
FROM compared
WHERE tier_before IS NULL OR tier_before <> vip_tier OR version_before <> version
