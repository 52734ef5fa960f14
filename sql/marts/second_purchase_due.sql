-- Grain: one row per customer whose first and only order is due for a second one. Key: customer_id.
-- Build: view, because a few days of paid_orders are one range of its sort key, ordered_at.
-- Used by: the second-purchase push. As the source of an event sync keyed by customer_id it sends once per person.
-- due_at is the time of the first order on the business's clock, the days of models.yaml later; empty without `second_purchase` there.
SELECT
    orders.customer_id,
    customers.email,
    orders.order_id AS first_order_id,
    orders.ordered_at AS first_order_at,
    {{ days_later('orders.ordered_at', second_purchase.after_days if second_purchase else 0) }} AS due_at,
    state.primary_category
FROM {{ ref('paid_orders') }} AS orders
JOIN {{ ref('stg_customers') }} AS customers ON customers.customer_id = orders.customer_id
JOIN {{ ref('retention_customer_state') }} AS state ON state.customer_id = orders.customer_id
{% if second_purchase %}
JOIN (
    SELECT
        order_id,
        MAX(CASE WHEN category IN ({% for category in second_purchase.categories %}{{ text(category) }}{{ ", " if not loop.last }}{% endfor %}) THEN 1 ELSE 0 END) AS wanted,
        {% if second_purchase.never_categories %}
        MAX(CASE WHEN category IN ({% for category in second_purchase.never_categories %}{{ text(category) }}{{ ", " if not loop.last }}{% endfor %}) THEN 1 ELSE 0 END) AS never
        {% else %}
        0 AS never
        {% endif %}
    FROM {{ ref('paid_lines') }}
    WHERE ordered_at < {{ days_before(second_purchase.after_days) }}
        AND ordered_at >= {{ days_before(second_purchase.after_days + second_purchase.for_days) }}
    GROUP BY order_id
) AS contents ON contents.order_id = orders.order_id AND contents.wanted = 1 AND contents.never = 0
{% endif %}
WHERE orders.is_kept
    AND state.lifetime_orders = 1
    {% if second_purchase %}
    AND orders.ordered_at < {{ days_before(second_purchase.after_days) }}
    AND orders.ordered_at >= {{ days_before(second_purchase.after_days + second_purchase.for_days) }}
    {% else %}
    AND FALSE
    {% endif %}
