-- Grain: one row per customer, paid audience and live journey that have the person at once. Key: customer_id, audience, campaign_id.
-- Build: view, because the ledger of the audiences changes between builds; of stg_messages it reads one range of the sort key, sent_at.
-- Used by: taking people out of paid audiences while a journey still speaks to them.
-- An audience is paid where a platform holds hashes of emails; it is as its ledger says now. Customer.io tells nobody who is in a
-- journey, so a journey is live for a person when a campaign that is not stopped sent them a message in the last journey_days.
WITH hashes AS (
    SELECT customer_id, SHA2(email, 256) AS identifier
    FROM {{ ref('stg_customers') }}
    WHERE email IS NOT NULL
    UNION
    SELECT
        customer_id,
        SHA2(REPLACE(SPLIT_PART(SPLIT_PART(email, '@', 1), '+', 1), '.', '') || '@' || SPLIT_PART(email, '@', 2), 256)
    FROM {{ ref('stg_customers') }}
    WHERE SPLIT_PART(email, '@', 2) IN ('gmail.com', 'googlemail.com')
),
paid AS (
    SELECT hashes.customer_id, members.audience, MIN(members.added_at) AS added_at
    FROM {{ source('audience_members') }} AS members
    JOIN hashes ON hashes.identifier = members.identifier
    WHERE members.field IN ('EMAIL_SHA256', 'emailAddress') AND members.state IN ('present', 'adding', 'add_sent')
    GROUP BY hashes.customer_id, members.audience
),
stopped AS (
    SELECT DISTINCT campaign_id
    FROM {{ source('campaign_actions') }} AS campaign_actions
    WHERE campaign_state <> 'running'
),
names AS (
    SELECT campaign_id, MAX(campaign_name) AS campaign_name
    FROM {{ source('campaign_actions') }} AS campaign_actions
    GROUP BY campaign_id
),
journeys AS (
    SELECT customer_id, sender_id AS campaign_id, MAX(sent_at) AS last_message_at
    FROM {{ ref('stg_messages') }}
    WHERE sender = 'campaign' AND sent_at >= {{ days_before(windows.journey_days) }}
    GROUP BY customer_id, sender_id
)
SELECT
    paid.customer_id,
    customers.email,
    paid.audience,
    journeys.campaign_id,
    names.campaign_name,
    paid.added_at,
    journeys.last_message_at
FROM paid
JOIN journeys ON journeys.customer_id = paid.customer_id
JOIN {{ ref('stg_customers') }} AS customers ON customers.customer_id = paid.customer_id
LEFT JOIN names ON names.campaign_id = journeys.campaign_id
LEFT JOIN stopped ON stopped.campaign_id = journeys.campaign_id
WHERE stopped.campaign_id IS NULL
