-- Grain: one row per action of a campaign. Key: action_id.
CREATE OR REPLACE VIEW {{ staging }}.stg_customerio__campaign_actions AS
SELECT
    actions.action_id,
    actions.campaign_id,
    campaigns.name AS campaign_name,
    campaigns.state AS campaign_state,
    actions.name AS action_name,
    actions.type AS channel
FROM {{ raw }}.campaign_actions AS actions
LEFT JOIN {{ raw }}.campaigns AS campaigns ON campaigns.campaign_id = actions.campaign_id
WITH NO SCHEMA BINDING
