-- Customers whose span of now is not the tier of their state.
SELECT state.customer_id
FROM {{ ref('retention_customer_state') }} AS state
LEFT JOIN {{ ref('vip_tier_history') }} AS held ON held.customer_id = state.customer_id AND held.valid_to IS NULL
WHERE held.vip_tier IS NULL
    OR held.vip_tier <> state.vip_tier
    OR held.vip_definition_version <> state.vip_definition_version
