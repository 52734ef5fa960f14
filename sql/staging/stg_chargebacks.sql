-- Grain: one row per chargeback of a known customer. Key: chargeback_id.
-- Build: view
SELECT
    chargebacks.chargeback_id,
    chargebacks.order_id,
    orders.customer_id,
    chargebacks.received_at,
    CAST({{ converted('chargebacks.amount', 'orders.currency') }} AS DECIMAL(18, 4)) AS amount
FROM {{ source('chargebacks') }} AS chargebacks
JOIN {{ ref('stg_orders') }} AS orders ON orders.order_id = chargebacks.order_id
