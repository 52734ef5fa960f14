-- Grain: one row per customer and experiment of an audience; written once, never changed. Key: experiment, customer_id.
-- held_out customers get nothing from the experiment, the others are its treatment; both are eligible.
CREATE OR REPLACE VIEW {{ staging }}.stg_customerio__holdout_assignments AS
SELECT
    experiment,
    member AS customer_id,
    held_out AS is_held_out,
    stratum,
    basis_points,
    audience,
    assigned_at
FROM {{ schema }}.holdout_assignments
WITH NO SCHEMA BINDING
