-- Grain: one row per registered customer. Key: customer_id.
-- Build: table, DISTKEY (customer_id) because syncs and audiences join by customer, SORTKEY (customer_id) so that the diff of a sync merges.
-- Used by: the people sync; lapsed_high_value, suppression_*, inactivity.
-- Everything is as it was at as_of; refunds and chargebacks correct it on the next build. `days_since_last_order` and what
-- follows from it change with the day: leave them out of a people sync that is to send only what happened.
WITH orders AS (
    SELECT
        customer_id,
        MIN(ordered_at) AS first_order_at,
        MAX(ordered_at) AS last_order_at,
        MAX(CASE WHEN is_kept THEN ordered_at END) AS last_paid_order_at,
        MAX(CASE WHEN is_kept THEN ordered_on END) AS last_paid_order_on,
        MAX(ordered_on) AS last_order_on,
        MIN(CASE WHEN is_kept THEN ordered_on END) AS first_paid_order_on,
        COUNT(DISTINCT CASE WHEN is_kept THEN ordered_on END) AS paid_days,
        COUNT(*) AS lifetime_orders,
        SUM(CASE WHEN is_kept THEN 1 ELSE 0 END) AS kept_orders,
        SUM(total) AS gross_value,
        SUM(charged_back_amount) AS charged_back_value,
        SUM(CASE WHEN order_state = 'charged_back' THEN 1 ELSE 0 END) AS chargebacks,
        SUM(CASE WHEN discount > 0 THEN 1 ELSE 0 END) AS discounted_orders,
        SUM(margin) AS margin,
        COUNT(*) - COUNT(margin) AS orders_without_margin
    FROM {{ ref('paid_orders') }}
    GROUP BY customer_id
),
latest AS (
    SELECT orders.customer_id, orders.order_state
    FROM {{ ref('paid_orders') }} AS orders
    JOIN (
        SELECT customer_id, MAX(order_number) AS order_number
        FROM {{ ref('paid_orders') }}
        GROUP BY customer_id
    ) AS last_one ON last_one.customer_id = orders.customer_id AND last_one.order_number = orders.order_number
),
refunds AS (
    SELECT
        customer_id,
        COUNT(*) AS refunds,
        SUM(amount) AS refunded_value,
        SUM(CASE WHEN order_id IS NULL THEN amount ELSE 0 END) AS unlinked_value,
        MAX(refunded_at) AS last_refund_at
    FROM {{ ref('stg_refunds') }}
    GROUP BY customer_id
),
undone AS (
    SELECT customer_id, COUNT(DISTINCT order_id) AS undone_orders
    FROM (
        SELECT customer_id, order_id
        FROM {{ ref('paid_orders') }}
        WHERE refunded_amount > 0
        UNION ALL
        SELECT returns.customer_id, returns.order_id
        FROM {{ ref('stg_returns') }} AS returns
        JOIN {{ ref('paid_orders') }} AS orders ON orders.order_id = returns.order_id
        WHERE NOT returns.is_exchange
    ) AS of_orders
    GROUP BY customer_id
),
subscriptions AS (
    SELECT
        customer_id,
        MAX(CASE status WHEN 'active' THEN 3 WHEN 'paused' THEN 2 WHEN 'cancelled' THEN 1 ELSE 0 END) AS state
    FROM {{ ref('stg_subscriptions') }}
    GROUP BY customer_id
),
categories AS (
    SELECT
        customer_id,
        category,
        SUM(value) AS value,
        SUM(SUM(value)) OVER (PARTITION BY customer_id) AS total_value,
        ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY SUM(value) DESC, category) AS value_rank
    FROM {{ ref('paid_lines') }}
    WHERE is_kept AND category IS NOT NULL
    GROUP BY customer_id, category
),
heroes AS (
    SELECT
        customer_id,
        sku,
        ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY SUM(quantity) DESC, SUM(value) DESC, sku) AS sku_rank
    FROM {{ ref('paid_lines') }}
    WHERE is_kept AND sku IS NOT NULL
    GROUP BY customer_id, sku
),
sessions AS (
    SELECT customer_id, MAX(started_at) AS last_session_at
    FROM {{ ref('stg_sessions') }}
    GROUP BY customer_id
),
tickets AS (
    SELECT customer_id, MAX(opened_at) AS last_ticket_at
    FROM {{ ref('stg_tickets') }}
    GROUP BY customer_id
),
messages AS (
    SELECT
        customer_id,
        MAX(sent_at) AS last_message_ts,
        MAX(CASE WHEN sent_at >= {{ days_before(30) }} THEN 1 ELSE 0 END) AS is_messaged,
        MAX(CASE WHEN engaged_at >= {{ days_before(30) }} THEN 1 ELSE 0 END) AS is_engaged
    FROM {{ ref('stg_messages') }}
    WHERE NOT is_transactional
    GROUP BY customer_id
),
due AS (
    SELECT customer_id, MIN(due_on) AS next_replenishment_on
    FROM {{ ref('replenishment_due') }}
    GROUP BY customer_id
),
shop AS (
    SELECT
        SUM(DATEDIFF(day, first_paid_order_on, last_paid_order_on)) AS days,
        SUM(paid_days - 1) AS gaps
    FROM orders
    WHERE paid_days > 1
),
fields AS (
    SELECT
        customers.customer_id,
        customers.email,
        customers.first_name,
        customers.last_name,
        customers.country,
        customers.created_at,
        customers.accepts_marketing,
        orders.first_order_at,
        orders.last_order_at,
        orders.last_paid_order_at,
        orders.last_paid_order_on,
        COALESCE(latest.order_state, 'none') AS order_state,
        COALESCE(orders.lifetime_orders, 0) AS lifetime_orders,
        COALESCE(orders.kept_orders, 0) AS kept_orders,
        COALESCE(orders.chargebacks, 0) AS chargebacks,
        COALESCE(orders.gross_value, 0) AS gross_value,
        CAST(
            COALESCE(orders.gross_value, 0) - COALESCE(orders.charged_back_value, 0)
            - COALESCE(refunds.refunded_value, 0) AS DECIMAL(18, 2)
        ) AS lifetime_value,
        CASE
            WHEN COALESCE(orders.orders_without_margin, 0) = 0
            THEN CAST(COALESCE(orders.margin, 0) - COALESCE(refunds.unlinked_value, 0) AS DECIMAL(18, 2))
        END AS lifetime_margin,
        CAST(orders.gross_value / NULLIF(orders.lifetime_orders, 0) AS DECIMAL(18, 2)) AS average_order_value,
        DATEDIFF(day, orders.last_order_on, {{ today }}) AS days_since_last_order,
        COALESCE(refunds.refunds, 0) AS refunds,
        CAST(COALESCE(refunds.refunded_value, 0) AS DECIMAL(18, 2)) AS refunded_value,
        refunds.last_refund_at,
        CAST(
            COALESCE(undone.undone_orders, 0) / NULLIF(CAST(orders.lifetime_orders AS DECIMAL(18, 4)), 0)
            AS DECIMAL(9, 4)
        ) AS return_rate,
        CASE subscriptions.state
            WHEN 3 THEN 'active' WHEN 2 THEN 'paused' WHEN 1 THEN 'cancelled' ELSE 'none'
        END AS subscription_state,
        categories.category AS primary_category,
        CAST(categories.value / NULLIF(categories.total_value, 0) AS DECIMAL(9, 4)) AS category_affinity,
        heroes.sku AS hero_sku,
        CAST(
            orders.discounted_orders / NULLIF(CAST(orders.lifetime_orders AS DECIMAL(18, 4)), 0)
            AS DECIMAL(9, 4)
        ) AS discount_sensitivity,
        CASE
            WHEN orders.paid_days > 1
            THEN CAST(CEILING(
                DATEDIFF(day, orders.first_paid_order_on, orders.last_paid_order_on)
                / CAST(orders.paid_days - 1 AS DECIMAL(18, 4))
            ) AS INTEGER)
            ELSE CAST(CEILING(shop.days / CAST(shop.gaps AS DECIMAL(18, 4))) AS INTEGER)
        END AS expected_gap,
        sessions.last_session_at,
        tickets.last_ticket_at,
        messages.last_message_ts,
        messages.is_messaged,
        messages.is_engaged,
        due.next_replenishment_on
    FROM {{ ref('stg_customers') }} AS customers
    CROSS JOIN shop
    LEFT JOIN orders ON orders.customer_id = customers.customer_id
    LEFT JOIN latest ON latest.customer_id = customers.customer_id
    LEFT JOIN refunds ON refunds.customer_id = customers.customer_id
    LEFT JOIN undone ON undone.customer_id = customers.customer_id
    LEFT JOIN subscriptions ON subscriptions.customer_id = customers.customer_id
    LEFT JOIN categories ON categories.customer_id = customers.customer_id AND categories.value_rank = 1
    LEFT JOIN heroes ON heroes.customer_id = customers.customer_id AND heroes.sku_rank = 1
    LEFT JOIN sessions ON sessions.customer_id = customers.customer_id
    LEFT JOIN tickets ON tickets.customer_id = customers.customer_id
    LEFT JOIN messages ON messages.customer_id = customers.customer_id
    LEFT JOIN due ON due.customer_id = customers.customer_id
)
SELECT
    customer_id,
    email,
    first_name,
    last_name,
    country,
    created_at,
    accepts_marketing,
    first_order_at,
    last_order_at,
    last_paid_order_at,
    order_state,
    lifetime_orders,
    lifetime_value,
    lifetime_margin,
    average_order_value,
    days_since_last_order,
    refunds,
    refunded_value,
    last_refund_at,
    chargebacks,
    return_rate,
    subscription_state,
    primary_category,
    category_affinity,
    hero_sku,
    '1' AS affinity_version,
    lifetime_orders = 1 AS is_first_time_buyer,
    lifetime_orders > 1 AS is_repeat_buyer,
    CASE
        {% for tier, from_value in vip.tiers | dictsort(by='value', reverse=true) %}
        WHEN lifetime_value >= {{ from_value }} THEN {{ text(tier) }}
        {% endfor %}
        ELSE 'none'
    END AS vip_tier,
    {{ text(vip.version) }} AS vip_definition_version,
    kept_orders >= {{ thresholds.reactivation_min_orders }}
    AND last_paid_order_at < {{ days_before(windows.lapsed_days) }}
    AND chargebacks = 0
    AND COALESCE(accepts_marketing, TRUE)
    AND subscription_state <> 'active' AS is_reactivation_eligible,
    next_replenishment_on IS NOT NULL AS needs_replenishment,
    next_replenishment_on,
    CASE
        WHEN lifetime_orders = 0 THEN 'eligible'
        WHEN lifetime_orders >= {{ thresholds.discount_abuser_min_orders }}
            AND discount_sensitivity >= {{ thresholds.discount_abuser_share }} THEN 'excluded'
        WHEN chargebacks > 0 THEN 'excluded'
        WHEN lifetime_orders > 1 AND discount_sensitivity <= {{ thresholds.discount_not_needed_share }} THEN 'not_needed'
        ELSE 'eligible'
    END AS discount_eligibility,
    CASE
        WHEN lifetime_margin IS NULL OR lifetime_value <= 0 THEN 'unknown'
        WHEN lifetime_margin / lifetime_value >= {{ thresholds.high_margin }} THEN 'high'
        WHEN lifetime_margin / lifetime_value < {{ thresholds.low_margin }} THEN 'low'
        ELSE 'medium'
    END AS gross_margin_bucket,
    COALESCE(discount_sensitivity, 0) AS discount_sensitivity,
    CAST(DATEADD(day, expected_gap, last_paid_order_on) AS DATE) AS predicted_next_purchase_date,
    last_session_at,
    last_ticket_at,
    last_message_ts,
    {% if has('deliveries') %}
    CASE WHEN is_engaged = 1 THEN 'engaged' WHEN is_messaged = 1 THEN 'unresponsive' ELSE 'quiet' END AS engagement
    {% else %}
    CAST(NULL AS VARCHAR(32)) AS engagement
    {% endif %}
FROM fields
