-- Grain: one row per customer and span of time in one tier under one definition. Key: customer_id, valid_from.
-- Build: table, DISTKEY (customer_id) because a person's spans are read together, SORTKEY (valid_from) because audits ask for days.
-- Used by: audits of who was VIP when, and by which definition. Type 2: valid_to is null for what holds now. A span begins at
-- the as_of of the build that saw it first; building again for the same as_of changes nothing.
WITH held AS (
    {% if history %}
    SELECT
        customer_id,
        vip_tier,
        vip_definition_version,
        valid_from,
        CASE WHEN valid_to < {{ as_of }} THEN valid_to END AS valid_to
    FROM {{ history }}
    WHERE valid_from < {{ as_of }}
    {% else %}
    SELECT customer_id, vip_tier, vip_definition_version, {{ as_of }} AS valid_from, {{ as_of }} AS valid_to
    FROM {{ ref('retention_customer_state') }}
    WHERE FALSE
    {% endif %}
)
SELECT
    held.customer_id,
    held.vip_tier,
    held.vip_definition_version,
    held.valid_from,
    CASE
        WHEN held.valid_to IS NOT NULL THEN held.valid_to
        WHEN state.customer_id IS NULL
            OR state.vip_tier <> held.vip_tier
            OR state.vip_definition_version <> held.vip_definition_version THEN {{ as_of }}
    END AS valid_to
FROM held
LEFT JOIN {{ ref('retention_customer_state') }} AS state ON state.customer_id = held.customer_id
UNION ALL
SELECT state.customer_id, state.vip_tier, state.vip_definition_version, {{ as_of }}, NULL
FROM {{ ref('retention_customer_state') }} AS state
LEFT JOIN held
    ON held.customer_id = state.customer_id
    AND held.valid_to IS NULL
    AND held.vip_tier = state.vip_tier
    AND held.vip_definition_version = state.vip_definition_version
WHERE held.customer_id IS NULL
