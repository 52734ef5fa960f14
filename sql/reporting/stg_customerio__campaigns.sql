-- Grain: one row per campaign. Key: campaign_id.
CREATE OR REPLACE VIEW {{ staging }}.stg_customerio__campaigns AS
SELECT
    campaign_id,
    name AS campaign_name,
    type AS campaign_type,
    state AS campaign_state,
    created_at,
    updated_at
FROM {{ raw }}.campaigns
WITH NO SCHEMA BINDING
