-- Grain: one row per experiment that holds people out. Key: experiment.
-- Build: table, DISTSTYLE ALL because it is small, SORTKEY (experiment) because it is read by experiment.
-- Used by: deciding what a programme is worth. Treated against held out, by intention to treat: everybody counts where the draw
-- put them, reached or not. Converted is who placed an order and kept it in the lift_days from the draw on, by the business's
-- clock; margin is of the orders of these days. Intervals are 95 %: of the rates Newcombe's hybrid score, of the margins Welch's
-- with the normal quantile.
WITH members AS (
    SELECT
        holdouts.experiment,
        holdouts.held_out,
        holdouts.assigned_at,
        COALESCE(by_id.customer_id, by_email.customer_id) AS customer_id
    FROM {{ source('holdouts') }} AS holdouts
    LEFT JOIN {{ ref('stg_customers') }} AS by_id ON by_id.customer_id = holdouts.member
    LEFT JOIN {{ ref('stg_customers') }} AS by_email ON by_email.email = LOWER(holdouts.member)
    WHERE COALESCE(by_id.customer_id, by_email.customer_id) IS NOT NULL
),
outcomes AS (
    SELECT
        members.experiment,
        members.held_out,
        members.customer_id,
        members.assigned_at,
        MAX(CASE WHEN orders.is_kept THEN 1 ELSE 0 END) AS converted,
        CASE WHEN COUNT(orders.order_id) = COUNT(orders.margin) THEN COALESCE(SUM(orders.margin), 0) END AS margin
    FROM members
    LEFT JOIN {{ ref('paid_orders') }} AS orders
        ON orders.customer_id = members.customer_id
        AND orders.ordered_at >= members.assigned_at
        AND orders.ordered_at < {{ days_later('members.assigned_at', windows.lift_days) }}
    GROUP BY members.experiment, members.held_out, members.customer_id, members.assigned_at
),
arms AS (
    SELECT
        experiment,
        held_out,
        MIN(assigned_at) AS first_assigned_at,
        CAST(COUNT(*) AS DOUBLE PRECISION) AS people,
        CAST(SUM(converted) AS DOUBLE PRECISION) AS conversions,
        CASE WHEN COUNT(*) = COUNT(margin) THEN AVG(CAST(margin AS DOUBLE PRECISION)) END AS margin,
        CASE WHEN COUNT(*) = COUNT(margin) THEN VAR_SAMP(CAST(margin AS DOUBLE PRECISION)) END AS variance
    FROM outcomes
    GROUP BY experiment, held_out
),
wilson AS (
    SELECT
        arms.*,
        conversions / people AS rate,
        (
            2 * conversions + 3.8414588 - 1.9599640 * SQRT(3.8414588 + 4 * conversions * (1 - conversions / people))
        ) / (2 * (people + 3.8414588)) AS rate_low,
        (
            2 * conversions + 3.8414588 + 1.9599640 * SQRT(3.8414588 + 4 * conversions * (1 - conversions / people))
        ) / (2 * (people + 3.8414588)) AS rate_high
    FROM arms
),
compared AS (
    SELECT
        treated.experiment,
        LEAST(treated.first_assigned_at, held.first_assigned_at) AS first_assigned_at,
        treated.people AS treated,
        held.people AS held_out,
        treated.conversions AS treated_conversions,
        held.conversions AS held_out_conversions,
        treated.rate AS treated_rate,
        held.rate AS held_out_rate,
        treated.rate - held.rate AS lift,
        SQRT(
            (treated.rate - treated.rate_low) * (treated.rate - treated.rate_low)
            + (held.rate_high - held.rate) * (held.rate_high - held.rate)
        ) AS below,
        SQRT(
            (treated.rate_high - treated.rate) * (treated.rate_high - treated.rate)
            + (held.rate - held.rate_low) * (held.rate - held.rate_low)
        ) AS above,
        treated.margin AS treated_margin,
        held.margin AS held_out_margin,
        treated.margin - held.margin AS margin_lift,
        1.9599640 * SQRT(treated.variance / treated.people + held.variance / held.people) AS margin_error
    FROM wilson AS treated
    JOIN wilson AS held ON held.experiment = treated.experiment AND held.held_out
    WHERE NOT treated.held_out
)
SELECT
    experiment,
    first_assigned_at,
    CAST(treated AS BIGINT) AS treated,
    CAST(held_out AS BIGINT) AS held_out,
    CAST(treated_conversions AS BIGINT) AS treated_conversions,
    CAST(held_out_conversions AS BIGINT) AS held_out_conversions,
    CAST(treated_rate AS DECIMAL(9, 6)) AS treated_rate,
    CAST(held_out_rate AS DECIMAL(9, 6)) AS held_out_rate,
    CAST(lift AS DECIMAL(9, 6)) AS lift,
    CAST(lift - below AS DECIMAL(9, 6)) AS lift_low,
    CAST(lift + above AS DECIMAL(9, 6)) AS lift_high,
    CAST(lift * treated AS DECIMAL(18, 2)) AS extra_conversions,
    CAST(treated_margin AS DECIMAL(18, 4)) AS treated_margin,
    CAST(held_out_margin AS DECIMAL(18, 4)) AS held_out_margin,
    CAST(margin_lift AS DECIMAL(18, 4)) AS margin_lift,
    CAST(margin_lift - margin_error AS DECIMAL(18, 4)) AS margin_lift_low,
    CAST(margin_lift + margin_error AS DECIMAL(18, 4)) AS margin_lift_high,
    CAST(margin_lift * treated AS DECIMAL(18, 2)) AS extra_margin
FROM compared
