-- Grain: one row per return or exchange of a known customer. Key: return_id.
-- Build: view
SELECT
    returns.return_id,
    returns.order_id,
    orders.customer_id,
    returns.sku,
    returns.returned_at,
    COALESCE(returns.is_exchange, FALSE) AS is_exchange
FROM {{ source('returns') }} AS returns
JOIN {{ ref('stg_orders') }} AS orders ON orders.order_id = returns.order_id
